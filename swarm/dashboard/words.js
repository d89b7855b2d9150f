// How things are said: sentences instead of codes, local times with UTC behind, spans like 3 m 20 s.
import { h } from "./dom.js";

const STEPS = [["d", 86400], ["h", 3600], ["m", 60], ["s", 1]];

export const now = () => Date.now() / 1000;

/** A length of time in its two largest units. */
export function span(seconds) {
  const whole = Math.max(0, Math.round(seconds));
  if (seconds < 1 && seconds > 0) return `${Math.round(seconds * 1000)} ms`;
  const first = STEPS.findIndex(([, size]) => whole >= size);
  if (first < 0) return "0 s";
  const [unit, size] = STEPS[first];
  const parts = [`${Math.floor(whole / size)} ${unit}`];
  const [small, step] = STEPS[first + 1] ?? [];
  const rest = step ? Math.floor((whole % size) / step) : 0;
  if (rest) parts.push(`${rest} ${small}`);
  return parts.join(" ");
}

export const hours = (at) =>
  new Date(at * 1000).toLocaleTimeString([], { hour: "2-digit", minute: "2-digit", hour12: false });

const day = (at) => new Date(at * 1000).toLocaleDateString([], { day: "numeric", month: "short" });

/** A moment, local; another day than today is named. */
export function clock(at) {
  const near = new Date(at * 1000).toDateString() === new Date().toDateString();
  return near ? hours(at) : `${day(at)} ${hours(at)}`;
}

export const moment = (at) =>
  h("time", { datetime: new Date(at * 1000).toISOString(), title: `${new Date(at * 1000).toISOString().slice(0, 19)}Z` }, clock(at));

export function percent(share) {
  if (share > 0 && share < 0.005) return "< 1 %";
  if (share < 1 && share > 0.995) return "> 99 %";
  return `${Math.round(share * 100)} %`;
}

export const count = (n, one, many) => `${n.toLocaleString("en")} ${n === 1 ? one : (many ?? `${one}s`)}`;

export const said = (code) => code.replaceAll("_", " ");

/** `orchestrator/name[/task]` of a task or pipeline as the API names it. */
export const full = (of) => `${of.orchestrator}/${of.pipeline}${of.task ? `/${of.task}` : ""}`;

/** Two letters for an orchestrator: a mark, never a colour. */
export function mark(orchestrator) {
  const letters = orchestrator.replace(/[^\p{L}\p{N}]/gu, "") || "?";
  return h("abbr.mark", { title: orchestrator }, [...letters].slice(0, 2).join("").toLowerCase());
}

/** A pipeline: its mark and its name, which leads to the graph around it. */
export function pipeline(name, props) {
  const cut = name.indexOf("/");
  const [orchestrator, rest] = cut < 0 ? ["", name] : [name.slice(0, cut), name.slice(cut + 1)];
  const href = `/graph?s=${encodeURIComponent(`1+${name}+1`)}`;
  return h("a.pipeline", { href, title: name, ...props }, orchestrator ? mark(orchestrator) : null, h("span", {}, rest));
}

/** A list of things in a sentence: a, b and 3 others. */
export function listed(items, most = 3) {
  const shown = items.slice(0, most).flatMap((item, at) => (at ? [", ", item] : [item]));
  return items.length > most ? [...shown, ` and ${items.length - most} others`] : shown;
}
