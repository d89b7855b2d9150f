"""Which task run was the only one under way at a time."""

from bisect import bisect_right
from collections.abc import Iterable
from math import inf

from swarm.model.keys import TaskKey
from swarm.model.runs import TaskRun


class Windows:
    """All task runs as one row of intervals, each with the only run in it, if there is just one.

    Building is O(n log n) for n runs, a look-up O(log n).
    """

    def __init__(self, runs: Iterable[TaskRun]) -> None:
        events: list[tuple[float, bool, int]] = []
        known = [run for run in runs if run.started_at_s is not None]
        for number, run in enumerate(known):
            assert run.started_at_s is not None
            end = inf if run.ended_at_s is None else run.ended_at_s
            events += [(run.started_at_s, True, number), (end, False, number)]
        events.sort()
        self._starts: list[float] = []
        self._alone: list[TaskRun | None] = []
        under_way: set[int] = set()
        for at_s, begins, number in events:
            (under_way.add if begins else under_way.discard)(number)
            alone = known[next(iter(under_way))] if len(under_way) == 1 else None
            if self._starts and self._starts[-1] == at_s:
                self._alone[-1] = alone
            else:
                self._starts.append(at_s)
                self._alone.append(alone)

    def task_at(self, from_s: float, to_s: float) -> TaskKey | None:
        """The task whose run was under way at both times, if no other run was at either."""
        first, last = self._at(from_s), self._at(to_s)
        return first.task if first is not None and first is last else None

    def _at(self, at_s: float) -> TaskRun | None:
        index = bisect_right(self._starts, at_s) - 1
        return self._alone[index] if index >= 0 else None
