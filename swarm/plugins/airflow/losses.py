"""What to do about a task whose worker died, by what Airflow's own row says of it."""

from dataclasses import dataclass
from enum import StrEnum

from swarm.plugins.airflow.book import Held


class Verdict(StrEnum):
    """What becomes of a lost grant. The middle three are outcomes as swarm calls them."""

    AGAIN = "again"  # the same try runs again
    SUCCEEDED = "succeeded"  # it had told Airflow its end: it must not run again
    FAILED = "failed"
    CANCELLED = "cancelled"  # Airflow does not want this try any more
    FORGET = "forget"  # another scheduler looks after it now


# What the states of Airflow's task instances say about the try that was lost.
_TOLD = {
    "running": Verdict.AGAIN,
    "queued": Verdict.AGAIN,
    "success": Verdict.SUCCEEDED,
    "skipped": Verdict.SUCCEEDED,
    "deferred": Verdict.SUCCEEDED,
    "up_for_reschedule": Verdict.SUCCEEDED,
    "scheduled": Verdict.SUCCEEDED,  # its trigger has fired already
    "failed": Verdict.FAILED,
    "up_for_retry": Verdict.FAILED,
}


@dataclass(frozen=True, slots=True)
class Row:
    """A task instance as the database has it now. `job` is the scheduler that queued it."""

    state: str | None
    attempt: int
    external_id: str | None
    job: int | str | None


def after_loss(row: Row | None, held: Held, job: int | str | None) -> Verdict:
    """Decide for scheduler `job`. Clearing a task instance gives it a new id or state, and
    queueing it again a new external id: then this try is over."""
    if row is None or row.attempt != held.attempt or row.external_id != held.id:
        return Verdict.CANCELLED
    verdict = _TOLD.get(row.state or "", Verdict.CANCELLED)
    if verdict is Verdict.AGAIN and row.job != job:
        return Verdict.FORGET
    return verdict
