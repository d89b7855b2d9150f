// Draws a laid-out scene: pan, zoom, hover, click. Only what is in view is drawn, and a name only
// where it can be read.
import { reach } from "./model.js";

export const WIDTH = 172;
export const HEIGHT = 26;
const CELL = 256; // of the grid that finds what is under the pointer
const FADED = 0.15;
const NEAR = 7; // px from a line that still count as on it
const READABLE = 0.42;
const DENSE = 1500; // lines, from which on each is faint
const FAINTEST = 0.07;
const BACK = 48; // how far below its boxes a line runs back
const STEPS = 32;
const NEAR_SCALE = 0.8; // at least, where something is picked

export class Canvas {
  /** `told(kind, what)`: `box` or `line` or null was picked. */
  constructor(element, told) {
    this.element = element;
    this.pen = element.getContext("2d");
    this.told = told;
    this.view = { x: 0, y: 0, scale: 1 };
    this.scene = null;
    this.hover = null;
    this.lit = null;
    this.picked = null;
    this.colours = colours();
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => { this.colours = colours(); this.ask(); });
    new ResizeObserver(() => this.resize()).observe(element);
    this.listen();
  }

  /** Show a scene at its places; `keep`: the view stays where it is. */
  put(scene, keep) {
    this.scene = scene;
    this.hover = this.lit = this.picked = null;
    this.grid = new Map();
    scene.boxes.forEach((_, at) => {
      const key = `${Math.floor(scene.x[at] / CELL)},${Math.floor(scene.y[at] / CELL)}`;
      if (!this.grid.has(key)) this.grid.set(key, []);
      this.grid.get(key).push(at);
    });
    this.next = Array.from(scene.boxes, () => []);
    this.before = Array.from(scene.boxes, () => []);
    for (const line of scene.lines) {
      line.points = bent(scene, line);
      this.next[line.a].push(line.b);
      this.before[line.b].push(line.a);
    }
    if (!keep || !this.moved) this.fit();
    this.ask();
  }

  resize() {
    const ratio = devicePixelRatio || 1;
    const { clientWidth, clientHeight } = this.element;
    this.element.width = Math.round(clientWidth * ratio);
    this.element.height = Math.round(clientHeight * ratio);
    if (this.scene && !this.moved) this.fit();
    this.draw();
  }

  fit() {
    const { boxes, x, y } = this.scene;
    const { clientWidth: width, clientHeight: height } = this.element;
    if (!boxes.length || !width) return;
    let [left, top, right, bottom] = [Infinity, Infinity, -Infinity, -Infinity];
    for (let at = 0; at < boxes.length; at++) {
      left = Math.min(left, x[at]); right = Math.max(right, x[at] + WIDTH);
      top = Math.min(top, y[at] - 22); bottom = Math.max(bottom, y[at] + HEIGHT);
    }
    const scale = Math.min(1, (width - 48) / (right - left), (height - 64) / (bottom - top));
    this.view = { scale, x: (width - (right - left) * scale) / 2 - left * scale, y: Math.max(32, (height - (bottom - top) * scale) / 2) - top * scale };
    this.moved = false; // by hand
    const [at, other] = this.picked === null ? [] : this.picked.points ? [this.picked.a, this.picked.b] : [this.picked];
    if (at === undefined || scale >= NEAR_SCALE) return;
    const middle = (of) => (of[at] + of[other ?? at]) / 2;
    this.view = { scale: NEAR_SCALE, x: width / 2 - (middle(x) + WIDTH / 2) * NEAR_SCALE, y: height / 2 - middle(y) * NEAR_SCALE };
  }

  /** Mark the box or line of these ids; none: nothing. Where nobody moved the view, go there. */
  mark(ids) {
    const find = (id) => this.scene.boxes.findIndex((box) => box.id === id);
    const [a, b] = ids.map(find);
    const picked = ids.length > 1 ? this.scene.lines.find((line) => line.a === a && line.b === b) ?? null : a >= 0 ? a ?? null : null;
    if (picked === this.picked) return;
    this.picked = picked;
    if (!this.moved) this.fit();
    this.ask();
  }

  zoom(factor, px = this.element.clientWidth / 2, py = this.element.clientHeight / 2) {
    const scale = Math.min(3, Math.max(0.02, this.view.scale * factor));
    const real = scale / this.view.scale;
    this.moved = true;
    this.view = { scale, x: px - (px - this.view.x) * real, y: py - (py - this.view.y) * real };
    this.ask();
  }

  pan(dx, dy) {
    this.moved = true;
    this.view.x += dx;
    this.view.y += dy;
    this.ask();
  }

  ask() {
    if (this.asked) return;
    this.asked = true;
    requestAnimationFrame(() => { this.asked = false; this.draw(); });
  }

  light(at) {
    this.hover = at;
    this.lit = at === null ? null : new Set([...reach(this.next, [at], Infinity), ...reach(this.before, [at], Infinity)]);
    this.ask();
  }

  draw() {
    const { pen, view, scene, element } = this;
    const ratio = devicePixelRatio || 1;
    pen.setTransform(ratio, 0, 0, ratio, 0, 0);
    pen.clearRect(0, 0, element.clientWidth, element.clientHeight);
    if (!scene) return;
    const frame = {
      left: -view.x / view.scale, top: -view.y / view.scale,
      right: (element.clientWidth - view.x) / view.scale, bottom: (element.clientHeight - view.y) / view.scale,
    };
    pen.setTransform(ratio * view.scale, 0, 0, ratio * view.scale, ratio * view.x, ratio * view.y);
    this.lanes(frame);
    this.strokes(frame);
    this.boxes(frame);
    this.lane_names(ratio);
  }

  lanes(frame) {
    const { pen, scene } = this;
    if (scene.lanes.length < 2) return;
    scene.lanes.forEach(({ top, bottom }) => {
      if (bottom < frame.top || top > frame.bottom) return;
      pen.fillStyle = this.colours.lane;
      pen.fillRect(frame.left, top - 24, frame.right - frame.left, bottom - top + 34);
    });
  }

  /** The names of lanes, as large however far away they are, where there is room for them. */
  lane_names(ratio) {
    const { pen, scene, view } = this;
    if (scene.lanes.length < 2) return;
    pen.setTransform(ratio, 0, 0, ratio, 0, 0);
    pen.fillStyle = this.colours.muted;
    pen.font = "600 11px system-ui, sans-serif";
    for (const { top, bottom, name } of scene.lanes) {
      const [from, to] = [(top - 24) * view.scale + view.y, (bottom + 10) * view.scale + view.y];
      if (to - from > 14 && to > 14) pen.fillText(name.slice(0, 60), 12, Math.max(from, 0) + 14);
    }
  }

  strokes(frame) {
    const { pen, scene, view } = this;
    const batches = new Map();
    const seen = scene.lines.filter((line) => !outside(line.points, frame.left, frame.top, frame.right, frame.bottom));
    const dense = seen.length > DENSE; // so many that dashes tell nothing any more
    for (const line of seen) {
      const bright = !this.lit || (this.lit.has(line.a) && this.lit.has(line.b));
      const kind = `${line.hazard ? "hazard" : line.declared ? "declared" : "implicit"}${bright ? "" : " faded"} ${line.declared ? 9 : Math.ceil(line.confidence * 4)}`;
      if (!batches.has(kind)) batches.set(kind, { path: new Path2D(), line, bright });
      trace(batches.get(kind).path, line.points, view.scale < 0.15);
    }
    const thin = Math.max(1, 0.7 / view.scale);
    for (const { path, line, bright } of batches.values()) {
      pen.globalAlpha = (bright ? 1 : FADED) * (dense && !this.lit && !line.hazard ? Math.max(FAINTEST, DENSE / seen.length / 4) : 1);
      pen.setLineDash(line.declared || dense ? [] : dash(line.confidence));
      if (line.hazard) {
        pen.strokeStyle = this.colours.halo;
        pen.lineWidth = thin * 5;
        pen.setLineDash([]);
        pen.stroke(path);
        if (!line.declared && !dense) pen.setLineDash(dash(line.confidence));
      }
      pen.strokeStyle = line.hazard ? this.colours.failed : line.declared ? this.colours.declared : this.colours.implicit;
      pen.lineWidth = thin * (line.declared ? 1 : 1.25);
      pen.stroke(path);
    }
    pen.setLineDash([]);
    pen.globalAlpha = 1;
    if (this.picked?.a !== undefined) this.mark_line(this.picked);
  }

  mark_line(line) {
    const { pen, scene } = this;
    const path = new Path2D();
    trace(path, bent(scene, line));
    pen.strokeStyle = this.colours.focus;
    pen.lineWidth = 3 / Math.min(1, this.view.scale);
    pen.stroke(path);
  }

  boxes(frame) {
    const { pen, scene, view, colours: c } = this;
    if (view.scale < READABLE) return this.far_boxes(frame);
    for (let at = 0; at < scene.boxes.length; at++) {
      const x = scene.x[at];
      const y = scene.y[at];
      if (x > frame.right || x + WIDTH < frame.left || y > frame.bottom || y + HEIGHT < frame.top) continue;
      const box = scene.boxes[at];
      pen.globalAlpha = !this.lit || this.lit.has(at) ? 1 : FADED;
      pen.fillStyle = box.group ? c.group : c.box;
      pen.strokeStyle = at === this.hover || this.picked === at ? c.focus : box.state ? c[box.state] : c.border;
      pen.lineWidth = (at === this.hover || this.picked === at ? 2 : box.state ? 1.5 : 1) / Math.min(1, Math.max(view.scale, 0.3));
      pen.beginPath();
      pen.roundRect(x, y, WIDTH, HEIGHT, 6);
      pen.fill();
      if (box.paused) pen.setLineDash([3, 3]);
      pen.stroke();
      pen.setLineDash([]);
      this.words(box, x, y);
    }
    pen.globalAlpha = 1;
  }

  /** Boxes too small to read: one path for each colour. */
  far_boxes(frame) {
    const { pen, scene, colours: c } = this;
    const batches = new Map();
    scene.boxes.forEach((box, at) => {
      const x = scene.x[at];
      const y = scene.y[at];
      if (x > frame.right || x + WIDTH < frame.left || y > frame.bottom || y + HEIGHT < frame.top) return;
      const bright = !this.lit || this.lit.has(at);
      const colour = at === this.hover || this.picked === at ? c.focus : box.state ? c[box.state] : box.group ? c.border : c.far;
      const key = `${colour} ${bright}`;
      if (!batches.has(key)) batches.set(key, { colour, bright, path: new Path2D() });
      batches.get(key).path.rect(x, y, WIDTH, HEIGHT);
    });
    for (const { colour, bright, path } of batches.values()) {
      pen.globalAlpha = bright ? 1 : FADED;
      pen.fillStyle = colour;
      pen.fill(path);
    }
    pen.globalAlpha = 1;
  }

  words(box, x, y) {
    const { pen, colours: c } = this;
    pen.font = "600 9px ui-monospace, monospace";
    pen.fillStyle = c.muted;
    pen.fillText(box.mark, x + 8, y + 17);
    pen.font = `${box.group ? "600 " : ""}12px system-ui, sans-serif`;
    pen.fillStyle = c.text;
    const right = box.group ? box.size.toLocaleString("en") : box.sign ?? "";
    const room = WIDTH - 34 - (right ? 10 + right.length * 7 : 0);
    pen.fillText(fitted(pen, box, room), x + 26, y + 17);
    if (right) {
      pen.fillStyle = box.state ? c[box.state] : c.muted;
      pen.font = "11px system-ui, sans-serif";
      pen.textAlign = "right";
      pen.fillText(right, x + WIDTH - 8, y + 17);
      pen.textAlign = "left";
    }
  }

  listen() {
    const { element } = this;
    let drag = null;
    element.addEventListener("pointerdown", (event) => {
      drag = { x: event.offsetX, y: event.offsetY, far: 0 };
      element.setPointerCapture(event.pointerId);
    });
    element.addEventListener("pointermove", (event) => {
      if (!drag) return this.point(event);
      this.pan(event.offsetX - drag.x, event.offsetY - drag.y);
      drag = { x: event.offsetX, y: event.offsetY, far: drag.far + Math.abs(event.movementX) + Math.abs(event.movementY) };
    });
    element.addEventListener("pointerup", (event) => {
      if (drag && drag.far < 4) this.pick(event);
      drag = null;
    });
    element.addEventListener("pointerleave", () => { if (!drag) this.light(null); });
    element.addEventListener("wheel", (event) => {
      event.preventDefault();
      if (event.ctrlKey || event.metaKey || !event.shiftKey) this.zoom(Math.exp(-event.deltaY * 0.0015), event.offsetX, event.offsetY);
      else this.pan(-event.deltaY, 0);
    }, { passive: false });
  }

  point(event) {
    const at = this.box_at(event);
    if (at !== this.hover) this.light(at);
    element_cursor(this.element, at !== null || (this.scene?.lines.length < 3000 && this.line_at(event)));
  }

  pick(event) {
    const at = this.box_at(event);
    const line = at === null ? this.line_at(event) : null;
    this.picked = at ?? line;
    this.told(at !== null ? "box" : line ? "line" : null, at !== null ? this.scene.boxes[at] : line);
    this.ask();
  }

  place(event) {
    return [(event.offsetX - this.view.x) / this.view.scale, (event.offsetY - this.view.y) / this.view.scale];
  }

  box_at(event) {
    if (!this.scene) return null;
    const [x, y] = this.place(event);
    for (const dx of [0, -1]) {
      for (const dy of [0, -1]) {
        for (const at of this.grid.get(`${Math.floor(x / CELL) + dx},${Math.floor(y / CELL) + dy}`) ?? []) {
          const { x: xs, y: ys } = this.scene;
          if (x >= xs[at] && x <= xs[at] + WIDTH && y >= ys[at] && y <= ys[at] + HEIGHT) return at;
        }
      }
    }
    return null;
  }

  line_at(event) {
    const [x, y] = this.place(event);
    let best = null;
    let least = NEAR / this.view.scale;
    for (const line of this.scene?.lines ?? []) {
      const far = distance(line.points, x, y, least);
      if (far < least) { least = far; best = line; }
    }
    return best;
  }
}

