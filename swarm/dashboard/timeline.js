// Timeline: what ran beside what was planned, one row for each pipeline, those on a promised path
// first. Plans are outlines, what happened is filled; the whisker is nine of ten days. Under a run
// that swarm held lies in grey when it would have begun without swarm, as long as such runs take. The slider
// goes back through the day: the page shows how it stood then.
import { h, s } from "./dom.js";
import { as_of, counted, PLANNED } from "./past.js";
import { freshen, known, problem } from "./store.js";
import { clock, count, full, hours, now, pipeline, span } from "./words.js";

export const needs = ["day", "slas", "decisions", "waited", "durations", "ahead"];
export const title = "Timeline";

const SPANS = { "1 h": 3600, "6 h": 6 * 3600, "24 h": 24 * 3600 };
const AHEAD = 0.3; // of what is shown lies ahead
const ROWS = 150;
const TICKS = 8; // at most
const LABEL = 0.05; // of the width, which a mark's time takes
const STEPS_S = [600, 900, 1800, 3600, 2 * 3600, 4 * 3600, 6 * 3600]; // between two of them
const AHEAD_S = 600; // after which it is asked again what is to come
const SOON_S = 3600; // a run that began so long before its time is the one that was to come
const DAY_S = 24 * 3600; // as much is read
const STEP_S = 60;
let dragged = null; // where the slider is held
let seen = null; // the moment that is shown, null: now
const SIGN = { failed: "failed", running: "running", succeeded: "ok", queued: "unknown" };

const then = () => seen ?? now();

export function draw({ params, go, again }) {
  const told = known("day");
  if (told === null) return [h("p.empty", {}, problem("day")?.message ?? "Reading the last day from swarm …")];
  freshen("ahead", AHEAD_S);
  const name = SPANS[params.get("span")] ? params.get("span") : "6 h";
  const slas = known("slas") ?? [];
  const sla = slas.find((one) => one.name === params.get("sla")) ?? null;
  seen = moment_of(params);
  const base = seen !== null && seen < now() - SPANS[name] ? seen + SPANS[name] / 2 : now();
  const [from, end] = [base - SPANS[name], base + SPANS[name] * AHEAD / (1 - AHEAD)];
  const runs = seen === null ? told : as_of(told, seen);
  const place = (at) => ((at - from) / (end - from)) * 1000;
  const rows = rows_of(runs, sla ? [sla] : slas, sla !== null, from, end);
  const set = (next) => go("/timeline", Object.fromEntries(Object.entries({ span: params.get("span"), sla: params.get("sla"), at: params.get("at"), ...next }).filter(([, value]) => value)));
  return [
    h("div.bar", {}, Object.keys(SPANS).map((one) => h("button.chip", { "aria-pressed": String(one === name), onclick: () => set({ span: one }) }, one)),
      slas.length ? h("select", { "aria-label": "Whose path", onchange: (event) => set({ sla: event.target.value }) },
        h("option", { value: "", selected: !sla }, "all pipelines"), slas.map((one) => h("option", { value: one.name, selected: one === sla }, `path of ${one.name}`))) : null,
      h("span.grow", {}), h("span.muted.number", {}, `${count(rows.filter((row) => row.runs.some((run) => run.state !== PLANNED)).length, "pipeline")} ran`)),
    seen === null ? (sla ? h("p.lead", {}, verdict(sla)) : null) : h("p.lead", { role: "status" }, stood(counted(runs, from, seen))),
    h("div.row.scrub", {}, h("button.chip", { "aria-pressed": String(seen === null), onclick: () => set({ at: "" }) }, "now"),
      slider(from, base, set, again), h("span.muted.number", {}, seen === null ? "" : clock(seen))),
    rows.length ? h("div.timeline", {}, axis(from, end), rows.slice(0, ROWS).map((row) => lane(row, slas, place)))
      : h("div.empty", {}, h("p", {}, `Nothing ran in the last ${name}.`), h("p.muted", {}, "Runs appear as orchestrators tell of them, and where their events are sent to swarm, at once.")),
    rows.length > ROWS ? h("p.muted", {}, `and ${rows.length - ROWS} more`) : null,
    rows.length ? h("p.muted.key", {}, key("planned"), "planned, whisker: 9 of 10 days", key("without"), "without swarm", key("ok"), "went well", key("running"), "runs", key("failed"), "failed", key("held"), "held", key("due"), "due") : null,
  ];
}

