"""Why a task waits, with what keeps the fleet from growing for it.

The dispatcher knows the workers there are; why there are no more of them, the newest plan of the
fleet says. Where more would help, the task is told both.

Rules
1. More workers would help where all that could run the task are busy, go away, or are not those it
   is to run on. Where none could run it, one is told to be missing only if the plan left the task
   out: else a node may be on its way.
2. What the plan was refused is told first; where that is capacity that is sold out, with what
   whoever rents nodes said. Else, why the plan left this task out.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from swarm.dispatch.waiting import Waiting, WaitReason
from swarm.model.plans import Because, Refused
from swarm.model.scaling import PlanMade, Scaled, Step
from swarm.model.work import TaskId
from swarm.placement.explain import of_left_out, of_limit
from swarm.placement.orders import SOLD_OUT_S

_TAKEN = {WaitReason.ALL_BUSY, WaitReason.DRAINING, WaitReason.PLACED}
_MISSING = {
    WaitReason.NO_WORKER,
    WaitReason.NO_POOL,
    WaitReason.NO_CAPACITY,
    WaitReason.TOO_LARGE,
}


HELPS = frozenset(_TAKEN | _MISSING)


@dataclass(frozen=True, slots=True)
class Growth:
    """The newest plan of the fleet, and the newest of what was done about it, the newest first."""

    made: PlanMade
    steps: Sequence[Scaled] = ()

    def told(self, task: TaskId, waiting: Waiting) -> Waiting:
        """The same, and what keeps the fleet from growing, where that is what the task lacks."""
        rows = (one for one in self.made.unplaced if one.task == task and of_left_out(one))
        left_out = next(rows, None)
        if waiting.reason not in (_TAKEN if left_out is None else _TAKEN | _MISSING):
            return waiting
        refused = (one.because for one in self.made.moves if isinstance(one, Refused))
        limit = next(refused, None)
        if limit is not None:
            because, why = limit, of_limit(limit)
        elif left_out is not None:
            because, why = left_out.because, of_left_out(left_out)
        else:
            return waiting
        if because in (Because.SOLD_OUT, Because.NO_ROOM) and (gone := self._sold_out()):
            # Of several the one gives the reason that a person can do something about.
            because = Because.QUOTA if Because.QUOTA in gone.values() else next(iter(gone.values()))
            why = of_limit(because, gone)
        return Waiting(WaitReason(because), f"{waiting.text}, and {why}")

    def _sold_out(self) -> Mapping[str, Because]:
        """The offerings that could not be had before this plan, and none of which came since."""
        newest: dict[str, Scaled] = {}
        for one in self.steps:
            if one.step in (Step.NOT_COME, Step.BOOTING, Step.JOINED):
                newest.setdefault(one.offering, one)
        since_s = self.made.at_s - SOLD_OUT_S
        recent = (one for one in newest.values() if one.at_s >= since_s)
        return {one.offering: one.because for one in recent if one.because is not None}
