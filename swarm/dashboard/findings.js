// Findings: what will or did go wrong, ranked by what hangs on it, each with its evidence, remedy and
// owners; whether it was right to tell, and which of it is known and not to be told: people say both here.
import { person, post } from "./api.js";
import { h } from "./dom.js";
import { ledger } from "./ledger.js";
import { indexed } from "./model.js";
import { is_muted, known, loud, problem, touch } from "./store.js";
import { clock, count, full, listed, moment, now, percent, pipeline, said, span } from "./words.js";

export const needs = ["findings", "graph", "score"];
export const title = "Findings";

const GRAVE = { sla_at_risk: 6, missing_worker: 5, cycle: 4, stale_read: 4, two_writers: 3.5, held: 3, gone_writer: 3, paused_writer: 2.5, race: 2.5, cadence_mismatch: 1.5, undeclared_dependency: 1 };
const LEVEL = { gate: 1, warn: 0.8, show: 0.5 };
const SHOWN = 200;
const MUTED = "muted"; // in the place of a kind
const DAY_S = 86_400;
const BECAME = { came_true: "it came true", acted_on: "acted on", confirmed: "right to tell", rejected: "wrong to tell", refuted: "it never came" };

const said_here = new Map(); // by finding: what was just said of it, until swarm has judged it

export function draw({ params, go, say }) {
  const found = known("findings");
  if (found === null) return [h("p.empty", {}, problem("findings")?.message ?? "Reading the findings from swarm …")];
  if (!found.length) {
    return [...muted(), h("div.empty", {}, h("p", {}, "Nothing is open."),
      h("p.muted", {}, "Undeclared dependencies appear after each pipeline ran once, or now from source: ", h("code", {}, "swarm scan"), ". Hazards appear with the runs that show them."))];
  }
  const told = loud();
  const kinds = new Map();
  for (const one of told) kinds.set(one.kind, (kinds.get(one.kind) ?? 0) + 1);
  const only = params.get("kind");
  const open = params.get("open");
  const fits = (one) => (only === MUTED ? is_muted(one) : one.id === open || (!is_muted(one) && (!only || one.kind === only)));
  const ranked = found.filter(fits).map((one) => [weight(one), one]).sort((a, b) => b[0] - a[0]);
  return [
    h("div.bar", {}, chip("all", told.length, !only, () => go("/findings", {})),
      [...kinds].sort((a, b) => GRAVE[b[0]] - GRAVE[a[0]]).map(([kind, of]) => chip(said(kind), of, only === kind, () => go("/findings", { kind }))),
      told.length < found.length || only === MUTED ? chip(MUTED, found.length - told.length, only === MUTED, () => go("/findings", { kind: MUTED })) : null),
    h("p.lead.muted", {}, "Ranked by how grave, how likely, and how many pipelines hang on it."),
    ...muted(),
    ranked.length ? null : h("p.empty", {}, only === MUTED ? "Nothing is muted." : "Nothing else is open."),
    h("ol.findings", {}, ranked.slice(0, SHOWN).map(([, one]) => card(one, open === one.id, { go, say, params }))),
    ranked.length > SHOWN ? h("p.muted", {}, `and ${ranked.length - SHOWN} more; choose a kind above.`) : null,
  ];
}

/** The kinds of hazards that are not told now, and why. */
function muted() {
  return (known("score") ?? []).filter((one) => one.muted).map((one) =>
    h("p.lead.mute", { key: `muted ${one.kind}` }, h("span.tag", {}, "muted"), h("strong", {}, said(one.kind)), `: ${one.muted}. It is followed in silence, and told again once it is right half the time.`));
}

const chip = (name, of, on, act) => h("button.chip", { "aria-pressed": String(on), onclick: act }, name, h("span.number.muted", {}, of));

function behind(one) {
  if (one.hazard) return one.hazard.behind;
  const last = one.pipelines.at(-1);
  return last ? (indexed()?.hit_by(full({ ...last, task: "" })) ?? 0) + 1 : 1;
}

function weight(one) {
  const chance = one.sla ? one.sla.chance : one.hazard ? 0.3 + 0.7 * one.hazard.chance : LEVEL[one.level] ?? 0.5;
  return (GRAVE[one.kind] ?? 1) * chance * (1 + Math.log2(behind(one)));
}

function card(one, open, { go, say, params }) {
  const turn = () => {
    const next = new URLSearchParams(params);
    if (open) next.delete("open");
    else next.set("open", one.id);
    go("/findings", next);
  };
  const hits = behind(one);
  return h("li.finding", { key: one.id, class: tone(one), "data-row": true },
    h("header", {},
      h("button.turn", { "aria-expanded": String(open), onclick: turn, "data-open": true }, h("span.kind", {}, said(one.kind)), h("span.words", {}, words(one))),
      h("span.right.muted.number", { title: "pipelines that hang on it, itself counted" }, count(hits, "pipeline")),
      h("span.right.muted.number.since", { title: "open since" }, span(now() - one.first_seen_s))),
    one.hazard ? h("p.remedy", {}, h("span.muted", {}, "Remedy: "), one.hazard.remedy) : null,
    one.worker?.advice ? h("p.remedy", {}, h("span.muted", {}, "Remedy: "), one.worker.advice) : null,
    owners(one),
    is_muted(one) ? h("p.remedy", {}, h("span.muted", {}, `Muted by ${one.mute.by}, ${one.mute.until_s === null ? "as long as it is open" : `until ${clock(one.mute.until_s)}`}: nobody is told of it. `), one.mute.note) : null,
    one.sla?.muted ? h("p.muted", {}, `Muted: ${one.sla.muted}`) : null,
    open ? inside(one, say) : null);
}

