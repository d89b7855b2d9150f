"""Who goes first: the one that has to begin soonest for everything that stands on it to be in time.

That moment depends on how long one takes the tasks to take. By their mean all is done soonest; by
what three of four runs take, less is late. Which of them is better is tried on the draws.
"""

from collections.abc import Callable, Sequence
from dataclasses import replace
from itertools import islice
from random import Random

from swarm.placement.demand import Demand, Spread, subset
from swarm.placement.fleet import Fleet
from swarm.placement.packing import packed
from swarm.placement.problem import Problem
from swarm.placement.rehearsal import rehearsed
from swarm.placement.search import latest_starts, plans
from swarm.placement.sizing import Draws, Sized, Worth, rehearse

Rule = Callable[[Spread], float]
RULES: tuple[Rule, ...] = (Spread.mean, lambda spread: spread.at(0.75))
_KEPT_FREE = (0, 1, 2, 4)
_AS_GOOD_USD = 0.1  # for less no slot is kept free


def latest(demands: Sequence[Demand], fleet: Fleet, rule: Rule) -> list[float]:
    """The global latest start of each, were it to take what the rule says. What runs comes first
    of all."""
    jobs = tuple(demand.job(round(rule(demand.takes))) for demand in demands)
    return [float(start) for start in latest_starts(Problem(fleet.whole, jobs))]


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
    listed = rehearsed(demands, takes, keys, fleet)
    own = [one.job(takes[n]) for n, one in zip(inside, subset(demands, inside), strict=True)]
    problem = Problem(fleet.capacity, tuple(own))
    *_, best = islice(plans(problem, tries[0], [listed.starts[n] for n in inside]), 1 + tries[1])
    given = dict(zip(inside, best.starts, strict=True))
    whole = Problem(
        fleet.capacity, tuple(one.job(t) for one, t in zip(demands, takes, strict=True))
    )
    rest = sorted(
        set(range(len(demands))) - given.keys(),
        key=lambda n: (demands[n].behind, n),
    )
    starts = packed(whole, rest, given)
    return [replace(one, release_s=at) for one, at in zip(demands, starts, strict=True)]


def _inside(demands: Sequence[Demand]) -> list[int]:
    """Those whose end counts, and all they wait for."""
    found = {number for number, demand in enumerate(demands) if demand.counts}
    for number in range(len(demands) - 1, -1, -1):
        if number in found:
            found.update(demands[number].after)
    return sorted(found)
