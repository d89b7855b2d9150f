// How boxes and lines look. Each function draws what of a scene is in `frame`, in the world's units;
// `scale` is px of the screen for one of them, `only` (a set of boxes, or null) leaves out the rest.

export const WIDTH = 172;
export const HEIGHT = 26;
const READABLE = 0.42;
const DENSE = 1500; // lines in view, from which on each is faint
const FAINTEST = 0.07;
const STRAIGHT = 0.15; // the scale below which nobody sees a bend
const NEAR = 0.9; // the scale from which on datasets are shown
const DOT = 2.5; // of a dataset
const DOTS = 5; // at most on a line
const BACK = 48; // how far below its boxes a line runs back

/** The eight numbers of a line's curve: from right to left, or below the boxes where it runs back. */
export function bent({ x, y }, { a, b }) {
  if (x[b] <= x[a]) {
    const [x1, y1, x2, y2] = [x[a] + WIDTH / 2, y[a] + HEIGHT, x[b] + WIDTH / 2, y[b] + HEIGHT];
    const low = Math.max(y1, y2) + BACK;
    return [x1, y1, x1, low, x2, low, x2, y2];
  }
  const [x1, y1, x2, y2] = [x[a] + WIDTH, y[a] + HEIGHT / 2, x[b], y[b] + HEIGHT / 2];
  const bend = Math.max(40, (x2 - x1) / 2);
  return [x1, y1, x1 + bend, y1, x2 - bend, y2, x2, y2];
}

export const outside = ([x1, y1, x2, y2, x3, y3, x4, y4], left, top, right, bottom) =>
  Math.max(x1, x2, x3, x4) < left || Math.min(x1, x2, x3, x4) > right || Math.max(y1, y2, y3, y4) < top || Math.min(y1, y2, y3, y4) > bottom;

/** `crowd`: how many lines are in view; where they are very many each is faint. */
export function lines(pen, scene, frame, scale, colours, only, crowd) {
  const dense = crowd > DENSE; // so many that dashes tell nothing any more
  const batches = new Map();
  for (const line of scene.lines) {
    if (only && !(only.has(line.a) && only.has(line.b))) continue;
    if (outside(line.points, frame.left, frame.top, frame.right, frame.bottom)) continue;
    const kind = `${line.hazard ? "hazard" : line.declared ? "declared" : "implicit"} ${line.declared || dense ? "" : dash(line.confidence)}`;
    if (!batches.has(kind)) batches.set(kind, { path: new Path2D(), line });
    trace(batches.get(kind).path, line.points, scale < STRAIGHT);
  }
  const thin = Math.max(1, 0.7 / scale);
  for (const { path, line } of batches.values()) {
    pen.globalAlpha = dense && !only && !line.hazard ? Math.max(FAINTEST, DENSE / crowd / 4) : 1;
    pen.setLineDash(line.declared || dense ? [] : dash(line.confidence));
    if (line.hazard) {
      pen.strokeStyle = colours.halo;
      pen.lineWidth = thin * 5;
      pen.setLineDash([]);
      pen.stroke(path);
      if (!line.declared && !dense) pen.setLineDash(dash(line.confidence));
    }
    pen.strokeStyle = line.hazard ? colours.failed : line.declared ? colours.declared : colours.implicit;
    pen.lineWidth = thin * (line.declared ? 1 : 1.25);
    pen.stroke(path);
  }
  pen.setLineDash([]);
  pen.globalAlpha = 1;
  if (scale >= NEAR && !dense) datasets(pen, scene, frame, colours, only);
}

/** A dot in the middle of a line for each dataset that flows along it. */
function datasets(pen, scene, frame, colours, only) {
  const path = new Path2D();
  for (const line of scene.lines) {
    if (!line.datasets || (only && !(only.has(line.a) && only.has(line.b)))) continue;
    if (outside(line.points, frame.left, frame.top, frame.right, frame.bottom)) continue;
    const shown = Math.min(DOTS, line.datasets);
    const [x, y] = middle(line.points);
    for (let at = 0; at < shown; at++) {
      const along = x + (at - (shown - 1) / 2) * DOT * 3;
      path.moveTo(along + DOT, y);
      path.arc(along, y, DOT, 0, 2 * Math.PI);
    }
  }
  pen.fillStyle = colours.text;
  pen.fill(path);
}

