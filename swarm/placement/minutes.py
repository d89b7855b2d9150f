"""How full the nodes were and what they cost, minute by minute: the course behind a receipt.

Each step of a span says the mean over it: a node that was there for half of a minute counts half.
The prices are those of the receipt, so that the course of an hour makes what that hour cost.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import NamedTuple

from swarm.placement.metering import HOUR_S, Stay
from swarm.placement.receipts import PriceOf


class Held(NamedTuple):
    """Slots that somebody held; `slots` may be a part of one more."""

    slots: float
    from_s: float
    until_s: float


@dataclass(slots=True)
class Minute:
    """The mean over a step that begins at `at_s`. `held` is never more than `slots`; `unpriced`
    are the nodes among `nodes` that `usd_per_h` lacks, because nobody told what they cost."""

    at_s: float
    nodes: float = 0.0
    slots: float = 0.0
    held: float = 0.0
    usd_per_h: float = 0.0
    unpriced: float = 0.0


def course(
    there: Iterable[Stay],
    held: Iterable[Held],
    price: PriceOf,
    from_s: float,
    steps: int,
    step_s: float = 60.0,
) -> list[Minute]:
    """The steps from `from_s` on, in order; those in which no node was there are all zeros."""
    found = [Minute(from_s + at * step_s) for at in range(steps)]
    for stay in there:
        for at, share in _shares(stay.from_s, stay.until_s, from_s, steps, step_s):
            minute = found[at]
            minute.nodes += share
            minute.slots += share * stay.slots
            told = price(stay.pool, stay.capacity, int(minute.at_s // HOUR_S))
            if told is None:
                minute.unpriced += share
            else:
                minute.usd_per_h += share * told.usd_per_h
    for one in held:
        for at, share in _shares(one.from_s, one.until_s, from_s, steps, step_s):
            found[at].held += share * one.slots
    for minute in found:
        minute.held = min(minute.held, minute.slots)
    return found


def _shares(
    begin_s: float, end_s: float, from_s: float, steps: int, step_s: float
) -> Iterator[tuple[int, float]]:
    """The steps that a span lies in, and how much of each."""
    first = max(0, int((begin_s - from_s) // step_s))
    for at in range(first, steps):
        step_from_s = from_s + at * step_s
        part_s = min(end_s, step_from_s + step_s) - max(begin_s, step_from_s)
        if part_s <= 0.0:
            return
        yield at, part_s / step_s
