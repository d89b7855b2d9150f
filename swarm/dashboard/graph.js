// Graph: who feeds whom over all orchestrators, why that is believed, and a person's verdict on it.
import { get } from "./api.js";
import { Canvas } from "./canvas.js";
import { h } from "./dom.js";
import { ledger } from "./ledger.js";
import { indexed, scene, steps_of, with_steps } from "./model.js";
import { known, problem } from "./store.js";
import { table } from "./table.js";
import { clock, count, full, percent, pipeline } from "./words.js";

export const needs = ["graph", "last_runs", "decisions"];
export const title = "Graph";
export const wide = true;

const LEVELS = { auto: "auto", orchestrator: "orchestrator", team: "team", pipeline: "pipeline" };
const TABLE_ROWS = 400;
const LISTED = 60;
const FURTHEST = 7; // steps, from which on the slider means all

const policy = globalThis.trustedTypes?.createPolicy("swarm", { createScriptURL: (url) => (url === "/assets/layout_worker.js" ? url : "") });
const script = "/assets/layout_worker.js";
let worker = null;
let canvas = null;
let made = null; // the scene that is drawn
let asked = 0;
let signature = "";
let laid_out = "";
let details = null; // what the drawer shows

/** What is on the canvas. */
export const drawn = () => made && { boxes: made.boxes.length, lines: made.lines.length, x: made.x, y: made.y, view: canvas.view, whole: canvas.whole, ids: made.boxes.map((box) => box.id), scene: made };

export function draw({ params, go }) {
  const index = indexed();
  if (!index) {
    const trouble = problem("graph");
    return [h("p.empty", {}, trouble ? trouble.message : "Reading the graph from swarm …")];
  }
  if (!index.size) {
    return [h("div.empty", {}, h("p", {}, "No pipelines are known yet."), h("p.muted", {}, "They appear after the first look at a source; name one in the settings, or look once with ", h("code", {}, "swarm scan"), "."))];
  }
  return [bar(params, go, index), params.get("view") === "table" ? as_table(params, go, index) : stage()];
}

/** After each drawing: the canvas gets its scene, once for each change of it. */
export function after({ params, go }) {
  const element = document.querySelector("#stage canvas");
  const index = indexed();
  if (!element || !index) return;
  if (canvas?.element !== element) {
    canvas = new Canvas(element, (kind, what) => (kind === "hover" ? hovered(what) : picked(kind, what, params_now(), go)));
    signature = laid_out = "";
  }
  const options = of(params);
  const now = JSON.stringify([options.selector, options.by, [...options.open], options.least]);
  if (now === signature && made?.index === index && made.told === told()) {
    if (canvas.scene) canvas.mark(chosen());
    return;
  }
  const next = scene(index, options);
  dress(next, index);
  Object.assign(next, { index, told: told() });
  const keep = now === signature;
  signature = now;
  arrange(next, keep);
}

/** The ids of what the URL has picked: of a box, or of a line's ends. */
const chosen = () => (params_now().get("edge") ?? params_now().get("node") ?? "").split("\n").filter(Boolean);

const params_now = () => new URLSearchParams(location.search);
const told = () => [known("findings"), known("last_runs"), known("decisions")].map((one) => one?.length ?? 0).join();

function of(params) {
  return {
    selector: params.get("s") ?? "",
    by: LEVELS[params.get("by")] ?? "auto",
    open: new Set((params.get("open") ?? "").split("\n").filter(Boolean)),
    least: Number(params.get("min") ?? 0),
  };
}

function bar(params, go, index) {
  const set = (name, value) => {
    const next = new URLSearchParams(location.search);
    if (value) next.set(name, value);
    else next.delete(name);
    go("/graph", next);
  };
  const choose = h("select", { "aria-label": "Group by", onchange: (event) => { const next = new URLSearchParams(location.search); next.delete("open"); next.set("by", event.target.value); go("/graph", next); } },
    Object.keys(LEVELS).map((name) => h("option", { value: name, selected: (params.get("by") ?? "auto") === name }, name === "auto" ? "group: auto" : `by ${name}`)));
  const least = params.get("min") ?? "0";
  return h("div.bar", {},
    h("form", { onsubmit: (event) => { event.preventDefault(); set("s", event.target.elements.selector.value.trim()); } },
      h("input.selector", { name: "selector", "aria-label": "Selector", spellcheck: "false", autocomplete: "off", placeholder: "+name+2   tag:sla   team:finance   in:airflow", value: params.get("s") ?? "" })),
    params.get("s") ? h("button.quiet", { onclick: () => set("s", "") }, "Clear") : null,
    depth(params, set),
    choose,
    h("label.least", {}, "sure ≥ ", h("output", {}, percent(Number(least))),
      h("input", { type: "range", min: 0, max: 1, step: 0.05, value: least, "aria-label": "least confidence of implicit edges", onchange: (event) => set("min", event.target.value === "0" ? "" : event.target.value) })),
    params.get("open") ? h("button.quiet", { onclick: () => set("open", "") }, "Close groups") : null,
    h("span.grow", {}),
    h("span.muted.number", { id: "drawn" }, told_of(index)),
    h("button.quiet", { onclick: () => set("view", params.get("view") === "table" ? "" : "table"), "data-hot": "t" }, params.get("view") === "table" ? "As a drawing" : "As a table", h("kbd", {}, "t")));
}

