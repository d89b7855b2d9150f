"""The demo's backfill in Airflow: it leaves room while a report is due, and goes on after it."""

import time
from collections.abc import Callable
from dataclasses import dataclass

from swarm.client import Client
from swarm.demo.backfill import DAG, DAYS, REPORT, Backfill, Report
from swarm.demo.lab import Lab
from swarm.demo.processes import LabError

_BEFORE = 4  # of its days are done before the report begins: they show its pace
_LEAVES_ROOM_S = 15.0
_TIMEOUT_S = 240.0
_LOOK_S = 0.5


@dataclass(frozen=True, slots=True)
class Yielded:
    """How many days were done `before` it yielded, how many `meanwhile` and `after`; `paused_s` and
    `freed_s` from where the report was due, or done, to where Airflow said so; `reason` is what
    swarm said."""

    before: int
    meanwhile: int
    after: int
    paused_s: float
    freed_s: float
    reason: str

    @property
    def kept(self) -> bool:
        """Did it leave room, and go on? The day that was under way is done in any case."""
        return self.meanwhile <= 1 and self.after > 0

    def body(self) -> dict[str, object]:
        """The figures of the report."""
        return {
            "backfill_days_before": self.before,
            "backfill_days_while_it_yielded": self.meanwhile,
            "backfill_days_after": self.after,
            "backfill_paused_s": round(self.paused_s, 1),
            "backfill_freed_s": round(self.freed_s, 1),
            "backfill_reason": self.reason,
        }

    def told(self) -> str:
        return (
            f"\nA backfill of {DAG} over {DAYS} days, while {REPORT} was due: "
            f"{self.before} days done before, {self.meanwhile} in the {_LEAVES_ROOM_S:.0f} s in "
            f"which it yielded, {self.after} after; Airflow had it paused {self.paused_s:.0f} s "
            f"after the report was due, and running {self.freed_s:.0f} s after that was done"
            f"\n  while it yielded: {self.reason}"
        )


def backfill_yields(swarm: Client, lab: Lab, say: Callable[[str], None]) -> Yielded:
    """The whole course. Raises `LabError` where something does not come about."""
    say(f"Starting a backfill of {DAG} ...")
    backfill, report = Backfill(lab), Report(swarm)
    _until(lambda: backfill.done >= _BEFORE, "the first days of the backfill are done")
    say(f"{REPORT} is due ...")
    due_s = time.monotonic()
    report.begin()
    _until(lambda: backfill.is_paused, "the backfill yields")
    paused_s, before = time.monotonic() - due_s, backfill.done
    reason = next(
        (row["reason"] for row in swarm.decisions() if (row["pipeline"], row["act"]) == _YIELDS), ""
    )
    say(f"  it yields: {reason}")
    time.sleep(_LEAVES_ROOM_S)
    meanwhile = backfill.done - before
    say(f"{REPORT} is done ...")
    done_s = time.monotonic()
    report.end()
    _until(lambda: not backfill.is_paused, "the backfill goes on")
    freed_s = time.monotonic() - done_s
    held = before + meanwhile
    _until(lambda: backfill.is_over, "the backfill is over")
    return Yielded(before, meanwhile, backfill.done - held, paused_s, freed_s, reason)


_YIELDS = (DAG, "yield")


def _until(there: Callable[[], bool], what: str) -> None:
    deadline_s = time.monotonic() + _TIMEOUT_S
    while not there():
        if time.monotonic() > deadline_s:
            raise LabError(f"Not within {_TIMEOUT_S:.0f} s: {what}.")
        time.sleep(_LOOK_S)
