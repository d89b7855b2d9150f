"""What an executor has handed to swarm and not yet told Airflow the end of.

Pure: no Airflow, no clock. A change of a task nobody here holds is remembered for a while: its
scheduler may have died, and then the task will be held here soon.
"""

from collections import OrderedDict
from collections.abc import Hashable
from dataclasses import dataclass
from typing import Any

from swarm.plugins.link import Change

KEPT = "kept"  # not handed over yet: swarm does not answer
SENT = "sent"  # handed over; swarm has not told anything of it yet
ADOPTED = "adopted"  # taken over from a scheduler that is gone, which may not have handed it over
OFFERED = "offered"  # then handed over once more; swarm may know it
REFUSED = "refused"
QUEUED = "queued"
RUNNING = "running"
LOST = "lost"
SUCCEEDED = "succeeded"
FAILED = "failed"
SKIPPED = "skipped"
ENDED = frozenset({SUCCEEDED, FAILED, "cancelled", "parked", SKIPPED, REFUSED})

_STRANGERS_MAX = 50_000


@dataclass(slots=True)
class Held:
    """One task of Airflow in swarm. `id` is swarm's, and Airflow's `external_executor_id`; `row`
    is the id of the task instance, nothing for what is none; `fresh_s` is when its newest token
    was made, on the caller's monotonic clock; `work` is what Airflow handed over, if it is known.
    """

    id: str
    key: Hashable
    row: Any
    attempt: int
    fresh_s: float
    work: Any = None
    state: str = SENT
    grant: int = 0
    detail: str = ""
    rearmed: int = -1  # the newest grant whose loss has been dealt with
    is_second: bool = False  # the first of this try ended before it had begun


class Book:
    """All that is held, by swarm's id; of one key the newest counts."""

    def __init__(self) -> None:
        self._held: dict[str, Held] = {}
        self._current: dict[Hashable, str] = {}
        self._strangers: OrderedDict[str, Change] = OrderedDict()

    def __len__(self) -> int:
        return len(self._held)

    def hold(self, held: Held) -> None:
        """Take a task in; an older one of the same key no longer speaks for it."""
        self._held[held.id] = held
        self._current[held.key] = held.id
        if (known := self._strangers.pop(held.id, None)) is not None:
            self.heard(known)

    def drop(self, held: Held) -> None:
        """Forget a task."""
        self._held.pop(held.id, None)
        if self.speaks(held):
            del self._current[held.key]

    def get(self, id_: str) -> Held | None:
        return self._held.get(id_)

    def of(self, key: Hashable) -> Held | None:
        """What speaks for a key now."""
        id_ = self._current.get(key)
        return None if id_ is None else self._held.get(id_)

    def speaks(self, held: Held) -> bool:
        """Does its end say anything about its key? A task that was queued again does not."""
        return self._current.get(held.key) == held.id

    def heard(self, change: Change) -> None:
        """Take in what swarm told. News of a superseded grant is no news."""
        held = self._held.get(change.id)
        if held is None:
            self._strangers[change.id] = change
            self._strangers.move_to_end(change.id)
            if len(self._strangers) > _STRANGERS_MAX:
                self._strangers.popitem(last=False)
        elif change.grant >= held.grant and held.state not in ENDED:
            held.state, held.grant, held.detail = change.state, change.grant, change.detail

    def refused(self, id_: str, why: str) -> None:
        """swarm does not take a task. What was only offered it knows already, by an older body."""
        held = self._held.get(id_)
        if held is not None and held.state == SENT:
            held.state, held.detail = REFUSED, why

    def lost(self) -> list[Held]:
        """What waits for its loss to be dealt with; what has no row, swarm itself repeats."""
        rows = (h for h in self._held.values() if h.row is not None)
        return [h for h in rows if h.state == LOST and h.grant > h.rearmed]

    def ended(self) -> list[Held]:
        """What Airflow has to be told of."""
        return [h for h in self._held.values() if h.state in ENDED]

    def unknown(self) -> list[Held]:
        """What swarm does not know, or may not know."""
        return [h for h in self._held.values() if h.state in (KEPT, ADOPTED)]

    def waiting(self, made_before_s: float, most: int) -> list[Held]:
        """What waits to start under a token that is older, the oldest first."""
        waits = (KEPT, SENT, OFFERED, QUEUED)
        old = [h for h in self._held.values() if h.state in waits and h.fresh_s < made_before_s]
        return sorted(old, key=lambda held: held.fresh_s)[:most]

    def orphans(self) -> list[str]:
        """Losses that nobody here holds: of another scheduler, which may be dead."""
        return [change.id for change in self._strangers.values() if change.state == LOST]
