"""What sequencing tells placement of a day: planned starts, and by when a run has to end."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from math import inf

from benchmarks.cost_fleet import NEVER_S
from benchmarks.cost_rules import Known
from benchmarks.cost_world import Day, Task
from swarm.model.keys import PipelineKey
from swarm.model.scaling import Expected


def pipeline_of(task: Task) -> PipelineKey | None:
    return PipelineKey("world", task.pipeline) if task.pipeline else None


def run_of(day: Day, number: int) -> str:
    """All tasks of a pipeline that begin with the same schedule are of one run."""
    task = day.tasks[number]
    return f"d{day.number}-{task.release_s:.0f}" if task.pipeline else ""


class Expects:
    """Of a day that begins at `begins_s`, in seconds since the epoch."""

    def __init__(self, tasks: Sequence[Task], known: Known, begins_s: float) -> None:
        self._tasks, self._begins_s = tasks, begins_s
        self._left: dict[str, dict[float, int]] = defaultdict(lambda: defaultdict(int))
        self._end_by: dict[tuple[str, float], float] = defaultdict(lambda: inf)
        for number, task in enumerate(tasks):
            if not task.pipeline:
                continue
            run = task.pipeline, task.release_s
            self._left[task.pipeline][task.release_s] += 1
            if task.due_s is not None:
                self._end_by[run] = min(self._end_by[run], task.due_s)
            if known.latest_s[number] < NEVER_S:
                for before in task.after:
                    other = tasks[before].pipeline, tasks[before].release_s
                    if other != run:
                        by_s = min(self._end_by[other], known.latest_s[number])
                        self._end_by[other] = by_s

    def ended(self, number: int) -> None:
        task = self._tasks[number]
        if task.pipeline:
            self._left[task.pipeline][task.release_s] -= 1

    def at(self, at_s: float, horizon_s: float) -> Mapping[PipelineKey, Expected]:
        """What is told then: starts within the horizon, and of runs that are not over the soonest
        time by which one has to end."""
        now_s, found = at_s - self._begins_s, {}
        for pipeline, runs in self._left.items():
            key = PipelineKey("world", pipeline)
            starts_s = tuple(
                self._begins_s + one for one in runs if now_s <= one < now_s + horizon_s
            )
            by_s = min(
                (
                    self._end_by.get((pipeline, one), inf)
                    for one, left in runs.items()
                    if left and one < now_s + horizon_s
                ),
                default=inf,
            )
            end_by_s = None if by_s == inf else self._begins_s + by_s
            found[key] = Expected(key, (), starts_s, end_by_s)
        return found
