// A drawing kept in square pieces: to move it costs a copy, and to draw it anew never costs a frame.
// Pieces are painted a few in each frame, those in the middle first; until one is there, what was
// there before stands in its place, stretched where the scale has changed.

const SIDE = 512; // device px
const EDGE = 12; // device px that a thing may be drawn wider than it is
const BUDGET_MS = 8; // of a frame, after which the next piece waits for the next frame

export class Tiles {
  /**
   * `paint(pen, frame, scale)` draws what is in `frame` (left, top, right, bottom of the world),
   * the pen is in the world's units. `ring`: pieces around the view that are painted in advance.
   */
  constructor(paint, ring) {
    this.paint = paint;
    this.ring = ring;
    this.kept = new Map(); // "column,row" -> bitmap
    this.scale = 0;
    this.before = null; // {kept, scale} that stand in
    this.tile_ms = 0;
  }

  /** All has to be painted anew; `keep`: until then what is there may stand in. */
  forget(keep) {
    if (keep && !this.kept.size) return;
    drop(this.before?.kept);
    this.before = keep ? { kept: this.kept, scale: this.scale } : null;
    if (!keep) drop(this.kept);
    this.kept = new Map();
  }

  /**
   * Put `view` ({x, y, scale}, in device px) on `pen`, whose picture is `width` by `height`, and
   * paint what lacks while there is time. `resting`: nobody moves it just now. Returns whether the
   * view is `whole`, and when there is more to paint: the `next` frame, once it rests, or null.
   */
  show(pen, view, width, height, ratio, resting) {
    const seen = covered(view, width, height);
    if (view.scale !== this.scale) {
      // What is cheap is painted at each scale on the way.
      const cheap = this.tile_ms * seen.across * seen.down < BUDGET_MS;
      if (!resting && !cheap && this.kept.size) {
        lay(pen, { kept: this.kept, scale: this.scale }, view);
        return { whole: false, next: "rest" };
      }
      this.forget(true);
      this.scale = view.scale;
    }
    const lacking = this.lacking(seen, view, width, height, 0);
    const until = performance.now() + BUDGET_MS;
    while (lacking.length && performance.now() < until) this.make(lacking.shift(), view.scale, ratio);
    if (lacking.length && this.before) stand_in(pen, lacking, this.before, view);
    lay(pen, this, view);
    if (lacking.length) return { whole: false, next: "frame" };
    drop(this.before?.kept);
    this.before = null;
    this.prune(seen);
    const around = this.ring ? this.lacking(seen, view, width, height, this.ring) : [];
    if (around.length && resting) this.make(around[0], view.scale, ratio);
    return { whole: true, next: around.length ? (resting ? "frame" : "rest") : null };
  }

  /** The places in view, and `ring` around it, that are not painted; the middle one first. */
  lacking({ left, top, across, down }, view, width, height, ring) {
    const found = [];
    const [x, y] = [(width / 2 - view.x) / SIDE - 0.5, (height / 2 - view.y) / SIDE - 0.5];
    for (let column = left - ring; column < left + across + ring; column++) {
      for (let row = top - ring; row < top + down + ring; row++) {
        if (!this.kept.has(`${column},${row}`)) found.push({ column, row, far: Math.hypot(column - x, row - y) });
      }
    }
    return found.sort((a, b) => a.far - b.far);
  }

  make({ column, row }, scale, ratio) {
    const begun = performance.now();
    this.sheet ??= new OffscreenCanvas(SIDE, SIDE);
    const pen = (this.pen ??= this.sheet.getContext("2d"));
    pen.setTransform(scale, 0, 0, scale, -column * SIDE, -row * SIDE);
    const [left, top, right, bottom] = [column, row, column + 1, row + 1].map((place) => (place * SIDE) / scale);
    const edge = EDGE / scale;
    this.paint(pen, { left: left - edge, top: top - edge, right: right + edge, bottom: bottom + edge }, scale / ratio);
    this.kept.set(`${column},${row}`, this.sheet.transferToImageBitmap());
    this.tile_ms = performance.now() - begun;
  }

  /** Let go of what is far from the view. */
  prune({ left, top, across, down }) {
    const far = this.ring + 1;
    for (const [key, bitmap] of this.kept) {
      const [column, row] = key.split(",").map(Number);
      if (column >= left - far && column < left + across + far && row >= top - far && row < top + down + far) continue;
      bitmap.close();
      this.kept.delete(key);
    }
  }
}

/** The pieces that a view shows. */
function covered(view, width, height) {
  const [left, top] = [Math.floor(-view.x / SIDE), Math.floor(-view.y / SIDE)];
  return { left, top, across: Math.floor((width - view.x) / SIDE) - left + 1, down: Math.floor((height - view.y) / SIDE) - top + 1 };
}

function lay(pen, { kept, scale }, view) {
  const grown = view.scale / scale;
  const side = SIDE * grown;
  for (const [key, bitmap] of kept) {
    const [column, row] = key.split(",").map(Number);
    // On whole pixels, so that it is a copy.
    pen.drawImage(bitmap, Math.round(view.x) + column * side, Math.round(view.y) + row * side, side, side);
  }
}

function stand_in(pen, lacking, before, view) {
  pen.save();
  pen.beginPath();
  for (const { column, row } of lacking) pen.rect(Math.round(view.x) + column * SIDE, Math.round(view.y) + row * SIDE, SIDE, SIDE);
  pen.clip();
  lay(pen, before, view);
  pen.restore();
}

function drop(kept) {
  for (const bitmap of kept?.values() ?? []) bitmap.close();
}
