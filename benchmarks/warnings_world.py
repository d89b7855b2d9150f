"""Mornings of a fleet whose SLAs are sometimes missed, and when each pipeline was really done.

Nothing is taken from the engine. Pipelines stand in layers; each reads up to three of earlier ones
and is planned behind them with a buffer. Half of the edges are declared: the reader waits. Behind
the others it starts by the clock; what it made of old data is made again ten minutes after the
writer is done, as somebody notices. Of undeclared edges the graph knows nine in ten, at honest
confidences, and a few that are not there.

What makes runs late: a run of their own that takes two to five times as long; a failure, run again
after twenty minutes; a slow warehouse, which is everyone's; a scheduler that starts late.
"""

import random
from collections.abc import Iterator
from dataclasses import dataclass, field
from math import exp

from swarm.model.graph import DependencyChanged, GraphRecord, PipelineSeen, RunSeen
from swarm.model.keys import DatasetKey, PipelineKey, TaskKey
from swarm.model.lineage import Dependency, DependencyKey
from swarm.model.pipelines import DeclaredEdge, Pipeline
from swarm.model.runs import Run, RunState
from swarm.model.sla import Sla

DAY_S, HOUR_S, MIN_S = 86_400.0, 3_600.0, 60.0
FIRST_DAY = 20_002  # since the epoch: a Monday
LAYERS = 5
NOISE = 0.25  # sigma of the logarithm of a duration
LONG, FAILS, SLOW_DAY, LATE_START = 0.03, 0.015, 0.03, 0.02
KNOWN, FALSE = 0.9, 0.05  # of undeclared edges; per real one
NOTICED_S, RETRIED_S = 600.0, 1_200.0


@dataclass(frozen=True, slots=True)
class Made:
    """One run as it came: `fresh_s` is when the pipeline was done with today's data."""

    runs: tuple[Run, ...]
    fresh_s: float


@dataclass(slots=True)
class Line:
    """One pipeline: how it is planned, and the numbers of those it reads."""

    key: PipelineKey
    starts_s: float
    takes_s: float
    declared: list[int] = field(default_factory=list)
    hidden: list[int] = field(default_factory=list)


class Fleet:
    """`count` pipelines and how they run, day by day."""

    def __init__(self, count: int, seed: int) -> None:
        self._dice = random.Random(seed)
        self.lines: list[Line] = []
        for number in range(count):
            self._add(number, count)

    def _add(self, number: int, count: int) -> None:
        dice = self._dice
        key = PipelineKey(dice.choice(("airflow", "dagster", "prefect")), f"p{number}")
        before = range(number * LAYERS // count * count // LAYERS)
        reads = dice.sample(before, min(len(before), dice.randint(1, 3))) if before else []
        ready_s = max(
            (self.lines[n].starts_s + 1.3 * self.lines[n].takes_s for n in reads), default=0
        )
        starts_s = ready_s + dice.uniform(5, 40) * MIN_S if reads else dice.uniform(1, 4) * HOUR_S
        line = Line(key, starts_s, dice.uniform(5, 40) * MIN_S)
        for up in reads:
            dice.choice((line.declared, line.hidden)).append(up)
        self.lines.append(line)

    def graph(self) -> Iterator[GraphRecord]:
        """What is known of the order."""
        for line in self.lines:
            end = TaskKey(line.key.orchestrator, line.key.name, "")
            edges = tuple(
                DeclaredEdge(_task(self.lines[up].key, ""), end, "sensor") for up in line.declared
            )
            yield PipelineSeen(Pipeline(line.key, declared=edges))
        for number, line in enumerate(self.lines):
            for up in line.hidden:
                if self._dice.random() < KNOWN:
                    yield self._depends(up, number, self._dice.uniform(0.85, 1.0))
                if self._dice.random() < FALSE and number:
                    yield self._depends(self._dice.randrange(number), number, 0.85)

    def _depends(self, up: int, down: int, confidence: float) -> DependencyChanged:
        writer, reader = _task(self.lines[up].key, "t"), _task(self.lines[down].key, "t")
        key = DependencyKey(writer, reader, DatasetKey("warehouse", f"d{up}"))
        return DependencyChanged(1, Dependency(key, False, confidence, ()))

    def day(self, number: int) -> list[Made]:
        """What every pipeline did on a day, in the order of `lines`."""
        slow = self._dice.uniform(1.2, 1.6) if self._dice.random() < SLOW_DAY else 1.0
        made: list[Made] = []
        for line in self.lines:
            made.append(self._run(line, (FIRST_DAY + number) * DAY_S, slow, made))
        return made

    def _run(self, line: Line, midnight_s: float, slow: float, made: list[Made]) -> Made:
        dice = self._dice
        begins_s = midnight_s + line.starts_s + dice.uniform(0, 60)
        if dice.random() < LATE_START:
            begins_s += dice.uniform(10, 60) * MIN_S
        begins_s = max([begins_s, *(made[up].fresh_s for up in line.declared)])
        runs = []
        if dice.random() < FAILS:
            failed_s = begins_s + dice.random() * line.takes_s
            runs.append(_run(line, begins_s, failed_s, RunState.FAILED))
            begins_s = failed_s + RETRIED_S
        runs.append(_run(line, begins_s, begins_s + self._takes_s(line, slow), RunState.SUCCEEDED))
        written_s = max((made[up].fresh_s for up in line.hidden), default=0.0)
        if written_s > begins_s:
            again_s = max(written_s, runs[-1].ended_at_s or 0.0) + NOTICED_S
            again_end_s = again_s + self._takes_s(line, slow)
            runs.append(_run(line, again_s, again_end_s, RunState.SUCCEEDED))
        return Made(tuple(runs), runs[-1].ended_at_s or 0.0)

    def _takes_s(self, line: Line, slow: float) -> float:
        takes_s = line.takes_s * slow * exp(self._dice.gauss(0, NOISE))
        return takes_s * (self._dice.uniform(2, 5) if self._dice.random() < LONG else 1.0)

    def slas(self, history: list[list[Made]], count: int) -> dict[int, Sla]:
        """For the last pipelines: a time that nineteen of twenty days have met, to the next five
        minutes."""
        found = {}
        for number in range(len(self.lines) - count, len(self.lines)):
            ends = sorted(day[number].fresh_s % DAY_S for day in history)
            by_s = ends[int(0.95 * (len(ends) - 1))] // 300 * 300 + 300
            found[number] = Sla(self.lines[number].key, by_s)
        return found


def told(made: list[Made]) -> list[tuple[float, GraphRecord]]:
    """What connectors tell of a day, and when."""
    events: list[tuple[float, GraphRecord]] = []
    for run in (run for one in made for run in one.runs):
        began_s, ended_s = run.started_at_s or 0.0, run.ended_at_s or 0.0
        under_way = Run(run.pipeline, run.run_id, RunState.RUNNING, None, began_s)
        events += [(began_s, RunSeen(under_way)), (ended_s, RunSeen(run))]
    return sorted(events, key=lambda event: event[0])


def _run(line: Line, began_s: float, ended_s: float, state: RunState) -> Run:
    return Run(line.key, f"{began_s:.3f}", state, None, began_s, ended_s)


def _task(key: PipelineKey, task: str) -> TaskKey:
    return TaskKey(key.orchestrator, key.name, task)
