// Now: is the morning on track? What is at risk, what waits and why, what fails.
import { person, post } from "./api.js";
import { h, s } from "./dom.js";
import { indexed } from "./model.js";
import { spark } from "./spark.js";
import { freshen, known, loud, problem } from "./store.js";
import { oldest, reason } from "./waiting.js";
import { clock, count, full, listed, mark, moment, now, percent, pipeline, said, span } from "./words.js";

export const needs = ["graph", "decisions", "links", "last_runs", "hour", "queued", "lost", "workers", "foreign", "rates", "minutes"];
export const title = "Now";

const MINUTES = 60;
const SHOWN = 12;
const WEEK_S = 7 * 86400;
const MINUTE_S = 60;
const LATE_S = 60; // so long a start may take that is not called waiting
const BAND = [0.7, 0.8]; // of the slots at work: below it many are idle, above it few are spare

export function draw({ say, again }) {
  const held = (known("decisions") ?? []).filter((one) => one.act === "hold");
  return [
    h("div.columns", {},
      column("At risk", "slas", at_risk(held, say), "No SLA is at risk.", promise_hint()),
      column("Held and waiting", "decisions", waiting(held, say, again), "Nothing is held, and nothing waits.",
        ["A reader whose data is late is held where ", h("code", {}, "pipelines: [{match: …, mode: gate}]"), " says so."]),
      column("Failing", "last_runs", failing(), known("last_runs")?.length ? "The last run of every pipeline went well." : "No run is known yet.", null)),
    fleet(),
    hour(),
  ];
}

/** What swarm's own workers do now, in figures; nothing where it has none and nothing waits for one. */
function fleet() {
  const workers = known("workers") ?? [];
  const waits = known("queued")?.items.length ?? 0;
  if (!workers.length && !waits) return null;
  const [slots, busy] = [(one) => one.slots, (one) => one.holds.length].map((of) => workers.reduce((sum, one) => sum + of(one), 0));
  const leaving = workers.filter((one) => one.draining).length;
  const share = slots ? busy / slots : 0;
  const course = courses();
  return h("section.strip", { "aria-label": "Fleet now" },
    h("h2", {}, h("a", { href: "/fleet" }, "Fleet now")),
    h("dl.figures", {},
      figure("Capacity", count(slots, "slot"), `of ${count(workers.length, "worker")}${leaving ? `, ${leaving} leaving` : ""}`, course?.slots),
      figure("At work", h("span", {}, `${busy} `, h("span.muted", {}, slots ? `(${percent(share)})` : "")), course?.mean ?? "of the slots", course?.held),
      figure("Queued", `${waits}${known("queued")?.next_cursor ? " or more" : ""}`, waits ? "tasks wait for a slot" : "no task waits"),
      figure("Cost", ...rate(), course?.usd)));
}

const figure = (name, value, words, course) => h("div", {}, h("dt", {}, name), h("dd.number", {}, value), h("dd.muted", {}, words), course ? h("dd", {}, course) : null);

/** The last hour of the fleet as lines; null while it is not known, or nobody was there. */
function courses() {
  freshen("minutes", MINUTE_S);
  const minutes = known("minutes");
  if (!minutes?.some((one) => one.slots)) return null;
  const slots = minutes.map((one) => one.slots);
  const shares = minutes.map((one) => (one.slots ? one.held / one.slots : null));
  const mean = minutes.reduce((sum, one) => sum + one.held, 0) / slots.reduce((sum, n) => sum + n, 0);
  const usd = minutes.map((one) => (one.nodes > one.unpriced ? one.usd_per_h : one.nodes ? null : 0));
  const dear = usd.filter((one) => one !== null);
  const spent = dear.reduce((sum, one) => sum + one, 0) / 60;
  return {
    mean: `${percent(mean)} on average in the last hour`,
    slots: spark(slots, `slots in the last hour: ${Math.round(Math.min(...slots))} to ${Math.round(Math.max(...slots))}`),
    held: spark(shares, `share of slots at work in the last hour: ${percent(mean)} on average; the band is 70 to 80 %`, { most: 1, band: BAND }),
    usd: dear.length ? spark(usd, `cost in the last hour: ${money(Math.min(...dear))} to ${money(Math.max(...dear))} USD/h, ${money(spent)} USD in all`) : null,
  };
}

const money = (amount) => amount.toLocaleString("en", { minimumFractionDigits: 2, maximumFractionDigits: 2 });

/** What the nodes that are there cost an hour. */
function rate() {
  const rates = known("rates")?.now;
  if (!rates) return ["–", problem("rates")?.message ?? "is being read"];
  const { nodes, unpriced, usd_per_h } = rates;
  if (nodes === unpriced) return ["–", nodes ? "nobody told what these nodes cost" : "no node is there"];
  return [`${money(usd_per_h)} USD/h`, `for ${count(nodes - unpriced, "node")}${unpriced ? `, ${unpriced} more without a price` : ""}`];
}