/** How many steps around what is selected are shown; nothing where nothing is. */
function depth(params, set) {
  const selector = params.get("s") ?? params.get("node");
  if (!selector) return null;
  const steps = Math.min(FURTHEST, steps_of(selector) ?? 0);
  const word = (value) => (value >= FURTHEST ? "all" : value);
  return h("label.least", {}, "steps ≤ ", h("output", {}, word(steps)),
    h("input", { type: "range", min: 0, max: FURTHEST, step: 1, value: steps, "aria-label": "steps shown around what is selected",
      onchange: (event) => set("s", with_steps(selector, event.target.value >= FURTHEST ? Infinity : Number(event.target.value))) }));
}

function told_of(index) {
  if (!made || made.index !== index) return count(index.size, "pipeline");
  const shown = made.shown === index.size ? count(index.size, "pipeline") : `${made.shown.toLocaleString("en")} of ${count(index.size, "pipeline")}`;
  return `${shown}, ${count(made.lines.length, "edge")}`;
}

/** Who is hit and what it stands on, of the box that is pointed at. */
function hovered(what) {
  const words = what && `${what.box.group ? what.box.label : what.box.id}: ${what.after} after it, ${what.before} before`;
  document.querySelector("#hovered")?.replaceChildren(words ?? "");
}

function stage() {
  return h("div.stage", { id: "stage", key: "stage", "data-drawn": made && canvas?.element.isConnected ? made.boxes.length : null },
    h("canvas", { "data-own": true, tabindex: 0, role: "application", "aria-label": "Dependency graph. Arrow keys pan, plus and minus zoom, t shows it as a table.", onkeydown: keys }),
    h("div.legend.muted", {},
      h("span", {}, h("i.line.declared"), "declared"), h("span", {}, h("i.line.implicit"), "implicit: the closer the dashes, the surer"),
      h("span", {}, h("i.line.hazard"), "hazard"), h("span", {}, h("i.dot"), "dataset"), h("output", { id: "hovered", "data-own": true })),
    h("div.zoom", {},
      h("button", { "aria-label": "Zoom in", onclick: () => canvas.zoom(1.3) }, "+"),
      h("button", { "aria-label": "Zoom out", onclick: () => canvas.zoom(1 / 1.3) }, "−"),
      h("button", { "aria-label": "Fit", onclick: () => { canvas.fit(); canvas.ask(); } }, "fit")));
}

const STEP = 80;
function keys(event) {
  const moves = { ArrowLeft: [STEP, 0], ArrowRight: [-STEP, 0], ArrowUp: [0, STEP], ArrowDown: [0, -STEP] };
  if (moves[event.key]) canvas.pan(...moves[event.key]);
  else if (event.key === "+" || event.key === "=") canvas.zoom(1.2);
  else if (event.key === "-") canvas.zoom(1 / 1.2);
  else if (event.key === "0") { canvas.fit(); canvas.ask(); }
  else return;
  event.preventDefault();
}

