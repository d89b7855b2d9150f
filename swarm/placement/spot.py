"""Spot or dedicated: where a piece of work with a deadline goes now, and why.

The promise comes first: a piece begins on spot only if, were it lost at its very end, all that is
left could still be done on dedicated capacity in time, a restart included. So whatever spot does,
work that could be done in time on dedicated is. A piece that outlives the time given for it (P90)
gets a fenced second copy on dedicated capacity.

Within the promise the cheapest place wins, with what a loss there would cost by the pool's age and
past (`survival.py`); critical work goes to old pools only, and to no domain more than its share.
Where no pool is there, work waits only as long as enough slack remains to come back to spot; then
it goes on on dedicated, which keeps that slack, and leaves it once a pool is there: the safety net
of uniform progress (Can't Be Late, Wu et al., NSDI 2024), held late.
"""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum

from swarm.model.work import CapacityClass
from swarm.placement.survival import Survival

_HOUR_S = 3_600.0
_DOMAIN_SHARE = 1 / 3  # of critical work that may be lost at once
CRITICAL_CHANCE = 0.05  # of a loss within a piece of critical work: what is riskier is too young


class Because(StrEnum):
    """Why there."""

    CHEAPEST = "the cheapest place, with what a loss there would cost"
    STAYS = "nothing is so much better that it is worth a restart"
    MID_PIECE = "to leave now would throw away what is done"
    NO_SLACK = "a loss on spot could not be made good in time"
    TOO_RISKY = "it is critical, and the pools that have capacity are too young or hold their share"
    NO_SPOT = "no pool has capacity, and to wait any longer would use up the slack"
    WORTH_WAITING = "no pool has capacity, and there is slack to wait for one"
    OVERRUN = "it takes longer than was to be expected: whichever copy ends first counts"


@dataclass(frozen=True, slots=True)
class Pool:
    """Spot capacity of one type in one zone. `domain`: what is lost at once, usually the zone.
    `age_s`: for how long it has been there without a loss."""

    name: str
    domain: str
    price_usd_per_h: float
    age_s: float


@dataclass(frozen=True, slots=True)
class Work:
    """What is to be done by one worker, piece by piece; only whole pieces are kept.

    `left_s`: P90 of all pieces that are not done, the running one as if not begun. `piece_s`: P90
    of the running or next one; `done_s`: for how long it has run. `to_due_s`: from now on.
    """

    left_s: float
    piece_s: float
    done_s: float
    to_due_s: float
    critical: bool = False


@dataclass(frozen=True, slots=True)
class Terms:
    """`restart_s`: from a loss or a move until work goes on elsewhere, whatever the capacity.
    `look_s`: until the next choice at the latest."""

    dedicated_usd_per_h: float
    restart_s: float
    look_s: float


@dataclass(frozen=True, slots=True)
class Choice:
    """`where` is None where it waits. `pool`: which, on spot; `copy`: the same also on dedicated
    capacity, behind the fence."""

    where: CapacityClass | None
    because: Because
    pool: str | None = None
    copy: bool = False


def choose(
    work: Work,
    here: Choice | None,
    pools: Iterable[Pool],
    survival: Survival,
    terms: Terms,
    full: Collection[str] = (),
) -> Choice:
    """Where it runs from now on. `here`: where it does now, None after a loss or before its start.
    `pools`: those with capacity now; `full`: domains that take no more critical work."""
    spare_s = _spare_s(work, terms)
    there = {pool.name: pool for pool in pools}
    if here is not None and here.where is not CapacityClass.DEDICATED and here.pool not in there:
        here = None
    if here is not None and work.done_s > 0:
        return _within(here, spare_s)
    stays = here.pool if here is not None else None
    begin_s = work.piece_s + terms.restart_s
    fitting = [
        pool
        for pool in there.values()
        if (pool.name == stays and spare_s >= work.piece_s)
        or (spare_s >= begin_s and not (work.critical and _is_risky(work, pool, survival, full)))
    ]
    if fitting:
        return _cheapest(work, here, fitting, survival, terms)
    if spare_s < begin_s:
        return Choice(CapacityClass.DEDICATED, Because.NO_SLACK)
    if there:
        return Choice(CapacityClass.DEDICATED, Because.TOO_RISKY)
    if here is None and spare_s - terms.look_s >= begin_s:
        return Choice(None, Because.WORTH_WAITING)
    return Choice(CapacityClass.DEDICATED, Because.NO_SPOT)


def full_domains(held: Mapping[str, int], critical: int) -> frozenset[str]:
    """Those that hold their share of all critical work; each may hold at least one."""
    most = max(1.0, _DOMAIN_SHARE * critical)
    return frozenset(domain for domain, count in held.items() if count + 1 > most)


def _is_risky(work: Work, pool: Pool, survival: Survival, full: Collection[str]) -> bool:
    chance = survival.chance(pool.name, pool.age_s, work.piece_s)
    return pool.domain in full or chance > CRITICAL_CHANCE


def _within(here: Choice, spare_s: float) -> Choice:
    if here.where is CapacityClass.SPOT and spare_s < 0:
        return Choice(CapacityClass.SPOT, Because.OVERRUN, here.pool, copy=True)
    return Choice(here.where, Because.MID_PIECE, here.pool)


def _cheapest(
    work: Work, here: Choice | None, pools: Iterable[Pool], survival: Survival, terms: Terms
) -> Choice:
    begin_usd = terms.restart_s / _HOUR_S * terms.dedicated_usd_per_h
    stays = here.pool if here is not None else None
    priced = {
        pool.name: _usd(work, pool, survival, terms) + (0.0 if pool.name == stays else begin_usd)
        for pool in pools
    }
    dedicated_usd = work.left_s / _HOUR_S * terms.dedicated_usd_per_h
    if here is None or here.where is not CapacityClass.DEDICATED:
        dedicated_usd += begin_usd
    best = min(priced, key=lambda name: priced[name])
    if priced[best] >= dedicated_usd:
        return Choice(CapacityClass.DEDICATED, Because.CHEAPEST)
    return Choice(CapacityClass.SPOT, Because.STAYS if best == stays else Because.CHEAPEST, best)


def _usd(work: Work, pool: Pool, survival: Survival, terms: Terms) -> float:
    """What the rest costs there. A loss takes a restart and half a piece of the slack, at the price
    of dedicated capacity; if too little is left then, also the other half of the rest."""
    lost = survival.chance(pool.name, pool.age_s, work.left_s)
    again_s = terms.restart_s + work.piece_s / 2
    dedicated, price = terms.dedicated_usd_per_h, pool.price_usd_per_h
    loss_usd = again_s * dedicated
    if _spare_s(work, terms) - again_s < terms.restart_s + work.piece_s:
        loss_usd += work.left_s / 2 * (dedicated - price)
    return (work.left_s * price + lost * loss_usd) / _HOUR_S


def _spare_s(work: Work, terms: Terms) -> float:
    """Until due, were all that is left to begin again on dedicated capacity now."""
    return work.to_due_s - work.left_s - terms.restart_s
