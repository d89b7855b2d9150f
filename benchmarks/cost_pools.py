"""When spot was there, day by day: drawn, or from the traces of a folder (`spot_traces.py`).

Drawn: four pools that come and go by themselves; the young ones go sooner (Weibull, shape 0.5, five
hours on average), and a pool stays away for a quarter of an hour in the median (lognormal, 1).
From traces: those of the folder by turns, a day of each after the other, again and again.
"""

from collections.abc import Sequence
from itertools import groupby
from math import gamma, log
from pathlib import Path
from random import Random

from benchmarks.cost_fleet import PoolDay
from benchmarks.cost_world import DAY_S, HOUR_S
from benchmarks.spot_traces import STEP_S, PoolTrace, traces
from swarm.placement.survival import Survival

_POOLS = 4
_LIFE_S = 5 * HOUR_S
_Lives = list[tuple[float, float]]


def drawn(days: int, seed: int) -> list[list[PoolDay]]:
    """By day."""
    lives = [_drawn(days * DAY_S, Random(f"{seed} pool {number}")) for number in range(_POOLS)]
    return [[_cut(one, day * DAY_S) for one in lives] for day in range(days)]


def from_traces(folder: Path, days: int) -> list[list[PoolDay]]:
    """By day. Pools that were never there are left out."""
    cuts = [
        [_cut(lives, begins_s) for pool in trace.pools if (lives := _lives(pool))]
        for whole in range(2)
        for trace in traces(folder)
        if (begins_s := whole * DAY_S) + DAY_S <= trace.steps * STEP_S
    ]
    return [cuts[day % len(cuts)] for day in range(days)]


def observe(survival: Survival, pools: Sequence[PoolDay]) -> None:
    """A day of watching them."""
    for number, pool in enumerate(pools):
        for begun_s, end_s in pool.lives:
            from_s, to_s = max(0.0, begun_s), min(end_s, DAY_S)
            survival.observe(str(number), from_s - begun_s, to_s - begun_s, lost=end_s < DAY_S)


def _drawn(until_s: float, random: Random) -> _Lives:
    lives = []
    at_s = -random.uniform(0, DAY_S)
    while at_s < until_s:
        end_s = at_s + random.weibullvariate(_LIFE_S / gamma(3), 0.5)
        lives.append((at_s, end_s))
        at_s = end_s + random.lognormvariate(log(900), 1)
    return lives


def _lives(pool: PoolTrace) -> _Lives:
    lives, at = [], 0
    for there, steps in groupby(pool.up):
        length = sum(1 for _ in steps)
        if there:
            lives.append((at * STEP_S, (at + length) * STEP_S))
        at += length
    return [(float(begun), float(end)) for begun, end in lives]


def _cut(lives: _Lives, begins_s: float) -> PoolDay:
    """Those of a day and what follows, in seconds of that day."""
    moved = [(begun - begins_s, end - begins_s) for begun, end in lives if end > begins_s]
    return PoolDay(tuple(one for one in moved if one[0] < 2 * DAY_S))
