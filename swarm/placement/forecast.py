"""How much work comes in each quarter of a day, as quantiles, and whether they can be believed.

Bottom up: what is scheduled is known, and each of its tasks takes what it has taken (`planned`).
What comes besides or otherwise, of people or by chance, is the rest: that of days like this one at
about this time, whose quantiles are those that were seen (conformal, without a model of their
form), recent days counting more. Every day is foretold before it is seen, so the score is honest:
`coverage` is the share of quarters that stayed below their 90 % in the last two weeks. Once it is
not between 80 and 97 % the forecast is not trusted, and who asks plans by what is there instead.
"""

from bisect import bisect_left
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import accumulate
from typing import NamedTuple

LEVELS = (0.1, 0.5, 0.9, 0.97)
_TRUSTED = (0.80, 0.97)
_SCORED_DAYS = 14
_LEAST_DAYS = 3  # like today, before anything is foretold
_LOOK_BACK_DAYS = 56
_HALF_LIFE_DAYS = 14.0
_BESIDE = 1  # quarters before and after that tell of this one too


class Booking(NamedTuple):
    """A scheduled task: when it is expected to begin, in seconds of the day, on how many slots,
    and how long it has taken before."""

    begins_s: float
    slots: int
    takes_s: float


def planned(bookings: Iterable[Booking], quarters: int, quarter_s: float) -> list[float]:
    """Slot-seconds by quarter, were all as booked; what lasts past the end counts in the last."""
    found = [0.0] * quarters
    for booking in bookings:
        at_s, end_s = booking.begins_s, booking.begins_s + booking.takes_s
        quarter = min(int(at_s // quarter_s), quarters - 1)
        while quarter < quarters - 1 and (edge_s := (quarter + 1) * quarter_s) < end_s:
            found[quarter] += (edge_s - at_s) * booking.slots
            at_s, quarter = edge_s, quarter + 1
        found[quarter] += (end_s - at_s) * booking.slots
    return found


@dataclass(frozen=True, slots=True)
class Ahead:
    """A day to come: by quarter, slot-seconds at each of `LEVELS`, never falling with the level."""

    quarters: tuple[tuple[float, ...], ...]
    trusted: bool

    def at(self, level: float) -> list[float]:
        """By quarter; `level` is one of `LEVELS`."""
        place = LEVELS.index(level)
        return [quarter[place] for quarter in self.quarters]


class _Day(NamedTuple):
    number: int
    rest: tuple[float, ...]  # what came less what was planned


class Forecaster:
    """Of one fleet. Days are numbers that rise; `kind` of a day is what makes days alike."""

    def __init__(self) -> None:
        self._days: dict[str, list[_Day]] = {}
        self._scores: list[tuple[int, float]] = []  # day, share of quarters within their 90 %
        self._losses: list[float] = []

    def observe(self, day: int, kind: str, plan: Sequence[float], came: Sequence[float]) -> None:
        """What was planned for a day and what came; it is scored against what was said before."""
        ahead = self.ahead(day, kind, plan)
        if ahead is not None:
            within = [real <= top for real, top in zip(came, ahead.at(0.9), strict=True)]
            self._scores.append((day, sum(within) / len(within)))
            self._losses.append(pinball(came, ahead.at(0.9), 0.9))
        rest = tuple(real - expected for real, expected in zip(came, plan, strict=True))
        self._days.setdefault(kind, []).append(_Day(day, rest))

    def ahead(self, day: int, kind: str, plan: Sequence[float]) -> Ahead | None:
        """The day, from days before it alone. None: too few like it have been seen."""
        like = [
            one for one in self._days.get(kind, ()) if day - _LOOK_BACK_DAYS <= one.number < day
        ]
        if len(like) < _LEAST_DAYS:
            return None
        weights = [0.5 ** ((day - one.number) / _HALF_LIFE_DAYS) for one in like]
        quarters = []
        for quarter, expected in enumerate(plan):
            beside = range(max(0, quarter - _BESIDE), min(len(plan), quarter + _BESIDE + 1))
            rests = [
                (one.rest[near], weight)
                for one, weight in zip(like, weights, strict=True)
                for near in beside
            ]
            quarters.append(tuple(max(0.0, expected + rest) for rest in _quantiles(rests)))
        return Ahead(tuple(quarters), self.trusted(day))

    def coverage(self, day: int) -> float | None:
        """Of the two weeks before, None where nothing was foretold in them."""
        scores = [score for at, score in self._scores if day - _SCORED_DAYS <= at < day]
        return sum(scores) / len(scores) if scores else None

    def trusted(self, day: int) -> bool:
        """Is what is foretold for that day to be planned by?"""
        coverage = self.coverage(day)
        return coverage is not None and _TRUSTED[0] <= coverage <= _TRUSTED[1]

    @property
    def loss(self) -> float | None:
        """The mean pinball loss at 90 % of all that was foretold, in slot-seconds a quarter."""
        return sum(self._losses) / len(self._losses) if self._losses else None


def pinball(came: Sequence[float], said: Sequence[float], level: float) -> float:
    """The mean loss of quantiles (Koenker and Bassett 1978)."""
    losses = (
        level * (real - top) if real > top else (1 - level) * (top - real)
        for real, top in zip(came, said, strict=True)
    )
    return sum(losses) / len(came)


def _quantiles(values: Iterable[tuple[float, float]]) -> list[float]:
    """At each of `LEVELS`, of values with weights: the least one that reaches the level."""
    ordered = sorted(values)
    reached = list(accumulate(weight for _, weight in ordered))
    return [ordered[bisect_left(reached, level * reached[-1])][0] for level in LEVELS]
