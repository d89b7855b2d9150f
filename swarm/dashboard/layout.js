// A layered drawing: left to right by dependency depth, one lane for each group (Sugiyama, Tagawa
// and Toda, 1981, without dummy nodes: lines are curves and may pass behind boxes).
// 1. Edges that close a ring are left out. 2. A node's column is the longest way to it; sources move
// right, up to what needs them first. 3. Sweeps sort each column by where its neighbours stand.
// 4. Nodes are put near their neighbours, at least a gap apart. Tall columns are folded.
// Nodes without any edge are set in a block of their own below the lane.

const TIGHT = 34; // from one node to the next below it
const ROOMY = 46;
const FEW = 80; // nodes, up to which there is room
const COLUMN = 226;
const FOLD = 188;
const LANE_GAP = 56;
const SWEEPS = 10;
const SCREEN = 1.8; // times as wide as high

/**
 * Of `n` nodes and the edges `from` - `to` (typed arrays), each node in its `lane`: {x, y, lanes:
 * [{top, bottom}]}. `depth` says which column a node is in where edges cannot: groups that
 * feed each other in rings.
 */
export function layered({ n, from, to, lane, lanes, depth: given }) {
  const gap = n > FEW ? TIGHT : ROOMY;
  const { out, into } = adjacency(n, from, to);
  const depth = given ?? columns(n, out, into);
  const cells = Array.from({ length: lanes }, () => new Map());
  const alone = Array.from({ length: lanes }, () => []);
  for (let at = 0; at < n; at++) {
    if (!out[at].length && !into[at].length) alone[lane[at]].push(at);
    else {
      const of = cells[lane[at]];
      if (!of.has(depth[at])) of.set(depth[at], []);
      of.get(depth[at]).push(at);
    }
  }
  const y = new Float32Array(n);
  sort(cells, y, out, into, gap);
  return place(cells, alone, y, beside(out, into, lane), gap);
}

function adjacency(n, from, to) {
  const out = Array.from({ length: n }, () => []);
  for (let at = 0; at < from.length; at++) out[from[at]].push(to[at]);
  const state = new Uint8Array(n); // 1: on the way, 2: done
  const kept = Array.from({ length: n }, () => []);
  const into = Array.from({ length: n }, () => []);
  for (let start = 0; start < n; start++) {
    if (state[start]) continue;
    const way = [[start, 0]];
    state[start] = 1;
    while (way.length) {
      const top = way[way.length - 1];
      const [at, next] = top;
      if (next === out[at].length) { state[at] = 2; way.pop(); continue; }
      top[1]++;
      const below = out[at][next];
      if (state[below] === 1) continue; // it closes a ring
      kept[at].push(below);
      into[below].push(at);
      if (!state[below]) { state[below] = 1; way.push([below, 0]); }
    }
  }
  return { out: kept, into };
}

function columns(n, out, into) {
  const depth = new Int32Array(n);
  const missing = Int32Array.from(into, (list) => list.length);
  const order = [];
  for (let at = 0; at < n; at++) if (!missing[at]) order.push(at);
  for (let head = 0; head < order.length; head++) {
    for (const below of out[order[head]]) {
      depth[below] = Math.max(depth[below], depth[order[head]] + 1);
      if (!--missing[below]) order.push(below);
    }
  }
  for (const at of order) {
    if (into[at].length || !out[at].length) continue;
    let first = Infinity;
    for (const below of out[at]) first = Math.min(first, depth[below]);
    depth[at] = first - 1;
  }
  return depth;
}