/** The moment that the slider or the URL names, within what is read; null: now. */
function moment_of(params) {
  const asked = dragged ?? (params.get("at") ? Number(params.get("at")) : NaN);
  if (!Number.isFinite(asked) || asked > now() - STEP_S) return null;
  return Math.max(asked, now() - DAY_S);
}

function slider(from, base, set, again) {
  const [least, most] = [Math.ceil(from / STEP_S) * STEP_S, Math.floor(base / STEP_S) * STEP_S];
  return h("input", { type: "range", min: least, max: most, step: STEP_S, value: seen ?? most, "aria-label": "the moment that is shown", "aria-valuetext": seen === null ? "now" : clock(seen),
    oninput: (event) => { dragged = Number(event.target.value); again(); },
    onchange: (event) => { dragged = null; set({ at: Number(event.target.value) > now() - 2 * STEP_S ? "" : event.target.value }); } });
}

/** How it stood then, in a sentence. */
function stood({ running, failed, ended, late }) {
  const parts = [`${count(running, "run")} under way`, `${ended} had gone well`, failed ? `${failed} had failed` : "", late ? `${late} should have begun` : ""];
  return `At ${clock(seen)}: ${parts.filter(Boolean).join(", ")}.`;
}

/** The line above the path of one SLA: what decides it, and how much room there is. */
function verdict(sla) {
  const late = sla.late ? ["; ", pipeline(sla.late, { class: "late" }), " is not where it usually is by now"] : [];
  if (sla.expected_s === null) return [`${sla.name} is due ${clock(sla.deadline_s)}; when it will be done is not known`, ...late, "."];
  return [`${sla.name} is due ${clock(sla.deadline_s)}, expected ${clock(sla.expected_s)}: ${room(sla.deadline_s - sla.expected_s)}`, ...late, "."];
}

const room = (slack) => (slack >= 0 ? `${span(slack)} to spare` : `${span(-slack)} late`);

/** One row for each pipeline that ran or is to run in between; `only`: those on the paths of `slas`, in their order. */
function rows_of(runs, slas, only, from, end) {
  const by = new Map();
  const row = (name) => {
    if (!by.has(name)) by.set(name, { name, runs: [], ahead: null, usual: null, rank: 0, at: 0, last: 0, slack: null });
    return by.get(name);
  };
  for (const run of runs) {
    const ended = run.ended_at_s ?? (run.state === "running" ? Infinity : run.started_at_s ?? run.scheduled_for_s ?? 0);
    if (ended < from) continue;
    const one = row(full(run.pipeline));
    one.runs.push(run);
    one.last = Math.max(one.last, run.started_at_s ?? 0);
  }
  const usual = new Map((known("durations") ?? []).map((one) => [one.pipeline, one]));
  for (const coming of known("ahead") ?? []) {
    const begins = coming.p50_s - (usual.get(coming.pipeline)?.p50_s ?? 0);
    if (coming.p50_s < then() || begins > end || (by.get(coming.pipeline)?.last ?? 0) > begins - SOON_S) continue;
    row(coming.pipeline).ahead ??= coming;
  }
  const named = new Set();
  for (const sla of slas) {
    const risky = sla.standing === "at_risk" || sla.standing === "missed";
    sla.path.forEach((name, at) => {
      named.add(name);
      const one = row(name);
      if (seen === null) one.rank = Math.max(one.rank, risky ? (name === sla.late ? 3 : 2) : 1);
      one.at = at;
      if (seen === null && sla.expected_s !== null) one.slack = Math.min(one.slack ?? Infinity, sla.deadline_s - sla.expected_s);
    });
  }
  const rows = [...by.values()].filter((one) => (only ? named.has(one.name) : one.runs.length || one.ahead));
  for (const one of rows) one.usual = usual.get(one.name) ?? null;
  return rows.sort(only ? (a, b) => a.at - b.at : (a, b) => b.rank - a.rank || b.last - a.last || a.name.localeCompare(b.name));
}

