"""Spot or dedicated, for one task: what placement proposes and the dispatcher heeds."""

from dataclasses import dataclass

from swarm.model.work import CapacityClass, Offer, TaskId


@dataclass(frozen=True, slots=True)
class Side:
    """Workers of class `where` come first: others get the task only while none of those has room
    for it. On spot only workers of these `pools` get it at all (None: of any)."""

    where: CapacityClass
    pools: tuple[str, ...] | None = None

    def allows(self, offer: Offer) -> bool:
        """May this worker get it?"""
        on_spot = offer.capacity is CapacityClass.SPOT
        return not on_spot or self.pools is None or offer.pool in self.pools

    def prefers(self, offer: Offer) -> bool:
        """Is it better there than on capacity of the other class?"""
        return offer.capacity is self.where and self.allows(offer)


@dataclass(frozen=True, slots=True)
class Risk:
    """What it is to be on a pool of spot: its price, for how long it has been there without a loss,
    and the probability that a node of it is lost within the next hour."""

    pool: str
    price_usd_per_h: float
    age_s: float
    chance: float


@dataclass(frozen=True, slots=True)
class Sided:
    """A task that waits, after `grant` leases, and its side. `why` is one line for a person."""

    task: TaskId
    grant: int
    side: Side
    why: str