function element_cursor(element, hot) {
  element.classList.toggle("hot", Boolean(hot));
}

/** The eight numbers of a line's curve: from right to left, or below the boxes where it runs back. */
function bent({ x, y }, { a, b }) {
  if (x[b] <= x[a]) {
    const [x1, y1, x2, y2] = [x[a] + WIDTH / 2, y[a] + HEIGHT, x[b] + WIDTH / 2, y[b] + HEIGHT];
    const low = Math.max(y1, y2) + BACK;
    return [x1, y1, x1, low, x2, low, x2, y2];
  }
  const [x1, y1, x2, y2] = [x[a] + WIDTH, y[a] + HEIGHT / 2, x[b], y[b] + HEIGHT / 2];
  const bend = Math.max(40, (x2 - x1) / 2);
  return [x1, y1, x1 + bend, y1, x2 - bend, y2, x2, y2];
}

function trace(path, [x1, y1, ...rest], straight) {
  path.moveTo(x1, y1);
  if (straight) path.lineTo(rest[4], rest[5]);
  else path.bezierCurveTo(...rest);
}

const outside = ([x1, y1, x2, y2, x3, y3, x4, y4], left, top, right, bottom) =>
  Math.max(x1, x2, x3, x4) < left || Math.min(x1, x2, x3, x4) > right || Math.max(y1, y2, y3, y4) < top || Math.min(y1, y2, y3, y4) > bottom;

