// Timeline: the runs of the last day, one row for each pipeline, those on a promised path first.
import { h, s } from "./dom.js";
import { known, problem } from "./store.js";
import { clock, count, full, now, pipeline, span } from "./words.js";

export const needs = ["day", "slas", "decisions"];
export const title = "Timeline";

const SPANS = { "1 h": 3600, "6 h": 6 * 3600, "24 h": 24 * 3600 };
const ROWS = 150;
const TICKS = 6;
const SIGN = { failed: "failed", running: "running", succeeded: "ok", queued: "unknown" };

export function draw({ params, go }) {
  const runs = known("day");
  if (runs === null) return [h("p.empty", {}, problem("day")?.message ?? "Reading the last day from swarm …")];
  const name = SPANS[params.get("span")] ? params.get("span") : "6 h";
  const end = now() + SPANS[name] * 0.2;
  const from = now() - SPANS[name];
  const place = (at) => ((at - from) / (end - from)) * 1000;
  const slas = known("slas") ?? [];
  const rows = rows_of(runs, slas, from);
  return [
    h("div.bar", {}, Object.keys(SPANS).map((one) => h("button.chip", { "aria-pressed": String(one === name), onclick: () => go("/timeline", { span: one }) }, one)),
      h("span.grow", {}), h("span.muted.number", {}, `${count(rows.length, "pipeline")} ran`)),
    rows.length ? h("div.timeline", {}, axis(from, end), rows.slice(0, ROWS).map((row) => lane(row, slas, place))) : h("div.empty", {}, h("p", {}, `Nothing ran in the last ${name}.`), h("p.muted", {}, "Runs appear as orchestrators tell of them, and where their events are sent to swarm, at once.")),
    rows.length > ROWS ? h("p.muted", {}, `and ${rows.length - ROWS} more`) : null,
  ];
}

function rows_of(runs, slas, from) {
  const promised = new Map();
  for (const sla of slas) {
    const risky = sla.standing === "at_risk";
    for (const name of sla.path) promised.set(name, Math.max(promised.get(name) ?? 0, risky ? (name === sla.late ? 3 : 2) : 1));
  }
  const by = new Map();
  for (const run of runs) {
    const ended = run.ended_at_s ?? (run.state === "running" ? Infinity : run.started_at_s ?? run.scheduled_for_s ?? 0);
    if (ended < from) continue;
    const name = full(run.pipeline);
    if (!by.has(name)) by.set(name, { name, runs: [], rank: promised.get(name) ?? 0, last: 0 });
    by.get(name).runs.push(run);
    by.get(name).last = Math.max(by.get(name).last, run.started_at_s ?? 0);
  }
  return [...by.values()].sort((a, b) => b.rank - a.rank || b.last - a.last || a.name.localeCompare(b.name));
}

function axis(from, end) {
  const marks = Array.from({ length: TICKS }, (_, at) => from + ((end - from) * at) / TICKS);
  return h("div.row.axis", {}, h("span", {}), h("p.muted", {}, marks.map((at) => h("span", {}, clock(at)))));
}

function lane(row, slas, place) {
  const due = slas.filter((sla) => sla.pipeline === row.name);
  const held = (known("decisions") ?? []).find((one) => one.pipeline === row.name && one.act === "hold");
  return h("div.row", { key: row.name, "data-row": true },
    h("p", {}, pipeline(row.name, { class: row.rank === 3 ? "late" : "" })),
    s("svg", { viewBox: "0 0 1000 20", preserveAspectRatio: "none", role: "img", "aria-label": `${count(row.runs.length, "run")} of ${row.name}` },
      row.runs.map((run) => bar(run, place)),
      held ? s("rect.held", { x: place(now()), y: 4, width: Math.max(3, place(held.until_s) - place(now())), height: 12 }, s("title", {}, `held until ${clock(held.until_s)}`)) : null,
      s("line.now", { x1: place(now()), x2: place(now()), y1: 0, y2: 20 }),
      due.map((sla) => s("line.due", { x1: place(sla.deadline_s), x2: place(sla.deadline_s), y1: 0, y2: 20 }, s("title", {}, `due ${clock(sla.deadline_s)}`)))));
}

function bar(run, place) {
  const began = run.started_at_s ?? run.scheduled_for_s;
  if (began === null) return null;
  const ended = run.ended_at_s ?? (run.state === "running" ? now() : began);
  const [x, width] = [place(began), Math.max(2.5, place(ended) - place(began))];
  if (x + width < 0) return null;
  const words = `${run.run_id}: ${run.state}, ${clock(began)}${ended > began ? `, ${span(ended - began)}` : ""}`;
  return s("rect", { class: SIGN[run.state] ?? "unknown", x: Math.max(0, x), y: run.state === "failed" ? 2 : 5, width, height: run.state === "failed" ? 16 : 10 }, s("title", {}, words));
}
