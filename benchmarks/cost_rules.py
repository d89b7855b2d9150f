"""What is known of tasks before they run, and how fleets do that plan nothing."""

from collections import defaultdict, deque
from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil
from statistics import median, quantiles

from benchmarks.cost_fleet import NEVER_S, Now, Order, Rule, Turn
from benchmarks.cost_world import Day, Task


@dataclass(frozen=True, slots=True)
class Known:
    """What is believed of a day's tasks, by number: how long each takes at most (P90), and when it
    has to begin at the latest for all behind it to be in time."""

    most_s: tuple[float, ...]
    latest_s: tuple[float, ...]


class Past:
    """How long tasks took on the days before."""

    def __init__(self) -> None:
        self._took: dict[tuple[str, str], deque[float]] = defaultdict(lambda: deque(maxlen=20))

    def add(self, day: Day) -> None:
        for task in day.tasks:
            self._took[task.pipeline, task.name].append(task.takes_s)

    def known(self, tasks: Sequence[Task]) -> Known:
        """By what is past alone; a task that was never seen takes five minutes."""
        most_s: dict[tuple[str, str], float] = {}
        for task in tasks:
            key = task.pipeline, task.name
            if key not in most_s:
                took = self._took.get(key) or (300.0,)
                most_s[key] = quantiles(took, n=10)[-1] if len(took) > 1 else median(took)
        takes = tuple(most_s[task.pipeline, task.name] for task in tasks)
        return Known(takes, tuple(_latest(tasks, takes)))


def exactly(tasks: Sequence[Task]) -> Known:
    """What only a clairvoyant knows."""
    takes = tuple(task.takes_s for task in tasks)
    return Known(takes, tuple(_latest(tasks, takes)))


def _latest(tasks: Sequence[Task], most: Sequence[float]) -> list[float]:
    latest = [
        NEVER_S if task.due_s is None else task.due_s - takes
        for task, takes in zip(tasks, most, strict=True)
    ]
    for number in range(len(tasks) - 1, -1, -1):
        for before in tasks[number].after:
            latest[before] = min(latest[before], latest[number] - most[before])
    return latest


class Static(Rule):
    """So many, all day; who is ready first goes first."""

    def __init__(self, workers: int) -> None:
        self.stand = workers


class Reactive(Rule):
    """A worker for whatever waits, gone after it has idled; who is ready first goes first."""

    def __init__(self, tasks: Sequence[Task], slots: int, idle_s: float) -> None:
        self._tasks, self._slots, self.idle_s = tasks, slots, idle_s

    def turn(self, now: Now) -> Turn:
        waiting = sum(self._tasks[number].slots for number in now.waiting)
        coming = sum(one.free for one in now.workers if one.up_s > now.at_s)
        return Turn((Order(max(0, ceil((waiting - coming) / self._slots))),))
