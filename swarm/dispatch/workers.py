"""Workers as the dispatcher knows them, and what they hold."""

from dataclasses import dataclass, field
from math import ceil

from swarm.dispatch.queue import Shape
from swarm.model.work import Offer, Resources, TaskId

NOTHING = Resources()


@dataclass(slots=True)
class Worker:
    """One live worker. `held` are the tasks leased to it, each with what it takes; where they are
    more than it has slots, they all take the same, and the last ones wait."""

    offer: Offer
    held: dict[TaskId, Resources] = field(default_factory=dict)
    used: Resources = NOTHING
    alone: bool = False  # what it holds tolerates no other task
    draining: bool = False
    interrupted: bool = False  # its machine goes away
    acquire_no: int = 0  # the last request that got a grant

    @property
    def closed(self) -> bool:
        """May it get nothing, whatever is free?"""
        return self.draining or self.alone

    @property
    def free_slots(self) -> int:
        return 0 if self.closed else max(0, self.offer.slots - len(self.held))

    @property
    def spare_slots(self) -> int:
        """How many tasks of a core would fit."""
        return min(self.free_slots, int(self.offer.resources.cpu - self.used.cpu + 1e-9))

    @property
    def ahead(self) -> int:
        """How many tasks wait in it for a slot."""
        return max(0, len(self.held) - self.offer.slots)

    def hold(self, task: TaskId, takes: Resources) -> None:
        self.held[task] = takes
        self.used = self.used + takes

    def drop(self, task: TaskId) -> None:
        del self.held[task]
        # Summed anew and not subtracted: fractions of a core would drift.
        self.used = sum(self.held.values(), NOTHING)
        if not self.held:
            self.alone = False


def slots_of(takes: Resources) -> int:
    """How many slots that takes, as plans count them: one for each core, and one at least."""
    return max(1, ceil(takes.cpu - 1e-9))


def suits(offer: Offer, shape: Shape, *, careful: bool) -> bool:
    """Could this worker run such a task if it were empty? `careful`: as placement is."""
    needs, side = shape.needs, shape.heeded(careful=careful)
    return (
        needs.capability in offer.capabilities
        and needs.capacity in (None, offer.capacity)
        and needs.pool in ("", offer.pool)
        and needs.resources.fits(offer.resources)
        and (side is None or side.allows(offer))
    )
