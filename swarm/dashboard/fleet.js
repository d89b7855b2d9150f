// Fleet: who can work and does, who is missing, and what moved where when somebody died.
import { h, s } from "./dom.js";
import { feed, known, problem } from "./store.js";
import { table } from "./table.js";
import { waiting, why } from "./waiting.js";
import { count, listed, mark, moment, percent, said, span } from "./words.js";

export const needs = ["workers", "foreign", "queued", "lost", "losses"];
export const title = "Fleet";

const STORIES = 40;
const TOLD = 20; // redistributions
const NAMED = 12; // tasks of one
const SEEN = { process_exit: "its process ended", out_of_memory: "it was killed for memory", node_gone: "its node went away", silent: "it fell silent", self_fenced: "it was silent until it had to end by itself" };

export function draw(context) {
  const workers = known("workers");
  const status = known("status");
  return [
    h("p.lead", {}, summary(workers, status)),
    h("div.fleet", {},
      h("div", {},
        section("Workers", workers === null ? waits("workers") : workers.length ? nodes(workers) : none_yet()),
        section("Waiting", waiting(context)),
        section("Workers of your orchestrators", foreign(context)),
        section("Sources", sources(status, context))),
      h("div", {}, section("Detection", detection(status), spreads()), section("Redistributions", redistributions()), section("What moved", moves()))),
  ];
}

/** Why the task that the URL names waits. */
export function drawer({ params, again }) {
  const task = params.get("task");
  return task ? why(task, again) : null;
}

const section = (name, ...body) => h("section", { "aria-label": name }, h("h2", {}, name), ...body);
const waits = (name) => h("p.empty", {}, problem(name)?.message ?? `Reading ${name} from swarm …`);

function summary(workers, status) {
  if (!workers) return "Reading the fleet from swarm …";
  if (!workers.length) return `Nobody works here now; ${queued()}.`;
  const slots = workers.reduce((sum, one) => sum + one.slots, 0);
  const busy = workers.reduce((sum, one) => sum + one.holds.length, 0);
  const detection = status?.detection;
  const used = slots ? ` (${percent(busy / slots)})` : "";
  return [`${count(workers.length, "worker")}, ${busy} of ${count(slots, "slot")} busy${used}, ${queued()}. `,
    detection ? `A silent worker's work moves after ${span(detection.redistribute_s)}${detection.watched_s ? `; ${count(detection.false_alarms, "false alarm")} in ${span(detection.watched_s)} of watching` : ""}.` : "The dispatcher does not answer: what runs goes on."];
}

function queued() {
  const page = known("queued");
  if (!page) return "the queue is not known yet";
  return page.items.length ? `${count(page.items.length, "task")}${page.next_cursor ? " or more" : ""} queued` : "nothing queued";
}

function none_yet() {
  return h("div.empty", {}, h("p", {}, "No worker is here."), h("p.muted", {}, "One starts with ", h("code", {}, "swarm up"), " (", h("code", {}, "worker.slots"), "), and one on each node of a Ray cluster."));
}

function nodes(workers) {
  const by = Map.groupBy ? Map.groupBy(workers, (one) => one.node) : grouped(workers);
  return h("div.nodes", {}, [...by].map(([node, of]) => h("div.node", { key: `node ${node}` }, h("h3", { title: node }, node.length > 18 ? `${node.slice(0, 16)}…` : node), of.map(worker))));
}

function grouped(workers) {
  const by = new Map();
  for (const one of workers) by.set(one.node, [...(by.get(one.node) ?? []), one]);
  return by;
}

function worker(one) {
  const kind = one.capacity === "spot" ? "spot" : "dedicated";
  const able = one.capabilities.filter(Boolean);
  const cells = Array.from({ length: Math.min(one.slots, 128) }, (_, at) => {
    const task = one.holds[at];
    return h("span.slot", { class: `${kind} ${task ? "busy" : "free"}`, title: task ?? "free" });
  });
  return h("div.worker", { key: `worker ${one.worker}`, class: one.draining ? "draining" : "", "data-row": true },
    h("p", {}, h("span.name", { title: one.worker }, one.worker), h("span.tag", { class: kind }, kind), one.pool ? h("span.tag", {}, one.pool) : null, one.draining ? h("span.tag.held", {}, "drains") : null),
    h("div.slots", { role: "img", "aria-label": `${one.holds.length} of ${one.slots} slots busy` }, cells),
    h("p.muted.number", {}, `${one.holds.length} / ${count(one.slots, "slot")}, ${round(one.cpu_used)} / ${round(one.cpu)} cores`, able.length ? [" · ", listed(able)] : null));
}