function promise_hint() {
  if ((known("slas") ?? []).length) return null;
  return ["Nothing is promised yet. Say by when a pipeline has to be done: ", h("code", {}, "slas: [{pipeline: …, by: \"07:00\"}]"), "."];
}

function column(name, source, items, calm, hint) {
  const waits = known(source) === null;
  const trouble = problem(source);
  const body = waits
    ? h("p.empty", {}, trouble ? trouble.message : `Reading ${name.toLowerCase()} from swarm …`)
    : items.length ? items.slice(0, SHOWN) : h("div.empty", {}, h("p", {}, calm), hint ? h("p.muted", {}, hint) : null);
  const more = items.length > SHOWN ? h("p.muted.more", {}, `and ${items.length - SHOWN} more`) : null;
  return h("section.column", { "aria-label": name }, h("h2", {}, name, h("span.count", {}, items.length || "")), body, more);
}

function at_risk(held, say) {
  const rank = { missed: 0, at_risk: 1 };
  return (known("slas") ?? [])
    .filter((sla) => sla.standing in rank)
    .sort((a, b) => rank[a.standing] - rank[b.standing] || b.chance - a.chance)
    .map((sla) => risk(sla, held, say));
}

function risk(sla, held, say) {
  const missed = sla.standing === "missed";
  const late = sla.expected_s ? sla.expected_s - sla.deadline_s : 0;
  const cause = sla.late && sla.late !== sla.pipeline ? ["waits for ", pipeline(sla.late), ", which is late"] : [sla.late ? "is late itself" : "its path takes too long"];
  const stopped = held.find((one) => sla.path.includes(one.pipeline));
  return h("article.card", { key: `sla ${sla.name}`, class: missed ? "failed" : "late", "data-row": true },
    h("header", {}, pipeline(sla.pipeline), h("span.right.number", {}, missed ? "missed" : percent(sla.chance))),
    missed ? null : h("meter.chance", { min: 0, max: 1, low: 0.5, high: 0.8, value: sla.chance, "aria-label": "probability of a miss" }),
    h("p", {}, cause, "."),
    h("p.muted", {}, "due ", moment(sla.deadline_s), sla.expected_s ? [", expected ", moment(sla.expected_s), late > 0 ? ` (${span(late)} late)` : ` (${span(-late)} to spare)`] : null),
    sla.path.length > 1 ? h("p.path", {}, sla.path.map((name, at) => [at ? h("span.arrow", {}, "›") : null, pipeline(name, { class: name === sla.late ? "late" : "" })])) : null,
    sla.muted ? h("p.muted", {}, `muted: ${sla.muted}`) : null,
    h("p.hands", {}, remedy(sla, stopped, say)));
}

function remedy(sla, stopped, say) {
  if (stopped) return h("button", { onclick: () => release(stopped.pipeline, say) }, `Release ${stopped.pipeline.split("/").pop()}`);
  return h("a.button", { href: `/graph?s=${encodeURIComponent(`+${sla.pipeline}`)}` }, "Show its path");
}

function waiting(held, say, again) {
  const holds = held.map((one) =>
    h("article.card.held", { key: `hold ${one.pipeline}`, "data-row": true },
      h("header", {}, pipeline(one.pipeline), h("span.right.muted", {}, one.mode === "gate" ? "held" : said(one.mode))),
      h("p", {}, one.waits_for.length ? ["waits for ", listed(one.waits_for.map((name) => pipeline(name)))] : one.reason, "."),
      h("p.muted", {}, "until ", moment(one.until_s), " at the latest", one.waits_for.length ? ` · ${one.reason}` : ""),
      one.mode === "gate" ? h("p.hands", {}, h("button", { onclick: () => release(one.pipeline, say) }, "Release")) : null));
  const links = (known("links") ?? []).filter((one) => one.missing.length).map((one) =>
    h("article.card.waits", { key: `link ${one.downstream}`, "data-row": true },
      h("header", {}, pipeline(one.downstream), h("span.right.muted", {}, "link")),
      h("p", {}, `for ${one.waits_in} it waits for `, listed(one.missing.map((m) => [pipeline(m.pipeline), ` (${count(m.runs, "run")})`])), ".")));
  return [...holds, ...links, ...tasks(again)];
}

function tasks(again) {
  const queued = oldest();
  if (!queued.length) return [];
  const first = queued[0];
  const free = (known("workers") ?? []).reduce((sum, one) => sum + one.slots - one.holds.length, 0);
  const more = known("queued").next_cursor ? " or more" : "";
  return [h("article.card.waits", { key: "tasks", "data-row": true },
    h("header", {}, h("a", { href: `/fleet?task=${encodeURIComponent(first.id)}` }, `${count(queued.length, "task")}${more}`), h("span.right.muted", {}, "queued")),
    h("p", {}, h("span.task", { title: first.id }, first.id), ` the longest, for ${span(now() - first.submitted_at_s)}: `, reason(first.id, again)),
    h("p.muted", {}, free ? `${count(free, "slot")} free` : "every slot is taken", "."))];
}