/** Whose pipelines these are, as far as their orchestrators say. */
function owners(one) {
  const index = indexed();
  const names = one.pipelines.map((of) => index?.owner[index.number.get(full({ ...of, task: "" }))]);
  const teams = [...new Set(names.filter(Boolean))];
  if (!teams.length) return null;
  return h("p.remedy", {}, h("span.muted", {}, teams.length > 1 ? "Owners: " : "Owner: "), listed(teams.map((team) => h("a", { href: `/graph?s=${encodeURIComponent(`team:${team}`)}` }, team))));
}

const tone = (one) => (["sla_at_risk", "held", "race", "cadence_mismatch", "paused_writer"].includes(one.kind) ? "late" : one.kind === "undeclared_dependency" ? "plain" : "failed");

function words(one) {
  const names = one.pipelines.map((of) => full(of));
  if (one.hazard) return capital(one.hazard.story);
  if (one.sla) return `${one.sla.pipeline}: ${percent(one.sla.chance)} to be missed${one.sla.late ? `, since ${one.sla.late} is late` : ""}`;
  if (one.kind === "undeclared_dependency") {
    const edge = one.evidence[0];
    return `${names.at(-1)} reads what ${names[0]} writes${edge ? ` (${short(edge.dataset)})` : ""}, and no orchestrator knows`;
  }
  if (one.kind === "cycle") return `${names.join(" → ")} → ${names[0]} wait for each other`;
  return one.subject;
}

const short = (dataset) => dataset.split("/").pop();
const capital = (text) => text.charAt(0).toUpperCase() + text.slice(1);

function inside(one, say) {
  const names = [...new Set(one.pipelines.map((of) => full({ ...of, task: "" })))];
  const selector = names.length > 1 ? names.map((name) => `${name}+`).join(" ") : `1+${names[0]}+1`;
  return h("div.inside", {},
    h("p.muted", {}, "Open since ", moment(one.first_seen_s), ", changed ", moment(one.changed_at_s), `, level ${one.level}`,
      one.hazard?.of ? `, seen on ${one.hazard.seen} of ${count(one.hazard.of, "run")}` : "", "."),
    one.sla?.path.length ? h("p.path", {}, one.sla.path.map((name, at) => [at ? h("span.arrow", {}, "›") : null, pipeline(name)])) : null,
    one.worker?.runs.length ? h("p", {}, "On it ran ", listed(one.worker.runs.map((ran) => `${ran.pipeline} ${ran.run_id}`)), ".") : null,
    one.hazard ? thumbs(one, say) : null,
    known_already(one, say),
    names.length ? h("p.hands", {}, h("a.button", { href: `/graph?s=${encodeURIComponent(selector)}` }, "Show in the graph")) : null,
    one.evidence.map((edge) => ledger(edge, say)));
}

/** Was it right to tell? Each hazard is judged once; its kind keeps score, and falls silent when it is mostly wrong. */
function thumbs(one, say) {
  const score = known("score")?.find((of) => of.kind === one.kind);
  const kept = score && score.precision !== null ? h("span.muted", {}, `Of its kind ${percent(score.precision)} were right.`) : null;
  if (one.outcome) {
    said_here.delete(one.id);
    return h("p.verdicts", {}, h("span.tag", { class: one.outcome }, BECAME[one.outcome] ?? said(one.outcome)), kept);
  }
  const before = said_here.get(one.id);
  const button = (label, right, key) =>
    h("button", { "aria-pressed": String(before === right), "aria-keyshortcuts": key, "data-hot": key, disabled: before !== undefined, onclick: () => rate(one, right, say) }, label, h("kbd", {}, key));
  return h("p.verdicts", { role: "group", "aria-label": "Was it right to tell?" }, button("Right to tell", true, "u"), button("Wrong", false, "d"), kept);
}

/** What a person knows of need not be told: until then, or until it closes; and it stands apart. */
function known_already(one, say) {
  if (is_muted(one)) return h("p.verdicts", {}, h("button", { onclick: () => send(one, "unmute", {}, "People are told of it again.", say) }, "Tell of it again"));
  const button = (label, for_s, hot) =>
    h("button", { onclick: () => send(one, "mute", { for_s }, "It is muted: nobody is told of it, and it stands under Muted.", say), "aria-keyshortcuts": hot, "data-hot": hot }, label, hot ? h("kbd", {}, hot) : null);
  return h("p.verdicts", { role: "group", "aria-label": "Mute it" }, h("span.muted", {}, "Mute it for"), button("a day", DAY_S), button("a week", 7 * DAY_S, "m"), button("as long as it is open", null));
}

async function send(one, word, body, done, say) {
  try {
    await post(`findings/${encodeURIComponent(one.id)}/${word}`, { ...body, by: person() });
    say(done);
  } catch (error) {
    say(error.message, "failed");
  }
  touch("findings");
}

async function rate(one, right, say) {
  said_here.set(one.id, right);
  try {
    await post(`findings/${encodeURIComponent(one.id)}/feedback`, { right, by: person() });
    say(right ? `Noted: it was right to tell. ${capital(said(one.kind))} keeps score.` : `Noted: it was wrong. A kind that is mostly wrong is told no more.`);
  } catch (error) {
    said_here.delete(one.id);
    say(error.message, "failed");
  }
  touch("findings", "score");
}
