// Why a task does not run yet: one line for each of those that wait longest, and all of it in the drawer.
import { get } from "./api.js";
import { h } from "./dom.js";
import { known, problem } from "./store.js";
import { count, listed, moment, now, percent, said, span } from "./words.js";

const SHOWN = 8;
const GOOD_S = 15; // so long an answer is shown before it is asked again
const WORKERS = 40;
const KEPT = 4 * SHOWN;

const told = new Map(); // by task: its explanation, and when it was asked for

/** The explanation of a task, asked for anew where it is old; null while it was never read. */
function explained(task, again) {
  const one = told.get(task);
  if (!one || now() - one.asked_s > GOOD_S) {
    const next = { asked_s: now(), answer: one?.answer ?? null, trouble: null };
    told.delete(task); // so that it is the newest
    told.set(task, next);
    if (told.size > KEPT) told.delete(told.keys().next().value);
    get(`tasks/${encodeURIComponent(task)}/explain`).then(
      (answer) => { next.answer = answer; again(); },
      (error) => { next.trouble = error; again(); });
  }
  return told.get(task);
}

/** Those that are queued, the longest first. */
export const oldest = () => (known("queued")?.items ?? []).toSorted((a, b) => a.submitted_at_s - b.submitted_at_s);

/** In a line, why it waits. */
export function reason(task, again) {
  const { answer, trouble } = explained(task, again);
  if (trouble) return trouble.message;
  if (!answer) return "asking why …";
  return answer.waiting_text ?? `it is ${said(answer.state)} now`;
}

export function waiting({ again }) {
  const page = known("queued");
  if (!page) return h("p.empty", {}, problem("queued")?.message ?? "Reading the queue from swarm …");
  const tasks = oldest();
  if (!tasks.length) return h("p.empty.muted", {}, "No task waits for a slot. What waits says here why, in a line.");
  const rest = tasks.length - SHOWN;
  return [
    h("ol.feed", {}, tasks.slice(0, SHOWN).map((task) => h("li", { key: `waits ${task.id}`, "data-row": true },
      h("span.muted.number.since", { title: "waits for so long" }, span(now() - task.submitted_at_s)),
      h("p.grow", {}, h("a.task", { title: task.id, href: `/fleet?task=${encodeURIComponent(task.id)}`, "data-open": true }, task.id),
        task.team ? h("span.tag", {}, task.team) : null, " ", reason(task.id, again))))),
    rest > 0 ? h("p.muted.more", {}, `and ${rest}${page.next_cursor ? " or more" : ""} that came later`) : null];
}

/** The drawer of a task. */
export function why(task, again) {
  const { answer, trouble } = explained(task, again);
  if (!answer) return [h("h2", {}, task), trouble ? h("p.failed", {}, trouble.message) : h("p.empty", {}, "Asking swarm why it waits …")];
  const lacking = answer.workers.filter((one) => one.lacks);
  const able = answer.workers.filter((one) => !one.lacks);
  return [h("h2", {}, task), h("p", {}, answer.waiting_text ?? `It waits for nothing: it is ${said(answer.state)}.`),
    h("dl", {}, row("state", said(answer.state)), row("before it in its team", answer.before === null ? null : count(answer.before, "task")),
      row("has to begin by", answer.latest_start_s === null ? null : moment(answer.latest_start_s)),
      row("would lack nothing", able.length ? listed(able.map((one) => one.worker)) : null)),
    answer.teams.length ? [h("h3", {}, "Whose turn it is"), h("ul.plain", {}, answer.teams.map((team) => h("li", {}, h("span.name", {}, team.team || "no team"), h("span.right.number.muted", {}, `${percent(team.share)} of the fleet, ${team.waiting} waiting`))))] : null,
    lacking.length ? [h("h3", {}, "What workers lack for it"), h("ul.plain", {}, lacking.slice(0, WORKERS).map((one) => h("li", {}, h("span.name", {}, one.worker), h("span.right.muted", {}, one.lacks.replace(/^\w+/, said))))),
      lacking.length > WORKERS ? h("p.muted.more", {}, `and ${lacking.length - WORKERS} more`) : null] : null];
}

const row = (name, value) => (value === null ? null : [h("dt", {}, name), h("dd", {}, value)]);
