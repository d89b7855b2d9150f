// The graph as the API gives it, indexed; which part of it is shown; and how groups are one box.
import { depths } from "./layout.js";
import { known } from "./store.js";

const MOST_BOXES = 300; // shown one by one without being asked to

let last = { graph: null, index: null };

/** The index of the newest graph, made once for each; null while it was never read. */
export function indexed() {
  const graph = known("graph");
  if (graph && last.graph !== graph) last = { graph, index: new Index(graph) };
  return graph ? last.index : null;
}

class Index {
  constructor(graph) {
    const { orchestrator, name, owner, tags, schedule, paused, listed } = graph.pipelines;
    Object.assign(this, { orchestrator, name, owner, tags, schedule, paused, listed, edges: graph.edges });
    this.size = name.length;
    this.full = name.map((one, at) => `${orchestrator[at]}/${one}`);
    this.number = new Map(this.full.map((one, at) => [one, at]));
    this.down = Array.from({ length: this.size }, () => []);
    this.up = Array.from({ length: this.size }, () => []);
    graph.edges.upstream.forEach((a, at) => {
      this.down[a].push(graph.edges.downstream[at]);
      this.up[graph.edges.downstream[at]].push(a);
    });
    this.hits = new Map();
  }

  /** How many pipelines come after one; undefined where it is not known. */
  hit_by(full) {
    const at = this.number.get(full);
    if (at === undefined) return undefined;
    if (!this.hits.has(at)) this.hits.set(at, reach(this.down, [at], Infinity).size - 1);
    return this.hits.get(at);
  }

  /** In which column a box stands: of a group, where the middle one of its pipelines would. */
  depth_of(box) {
    this.depth ??= depths(this.size, this.edges.upstream, this.edges.downstream);
    const of = (box.members ?? [box.at]).map((at) => this.depth[at]).sort((a, b) => a - b);
    return of[of.length >> 1];
  }

  /** The pipelines that a term without its pluses names. */
  named(term) {
    const [, field, value] = /^(tag|team|owner|in):(.*)$/.exec(term) ?? [null, null, term];
    const fits = pattern(value);
    const of = {
      tag: (at) => this.tags[at].some(fits),
      team: (at) => fits(this.owner[at]),
      owner: (at) => fits(this.owner[at]),
      in: (at) => fits(this.orchestrator[at]),
    }[field] ?? ((at) => fits(this.full[at]) || fits(this.name[at]));
    const all = this.full.map((_, at) => at);
    const found = all.filter(of);
    if (found.length || field || !value) return found;
    const part = value.toLowerCase();
    return all.filter((at) => this.full[at].toLowerCase().includes(part)); // else what contains it
  }

  /**
   * The pipelines a selector names, as a set; null: all. Terms are joined by spaces. `+x` adds all
   * that x stands on, `x+` all that hangs on it, a number the steps: `2+x+1`.
   */
  select(selector) {
    if (!terms(selector).length) return null;
    const found = new Set();
    for (const term of terms(selector)) {
      const { before, name, after } = parsed(term);
      const start = this.named(name);
      for (const at of start) found.add(at);
      if (before) for (const at of reach(this.up, start, before)) found.add(at);
      if (after) for (const at of reach(this.down, start, after)) found.add(at);
    }
    return found;
  }
}

/** `2+x+1` as {before: 2, name: "x", after: 1}; a plus without a number: without end. */
export function parsed(term) {
  const head = /^(\d*)\+(?=.)/.exec(term);
  const rest = head ? term.slice(head[0].length) : term;
  const tail = /(?<=.)\+(\d*)$/.exec(rest);
  const steps = (found) => (found ? (found[1] === "" ? Infinity : Number(found[1])) : 0);
  return { before: steps(head), name: tail ? rest.slice(0, tail.index) : rest, after: steps(tail) };
}

