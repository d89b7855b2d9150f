"""What a fleet that stands costs now, and how much of it works: before anything is changed.

Runs are what an orchestrator remembers, each one slot from its start to its end, for more is not
told. The fleet is what its owner declares: so many workers of so many slots, all the time. More
runs at once than slots is shown (`over_s`): then a run is not a slot, or there are more workers.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from math import ceil
from typing import NamedTuple

from swarm.model.work import CapacityClass
from swarm.placement.metering import HOUR_S, Spent, Stay, Use, hours, meter
from swarm.placement.receipts import Price, Receipt, receipt

_FLEET = "fleet"


class Span(NamedTuple):
    """A run that ended."""

    pipeline: str
    from_s: float
    until_s: float
    failed: bool = False


@dataclass(frozen=True, slots=True)
class Standing:
    """The fleet as declared; the price is that of one worker."""

    workers: int
    slots: int
    usd_per_h: float


@dataclass(frozen=True, slots=True)
class Baseline:
    """`by_hour`: slots held on average in each hour of the day (UTC). `at_most`: slots held at
    once; `over_s`: for how long there were more than the fleet has. `following_usd`: what it would
    cost to have in each hour as many workers as its busiest moment needs, and no more."""

    receipt: Receipt
    by_hour: tuple[float, ...]
    at_most: int
    over_s: float
    following_usd: float


def baseline(runs: Iterable[Span], fleet: Standing, from_s: float, until_s: float) -> Baseline:
    """Of that span, which has to last at least an hour."""
    if until_s - from_s < HOUR_S:
        raise ValueError("a baseline needs an hour of runs, or more")
    inside = [
        run._replace(from_s=max(run.from_s, from_s), until_s=min(run.until_s, until_s))
        for run in runs
        if run.from_s < until_s and run.until_s > max(from_s, run.from_s)
    ]
    slots, usd = fleet.workers * fleet.slots, fleet.workers * fleet.usd_per_h
    price = Price(_FLEET, usd, usd)
    stay = Stay(_FLEET, _FLEET, CapacityClass.DEDICATED, slots, from_s, until_s)
    held = _held(inside)
    return Baseline(
        receipt(meter([stay], map(_use, inside)), lambda *_: price),
        _by_hour(inside, from_s, until_s),
        max((count for _, _, count in held), default=0),
        sum(end_s - begin_s for begin_s, end_s, count in held if count > slots),
        _following_usd(held, fleet),
    )


def _use(run: Span) -> Use:
    spent = Spent.RETRY if run.failed else Spent.WORK
    return Use(_FLEET, 1, "", run.pipeline, "", spent, run.from_s, run.until_s)


def _held(runs: Sequence[Span]) -> list[tuple[float, float, int]]:
    """From when until when how many slots were held."""
    moves: Counter[float] = Counter()
    for run in runs:
        moves[run.from_s] += 1
        moves[run.until_s] -= 1
    found, count = [], 0
    times = sorted(moves)
    for begin_s, end_s in pairwise(times):
        count += moves[begin_s]
        found.append((begin_s, end_s, count))
    return found


def _by_hour(runs: Sequence[Span], from_s: float, until_s: float) -> tuple[float, ...]:
    held, there = [0.0] * 24, [0.0] * 24
    for begin_s, end_s in hours(from_s, until_s):
        there[_hour(begin_s) % 24] += end_s - begin_s
    for run in runs:
        for begin_s, end_s in hours(run.from_s, run.until_s):
            held[_hour(begin_s) % 24] += end_s - begin_s
    return tuple(
        slot_s / span_s if span_s else 0.0 for slot_s, span_s in zip(held, there, strict=True)
    )


def _following_usd(held: Iterable[tuple[float, float, int]], fleet: Standing) -> float:
    most: dict[int, int] = defaultdict(int)
    for begin_s, end_s, count in held:
        for at_s, _ in hours(begin_s, end_s):
            most[_hour(at_s)] = max(most[_hour(at_s)], count)
    return sum(ceil(count / fleet.slots) for count in most.values()) * fleet.usd_per_h


def _hour(at_s: float) -> int:
    return int(at_s // HOUR_S)
