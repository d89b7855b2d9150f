import { layered } from "./layout.js";

self.onmessage = ({ data }) => {
  const { id, ...drawing } = data;
  const made = layered(drawing);
  self.postMessage({ id, ...made }, [made.x.buffer, made.y.buffer]);
};
