// Shows a laid-out scene: pan, zoom, hover, click. The drawing is kept in pieces (`tiles.js`), so that
// a pan copies; what changes under the pointer is drawn above it.
import { reach } from "./model.js";
import { HEIGHT, WIDTH, bent, boxes, colours, lines, mark_box, mark_line, outside } from "./paint.js";
import { Tiles } from "./tiles.js";

const CELL = 256; // of the grid that finds what is under the pointer
const FADED = 0.15;
const NEAR = 7; // px from a line that still count as on it
const STEPS = 32;
const NEAR_SCALE = 0.8; // at least, where something is picked
const REST_MS = 150; // without a move, after which what nobody looks at yet is drawn too

export class Canvas {
  /** `told(kind, what)`: `box` or `line` or null was picked, or `hover` is over a box or none. */
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
    this.moved_ms = -Infinity;
    this.whole = false; // whether all in view is drawn as it is
    this.base = new Tiles((...where) => this.paint(...where, null), 1);
    this.glow = new Tiles((...where) => this.paint(...where, this.lit), 0);
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => { this.colours = colours(); this.base.forget(true); this.glow.forget(true); this.ask(); });
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
    this.extent = extent(scene);
    this.told("hover", null);
    this.base.forget(keep);
    this.glow.forget(false);
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
    const { boxes: all, x, y } = this.scene;
    const { clientWidth: width, clientHeight: height } = this.element;
    if (!all.length || !width) return;
    const { left, top, right, bottom } = this.extent;
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
    this.move();
    this.view = { scale, x: px - (px - this.view.x) * real, y: py - (py - this.view.y) * real };
    this.ask();
  }

  pan(dx, dy) {
    this.move();
    this.view.x += dx;
    this.view.y += dy;
    this.ask();
  }

  /** The view is moved by hand. */
  move() {
    this.moved = true;
    this.moved_ms = performance.now();
  }

  ask() {
    if (this.asked) return;
    this.asked = true;
    requestAnimationFrame(() => { this.asked = false; this.draw(); });
  }

  light(at) {
    this.hover = at;
    const [before, after] = [this.before, this.next].map((next) => (at === null ? null : reach(next, [at], Infinity)));
    this.lit = at === null ? null : new Set([...before, ...after]);
    this.glow.forget(false);
    this.told("hover", at === null ? null : { box: this.scene.boxes[at], before: before.size - 1, after: after.size - 1 });
    this.ask();
  }

  draw() {
    const { pen, scene, element } = this;
    const ratio = devicePixelRatio || 1;
    pen.setTransform(1, 0, 0, 1, 0, 0);
    pen.clearRect(0, 0, element.width, element.height);
    if (!scene) return;
    const view = { x: this.view.x * ratio, y: this.view.y * ratio, scale: this.view.scale * ratio };
    const resting = performance.now() - this.moved_ms >= REST_MS;
    const tiles = (kept) => kept.show(pen, view, element.width, element.height, ratio, resting);
    this.lanes(ratio);
    if (this.lit) pen.globalAlpha = FADED;
    const states = [tiles(this.base)];
    pen.globalAlpha = 1;
    if (this.lit) states.push(tiles(this.glow));
    this.marks(view);
    this.lane_names(ratio);
    this.whole = states.every((state) => state.whole);
    clearTimeout(this.timer);
    if (states.some((state) => state.next === "frame")) this.ask();
    else if (states.some((state) => state.next)) this.timer = setTimeout(() => this.ask(), REST_MS);
  }

  /** A piece of the drawing: all in `frame`, or only the boxes `lit` and what is between them. */
  paint(pen, frame, scale, lit) {
    lines(pen, this.scene, frame, scale, this.colours, lit, this.crowd(scale));
    boxes(pen, this.scene, frame, scale, this.colours, lit);
  }

  /** About how many lines are in view. */
  crowd(scale) {
    const { left, top, right, bottom } = this.extent;
    const share = (of, whole) => Math.min(1, of / Math.max(1, whole * scale));
    return this.scene.lines.length * share(this.element.clientWidth, right - left) * share(this.element.clientHeight, bottom - top);
  }

  lanes(ratio) {
    const { pen, scene, view } = this;
    if (scene.lanes.length < 2) return;
    pen.setTransform(ratio, 0, 0, ratio, 0, 0);
    pen.fillStyle = this.colours.lane;
    for (const { top, bottom } of scene.lanes) pen.fillRect(0, (top - 24) * view.scale + view.y, this.element.clientWidth, (bottom - top + 34) * view.scale);
    pen.setTransform(1, 0, 0, 1, 0, 0);
  }

  /** What is picked, and what is pointed at. */
  marks(view) {
    const { pen, scene, picked } = this;
    pen.setTransform(view.scale, 0, 0, view.scale, view.x, view.y);
    if (picked?.points) mark_line(pen, scene, picked, this.view.scale, this.colours);
    for (const at of new Set([picked, this.hover])) if (typeof at === "number") mark_box(pen, scene, at, this.view.scale, this.colours);
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

/** The part of the world that has anything in it. */
function extent({ boxes: all, x, y }) {
  let [left, top, right, bottom] = [Infinity, Infinity, -Infinity, -Infinity];
  for (let at = 0; at < all.length; at++) {
    left = Math.min(left, x[at]); right = Math.max(right, x[at] + WIDTH);
    top = Math.min(top, y[at] - 22); bottom = Math.max(bottom, y[at] + HEIGHT);
  }
  return { left, top, right, bottom };
}

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
