import { layered } from "./layout.js";

self.onmessage = ({ data }) => {
  const { id, n, from, to, lane, lanes } = data;
  const made = layered(n, from, to, lane, lanes);
  self.postMessage({ id, ...made }, [made.x.buffer, made.y.buffer]);
};
