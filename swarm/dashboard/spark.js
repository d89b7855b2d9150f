// A course in the size of a word: the line of the last hour under the figure it led to.
import { s } from "./dom.js";

const HEIGHT = 24;
const EDGE = 2; // so that the line is not cut at the top

/**
 * `values` from the oldest to now, null where there was none (a gap in the line); `words` say the
 * course to who does not see it. `most` is the value at the top, the largest one unless it is told;
 * `band` are two values that the course is wanted between.
 */
export function spark(values, words, { most = Math.max(...values.filter((one) => one !== null), 0), band = null } = {}) {
  const height = (value) => HEIGHT - (most ? value / most : 0) * (HEIGHT - EDGE);
  return s("svg.spark", { viewBox: `0 0 ${values.length} ${HEIGHT}`, preserveAspectRatio: "none", role: "img", "aria-label": words }, s("title", {}, words),
    band ? s("rect.band", { x: 0, y: height(band[1]), width: values.length, height: height(band[0]) - height(band[1]) }) : null,
    s("line.base", { x1: 0, x2: values.length, y1: HEIGHT, y2: HEIGHT }),
    s("path.course", { d: steps(values, height) }));
}

/** A step for each value: it held for all of its minute. */
function steps(values, height) {
  return values.map((value, at) => {
    if (value === null) return "";
    const begun = at > 0 && values[at - 1] !== null ? "L" : "M";
    return `${begun}${at} ${height(value).toFixed(2)}H${at + 1}`;
  }).join("");
}