const round = (n) => Math.round(n * 10) / 10;

const PRESENCE = ["dead", "silent", "alive", "stopped"]; // the worst first
const FOREIGN = [
  { name: "", file: "orchestrator", of: (one) => one.orchestrator, cell: (one) => mark(one.orchestrator) },
  { name: "Worker", of: (one) => one.name }, { name: "Role", of: (one) => said(one.role) },
  { name: "Presence", of: (one) => one.presence, cell: (one) => h("span.state", { class: one.presence }, one.presence) },
  { name: "Last sign", file: "heard_s", number: true, of: (one) => one.heard_s, cell: (one) => (one.heard_s ? moment(one.heard_s) : "–") },
  { name: "Told by", of: (one) => one.seen_by },
];

function foreign(context) {
  const found = known("foreign");
  if (found === null) return waits("foreign");
  if (!found.length) return h("p.empty.muted", {}, "None is watched yet: a beat beside a worker, or its orchestrator's own API, tells of them.");
  const rows = found.toSorted((a, b) => PRESENCE.indexOf(a.presence) - PRESENCE.indexOf(b.presence) || a.name.localeCompare(b.name));
  return table("orchestrators-workers", FOREIGN, rows, { ...context, key: (one) => `${one.orchestrator}/${one.name}/${one.seen_by}`, row: (one) => ({ title: one.advice || one.detail }) });
}

const SOURCES = [
  { name: "", file: "orchestrator", of: (one) => one.source, cell: (one) => mark(one.source) },
  { name: "Source", of: (one) => one.source }, { name: "Kind", of: (one) => said(one.kind) },
  { name: "State", of: (one) => one.state, cell: (one) => [h("span.state", { class: one.state === "ok" ? "ok" : "failed" }, said(one.state)), one.message ? h("span.muted.message", {}, ` ${one.message}`) : null] },
  { name: "Since", file: "since_s", number: true, of: (one) => one.since_s, cell: (one) => moment(one.since_s) },
];

function sources(status, context) {
  if (!status) return waits("status");
  if (!status.connectors.length) return h("p.empty.muted", {}, "No source is read yet: name one under ", h("code", {}, "sources"), " in the settings.");
  return table("sources", SOURCES, status.connectors, { ...context, key: (one) => one.source, row: (one) => ({ title: one.message }) });
}

function detection(status) {
  const one = status?.detection;
  if (!status) return waits("status");
  if (!one) return h("p.empty.muted", {}, "The dispatcher does not answer now.");
  if (!one.watched_s) return h("p.empty.muted", {}, `No beat was heard yet; until then work that tolerates two runs moves after ${span(one.redistribute_s)} of silence.`);
  const rows = [["gap between beats, p50", one.gap_p50_s], ["p99", one.gap_p99_s], ["p99.9", one.gap_p999_s], ["work that tolerates two runs moves after", one.redistribute_s], ["without beats, after", one.redistribute_slow_s]];
  const most = Math.max(...rows.map(([, seconds]) => seconds), 0.001);
  return [h("table.bars", {}, h("tbody", {}, rows.map(([name, seconds]) => h("tr", {},
    h("th", { scope: "row" }, name),
    h("td", {}, s("svg", { viewBox: "0 0 100 8", preserveAspectRatio: "none", "aria-hidden": "true" }, s("rect.bar", { x: 0, y: 1, width: Math.max(0.5, (seconds / most) * 100), height: 6 }))),
    h("td.number", {}, span(seconds)))))),
  h("p.muted", {}, `${count(one.false_alarms, "false alarm")}, ${one.cut_off} cut off, ${count(one.refused, "end")} told too late and refused.`),
  one.silent.length ? h("p.late", {}, "Silent now: ", listed(one.silent), ".") : null];
}

/** How soon losses were seen and tasks had moved: what is kept of both, as histograms. */
function spreads() {
  const told = known("losses");
  if (told === null) return waits("losses");
  const rate = told.false_alarms_per_1000_h;
  return [histogram("Losses seen after", told.detection), histogram("Tasks moved after", told.redistribution),
    told.false_alarms === null ? null : h("p.muted", {}, `${count(told.false_alarms, "false alarm")} in ${span(told.watched_s)} of watching${rate === null ? "" : `: ${rate.toFixed(2)} in 1,000 hours of a worker`}.`)];
}

