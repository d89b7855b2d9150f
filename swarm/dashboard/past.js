// The runs of the last day as they stood at a moment of it, from when they were to begin, began and
// ended: what ended later ran, what began later had not begun.

const LATE_S = 60; // so long a start may take that is not called late

export const PLANNED = "planned"; // the state of a run that had not begun

/** Those that were known of then: they had begun, or have a time at which they were to. */
export function as_of(runs, at) {
  return runs.map((run) => stood(run, at)).filter((run) => run.started_at_s !== null || run.scheduled_for_s !== null);
}

function stood(run, at) {
  const began = run.started_at_s ?? (run.ended_at_s === null ? null : run.scheduled_for_s);
  if (began === null || began > at) return { ...run, state: PLANNED, started_at_s: null, ended_at_s: null };
  if (run.ended_at_s !== null && run.ended_at_s <= at) return run;
  const running = run.ended_at_s !== null || run.state === "running";
  return { ...run, state: running ? "running" : run.state, ended_at_s: null };
}

/** How many of these, as they stood then, ran, had failed since `from`, and should have begun. */
export function counted(stood_then, from, at) {
  const since = stood_then.filter((run) => (run.ended_at_s ?? at) >= from);
  return {
    running: since.filter((run) => run.state === "running").length,
    failed: since.filter((run) => run.state === "failed").length,
    ended: since.filter((run) => run.state === "succeeded").length,
    late: since.filter((run) => run.state === PLANNED && run.scheduled_for_s >= from && run.scheduled_for_s < at - LATE_S).length,
  };
}