function sort(cells, y, out, into, gap) {
  for (const cell of cells) for (const list of cell.values()) spread(list, y, gap);
  for (let sweep = 0; sweep < SWEEPS; sweep++) {
    const forward = sweep % 2 === 0;
    const side = forward ? into : out;
    const depths = [...new Set(cells.flatMap((cell) => [...cell.keys()]))].sort((a, b) => (forward ? a - b : b - a));
    for (const depth of depths) {
      for (const cell of cells) {
        const list = cell.get(depth);
        if (!list) continue;
        const want = new Map(list.map((at) => [at, side[at].length ? mean(side[at], y) : y[at]]));
        list.sort((a, b) => want.get(a) - want.get(b) || a - b);
        spread(list, y, gap);
      }
    }
  }
}

function spread(list, y, gap) {
  const half = ((list.length - 1) * gap) / 2;
  list.forEach((at, place) => { y[at] = place * gap - half; });
}

function mean(list, y) {
  let sum = 0;
  for (const at of list) sum += y[at];
  return sum / list.length;
}

/** The longest way to each of `n` nodes, in steps. */
export function depths(n, from, to) {
  const { out, into } = adjacency(n, from, to);
  return columns(n, out, into);
}

/** The neighbours of each node in its own lane: what it is drawn near to. */
function beside(out, into, lane) {
  return out.map((list, at) => [...into[at], ...list].filter((other) => lane[other] === lane[at]));
}

function place(cells, alone, y, near_to, gap) {
  const x = new Float32Array(y.length);
  // So that all of it is about as wide as a screen.
  const rows = Math.max(14, Math.ceil(Math.sqrt((y.length * FOLD) / gap / SCREEN) / cells.length));
  const folds = new Map(); // column -> how many parts it is folded into
  for (const cell of cells) {
    for (const [column, list] of cell) folds.set(column, Math.max(folds.get(column) ?? 1, Math.ceil(list.length / rows)));
  }
  const left = new Map();
  let width = 0;
  for (const column of [...folds.keys()].sort((a, b) => a - b)) {
    left.set(column, width);
    width += COLUMN + (folds.get(column) - 1) * FOLD;
  }
  width = Math.max(width, COLUMN * 4);
  const spans = [];
  let top = 0;
  for (let lane = 0; lane < cells.length; lane++) {
    const lists = [...cells[lane].entries()];
    for (const [column, list] of lists) {
      const parts = Math.ceil(list.length / rows);
      list.forEach((at, order) => {
        x[at] = left.get(column) + (order % parts) * FOLD;
        if (parts > 1) y[at] = (Math.floor(order / parts) - list.length / parts / 2) * gap;
      });
    }
    // Only now, when the neighbours in folded columns are where they stay.
    for (const [, list] of lists) if (list.length <= rows) near(list, y, near_to, gap);
    const placed = lists.flatMap(([, list]) => list);
    const least = placed.reduce((low, at) => Math.min(low, y[at]), Infinity);
    let bottom = top;
    for (const at of placed) {
      y[at] += top - least;
      bottom = Math.max(bottom, y[at] + gap);
    }
    bottom = block(alone[lane], x, y, bottom + (placed.length && alone[lane].length ? gap / 2 : 0), width, gap);
    spans.push({ top, bottom });
    top = bottom + LANE_GAP;
  }
  return { x, y, lanes: spans, width };
}

/** Each node towards its neighbours, in order and a gap apart: what is too high is pushed down. */
function near(list, y, near_to, gap) {
  for (let round = 0; round < 3; round++) {
    const want = list.map((at) => (near_to[at].length ? mean(near_to[at], y) : y[at]));
    let floor = -Infinity;
    let moved = 0;
    list.forEach((at, order) => {
      y[at] = Math.max(want[order], floor);
      moved += y[at] - want[order];
      floor = y[at] + gap;
    });
    const back = moved / list.length;
    for (const at of list) y[at] -= back;
  }
}

function block(list, x, y, top, width, gap) {
  const across = Math.max(1, Math.floor(width / FOLD));
  list.forEach((at, order) => {
    x[at] = (order % across) * FOLD;
    y[at] = top + Math.floor(order / across) * gap;
  });
  return list.length ? top + Math.ceil(list.length / across) * gap : top;
}
