"""What swarm has told of an owner's tasks, in memory; asking never waits for the network."""

import time
from collections.abc import Mapping
from typing import Any

from swarm.plugins.link import Change, Link

BADLY = frozenset({"failed", "cancelled", "parked", "skipped"})
_ENDED = BADLY | {"succeeded"}


class Tracker:
    """A link, and the newest change of each task. For one thread."""

    def __init__(self, link: Link) -> None:
        self._link = link
        self._newest: dict[str, Change] = {}
        self._submitted: set[str] = set()
        self._ended_s: dict[str, float] = {}

    def submit(self, body: Mapping[str, Any]) -> None:
        self._submitted.add(body["id"])
        self._link.submit(body)

    def cancel(self, task: str) -> None:
        self._link.cancel(task)

    def hear(self) -> list[Change]:
        """Take in what arrived since the last time; that."""
        arrived = self._link.changes()
        for refusal in self._link.refusals():
            # The same task in other words is there already: it is followed all the same.
            if not refusal.why.startswith("409"):
                arrived.append(Change(refusal.id, "", "failed", 0, "", f"refused: {refusal.why}"))
        for change in arrived:
            self._newest[change.id] = change
            if change.state in _ENDED:
                self._ended_s.setdefault(change.id, time.monotonic())
        return arrived

    def newest(self, task: str) -> Change | None:
        """None: swarm has told nothing of it, or not yet."""
        return self._newest.get(task)

    def ended_for_s(self, task: str) -> float:
        """Since when it is known here that the task has ended, in seconds; 0 while it lives."""
        since_s = self._ended_s.get(task)
        return 0.0 if since_s is None else time.monotonic() - since_s

    def was_submitted(self, task: str) -> bool:
        """Whether it was handed in from here."""
        return task in self._submitted

    @property
    def caught_up(self) -> bool:
        """Whether swarm has told all it knows."""
        return self._link.caught_up

    def is_unknown(self, task: str) -> bool:
        """Whether swarm, having told all it knows, does not know a task that was not handed in
        from here."""
        return self.caught_up and not (task in self._newest or task in self._submitted)

    def contact_age_s(self) -> float:
        return self._link.contact_age_s()

    def close(self, flush_s: float = 0.0) -> None:
        self._link.close(flush_s)