/** Of a line's curve. */
const middle = ([x1, y1, x2, y2, x3, y3, x4, y4]) => [(x1 + 3 * x2 + 3 * x3 + x4) / 8, (y1 + 3 * y2 + 3 * y3 + y4) / 8];

export function boxes(pen, scene, frame, scale, colours, only) {
  const far = new Map(); // too small to read: one path for each colour
  scene.boxes.forEach((box, at) => {
    const [x, y] = [scene.x[at], scene.y[at]];
    if ((only && !only.has(at)) || x > frame.right || x + WIDTH < frame.left || y > frame.bottom || y + HEIGHT < frame.top) return;
    if (scale >= READABLE) return box_of(pen, box, x, y, scale, colours);
    const colour = box.state ? colours[box.state] : box.group ? colours.border : colours.far;
    if (!far.has(colour)) far.set(colour, new Path2D());
    far.get(colour).rect(x, y, WIDTH, HEIGHT);
  });
  for (const [colour, path] of far) {
    pen.fillStyle = colour;
    pen.fill(path);
  }
}

function box_of(pen, box, x, y, scale, colours) {
  pen.fillStyle = box.group ? colours.group : colours.box;
  pen.strokeStyle = box.state ? colours[box.state] : colours.border;
  pen.lineWidth = (box.state ? 1.5 : 1) / Math.min(1, scale);
  pen.beginPath();
  pen.roundRect(x, y, WIDTH, HEIGHT, 6);
  pen.fill();
  if (box.paused) pen.setLineDash([3, 3]);
  pen.stroke();
  pen.setLineDash([]);
  words(pen, box, x, y, colours);
}

/** A box that somebody points at or has picked. */
export function mark_box(pen, scene, at, scale, colours) {
  pen.beginPath();
  pen.roundRect(scene.x[at], scene.y[at], WIDTH, HEIGHT, 6);
  pen.strokeStyle = colours.focus;
  pen.lineWidth = 2 / Math.min(1, scale);
  pen.stroke();
  if (scale >= READABLE) return;
  pen.fillStyle = colours.focus;
  pen.fill();
}

export function mark_line(pen, scene, line, scale, colours) {
  const path = new Path2D();
  trace(path, bent(scene, line));
  pen.strokeStyle = colours.focus;
  pen.lineWidth = 3 / Math.min(1, scale);
  pen.stroke(path);
}

function words(pen, box, x, y, colours) {
  pen.font = "600 9px ui-monospace, monospace";
  pen.fillStyle = colours.muted;
  pen.fillText(box.mark, x + 8, y + 17);
  pen.font = `${box.group ? "600 " : ""}12px system-ui, sans-serif`;
  pen.fillStyle = colours.text;
  const right = box.group ? box.size.toLocaleString("en") : box.sign ?? "";
  const room = WIDTH - 34 - (right ? 10 + right.length * 7 : 0);
  pen.fillText(fitted(pen, box, room), x + 26, y + 17);
  if (right) {
    pen.fillStyle = box.state ? colours[box.state] : colours.muted;
    pen.font = "11px system-ui, sans-serif";
    pen.textAlign = "right";
    pen.fillText(right, x + WIDTH - 8, y + 17);
    pen.textAlign = "left";
  }
}

function trace(path, [x1, y1, ...rest], straight) {
  path.moveTo(x1, y1);
  if (straight) path.lineTo(rest[4], rest[5]);
  else path.bezierCurveTo(...rest);
}

/** The surer, the closer the dashes. */
const dash = (confidence) => (confidence >= 0.9 ? [7, 3] : confidence >= 0.7 ? [5, 5] : [2, 6]);

function fitted(pen, box, room) {
  if (box.fitted?.room === room) return box.fitted.text;
  const letters = [...box.label.slice(0, 160)].slice(0, 80); // never half of one
  let text = letters.join("");
  for (let cut = letters.length - 1; cut > 1 && pen.measureText(text).width > room; cut--) {
    text = [...letters.slice(0, Math.ceil(cut * 0.6)), "…", ...letters.slice(letters.length - Math.floor(cut * 0.4))].join("");
  }
  box.fitted = { room, text };
  return text;
}

export function colours() {
  const style = getComputedStyle(document.documentElement);
  const of = (name) => style.getPropertyValue(`--${name}`).trim();
  return Object.fromEntries(["text", "muted", "border", "box", "group", "far", "lane", "declared", "implicit", "halo", "focus", "failed", "late", "held", "running"].map((name) => [name, of(name)]));
}