/** Of how many steps a selector speaks: the most of any plus; null where it has none. */
export function steps_of(selector) {
  const steps = terms(selector).map(parsed).flatMap(({ before, after }) => [before, after]).filter(Boolean);
  return steps.length ? Math.max(...steps) : null;
}

/** The selector with so many steps at each plus; where it has none, at both sides of each term. */
export function with_steps(selector, steps) {
  const number = steps === Infinity ? "" : String(steps);
  const some = steps_of(selector) !== null;
  return terms(selector).map((term) => {
    const { before, name, after } = parsed(term);
    return `${before || !some ? `${number}+` : ""}${name}${after || !some ? `+${number}` : ""}`;
  }).join(" ");
}

const terms = (selector) => selector.trim().split(/\s+/).filter(Boolean);

function pattern(text) {
  if (!text.includes("*")) return (value) => value === text;
  const source = text.split("*").map((part) => part.replace(/[.*+?^${}()|[\]\\]/g, "\\$&")).join(".*");
  const expression = new RegExp(`^${source}$`);
  return (value) => expression.test(value);
}

export function reach(next, start, steps) {
  const seen = new Set(start);
  let edge = [...start];
  for (let step = 0; step < steps && edge.length; step++) {
    const further = [];
    for (const at of edge) for (const to of next[at]) if (!seen.has(to)) { seen.add(to); further.push(to); }
    edge = further;
  }
  return seen;
}

/**
 * The boxes and lines to draw. `by`: what one box stands for (`auto`, `pipeline`, `team`,
 * `orchestrator`); groups in `open` are shown by their members. Edges below `least` are left out.
 */
export function scene(index, { selector = "", by = "auto", open = new Set(), least = 0 }) {
  const chosen = index.select(selector);
  const shown = chosen ? [...chosen] : index.full.map((_, at) => at);
  const level = by === "auto" ? (shown.length <= MOST_BOXES ? "pipeline" : "orchestrator") : by;
  const boxes = [];
  const box_of = new Int32Array(index.size).fill(-1);
  const numbers = new Map();
  for (const at of shown) {
    const key = group_of(index, at, level, open);
    let number = key === null ? undefined : numbers.get(key);
    if (number === undefined) {
      number = boxes.length;
      if (key !== null) numbers.set(key, number);
      boxes.push(key === null ? { at, label: index.name[at], id: index.full[at], lane: index.orchestrator[at], size: 1 }
        : { group: key, label: key.slice(key.indexOf(":") + 1), id: key, lane: index.orchestrator[at], size: 0, members: [] });
    }
    if (key !== null) { boxes[number].members.push(at); boxes[number].size++; }
    box_of[at] = number;
  }
  return { level, boxes, box_of, total: index.size, shown: shown.length, ...lines(index, box_of, boxes.length, least) };
}

/** The group a pipeline is hidden in, `team:orchestrator/owner` or `in:orchestrator`; null: none. */
function group_of(index, at, level, open) {
  const whole = `in:${index.orchestrator[at]}`;
  const team = `team:${index.orchestrator[at]}/${index.owner[at] || "nobody"}`;
  if (level === "orchestrator" && !open.has(whole)) return whole;
  if ((level === "team" || level === "orchestrator") && !open.has(team)) return team;
  return null;
}

function lines(index, box_of, size, least) {
  const { upstream, downstream, confidence, declared } = index.edges;
  const found = new Map();
  for (let at = 0; at < upstream.length; at++) {
    const a = box_of[upstream[at]];
    const b = box_of[downstream[at]];
    if (a < 0 || b < 0 || a === b || (confidence[at] < least && !declared[at])) continue;
    const key = a * size + b;
    const one = found.get(key);
    if (!one) found.set(key, { a, b, confidence: confidence[at], declared: declared[at], edges: [at] });
    else {
      one.edges.push(at);
      one.confidence = Math.max(one.confidence, confidence[at]);
      one.declared &&= declared[at];
    }
  }
  return { lines: [...found.values()] };
}
