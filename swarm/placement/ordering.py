"""Who goes first: the one that has to begin soonest for everything that stands on it to be in time.

What is due counts on what nine of ten runs of each task take (P90), the end of all on what they
take on average: so less is late, and hardly anything is done later.
"""

from collections.abc import Sequence
from dataclasses import replace
from itertools import islice
from random import Random

from swarm.model.plans import Room
from swarm.placement.demand import Demand, subset, typical
from swarm.placement.fleet import Fleet
from swarm.placement.packing import packed
from swarm.placement.problem import Problem
from swarm.placement.rehearsal import Cast, rehearsed
from swarm.placement.search import latest_starts, plans
from swarm.placement.sizing import Draws, Sized, Worth, rehearse

_SURE = 0.9
_KEPT_FREE = (0, 1, 2, 4, 8)
_AS_GOOD_USD = 0.1  # for less no slot is kept free


def latest(demands: Sequence[Demand], room: Room) -> list[float]:
    """The global latest start of each; `room` is what all workers have together. What recurs has
    no part in when all is done: it would push that out of sight."""
    inside = _inside(demands)
    own = subset(demands, inside)
    jobs = (one.job(took) for one, took in zip(own, typical(own), strict=True))
    for_end = latest_starts(Problem(room, tuple(replace(job, due=None) for job in jobs)))
    keys = [float("inf")] * len(demands)
    for number, start_s in zip(inside, for_end, strict=True):
        keys[number] = start_s
    sure = [demand.takes.at(_SURE) for demand in demands]
    for number, by_s in enumerate(due_by(demands, sure)):
        if by_s is not None:
            keys[number] = min(keys[number], by_s - sure[number])
    return keys


def due_by(demands: Sequence[Demand], takes: Sequence[float]) -> list[float | None]:
    """When each has to end for all that stands on it to be in time, were there room enough; None
    where nothing is due."""
    by_s = [demand.due_by(took) for demand, took in zip(demands, takes, strict=True)]
    for number in range(len(by_s) - 1, -1, -1):
        end_s = by_s[number]
        if end_s is not None:
            start_s = end_s - takes[number]
            for before in demands[number].after:
                soonest = by_s[before]
                by_s[before] = start_s if soonest is None else min(soonest, start_s)
    return by_s


def kept_free(draws: Draws, alone: Sized, worth: Worth) -> int:
    """How many slots what is behind leaves free for those that come: as few as cost no more than
    most do. `alone` is how the same fleet does with nothing behind."""
    costs = []
    for free in _KEPT_FREE:
        found = rehearse(replace(draws, kept_free=free), alone.fleet, worth).candidate
        costs.append(found.total_usd - found.rent_usd)  # rent: no worker is rented for it
        if costs[-1] <= alone.candidate.total_usd - alone.candidate.rent_usd + _AS_GOOD_USD:
            return free
    best = min(costs) + _AS_GOOD_USD
    return next(free for free, usd in zip(_KEPT_FREE, costs, strict=True) if usd <= best)


def timed(
    demands: Sequence[Demand],
    takes: Sequence[int],
    keys: Sequence[float],
    fleet: Fleet,
    tries: tuple[Random, int],
) -> list[Demand]:
    """All durations are known: each demand is released when it is to begin. Those that count are
    searched through, beginning from the list plan; the rest fits itself into the holes."""
    inside = _inside(demands)
    listed = rehearsed(Cast(demands), takes, keys, fleet)
    own = [one.job(takes[n]) for n, one in zip(inside, subset(demands, inside), strict=True)]
    every = [one.job(took) for one, took in zip(demands, takes, strict=True)]
    has = fleet.capacity or (0,) * len(every[0].needs)
    # What needs more than these workers have is packed all the same, and then finds none.
    room = tuple(map(max, zip(has, *(job.needs for job in every), strict=True)))
    problem = Problem(room, tuple(own))
    *_, best = islice(plans(problem, tries[0], [listed.starts[n] for n in inside]), 1 + tries[1])
    given = dict(zip(inside, best.starts, strict=True))
    rest = sorted(
        set(range(len(demands))) - given.keys(),
        key=lambda n: (demands[n].behind, n),
    )
    starts = packed(Problem(room, tuple(every)), rest, given)
    return [replace(one, release_s=at) for one, at in zip(demands, starts, strict=True)]


def _inside(demands: Sequence[Demand]) -> list[int]:
    """Those whose end counts, and all they wait for."""
    found = {number for number, demand in enumerate(demands) if demand.counts}
    for number in range(len(demands) - 1, -1, -1):
        if number in found:
            found.update(demands[number].after)
    return sorted(found)
