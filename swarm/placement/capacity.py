"""How much capacity over a day: the most workers there may be, and when one is ordered.

The most is found by simulation (newsvendor; Arrow, Harris and Marschak 1951): days that may come
are played through with each size, and the cheapest is taken, missed promises priced in. Below it
the fleet follows the work. A worker is ordered for as much work as pays for its boot, or for work
that cannot wait until others are free; before a rush it is ordered a boot ahead.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import ceil
from typing import NamedTuple, TypeVar

_Day = TypeVar("_Day")


class Played(NamedTuple):
    """A day played through: its rent, and how many promises were missed."""

    rent_usd: float
    missed: float


@dataclass(frozen=True, slots=True)
class Worth:
    """What a missed promise costs; another size has to save `change_usd` a day to be taken."""

    miss_usd: float
    change_usd: float = 0.0


def most_workers(
    days: Sequence[_Day],
    play: Callable[[_Day, int], Played],
    worth: Worth,
    sizes: Sequence[int],
    held: int | None = None,
) -> int:
    """The size of `sizes` (rising) with which the days that may come cost least on average; the
    smallest of equals. `held`: the size until now, kept where no other saves enough. From the
    largest downwards, until two in a row cost more: fewer workers miss more from there on."""
    costs: dict[int, float] = {}
    best = sizes[-1]
    for size in reversed(sizes):
        costs[size] = _mean_usd(days, play, worth, size)
        if costs[size] <= costs[best]:
            best = size
        elif sizes.index(best) - sizes.index(size) > 1:
            break
    if held is not None and held != best:
        if held not in costs:
            costs[held] = _mean_usd(days, play, worth, held)
        if costs[held] - costs[best] <= worth.change_usd:
            return held
    return best


def _mean_usd(
    days: Sequence[_Day], play: Callable[[_Day, int], Played], worth: Worth, size: int
) -> float:
    played = [play(day, size) for day in days]
    return sum(one.rent_usd + worth.miss_usd * one.missed for one in played) / len(played)


@dataclass(frozen=True, slots=True)
class Terms:
    """A worker has `slots` and takes `boot_s` until it works; it is worth its boot with so much
    work for each of its slots (`least_work_s`)."""

    slots: int
    boot_s: float
    least_work_s: float


@dataclass(frozen=True, slots=True)
class Load:
    """What is there now. `waiting_slots`: of what is ready and has no slot, nor one of a worker
    that boots; `waiting_s`: how long it takes, in slot-seconds. Of these slots, less those that
    are free again within a boot: `urgent_slots` of what will be late unless it begins soon,
    `overdue_slots` of what has waited for longer than it should. `workers` boot or work."""

    workers: int
    waiting_slots: int
    waiting_s: float
    urgent_slots: int = 0
    overdue_slots: int = 0


def ordered(load: Load, terms: Terms, most: int | None, least: int = 0) -> int:
    """How many workers to order now. `most` is None where the forecast is not trusted: then each
    slot that waits gets one, as without a forecast. `most` was found to be worth its price on days
    as they may come: on one that is worse, what is urgent goes beyond it. `least`: what will be
    busy once a worker ordered now is up."""
    for_all = ceil(load.waiting_slots / terms.slots)
    to_least = least - load.workers
    if most is None:
        return max(for_all, to_least, 0)
    paying = int(load.waiting_s // (terms.slots * terms.least_work_s))
    overdue = ceil(load.overdue_slots / terms.slots)
    worth = max(min(for_all, max(paying, overdue, load.workers == 0)), to_least)
    urgent = ceil(load.urgent_slots / terms.slots)
    return max(min(worth, most - load.workers), min(urgent, for_all), 0)


def least_workers(demand: Sequence[float], quarter_s: float, at_s: float, terms: Terms) -> int:
    """So many will be busy once a worker ordered now is up: `demand` is slot-seconds a quarter, at
    a level that is nearly always reached, so that none is ordered for nothing."""
    quarter = min(int((at_s + terms.boot_s) // quarter_s), len(demand) - 1)
    return int(demand[quarter] // (quarter_s * terms.slots))