/** Marks at full hours, or parts of one, in the place of each. */
function axis(from, end) {
  const step = STEPS_S.find((one) => (end - from) / one <= TICKS) ?? DAY_S;
  const zone_s = new Date(from * 1000).getTimezoneOffset() * 60; // full hours are those of who looks
  const marks = [];
  for (let at = Math.ceil((from - zone_s) / step) * step + zone_s; at < end - (end - from) * LABEL; at += step) marks.push(at);
  const place = (at) => `${(((at - from) / (end - from)) * 100).toFixed(2)}%`;
  return h("div.row.axis", {}, h("span", {}),
    s("svg", { "aria-hidden": "true" }, marks.map((at) => s("text", { x: place(at), y: 14 }, hours(at))), marks.map((at) => s("line.base", { x1: place(at), x2: place(at), y1: 16, y2: 20 }))),
    h("span.muted.number", {}, "slack"));
}

function lane(row, slas, place) {
  const due = slas.filter((sla) => sla.pipeline === row.name);
  const held = (known("decisions") ?? []).find((one) => one.pipeline === row.name && one.act === "hold" && held_by(one, then()));
  const waited = (known("waited") ?? []).filter((one) => one.pipeline === row.name && one.due_s <= then());
  const words = [count(row.runs.filter((run) => run.state !== PLANNED).length, "run"), row.ahead ? `expected to be done ${clock(row.ahead.p50_s)}` : "", held ? `held until ${clock(held.until_s)}` : "", ...waited.map(apart)].filter(Boolean);
  return h("div.row", { key: row.name, class: row.rank > 1 ? "critical" : "", "data-row": true },
    h("p", {}, pipeline(row.name, { class: row.rank === 3 ? "late" : "" })),
    s("svg", { viewBox: "0 0 1000 20", preserveAspectRatio: "none", role: "img", "aria-label": `${row.name}: ${words.join(", ")}` },
      waited.map((one) => without(one, row.usual, place)),
      row.runs.map((run) => planned(run, row.usual, place)),
      ahead(row, place),
      row.runs.map((run) => bar(run, place)),
      held ? hold(held, place) : null,
      s("line.now", { x1: place(then()), x2: place(then()), y1: 0, y2: 20 }),
      due.map((sla) => s("line.due", { x1: place(sla.deadline_s), x2: place(sla.deadline_s), y1: 0, y2: 20 }, s("title", {}, `due ${clock(sla.deadline_s)}`)))),
    h("span.number", { class: row.slack !== null && row.slack < 0 ? "late" : "muted" }, row.slack === null ? "" : room(row.slack)));
}

/** When a run was to begin, and how long such runs take. */
function planned(run, usual, place) {
  if (!usual || run.scheduled_for_s === null) return null;
  return outline(run.scheduled_for_s, usual.p50_s, usual.p90_s, place, `planned ${clock(run.scheduled_for_s)}, usually ${span(usual.p50_s)}`);
}

/** When a run would have begun that swarm held, below what it did; how long it would have taken is what such runs take. */
function without(one, usual, place) {
  const [x, ends] = [one.due_s, one.due_s + (usual?.p50_s ?? 0)].map(place);
  if (ends < 0 || x > 1000) return null;
  return s("g.without", {}, s("title", {}, apart(one)), s("rect", { x, y: 16, width: Math.max(3, ends - x), height: 4 }));
}

