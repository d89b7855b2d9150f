"""How fast a day is for all pipelines together: a slow warehouse is slow for everybody."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from math import exp
from statistics import fmean, median

from swarm.sequencing.days import Today

# Fewer pipelines do not tell a slow day from slow runs.
PIPELINES_LEAST = 8


@dataclass(frozen=True, slots=True)
class Pace:
    """The paces of earlier days, by how many days ago (1.0: as usual, more is slower), and which
    of them today may have, each with its weight."""

    days: Mapping[int, float] = field(default_factory=dict)
    today: tuple[Sequence[float], Sequence[float]] = ((1.0,), (1.0,))


def pace_of(standing: Sequence[Today | None]) -> Pace:
    """What the pipelines tell of each day like today, and what has run today tells of today.

    The pace of a day is the middle of how much longer than usual its runs took. Today may have that
    of any earlier day, the likelier the better it fits: how far runs are off the pace of their day
    follows a Laplace distribution here, which a single run that takes long does not move much.
    """
    known = [today for today in standing if today is not None]
    if len(known) < PIPELINES_LEAST:
        return Pace()
    ratios: dict[int, list[float]] = {}
    done: list[float] = []
    for today in known:
        for ago, ratio in today.days.log_ratios.items():
            ratios.setdefault(ago, []).append(ratio)
        done += [today.days.log_ratio(run.ended_s - run.began_s) for run in today.done[:1]]
    days = {ago: median(r) for ago, r in ratios.items() if len(r) >= PIPELINES_LEAST}
    if not days:
        return Pace()
    spread = fmean(abs(ratio - days[ago]) for ago in days for ratio in ratios[ago])
    off = [sum(abs(ratio - pace) for ratio in done) for pace in days.values()]
    weights = [exp((min(off) - one) / max(spread, 1e-3)) for one in off]
    paces = {ago: exp(pace) for ago, pace in days.items()}
    return Pace(paces, (tuple(paces.values()), weights))