/** What boxes and lines are like now: failed, held, hazards. */
function dress(next, index) {
  const failed = new Set((known("last_runs") ?? []).filter((run) => run.state === "failed").map((run) => full(run.pipeline)));
  const running = new Set((known("last_runs") ?? []).filter((run) => run.state === "running").map((run) => full(run.pipeline)));
  const held = new Set((known("decisions") ?? []).filter((one) => one.act === "hold" && one.mode === "gate").map((one) => one.pipeline));
  const hazards = new Set((known("findings") ?? []).filter((one) => one.hazard && one.pipelines.length > 1).map((one) => one.pipelines.slice(0, 2).map(full).join(">")));
  for (const box of next.boxes) {
    box.mark = (box.lane.replace(/[^\p{L}\p{N}]/gu, "") || "?").slice(0, 2).toLowerCase();
    if (box.group) { box.label = box.group.startsWith("team:") ? box.group.slice(box.group.indexOf("/") + 1) : box.lane; continue; }
    box.paused = index.paused[box.at];
    box.state = failed.has(box.id) ? "failed" : held.has(box.id) ? "held" : running.has(box.id) ? "running" : null;
    box.sign = { failed: "✕", held: "‖", running: "▸" }[box.state] ?? (box.paused ? "paused" : "");
  }
  for (const line of next.lines) {
    line.datasets = line.edges.reduce((sum, at) => sum + index.edges.datasets[at], 0);
    line.hazard = hazards.size > 0 && line.edges.some((at) => hazards.has(`${index.full[index.edges.upstream[at]]}>${index.full[index.edges.downstream[at]]}`));
  }
}

function arrange(next, keep) {
  const names = [...new Set(next.boxes.map((box) => box.lane))].sort();
  const number = new Map(names.map((name, at) => [name, at]));
  const from = Int32Array.from(next.lines, (line) => line.a);
  const to = Int32Array.from(next.lines, (line) => line.b);
  const same = `${next.boxes.map((box) => box.id).join("\n")}|${from.join()}|${to.join()}`;
  if (same === laid_out && made) { // the same boxes: they stay where they are
    Object.assign(next, { x: made.x, y: made.y, lanes: made.lanes });
    return put(next, true);
  }
  laid_out = same;
  worker ??= new Worker(policy ? policy.createScriptURL(script) : script, { type: "module" });
  const id = ++asked;
  worker.onmessage = ({ data }) => {
    if (data.id !== asked) return;
    const lanes = data.lanes.map((span, at) => ({ ...span, name: names[at] }));
    put(Object.assign(next, { x: data.x, y: data.y, lanes }), keep);
  };
  const depth = next.boxes.some((box) => box.group) ? Int32Array.from(next.boxes, (box) => next.index.depth_of(box)) : null;
  worker.postMessage({ id, n: next.boxes.length, from, to, lane: Int32Array.from(next.boxes, (box) => number.get(box.lane)), lanes: names.length, depth });
}

function put(next, keep) {
  made = next;
  canvas.put(made, keep);
  canvas.mark(chosen());
  document.querySelector("#drawn")?.replaceChildren(told_of(made.index));
  document.querySelector("#stage")?.setAttribute("data-drawn", made.boxes.length);
}

function picked(kind, what, params, go) {
  if (kind === null) return go("/graph", without(params, "edge", "node"));
  if (kind === "box" && what.group) {
    const open = new Set((params.get("open") ?? "").split("\n").filter(Boolean));
    open.add(what.group);
    const next = without(params, "edge", "node");
    next.set("open", [...open].join("\n"));
    return go("/graph", next);
  }
  const next = without(params, "edge", "node");
  if (kind === "box") next.set("node", what.id);
  else {
    const { a, b } = what;
    next.set("edge", `${made.boxes[a].id}\n${made.boxes[b].id}`);
  }
  go("/graph", next);
}

function without(params, ...names) {
  const next = new URLSearchParams(params);
  for (const name of names) next.delete(name);
  return next;
}

// --- the drawer ------------------------------------------------------------------------------

/** What stands in the drawer for this URL; null: it is closed. */
export function drawer({ params, say, again }) {
  const index = indexed();
  if (!index) return null;
  const edge = params.get("edge")?.split("\n");
  if (edge?.length === 2) return edge_details(edge[0], edge[1], index, say, again);
  const node = params.get("node");
  return node ? node_details(node, index, again) : null;
}

function edge_details(a, b, index, say, again) {
  const between = groups(a, b);
  if (between) {
    return [h("h2", {}, "Between groups"), h("p.muted", {}, count(between.length, "edge"), ", the surest first."),
      h("ul.plain", {}, between.slice(0, LISTED).map(({ up, down, confidence, declared }) =>
        h("li", {}, h("a", { href: `/graph?${new URLSearchParams({ s: `${up} ${down}`, edge: `${up}\n${down}` })}` },
          h("span.name", {}, up), " → ", h("span.name", {}, down)), h("span.right.number.muted", {}, declared ? "declared" : percent(confidence)))))];
  }
  const key = `edge ${a} ${b}`;
  const version = known("graph").version;
  if (details?.key !== key || details.version !== version) {
    const before = details?.key === key ? details.edges : null;
    const mine = (details = { key, version, edges: before, trouble: null });
    get("dependencies/between", { upstream: a, downstream: b }).then(
      (found) => { mine.edges = found; again(); },
      (error) => { mine.trouble = error; again(); });
  }
  const { edges, trouble } = details;
  return [h("h2", {}, h("span", {}, pipeline(a)), h("span.arrow", {}, "→"), h("span", {}, pipeline(b))),
    trouble ? h("p.failed", {}, trouble.message) : null,
    edges === null ? h("p.empty", {}, "Reading the evidence from swarm …")
      : edges.length ? edges.map((edge) => ledger(edge, (words, tone) => { say(words, tone); if (!tone) details.version = -1; again(); }))
        : h("p.muted", {}, "No data is known to flow here: an orchestrator declares the order.")];
}

