"""The days as they went, by quarter of an hour, and what work of nobody's plan is to be expected.

What is known of a quarter when it begins is its plan: what lives, what is to come of runs and of
planned starts, each for as long as it usually takes. What came is what was handed in, for as long
as it took. `forecast.py` learns from the difference, and says how much comes besides.

Rules
1. A day counts, if nearly all of it was watched, some hours after its end: what ends by then is in
   it.
2. Trusted, what nearly always comes besides has room when it comes. Where it was right too rarely
   or too often to be trusted, what is there is planned for with a margin. What was not scored yet
   adds nothing, and nothing is foretold beyond what the fleet may have.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from swarm.model.learned import DayBooked, Foretold, Trust
from swarm.placement.forecast import Booking, Forecaster, planned

QUARTER_S = 900.0
QUARTERS = 96
_DAY_S = QUARTER_S * QUARTERS
_WATCHED = QUARTERS - 4
_GRACE_S = 4 * 3_600.0
_KEPT_DAYS = 70  # the forecaster's look back, and the days that it is scored on
_LEVEL = 0.1  # in nine of ten cases more comes
_MARGIN = 0.1  # of the slots of what lives
_FIRST_WEEKEND_DAY = 2  # of the epoch, which began on a Thursday: days 2 and 3 of each seven


@dataclass(slots=True)
class _Open:
    """A day that is not over. `looks` of its quarters have their plan, `newest` last."""

    looks: int = 0
    newest: int = -1
    planned: list[float] = field(default_factory=lambda: [0.0] * QUARTERS)
    came: list[float] = field(default_factory=lambda: [0.0] * QUARTERS)


class Days:
    """`look` before `ahead`, at rising times."""

    def __init__(self) -> None:
        self._forecaster = Forecaster()
        self._passed: dict[int, DayBooked] = {}
        self._open: dict[int, _Open] = {}

    def came(self, at_s: float, slots: int, took_s: float) -> None:
        """Work that was handed in at `at_s` has ended."""
        number = int(at_s // _DAY_S)
        if number in self._open:
            own = Booking(at_s - number * _DAY_S, slots, took_s)
            for quarter, seconds in enumerate(planned([own], QUARTERS, QUARTER_S)):
                self._open[number].came[quarter] += seconds

    def look(self, rest: Sequence[float], now_s: float) -> None:
        """Days pass; a quarter that has begun gets its plan. `rest` is what `rest_of_day` makes of
        all that is known now."""
        for number in [one for one in self._open if (one + 1) * _DAY_S + _GRACE_S < now_s]:
            self._close(number, self._open.pop(number))
        today = int(now_s // _DAY_S)
        day = self._open.setdefault(today, _Open())
        quarter = int((now_s - today * _DAY_S) // QUARTER_S)
        if quarter > day.newest:
            day.planned[quarter] = rest[quarter]
            day.looks, day.newest = day.looks + 1, quarter

    def ahead(
        self, rest: Sequence[float], lives: int, most: int, now_s: float, until_s: float
    ) -> Foretold:
        """What to plan for besides, within the day; `rest` as for `look`. `lives` slots are taken
        or waited for now, and the fleet has `most` at most."""
        today = int(now_s // _DAY_S)
        day = self._open.get(today)
        if day is None:
            return Foretold()
        now = int((now_s - today * _DAY_S) // QUARTER_S)
        plan = [*day.planned[: now + 1], *rest[now + 1 :]]
        found = self._forecaster.ahead(today, _kind(today), plan)
        coverage = self._forecaster.coverage(today)
        if found is None:
            return Foretold(Trust.TOO_NEW, coverage)
        if not found.trusted:
            margin = int(_MARGIN * min(lives, most)) if coverage is not None else 0
            return Foretold(Trust.UNTRUSTED, coverage, ((now_s, margin),) if margin else ())
        least = found.at(_LEVEL)
        slots = []
        for quarter in range(now + 1, QUARTERS):
            at_s = today * _DAY_S + quarter * QUARTER_S
            more = min(most, int((least[quarter] - plan[quarter]) // QUARTER_S))
            if at_s < until_s and more > 0:
                slots.append((at_s, more))
        return Foretold(Trust.TRUSTED, coverage, tuple(slots))

    def recall(self, days: Iterable[DayBooked]) -> None:
        """Those that were kept, in their order; a day that is known already is not learned twice.
        The last ones may go on."""
        for one in days:
            if one.number not in self._passed:
                rows = list(one.planned), list(one.came)
                self._open[one.number] = _Open(one.looks, one.newest, *rows)

    def kept(self) -> tuple[DayBooked, ...]:
        """All that is known of days."""
        return (*self._passed.values(), *self.open())

    def open(self) -> tuple[DayBooked, ...]:
        """The days that are not over."""
        return tuple(_booked(number, one) for number, one in sorted(self._open.items()))

    def _close(self, number: int, day: _Open) -> None:
        if day.looks < _WATCHED:
            return
        self._passed[number] = _booked(number, day)
        self._forecaster.observe(number, _kind(number), day.planned, day.came)
        while len(self._passed) > _KEPT_DAYS:
            del self._passed[next(iter(self._passed))]


def _booked(number: int, day: _Open) -> DayBooked:
    planned_s, came_s = (tuple(round(one, 1) for one in row) for row in (day.planned, day.came))
    return DayBooked(number, day.looks, day.newest, planned_s, came_s)


def _kind(number: int) -> str:
    return "weekend" if number % 7 in (_FIRST_WEEKEND_DAY, _FIRST_WEEKEND_DAY + 1) else "weekday"


def rest_of_day(known: Iterable[Booking], now_s: float) -> list[float]:
    """What of it is still to run today, in slot-seconds by quarter; what has begun has its rest
    from now on. `known` begins in seconds since the epoch."""
    from_s = now_s // _DAY_S * _DAY_S
    until_s = from_s + _DAY_S
    return planned(
        (
            Booking(max(one.begins_s, now_s) - from_s, one.slots, one.takes_s)
            for one in known
            if max(one.begins_s, now_s) < until_s
        ),
        QUARTERS,
        QUARTER_S,
    )
