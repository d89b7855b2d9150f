// Why an edge is believed: each piece of evidence with its source, place and weight; the verdict, and the
// question to who would know.
import { person, post } from "./api.js";
import { h } from "./dom.js";
import { indexed } from "./model.js";
import { full, moment, percent, said } from "./words.js";

const SURE = 3; // log-odds at which a bar is half full

/** The word for how an edge is known. */
export const kind_of = (edge) => (edge.declared ? "declared" : "implicit");

/** One dependency: its ends, how sure, the evidence, and what a person can say of it. */
export function ledger(edge, say) {
  const own = edge.dataset.split("/").pop();
  return h("section.ledger", { key: `${full(edge.upstream)}>${full(edge.downstream)}>${edge.dataset}` },
    h("p.flow", {},
      h("span.name", {}, full(edge.upstream)), h("span.muted", {}, " writes, "),
      h("span.name", {}, full(edge.downstream)), h("span.muted", {}, " reads ")),
    h("p.dataset", { title: edge.dataset }, h("code", {}, edge.dataset)),
    h("p.sure", {},
      h("span.tag", { class: edge.declared ? "declared" : "implicit" }, kind_of(edge)),
      h("strong.number", {}, percent(edge.confidence)), " sure",
      edge.recurrence ? h("span.muted", {}, ` · seen on ${edge.recurrence.seen_days} of ${edge.recurrence.looked_days} days`) : null,
      edge.verdict ? h("span.tag", { class: edge.verdict }, edge.verdict) : null),
    h("ol.evidence", {}, edge.evidence.map((proof) => piece(proof, own))),
    edge.evidence.length ? null : h("p.muted", {}, "Only the orchestrator's own order says so."),
    verdicts(edge, say),
    edge.declared || edge.verdict ? null : question(edge, say));
}

function piece(proof, own) {
  const against = proof.weight < 0;
  const share = Math.min(1, Math.abs(proof.weight) / (2 * SURE));
  return h("li", { class: against ? "against" : "" },
    h("p", {},
      h("span.channel", {}, said(proof.channel)),
      h("span.muted", {}, against ? ` did not see the ${proof.access}` : ` sees a ${proof.access}`),
      h("span.weight", { title: "what it adds to the log-odds" },
        h("meter", { min: 0, max: 1, value: share.toFixed(3), "aria-label": `weight ${proof.weight}` }),
        h("span.number", {}, `${against ? "−" : "+"}${Math.abs(proof.weight).toFixed(1)}`))),
    proof.excerpt ? h("pre", {}, marked(proof.excerpt, own)) : null,
    h("p.place.muted", {}, proof.place, proof.via.length ? ` · through ${proof.via.join(", ")}` : "",
      proof.last_seen_s ? [" · ", moment(proof.last_seen_s)] : null));
}

/** A text with each mention of a table set off. */
export function marked(text, table) {
  const parts = [];
  const low = text.toLowerCase();
  const short = table.toLowerCase();
  for (const word of [short, short.split(".").pop()]) {
    if (!word || !low.includes(word)) continue;
    let at = 0;
    for (let found = low.indexOf(word); found >= 0; found = low.indexOf(word, at)) {
      parts.push(text.slice(at, found), h("mark", {}, text.slice(found, found + word.length)));
      at = found + word.length;
    }
    return [...parts, text.slice(at)];
  }
  return [text];
}

function verdicts(edge, say) {
  const button = (label, verdict, key) =>
    h("button", { onclick: () => judge(edge, verdict, say), "aria-keyshortcuts": key, "data-hot": key, disabled: edge.verdict === verdict },
      label, h("kbd", {}, key));
  return h("p.verdicts", {},
    button("Accept", "accepted", "a"), button("Reject", "rejected", "x"),
    edge.verdict ? h("button.quiet", { onclick: () => judge(edge, null, say) }, "Take the verdict back") : null);
}

/** A question that is ready to be sent: swarm writes to nobody by itself, and knows an owner by name at most. */
function question(edge, say) {
  const index = indexed();
  const team = (of) => index?.owner[index.number.get(full({ ...of, task: "" }))] || "";
  const owner = team(edge.downstream) || team(edge.upstream);
  const place = new URL("/graph", location.href);
  const ends = [edge.upstream, edge.downstream].map((of) => full({ ...of, task: "" }));
  place.search = new URLSearchParams({ s: ends.join(" "), edge: ends.join("\n") });
  const text = `${owner ? `${owner}: d` : "D"}oes ${full(edge.downstream)} read what ${full(edge.upstream)} writes, ${edge.dataset}? `
    + `No orchestrator knows of it; swarm is ${percent(edge.confidence)} sure. The evidence, and where to accept or reject it: ${place.href}`;
  const letter = `mailto:${encodeURIComponent(owner)}?${["subject", "body"].map((part, at) => `${part}=${encodeURIComponent(at ? text : `Does ${ends[1]} stand on ${ends[0]}?`)}`).join("&")}`;
  return h("details", { key: "question" }, h("summary", {}, `Ask ${owner || "its owner"}`),
    h("pre", {}, text),
    h("p.verdicts", {}, h("button", { onclick: () => copy(text, say) }, "Copy"),
      owner.includes("@") ? h("a.button", { href: letter }, "Write a letter") : null));
}

async function copy(text, say) {
  try {
    await navigator.clipboard.writeText(text); // a page without TLS has no clipboard
    say("The question is copied.");
  } catch {
    say("This browser keeps its clipboard from the page: mark the text and copy it.", "failed");
  }
}

async function judge(edge, verdict, say) {
  const { upstream, downstream, dataset } = edge;
  try {
    await post("dependencies/verdict", { upstream, downstream, dataset, verdict, by: person() });
    say(verdict ? `${dataset} is ${verdict}. The verdict is kept across rescans.` : "The verdict is taken back.");
  } catch (error) {
    say(error.message, "failed");
  }
}
