"""The demo's backfill in Prefect: it leaves room while a report is due, and goes on after it."""

import time
from collections.abc import Callable
from dataclasses import dataclass

from swarm.client import Client
from swarm.demo.backfill import DEPLOYMENT, NEEDED, REPORT, RUNS, Backfill, Needed, Report
from swarm.demo.prefect_server import Prefect
from swarm.demo.processes import LabError

_BEFORE = 4  # so many of its runs are done before the report begins
_TIMEOUT_S = 240.0
_LOOK_S = 0.5


@dataclass(frozen=True, slots=True)
class Yielded:
    """How many of the backfill's runs began `before` it yielded, while what the report needs waited
    behind them; how many then, `meanwhile` that still waited; and how many when all was done,
    `after`. `yields_s` and `freed_s` are from where the report was due, or done, to where Prefect
    had its queue last, or not; `reason` is what swarm said."""

    before: int
    meanwhile: int
    after: int
    yields_s: float
    freed_s: float
    reason: str

    @property
    def kept(self) -> bool:
        """Did it leave room, and go on? A worker may take one of its runs in the moment in which it
        takes what has waited."""
        return self.meanwhile <= 1 and self.after > 0

    def body(self) -> dict[str, object]:
        """The figures of the report."""
        return {
            "backfill_runs_ahead_before_it_yielded": self.before,
            "backfill_runs_ahead_while_it_yielded": self.meanwhile,
            "backfill_runs_after": self.after,
            "backfill_yields_s": round(self.yields_s, 1),
            "backfill_freed_s": round(self.freed_s, 1),
            "backfill_reason": self.reason,
        }

    def told(self) -> str:
        return (
            f"\nA backfill of {DEPLOYMENT}, {RUNS} runs in the first queue of Prefect's pool, and a"
            f" run of {NEEDED} behind them, which {REPORT} needs: {self.before} of them went before"
            f" it; then the report was due, and of the {self.meanwhile + self.after} that waited"
            f" {self.meanwhile} did, the others after it. Their queue was the last"
            f" {self.yields_s:.0f} s after the report was due, and where it had been"
            f" {self.freed_s:.0f} s after that was done\n  while it yielded: {self.reason}"
        )


def backfill_yields(swarm: Client, prefect: Prefect, say: Callable[[str], None]) -> Yielded:
    """The whole course. Raises `LabError` where something does not come about."""
    say(f"Starting a backfill of {DEPLOYMENT} ...")
    backfill, needed, report = Backfill(prefect), Needed(prefect), Report(swarm)
    _until(lambda: backfill.done >= _BEFORE, "the first runs of the backfill are done")
    if not needed.waits:
        raise LabError(f"{NEEDED} did not wait for the backfill: nothing to show.")
    say(f"{REPORT} is due, and needs {NEEDED}, which waits behind the backfill ...")
    due_s = time.monotonic()
    report.begin()
    _until(lambda: backfill.comes_last, "the backfill yields")
    yields_s, waiting = time.monotonic() - due_s, backfill.waiting
    decisions = {(row["pipeline"], row["act"]): row["reason"] for row in swarm.decisions()}
    reason = decisions.get((DEPLOYMENT, "yield"), "")
    say(f"  it yields: {reason}")
    _until(lambda: not needed.waits, f"{NEEDED} begins")
    after = backfill.waiting
    _until(lambda: needed.is_done, f"{NEEDED} is done")
    say(f"{REPORT} is done ...")
    done_s = time.monotonic()
    report.end()
    _until(lambda: not backfill.comes_last, "the backfill goes on")
    freed_s = time.monotonic() - done_s
    _until(lambda: backfill.done == RUNS, "the backfill is over")
    return Yielded(RUNS - waiting, waiting - after, after, yields_s, freed_s, reason)


def _until(there: Callable[[], bool], what: str) -> None:
    deadline_s = time.monotonic() + _TIMEOUT_S
    while not there():
        if time.monotonic() > deadline_s:
            raise LabError(f"Not within {_TIMEOUT_S:.0f} s: {what}.")
        time.sleep(_LOOK_S)
