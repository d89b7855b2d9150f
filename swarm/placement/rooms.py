"""The kinds of room that plans count in: slots, memory, GPUs, and what only some workers have.

What only some workers may run (those of a capacity class, of a pool, of a side that was proposed)
is a kind of its own, which the others have none of.
"""

from collections.abc import Sequence
from dataclasses import replace
from math import ceil

from swarm.model.plans import Offering, Room
from swarm.model.sides import Side
from swarm.model.work import CapacityClass, Needs, Offer, Resources
from swarm.placement.fleet import fits

_MIB = 1 << 20
_KINDS = 3  # that `room` has

# The capacity class and the pool that alone will do, and the pools of spot (None: all will).
Only = tuple[CapacityClass | None, str, tuple[str, ...] | None]
ANY: Only = (None, "", None)


def room(slots: int, memory_bytes: int, gpu: float) -> Room:
    """What a worker has, in the kinds of every plan: slots, MiB, hundredths of a GPU."""
    return slots, memory_bytes // _MIB, round(gpu * 100)


def resources_of(offering: Offering) -> Resources:
    """What a worker of it offers, as `room` counts it: memory in whole MiB."""
    own, memory, gpu = (*offering.room, 0, 0)[:_KINDS]
    return Resources(float(own), memory * _MIB, gpu / 100)


def room_of(offer: Offer) -> Room:
    """What a worker that stands has."""
    return room(offer.slots, offer.resources.memory_bytes, offer.resources.gpu)


def slots(takes: Resources) -> int:
    """How many slots of a worker that takes: whole ones, and one at least."""
    return max(1, ceil(takes.cpu - 1e-9))


def _units(takes: Resources) -> Room:
    return slots(takes), -(-takes.memory_bytes // _MIB), round(takes.gpu * 100)


def has_room(offering: Offering, needs: Needs) -> bool:
    """Is an empty worker of it large enough?"""
    return fits(_units(needs.resources), (*offering.room, 0, 0)[:_KINDS])


def only_where(needs: Needs, side: Side | None) -> Only:
    """Which workers alone may run it."""
    return needs.capacity, needs.pool, side.pools if side is not None else None


def needed(needs: Needs, side: Side | None, only: Sequence[Only]) -> Room:
    """What it takes, with the kinds of `only` behind the others."""
    units = _units(needs.resources)
    return (*units, *(units[0] if only_where(needs, side) == one else 0 for one in only))


def fitted(offering: Offering, only: Sequence[Only]) -> Offering:
    """The same with the kinds of `only` behind the others."""
    own = offering.room[0]
    nothing = (0,) * (_KINDS - len(offering.room))  # of kinds that nobody told of
    more = (own if _will_do(offering, one) else 0 for one in only)
    return replace(offering, room=(*offering.room, *nothing, *more))


def _will_do(offering: Offering, only: Only) -> bool:
    capacity, pool, pools = only
    is_spot = offering.capacity is CapacityClass.SPOT
    return (
        capacity in (None, offering.capacity)
        and pool in ("", offering.name)
        and not (is_spot and pools is not None and offering.name not in pools)
    )
