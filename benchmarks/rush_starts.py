"""Would randomised multi-start miss fewer SLAs of a rush than the order by latest start?

Mornings of `rush_world.py`, played as `rush_play.py` does, durations known as distributions. After
each plan up to 24 orders near its own (each task up to 12 minutes before or behind its place) are
rehearsed on 16 draws, wherever more is late on these than with no end of workers; the one that
misses least, then is late least, then ends soonest, takes the place of the plan's.

- `sla_misses_listed`, `_restarted`, of 45 pipelines, and `_confirmed`: as restarted, where an order
  is only taken that is the better one on 64 other draws too. `makespan_min_*`.
- `better_*`, `worse_*`: mornings with fewer misses than listed, and with more.
- `cpu_s_*`: of all plans of a morning.
- `mornings`: how many.
"""

import argparse
from collections.abc import Callable, Sequence
from functools import partial
from random import Random
from statistics import fmean
from time import process_time

from benchmarks.report import Figures, Options, progress, run
from benchmarks.rush import DRAWS, makespan_s, misses
from benchmarks.rush_play import AHEAD_S, LEAD_S, OFFERING, Live
from benchmarks.rush_world import MIN_S, Morning, morning
from swarm.model.plans import Plan, Rented
from swarm.placement.demand import drawn, subset, unhindered
from swarm.placement.fleet import Fleet
from swarm.placement.ordering import latest
from swarm.placement.rehearsal import Cast, rehearsed, scored
from swarm.placement.sizing import Draws

TRIES, CONFIRMED_BY = 24, 64
_APART_S = 12 * 60.0

_Cost = tuple[float, float, float]  # missed, late, makespan: sums over the draws


class _Restarted(Live):
    """Looks for a better order after each plan."""

    def __init__(self, day: Morning, draws: int, *, confirm: bool) -> None:
        self._confirm = confirm
        super().__init__(day, draws)

    def _carry_out(self, found: Plan, now_s: int) -> None:
        super()._carry_out(found, now_s)
        demands = self._seen(now_s, max(60 * MIN_S + LEAD_S - now_s, AHEAD_S))
        front = [n for n, one in enumerate(demands) if one.runs_on or not one.behind]
        own, fleet, random = subset(demands, front), self._fleet(now_s), Random(now_s)
        keys = latest(own, fleet.whole)
        draws = Draws(Cast(own), drawn(own, random, DRAWS), keys)
        better = reordered(draws, fleet, random, confirm=self._confirm)
        if better != keys:
            first = sorted(range(len(own)), key=lambda n: (better[n], n))
            for place, number in enumerate(first):  # what is behind stays behind these
                self._keys[self._number[own[number].name]] = place
            self._course.rank(self._keys, found.kept_free)

    def _fleet(self, now_s: int) -> Fleet:
        here = [one for one in self._workers if self._course.stands[one.at].gone_s is None]
        there = {one.at: Rented(one.name, OFFERING, max(0, one.up_s - now_s)) for one in here}
        going = {one.at for one in here if self._course.stands[one.at].draining}
        stay = tuple(one for at, one in there.items() if at not in going)
        return Fleet(stay, tuple(there[at] for at in going))


def reordered(draws: Draws, fleet: Fleet, random: Random, *, confirm: bool) -> Sequence[float]:
    """Who has precedence: the keys of `draws`, or better ones."""
    first = _cost(draws, draws.keys, fleet)
    best, keys = first, draws.keys
    demands = draws.cast.demands
    least = sum(scored(demands, row, unhindered(demands, row)).missed for row in draws.rows)
    for _ in range(TRIES):
        if best[0] <= least + 1e-9:
            break
        near = [key + random.uniform(-_APART_S, _APART_S) for key in draws.keys]
        cost = _cost(draws, near, fleet)
        if cost < best:
            best, keys = cost, near
    if confirm and best < first:
        fresh = Draws(draws.cast, drawn(demands, random, CONFIRMED_BY), draws.keys)
        if _cost(fresh, keys, fleet) >= _cost(fresh, draws.keys, fleet):
            return draws.keys
    return keys


def _cost(draws: Draws, keys: Sequence[float], fleet: Fleet) -> _Cost:
    demands = draws.cast.demands
    scores = [
        scored(demands, row, rehearsed(draws.cast, row, keys, fleet).ends) for row in draws.rows
    ]
    missed, late_s = sum(one.missed for one in scores), sum(one.late_s for one in scores)
    return missed, late_s, sum(one.makespan_s for one in scores)


_WAYS: dict[str, Callable[[Morning, int], Live]] = {
    "listed": Live,
    "restarted": partial(_Restarted, confirm=False),
    "confirmed": partial(_Restarted, confirm=True),
}


def one(seed: int) -> dict[str, float]:
    day, found = morning(seed), dict[str, float]()
    for name, way in _WAYS.items():
        began_s = process_time()
        played = way(day, DRAWS).play()
        found[f"cpu_s_{name}"] = process_time() - began_s
        found[f"sla_misses_{name}"] = misses(day, played)
        found[f"makespan_min_{name}"] = makespan_s(day, played) / MIN_S
    for name in [*_WAYS][1:]:
        gain = found["sla_misses_listed"] - found[f"sla_misses_{name}"]
        found[f"better_{name}"], found[f"worse_{name}"] = float(gain > 0), float(gain < 0)
    return found


def measure(options: Options) -> Figures:
    count = 6 if options.quick else options.own.seeds
    days: list[dict[str, float]] = []
    for seed in range(options.seed, options.seed + count):
        days.append(one(seed))
        if len(days) % 6 == 0:
            progress(f"{len(days)} of {count} mornings")
    counts = ("better", "worse")
    return {
        name: (sum if name.startswith(counts) else fmean)(day[name] for day in days)
        for name in days[0]
    } | {"mornings": count}


def _arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--seeds", type=int, default=24, help="so many mornings")


if __name__ == "__main__":
    run("rush_starts", (__doc__ or "").splitlines()[0], measure, arguments=_arguments)