function groups(a, b) {
  if (!made || ![a, b].some((name) => /^(team|in):/.test(name))) return null;
  const line = made.lines.find((one) => made.boxes[one.a].id === a && made.boxes[one.b].id === b);
  if (!line) return null;
  const { upstream, downstream, confidence, declared } = made.index.edges;
  return line.edges.map((at) => ({ up: made.index.full[upstream[at]], down: made.index.full[downstream[at]], confidence: confidence[at], declared: declared[at] }))
    .sort((one, other) => other.confidence - one.confidence);
}

function node_details(name, index, again) {
  const at = index.number.get(name);
  if (at === undefined) return [h("h2", {}, name), h("p.muted", {}, "is not known any more.")];
  const key = `node ${name}`;
  if (details?.key !== key) {
    const mine = (details = { key, hits: null });
    get("impact", { name, limit: LISTED }).then((found) => { mine.hits = found; again(); }, () => {});
  }
  const run = (known("last_runs") ?? []).find((one) => full(one.pipeline) === name);
  const around = (label, term) => h("a.button", { href: `/graph?s=${encodeURIComponent(term)}` }, label);
  return [h("h2", {}, pipeline(name)),
    h("dl", {}, row("owner", index.owner[at]), row("schedule", index.schedule[at]), row("tags", index.tags[at].join(", ")),
      row("last run", run ? `${run.state}${run.ended_at_s ? `, ended ${clock(run.ended_at_s)}` : ""}` : ""),
      row("state", index.paused[at] ? "paused" : ""), row("known", index.listed[at] ? "" : "from data only: no orchestrator lists it")),
    h("p.hands", {}, around("What it stands on", `+${name}`), around("Who hangs on it", `${name}+`), around("Both", `+${name}+`)),
    h("h3", {}, "Who is hit when it is late"),
    details.hits === null ? h("p.muted", {}, "Asking …") : details.hits.hits.length
      ? [h("p.muted", {}, `${count(details.hits.total, "task or pipeline", "tasks and pipelines")}, nearest first.`),
        h("ul.plain", {}, details.hits.hits.map((hit) => h("li", {}, h("a", { href: `/graph?s=${encodeURIComponent(`+${full({ ...hit.task, task: "" })}`)}` }, full(hit.task)),
          h("span.right.number.muted", {}, `${count(hit.distance, "step")}, ${percent(hit.confidence)}`))))]
      : h("p.muted", {}, "Nobody that swarm knows of.")];
}

const row = (name, value) => (value ? [h("dt", {}, name), h("dd", {}, value)] : null);

// --- the same as a table ---------------------------------------------------------------------

function as_table(params, go, index) {
  const { boxes, lines } = scene(index, { ...of(params), by: "pipeline" });
  const rows = [...lines].sort((a, b) => a.declared - b.declared || b.confidence - a.confidence);
  const [up, down] = [(line) => boxes[line.a].id, (line) => boxes[line.b].id];
  const opened = (line) => {
    const next = without(params, "node");
    next.set("edge", `${up(line)}\n${down(line)}`);
    return next;
  };
  const columns = [
    { name: "Writer", of: up, cell: (line) => h("a", { href: `/graph?${opened(line)}` }, up(line)) },
    { name: "Reader", of: down },
    { name: "Kind", of: (line) => (line.declared ? "declared" : "implicit") },
    { name: "Sure", number: true, of: (line) => line.confidence, cell: (line) => percent(line.confidence) },
    { name: "Datasets", number: true, of: (line) => index.edges.datasets[line.edges[0]] },
  ];
  const caption = rows.length > TABLE_ROWS ? `The first ${TABLE_ROWS} of ${count(rows.length, "edge")}; narrow them with the selector.` : count(rows.length, "edge");
  return table("edges", columns, rows, { params, go, key: (line) => `${up(line)}\n${down(line)}`, most: TABLE_ROWS, caption });
}