async function release(name, say) {
  try {
    await post("decisions/release", { pipeline: name, by: person() });
    say(`${name} goes on.`);
  } catch (error) {
    say(error.message, "failed");
  }
}

function failing() {
  const since = now() - WEEK_S;
  const runs = (known("last_runs") ?? [])
    .filter((run) => run.state === "failed" && (run.ended_at_s ?? run.started_at_s ?? 0) > since)
    .sort((a, b) => (b.ended_at_s ?? 0) - (a.ended_at_s ?? 0))
    .map((run) => h("article.card.failed", { key: `run ${full(run.pipeline)}`, "data-row": true },
      h("header", {}, pipeline(full(run.pipeline)), h("span.right.muted", {}, "failed ", run.ended_at_s ? moment(run.ended_at_s) : "")),
      h("p", {}, behind(full(run.pipeline))),
      h("p.muted", {}, run.run_id)));
  const sources = (known("status")?.connectors ?? []).filter((one) => one.state !== "ok").map((one) =>
    h("article.card.failed", { key: `source ${one.source}`, "data-row": true },
      h("header", {}, h("a.pipeline", { href: "/fleet" }, mark(one.source), h("span", {}, one.source)), h("span.right.muted", {}, said(one.state))),
      h("p", {}, `cannot be read since ${clock(one.since_s)}: what is known of it grows older.`), h("p.muted", {}, one.message)));
  const missing = (loud() ?? []).filter((one) => one.kind === "missing_worker").map((one) =>
    h("article.card.failed", { key: one.id, "data-row": true },
      h("header", {}, h("a", { href: "/fleet" }, one.worker.name), h("span.right.muted", {}, said(one.worker.presence))),
      h("p", {}, one.worker.advice || one.subject)));
  return [...sources, ...missing, ...runs];
}

function behind(name) {
  const hits = indexed()?.hit_by(name);
  if (hits === undefined) return "its blast radius is not known yet.";
  if (!hits) return "nothing hangs on it.";
  return [h("a", { href: `/graph?s=${encodeURIComponent(`${name}+`)}` }, count(hits, "pipeline")), hits === 1 ? " hangs on it." : " hang on it."];
}

/** The strip below: runs under way in each minute of the last hour, above them those that waited to begin, failures as ticks. */
function hour() {
  const runs = known("hour");
  if (!runs) return h("section.strip", {}, h("p.empty", {}, "Reading the last hour from swarm …"));
  const end = now();
  const from = end - MINUTES * MINUTE_S;
  const [under, waited] = [new Array(MINUTES).fill(0), new Array(MINUTES).fill(0)];
  const failed = [];
  const add = (to, began, ended) => {
    for (let minute = Math.max(0, Math.floor((began - from) / MINUTE_S)); minute < MINUTES && from + minute * MINUTE_S <= ended; minute++) to[minute]++;
  };
  for (const run of runs) {
    const began = run.started_at_s;
    const due = run.scheduled_for_s ?? Infinity;
    if (began === null) {
      if (run.state === "queued" && due <= end) add(waited, due, end);
      continue;
    }
    if (began - due > LATE_S && began > from) add(waited, due, began - MINUTE_S);
    const ended = run.ended_at_s ?? (run.state === "running" ? end : began);
    add(under, began, ended);
    if (run.state === "failed" && ended > from) failed.push((ended - from) / MINUTE_S);
  }
  const running = runs.filter((run) => run.state === "running").length;
  const most = Math.max(...under);
  const waits = Math.max(...waited);
  const top = Math.max(1, ...under.map((n, at) => n + waited[at]));
  const high = (n) => (n / top) * 36;
  const bars = under.map((n, at) => s("rect.bar", { x: at * 10 + 1, y: 40 - high(n), width: 8, height: high(n) }));
  const above = waited.map((n, at) => (n ? s("rect.waited", { x: at * 10 + 1, y: 40 - high(under[at] + n), width: 8, height: high(n) }) : null));
  const ticks = failed.map((at) => s("path.tick", { d: `M${at * 10} 44 l-4 6 h8 z` }));
  return h("section.strip", { "aria-label": "The last 60 minutes" },
    h("h2", {}, "Last 60 minutes"),
    h("p.muted", {}, `${count(running, "run")} under way, ${most} at most in one minute; ${waits ? `${count(waits, "run")} at most waited to begin (outlined); ` : ""}${count(failed.length, "failure")}.`),
    s("svg", { viewBox: "0 0 600 52", preserveAspectRatio: "none", role: "img", "aria-label": `runs under way per minute, ${most} at most` },
      s("line.base", { x1: 0, y1: 40.5, x2: 600, y2: 40.5 }), bars, above, ticks),
    h("p.axis.muted", {}, h("span", {}, clock(from)), h("span", {}, clock(from + 1800)), h("span", {}, "now")));
}