function distance(points, px, py, least) {
  if (outside(points, px - least, py - least, px + least, py + least)) return Infinity;
  const [x1, y1, x2, y2, x3, y3, x4, y4] = points;
  let nearest = Infinity;
  for (let step = 0; step <= STEPS; step++) {
    const t = step / STEPS;
    const u = 1 - t;
    const bx = u ** 3 * x1 + 3 * u * u * t * x2 + 3 * u * t * t * x3 + t ** 3 * x4;
    const by = u ** 3 * y1 + 3 * u * u * t * y2 + 3 * u * t * t * y3 + t ** 3 * y4;
    nearest = Math.min(nearest, Math.hypot(bx - px, by - py));
  }
  return nearest;
}

/** The surer, the closer the dashes. */
const dash = (confidence) => (confidence >= 0.9 ? [7, 3] : confidence >= 0.7 ? [5, 5] : [2, 6]);

function fitted(pen, box, room) {
  if (box.fitted?.room === room) return box.fitted.text;
  const name = box.label.length > 80 ? box.label.slice(0, 80) : box.label;
  let text = name;
  for (let cut = name.length - 1; cut > 1 && pen.measureText(text).width > room; cut--) {
    text = `${name.slice(0, Math.ceil(cut * 0.6))}…${name.slice(name.length - Math.floor(cut * 0.4))}`;
  }
  box.fitted = { room, text };
  return text;
}

function colours() {
  const style = getComputedStyle(document.documentElement);
  const of = (name) => style.getPropertyValue(`--${name}`).trim();
  return Object.fromEntries(["text", "muted", "border", "box", "group", "far", "lane", "declared", "implicit", "halo", "focus", "failed", "late", "held", "running"].map((name) => [name, of(name)]));
}
