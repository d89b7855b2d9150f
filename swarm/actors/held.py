"""A grant that a worker holds, from its arrival to its end."""

import contextlib
from dataclasses import dataclass

from swarm.actors.slot import End, Place, SlotDied
from swarm.dispatch.events import Finish
from swarm.model.work import Outcome, Token


@dataclass(slots=True)
class Held:
    """A grant that runs, and the slot it runs in once it has one. `waits_since_s` is set where it
    was granted beyond the slots and has none yet; `copy`: another worker runs it too, or did."""

    waits_since_s: float | None = None
    copy: bool = False
    slot: Place | None = None
    started: bool = False
    cancelled: bool = False  # its end is to be reported
    given_up: bool = False  # what is killed of it is not to be reported: it goes elsewhere
    _unwanted: bool = False

    def wanted(self) -> bool:
        return not self._unwanted

    def drop(self) -> None:
        """It is not to run."""
        self._unwanted = True

    async def end(self) -> None:
        """It is not to run, or to run on."""
        self.drop()
        if self.slot is not None:
            with contextlib.suppress(SlotDied):
                await self.slot.kill()

    def goes_elsewhere(self, end: End) -> bool:
        """Was it ended for no fault of its own, and nobody cancelled it?"""
        return self.given_up and end.why == "killed" and not self.cancelled

    async def beat(self) -> None:
        if self.slot is not None:
            with contextlib.suppress(SlotDied):
                await self.slot.beat()

    def finish(self, token: Token, end: End) -> Finish:
        """What the dispatcher is told of its end."""
        result = end.result if end.result != "null" else None
        return Finish(token, self._outcome(end), str(end), result, end.silent)

    def _outcome(self, end: End) -> Outcome:
        if end.succeeded:
            return Outcome.SUCCEEDED
        return Outcome.CANCELLED if self.cancelled else Outcome.FAILED
