"""What swarm decides on the evening before: the most workers of the day, and how many stand when.

Walk-forward: a day is planned from the days before it alone. The days that may come are tomorrow's
schedule at the durations of a past day like it, with what people asked for on that day.
"""

from collections import defaultdict, deque
from collections.abc import Sequence
from dataclasses import replace

from benchmarks.cost_fleet import BOOT_S, Outcome, play
from benchmarks.cost_rules import Known, Past, Plan, exactly, with_swarm
from benchmarks.cost_world import DAY_S, Day, Task
from swarm.placement.capacity import Played, Terms, Worth, least_workers, most_workers
from swarm.placement.forecast import Booking, Forecaster, planned

QUARTER_S = 900.0
PRICE_USD_PER_H = 0.2
_QUARTERS = int(DAY_S / QUARTER_S)
_DRAWS = 5
_KEPT_LEVEL = 0.1
_LONG_S, _LONG = 600.0, 0.002
_Drawn = tuple[Day, Known]


class Planner:
    """Of one fleet; `slots` of a worker."""

    def __init__(self, slots: int, worth: Worth) -> None:
        self.past, self.forecaster = Past(), Forecaster()
        self._slots, self._worth = slots, worth
        self._days: dict[str, deque[Day]] = defaultdict(lambda: deque(maxlen=_DRAWS))
        self._held: dict[str, int] = {}

    def add(self, day: Day) -> None:
        """It has passed."""
        came = _demand(day.tasks, [task.takes_s for task in day.tasks])
        self.forecaster.observe(day.number, day.kind, self._booked(day), came)
        self.past.add(day)
        self._days[day.kind].append(day)

    def plan(self, day: Day) -> Plan:
        """Of a day of which nothing but the schedule is looked at."""
        ahead = self.forecaster.ahead(day.number, day.kind, self._booked(day))
        if ahead is None or not ahead.trusted:
            return Plan(None, lambda _: 0)
        days = [self._like(day, past) for past in self._days[day.kind]]
        plan = self._best(days, ahead.at(_KEPT_LEVEL), self._held.get(day.kind))
        self._held[day.kind] = plan.most or 0
        return plan

    def perfect(self, day: Day) -> Plan:
        """The same decisions of a clairvoyant."""
        known = exactly(day.tasks)
        return self._best([(day, known)], _demand(day.tasks, known.usual_s), None)

    def _best(self, days: Sequence[_Drawn], demand: Sequence[float], held: int | None) -> Plan:
        terms = Terms(self._slots, BOOT_S, 0.0)

        def plan(most: int | None) -> Plan:
            return Plan(most, lambda at_s: least_workers(demand, QUARTER_S, at_s, terms))

        def outcome(drawn: _Drawn, most: int | None) -> Outcome:
            day, known = drawn
            return play(day, self._slots, with_swarm(day, known, self._slots, plan(most)))

        def played(drawn: _Drawn, most: int) -> Played:
            found = outcome(drawn, most)
            return Played(found.cost_h * PRICE_USD_PER_H, missed(found))

        sizes = [max(outcome(day, None).peak for day in days)]
        while sizes[-1] > 1:  # each a twelfth smaller than the one before
            sizes.append(min(sizes[-1] - 1, sizes[-1] * 12 // 13))
        return plan(most_workers(days, played, self._worth, sizes[::-1], held))

    def _booked(self, day: Day) -> list[float]:
        scheduled = [task for task in day.tasks if task.known]
        return _demand(scheduled, self.past.known(scheduled).usual_s)

    def _like(self, day: Day, past: Day) -> _Drawn:
        took: dict[str, list[float]] = defaultdict(list)
        for task in reversed(past.tasks):
            took[task.name].append(task.takes_s)
        scheduled = [task for task in day.tasks if task.known]
        usual = self.past.known(scheduled).usual_s
        tasks = [
            replace(task, takes_s=took[task.name].pop() if took[task.name] else usually)
            for task, usually in zip(scheduled, usual, strict=True)
        ]
        tasks += [task for task in past.tasks if not task.known]
        return Day(day.number, tuple(tasks)), self.past.known(tasks)


def missed(outcome: Outcome) -> float:
    """SLAs missed. What is promised to nobody counts too if it waits for longer than ten minutes,
    as much as a quarter of an hour of a worker: else it would wait for ever to save a boot."""
    return outcome.missed + _LONG * sum(wait_s > _LONG_S for wait_s in outcome.waits_s)


def _demand(tasks: Sequence[Task], takes_s: Sequence[float]) -> list[float]:
    """Slot-seconds by quarter, were there room for all."""
    ends: list[float] = []
    bookings = []
    for task, took_s in zip(tasks, takes_s, strict=True):
        begins_s = max([task.release_s, *(ends[before] for before in task.after)])
        ends.append(begins_s + took_s)
        bookings.append(Booking(begins_s, task.slots, took_s))
    return planned(bookings, _QUARTERS, QUARTER_S)