function histogram(name, told) {
  if (!told.count) return h("p.muted", {}, `${name}: nothing was lost yet.`);
  const used = told.counts.map((n) => n > 0);
  const [from, to] = [used.indexOf(true), used.lastIndexOf(true)];
  const rows = told.counts.slice(from, to + 1).map((n, at) => [edge(told.edges_s, from + at), n]);
  const most = Math.max(...told.counts);
  return h("table.bars.spread", {}, h("caption", {}, `${name}: p50 ${span(told.p50_s)}, p99 ${span(told.p99_s)}, at most ${span(told.max_s)}`),
    h("tbody", {}, rows.map(([label, n]) => h("tr", {},
      h("th", { scope: "row" }, label),
      h("td", {}, s("svg", { viewBox: "0 0 100 8", preserveAspectRatio: "none", "aria-hidden": "true" }, s("rect.bar", { x: 0, y: 1, width: (n / most) * 100, height: 6 }))),
      h("td.number", {}, n)))));
}

const edge = (edges, at) => (at < edges.length ? `up to ${span(edges[at])}` : `over ${span(edges.at(-1))}`);

/** Who was lost, how that was seen, what moved where, and how long it took. */
function redistributions() {
  const told = known("losses");
  if (told === null) return waits("losses");
  if (!told.redistributions.length) return h("p.empty.muted", {}, "No worker was lost with work, as far as the stories of tasks are kept.");
  return h("ol.feed.stories", {}, told.redistributions.slice(0, TOLD).map((one) =>
    h("li", { key: `r${one.worker} ${one.at_s}`, class: one.tasks.some(left_behind) ? "failed" : "", "data-row": true }, moment(one.at_s),
      h("div", {}, h("p", {}, h("strong", {}, one.worker), `: ${SEEN[one.cause] ?? said(one.cause)}`,
        one.unheard_s === null ? "" : `, seen within ${span(one.unheard_s)} of its last sign of life`, ". ", ending(one)),
      h("ul.plain", {}, one.tasks.slice(0, NAMED).map((task) => h("li", {}, h("span", {}, task.task, task.pipeline ? h("span.muted", {}, ` of ${task.pipeline}`) : null), h("span.right.muted", {}, went(task))))),
      one.tasks.length > NAMED ? h("p.muted", {}, `and ${one.tasks.length - NAMED} more`) : null))));
}

const left_behind = (task) => task.to === null && task.outcome === null;

function ending(one) {
  const moved = one.tasks.filter((task) => task.to !== null);
  const to = [...new Set(moved.map((task) => task.to))];
  const left = one.tasks.filter(left_behind).length;
  return [moved.length ? [`${count(moved.length, "task")} moved to `, listed(to), ` within ${span(one.took_s)}. `] : "", left ? `${count(left, "task")} ${left === 1 ? "waits" : "wait"} still.` : ""];
}

function went(task) {
  const how = task.outcome ? `, ${said(task.outcome)}` : "";
  if (task.to === null) return task.outcome ? `${said(task.outcome)} without another grant` : "waits";
  return `→ ${task.to} after ${span(task.took_s)}${how}`;
}

/** What happened to workers, and to each task that lost one: where it went, and how soon. */
function moves() {
  const lines = stories();
  if (!lines.length) return h("p.empty.muted", {}, "Nobody died and nothing moved, as far as the kept events tell. When a worker dies, each of its tasks leaves a line here.");
  return h("ol.feed", {}, lines.slice(0, STORIES).map((line) => h("li", { key: `e${line.seq}`, class: line.bad ? "failed" : "" }, moment(line.at_s), h("span", {}, line.words))));
}

function stories() {
  const lines = [];
  const lost = new Map();
  for (const event of feed.toReversed()) { // the oldest first
    const [name, worker] = event.about;
    const before = lost.get(name);
    if (event.kind === "task" && event.what === "lost") {
      const line = { ...event, bad: true, words: [h("strong", {}, name), ` ${said(event.text.slice(name.length + 2))}; it waits`] };
      lost.set(name, line);
      lines.unshift(line);
    } else if (event.kind === "task" && event.what === "granted" && before) {
      before.bad = false;
      before.words = [h("strong", {}, name), " moved to ", h("strong", {}, worker), ` after ${span(event.at_s - before.at_s)}`];
      lost.delete(name);
    } else if (event.kind === "worker" || event.kind === "foreign_worker") {
      lines.unshift({ ...event, bad: /gone|dead|silent/.test(event.text), words: said(event.text) });
    }
  }
  return lines;
}