/** What swarm made of a start, in words. */
function apart(one) {
  const until = one.until_s === null || one.until_s > then() ? "it is held" : one.left_out ? `it was left out ${clock(one.until_s)}` : `it was held until ${clock(one.until_s)}`;
  return `without swarm it would have begun ${clock(one.due_s)}${one.waits_for.length ? `, before ${one.waits_for.join(", ")} was done` : ""}; ${until}`;
}

/** The run that is still to come on a day like this. */
function ahead(row, place) {
  if (!row.ahead) return null;
  const takes = row.usual?.p50_s ?? 0;
  const most = (row.ahead.p90_s ?? row.ahead.p50_s) - row.ahead.p50_s + takes;
  return outline(row.ahead.p50_s - takes, takes, most, place, `on a day like this done by ${clock(row.ahead.p50_s)}${row.ahead.p90_s ? `, on 9 of 10 by ${clock(row.ahead.p90_s)}` : ""}`);
}

function outline(begins, takes, most, place, words) {
  const [x, ends, last] = [begins, begins + takes, begins + most].map(place);
  if (last < 0 || x > 1000) return null;
  return s("g.planned", {}, s("title", {}, words), s("rect", { x, y: 3, width: Math.max(2, ends - x), height: 14 }), s("line", { x1: ends, x2: Math.max(ends, last), y1: 10, y2: 10 }));
}

/** Whether it may have been held then: the hold of now, from the first start that falls into it. */
const held_by = (held, at) => seen === null || Math.min(now(), ...held.due_s) <= at;

/** From when its planned start is due to when it is let go at the latest, hatched. */
function hold(held, place) {
  const begins = Math.min(then(), ...held.due_s);
  const x = Math.max(0, place(begins));
  const width = Math.max(3, Math.min(1000, place(held.until_s)) - x);
  const hatch = Array.from({ length: Math.ceil(width / 8) }, (_, at) => `M${x + at * 8} 16l5 -12`).join("");
  return s("g.held", {}, s("title", {}, `held until ${clock(held.until_s)}: ${held.reason}`), s("rect", { x, y: 4, width, height: 12 }), s("path", { d: hatch }));
}

function bar(run, place) {
  if (run.state === PLANNED) return null;
  const began = run.started_at_s ?? run.scheduled_for_s;
  if (began === null) return null;
  const ended = run.ended_at_s ?? (run.state === "running" ? then() : began);
  const [x, width] = [place(began), Math.max(2.5, place(ended) - place(began))];
  if (x + width < 0) return null;
  const words = `${run.run_id}: ${run.state}, ${clock(began)}${ended > began ? `, ${span(ended - began)}` : ""}`;
  return s("rect", { class: SIGN[run.state] ?? "unknown", x: Math.max(0, x), y: run.state === "failed" ? 2 : 6, width, height: run.state === "failed" ? 16 : 8 }, s("title", {}, words));
}

const key = (kind) => s("svg.key", { viewBox: "0 0 18 10", "aria-hidden": "true" },
  kind === "planned" ? s("g.planned", {}, s("rect", { x: 1, y: 1, width: 11, height: 8 }), s("line", { x1: 12, x2: 17, y1: 5, y2: 5 }))
    : kind === "due" ? s("line.due", { x1: 9, x2: 9, y1: 0, y2: 10 })
      : kind === "without" ? s("g.without", {}, s("rect", { x: 1, y: 5, width: 16, height: 4 }))
      : kind === "held" ? s("g.held", {}, s("rect", { x: 1, y: 1, width: 16, height: 8 }), s("path", { d: "M4 9l4 -8M10 9l4 -8" }))
        : s("rect", { class: kind, x: 1, y: kind === "failed" ? 0 : 2, width: 16, height: kind === "failed" ? 10 : 6 }));
