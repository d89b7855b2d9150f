// The one line above every page: always true, the worst first, each part leads to where it is shown.
import { h } from "./dom.js";
import { known, line, loud, read_at, trouble } from "./store.js";
import { clock, count, listed, percent, pipeline, said } from "./words.js";

const LIVING = new Set(["on_track", "at_risk", "missed", "unknown"]);

/** {tone, words}: `tone` is ok, late, failed or unknown. */
export function sentence() {
  if (line.since) {
    const shown = known("status") ? `. What you see is from ${clock(read_at())}.` : ".";
    return { tone: "unknown", words: ["swarm does not answer since ", clock(line.since), shown] };
  }
  const wrong = trouble();
  if (wrong) return { tone: "unknown", words: [`swarm could not tell everything: ${wrong.message}${/[.!?]$/.test(wrong.message) ? "" : "."} What you see is from `, clock(read_at()), "."] };
  const [status, slas, findings] = [known("status"), known("slas"), loud()];
  if (!status || !slas || !findings) return { tone: "unknown", words: ["Asking swarm how it is doing …"] };
  const stands = status.standing[0];
  if (stands) {
    return { tone: "failed", words: [`Safe mode: the stream ${stands.stream} stands before record ${stands.seq} (${stands.why}). `, h("code", {}, stands.fix)] };
  }
  return worst(status, slas, findings);
}

function worst(status, slas, findings) {
  const promised = slas.filter((sla) => LIVING.has(sla.standing));
  const missed = promised.filter((sla) => sla.standing === "missed");
  const risky = promised.filter((sla) => sla.standing === "at_risk").sort((a, b) => b.chance - a.chance);
  const blind = status.connectors.filter((one) => one.state !== "ok");
  const rest = [...blindness(blind, status.connectors.length), ...open(findings)];
  if (missed.length) {
    return { tone: "failed", words: [`${missed.length} of ${count(promised.length, "SLA")} missed: `, ...listed(missed.map((sla) => pipeline(sla.pipeline)), 2), ...also(risky), ". ", ...rest] };
  }
  if (risky.length) {
    return { tone: "late", words: [h("strong", {}, `${risky.length} of ${count(promised.length, "SLA")} at risk`), ": ", ...why(risky[0]), ". ", ...rest] };
  }
  const state = blind.length ? "Half blind. " : promised.length ? "On track. " : "";
  const promise = promised.length ? `${count(promised.length, "SLA")}, none at risk. ` : "Nothing is promised yet. ";
  return { tone: blind.length ? "late" : "ok", words: [h("strong", {}, state), promise, ...rest] };
}

const also = (risky) => (risky.length ? [`, ${risky.length} more at risk`] : []);

function why(sla) {
  const late = sla.late && sla.late !== sla.pipeline ? [", waits for ", pipeline(sla.late)] : [];
  return [pipeline(sla.pipeline), ` (${percent(sla.chance)} miss`, ...late, `, due ${clock(sla.deadline_s)})`];
}

function blindness(blind, of) {
  if (!blind.length) return [];
  return [h("a", { href: "/fleet" }, `${blind.length} of ${count(of, "source")}`), ` ${said(blind[0].state)}. `];
}

function open(findings) {
  const muted = known("findings").length - findings.length;
  if (!findings.length && !muted) return [];
  return [h("a", { href: "/findings" }, count(findings.length, "finding")), muted ? ` open, ${muted} muted.` : " open."];
}
