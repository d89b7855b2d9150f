"""The pipelines of `benchmarks.holds_world`: when each run is planned, and what it has in store.

They run every half hour to once a day, in two orchestrators and in swarm's own queue; they wait for
what is declared and are held for what is not, now and then in a ring. Runs start late, take several
times as long, fail and are run again; on some days an upstream has none.
"""

import random
from collections.abc import Iterator
from dataclasses import dataclass, field

from swarm.model.graph import DependencyChanged, GraphRecord, PipelineSeen, RunsKept
from swarm.model.intents import Mode
from swarm.model.keys import DatasetKey, PipelineKey, TaskKey
from swarm.model.lineage import Dependency, DependencyKey
from swarm.model.pipelines import DeclaredEdge, Pipeline
from swarm.model.runs import Ran
from swarm.model.weekdays import DAY_S

HOUR_S, MIN_S = 3_600.0, 60.0
FIRST_S = 20_002 * DAY_S  # a Monday
HISTORY_DAYS = 9
FROM_S = FIRST_S + HISTORY_DAYS * DAY_S
OWN = "own"  # its runs are those of swarm's own workers
ORCHESTRATORS = ("air", "dag", OWN)
LATE_S = 5 * MIN_S
_PLANNED = 1.3  # of its duration: by then a run is planned to be done


@dataclass(slots=True)
class Turn:
    """A planned start, when its orchestrator gets to it, and what became of it."""

    planned_s: float
    ready_s: float
    takes_s: float
    fails: int
    made: int = 0
    began: list[float] = field(default_factory=list)
    done: bool = False
    by_person: bool = False  # a person held it, so swarm is not to blame


@dataclass(slots=True)
class Line:
    """A pipeline."""

    number: int
    key: PipelineKey
    every_s: float
    starts_s: float
    takes_s: float
    waits: list[int] = field(default_factory=list)  # for these, which is declared
    reads: list[int] = field(default_factory=list)  # these too
    turns: dict[float, Turn] = field(default_factory=dict)
    is_gone: bool = False
    mode: Mode = Mode.GATE

    def ticks(self, after_s: float, until_s: float) -> list[float]:
        """Its planned starts after one time and no later than another."""
        number = (after_s - FIRST_S - self.starts_s) // self.every_s + 1
        found: list[float] = []
        while (at_s := FIRST_S + self.starts_s + number * self.every_s) <= until_s:
            found.append(at_s)
            number += 1
        return found

    def nearest(self, at_s: float) -> float:
        """The planned start that is nearest to a time."""
        return self.ticks(at_s - self.every_s / 2, at_s + self.every_s / 2)[0]

    def made_between(self, after_s: float, until_s: float) -> list[float]:
        """When its orchestrator makes runs of it."""
        near = self.ticks(after_s - LATE_S, until_s)
        ready = (self.turns[tick_s].ready_s for tick_s in near if tick_s in self.turns)
        return [at_s for at_s in ready if after_s < at_s <= until_s]

    def needed(self, by_s: float) -> Turn | None:
        """The newest run that is planned to be done by then."""
        done_s = by_s - _PLANNED * self.takes_s
        return self.turns.get(self.ticks(done_s - self.every_s, done_s)[-1])


class Fleet:
    """Five to nine pipelines, planned up to `until_s`."""

    def __init__(self, dice: random.Random, until_s: float) -> None:
        self._dice = dice
        self.lines: list[Line] = []
        for number in range(dice.randint(5, 9)):
            self.lines.append(self._line(number))
        if dice.random() < 0.3:  # a ring, of whatever leads from the first to the last
            self.lines[0].reads.append(len(self.lines) - 1)
        for line in self.lines:
            self._plan(line, until_s)

    def of(self, key: PipelineKey) -> Line:
        return self.lines[int(key.name.removeprefix("p"))]

    def records(self) -> Iterator[GraphRecord]:
        """What swarm knows of it at first."""
        for line in self.lines:
            end = TaskKey(line.key.orchestrator, line.key.name, "")
            ups = (self.lines[up].key for up in line.waits)
            edges = (
                DeclaredEdge(TaskKey(up.orchestrator, up.name, ""), end, "sensor") for up in ups
            )
            yield PipelineSeen(Pipeline(line.key, declared=tuple(edges)))
        for line in self.lines:
            yield from (depends(self.lines[up].key, line.key, 1.0) for up in line.reads)
            began = (at_s + self._dice.uniform(0, MIN_S) for at_s in line.ticks(FIRST_S, FROM_S))
            runs = (Ran(None, at_s, at_s + line.takes_s, failed=False) for at_s in began)
            yield RunsKept(line.key, tuple(runs))

    def _line(self, number: int) -> Line:
        dice = self._dice
        every_s = dice.choice((HOUR_S / 2, HOUR_S, HOUR_S, 2 * HOUR_S, DAY_S, DAY_S))
        ups = dice.sample(range(number), min(number, dice.randint(0, 2)))
        done = [self.lines[up].starts_s + _PLANNED * self.lines[up].takes_s for up in ups]
        starts_s = max(done) + dice.uniform(5, 30) * MIN_S if ups else dice.uniform(0, 6) * HOUR_S
        takes_s = min(dice.uniform(3, 30) * MIN_S, every_s / 3)
        key = PipelineKey(dice.choice(ORCHESTRATORS), f"p{number}")
        line = Line(number, key, every_s, starts_s % every_s, takes_s)
        for up in ups:
            (line.waits if dice.random() < 0.3 else line.reads).append(up)
        return line

    def _plan(self, line: Line, until_s: float) -> None:
        dice = self._dice
        rests = dice.random() < 0.1
        for tick_s in line.ticks(FROM_S, until_s):
            if rests and int(tick_s // DAY_S) % 3 == 0:
                continue
            late_s = dice.uniform(0, MIN_S) if dice.random() < 0.9 else dice.uniform(0, LATE_S)
            longer = dice.uniform(2, 12) if dice.random() < 0.15 else dice.uniform(0.7, 1.2)
            fails = dice.choice((1, 1, 2, 8)) if dice.random() < 0.05 else 0
            line.turns[tick_s] = Turn(tick_s, tick_s + late_s, line.takes_s * longer, fails)


def depends(up: PipelineKey, down: PipelineKey, confidence: float) -> DependencyChanged:
    """An undeclared dependency."""
    writer, reader = (TaskKey(one.orchestrator, one.name, "t") for one in (up, down))
    key = DependencyKey(writer, reader, DatasetKey("pg", up.name))
    return DependencyChanged(1, Dependency(key, False, confidence, ()))
