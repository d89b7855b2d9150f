"""Whether a task could ever run: what the workers offer that are or were there or can be rented.

A task that none of them could run is refused when it is handed in, with what to change,
unless it says that it waits for capacity to come.
"""

from collections.abc import Iterable, Sequence
from dataclasses import replace

from swarm.dispatch.waiting import WaitReason, unmatched
from swarm.errors import NoCapacity
from swarm.model.work import CapacityClass, Needs, Offer, Submission, WorkerId

_KINDS_KEPT = 1_000


class Capacity:
    """The kinds of worker that are known. Where there is none yet, nobody can tell; nor of agents,
    which nobody rents, before the first worker."""

    def __init__(self, rentable: Sequence[Offer] = ()) -> None:
        self._kinds: dict[Offer, None] = {}
        self._rentable = tuple(rentable)

    def know(self, offer: Offer) -> None:
        """A worker that offers this is there."""
        kind = replace(offer, worker=WorkerId(""), node="", slots=1)
        self._kinds[kind] = None
        while len(self._kinds) > _KINDS_KEPT:
            del self._kinds[next(iter(self._kinds))]

    def check(self, submission: Submission) -> None:
        """Raise `NoCapacity` if the task is not to wait for what nobody can offer."""
        can_tell = self._kinds or (self._rentable and not submission.needs.capability)
        if submission.wait_for_capacity or not can_tell:
            return
        kinds = [*self._kinds, *self._rentable]
        missing = unmatched(submission.needs, kinds)
        if missing is not None:
            raise NoCapacity(
                f"task {submission.task}: {missing.text}; "
                f"{_way_out(missing.reason, submission.needs, kinds)}, "
                "or set `wait_for_capacity: true`"
            )


def _way_out(reason: WaitReason, needs: Needs, kinds: list[Offer]) -> str:
    """What to write instead: what the workers have that are right up to there."""
    if reason is WaitReason.NO_CAPABILITY:
        known = {name for kind in kinds for name in kind.capabilities}
        return f"set `capability` to {_one_of(known)}"
    kinds = [kind for kind in kinds if needs.capability in kind.capabilities]
    if reason is WaitReason.NO_POOL:
        return f"set `pool` to {_one_of({'', *(kind.pool for kind in kinds)})}"
    kinds = [kind for kind in kinds if needs.pool in ("", kind.pool)]
    if reason is WaitReason.NO_CAPACITY:
        known = {kind.capacity for kind in kinds}
        return f"leave `capacity` out or set it to {_one_of(known)}"
    most = [kind.resources for kind in kinds if needs.capacity in (None, kind.capacity)]
    return (
        f"the largest has `cpu` {max(one.cpu for one in most):g}, "
        f"`memory_bytes` {max(one.memory_bytes for one in most)} and "
        f"`gpu` {max(one.gpu for one in most):g}: ask for less"
    )


def _one_of(names: Iterable[str | CapacityClass]) -> str:
    return " or ".join(repr(str(name)) for name in sorted(names))
