"""A fleet of pipelines over four orchestrators, what it reads, and how it runs day by day.

Nothing is taken from the engine. Who reads what, in which share of the runs, what is seen of it and
what runs weekly is a world of `benchmarks.confidence_world`, each of its tasks a pipeline. Besides:

- 5 % of the others run hourly, the rest daily, planned behind what they read with a buffer of 5 to
  40 minutes. A run needs the newest run of each pipeline it reads that is planned to be done by
  its own planned start.
- Half of the edges are declared: the reader waits. Behind the others it starts by the clock. Of
  those, some runs fail without the data; the others read what is there, which is a stale read.
- What was made of old data is made again ten minutes after the new is there, as somebody notices; a
  run that failed is run again after twenty minutes.
- Runs are late as in `benchmarks.warnings_world`: long ones, failures, a slow warehouse for all, a
  scheduler that starts late.
- All chances hang on the seed, the pipeline, the planned start and the try alone, so two worlds
  with one seed have the same luck wherever they do the same.
"""

import random
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from functools import cached_property
from math import exp

from benchmarks.confidence_world import make
from benchmarks.warnings_world import (
    DAY_S,
    FAILS,
    FIRST_DAY,
    HOUR_S,
    LATE_START,
    LONG,
    MIN_S,
    NOISE,
    SLOW_DAY,
)
from swarm.model.connectors import Batch, Item
from swarm.model.keys import PipelineKey, TaskKey
from swarm.model.lineage import Access, Coverage, DependencyKey, Evidence
from swarm.model.pipelines import DeclaredEdge, Pipeline

WEEK_S = 7 * DAY_S
ORCHESTRATORS = ("airflow", "dagster", "prefect", "cron")
HOURLY, DECLARED, FAILS_WITHOUT = 0.05, 0.5, 0.3  # of pipelines; of edges; of the others
TEAMS = 20
PLANNED = 1.3  # of the middle duration: by then a run is planned to be done


@dataclass(frozen=True, slots=True)
class Read:
    """What a pipeline reads of `up` in this share of its runs; `waits`: it is declared; `fails`:
    without it the run fails."""

    up: int
    rate: float
    waits: bool
    fails: bool


@dataclass(slots=True)
class Line:
    """One pipeline: first planned start after the first midnight, and what it reads."""

    key: PipelineKey
    every_s: float
    starts_s: float
    takes_s: float
    reads: list[Read] = field(default_factory=list)

    @property
    def planned_s(self) -> float:
        """From a planned start to where the run is planned to be done."""
        return PLANNED * self.takes_s

    def ticks(self, from_s: float, until_s: float) -> Iterator[float]:
        """The planned starts in a span."""
        at_s = FIRST_DAY * DAY_S + self.starts_s
        at_s += self.every_s * max(0, -((at_s - from_s) // self.every_s))
        while at_s < until_s:
            yield at_s
            at_s += self.every_s

    def needed(self, by_s: float) -> float:
        """The planned start of the newest run that is planned to be done by then."""
        first_s = FIRST_DAY * DAY_S + self.starts_s
        return first_s + (by_s - self.planned_s - first_s) // self.every_s * self.every_s


@dataclass(frozen=True, slots=True)
class Luck:
    """What one try has in store."""

    late_s: float
    takes_s: float
    fails_after: float | None  # in parts of its duration
    reads: tuple[bool, ...]


class Fleet:
    """`count` pipelines."""

    def __init__(self, count: int, seed: int) -> None:
        self._seed = seed
        self._luck: dict[tuple[int, float, int], Luck] = {}
        self._days: dict[float, float] = {}
        dice = random.Random(seed)
        world = make(count, seed)
        tasks = sorted(world.weekly | {task for task, _ in world.ends}, key=_number)
        orchestrator = {task: dice.choice(ORCHESTRATORS) for task in tasks}
        self._named = {
            task: TaskKey(orchestrator[task], f"p{number}", task.task)
            for number, task in enumerate(tasks)
        }
        self.truth = frozenset(self._renamed(key) for key in world.truth)
        self._batches = world.batches
        self.lines: list[Line] = []
        rates: dict[tuple[int, int], float] = {}
        number = {task: at for at, task in enumerate(tasks)}
        for key in world.truth:
            pair = number[key.upstream], number[key.downstream]
            rate = world.rates[key.downstream, (Access.READ, key.dataset)]
            rates[pair] = max(rate, rates.get(pair, 0.0))
        for at, task in enumerate(tasks):
            ups = sorted(up for up, down in rates if down == at and up < at)
            reads = [self._read(up, rates[up, at], dice) for up in ups]
            self._add(self._named[task].pipeline_key, reads, task in world.weekly, dice)

    def _read(self, up: int, rate: float, dice: random.Random) -> Read:
        waits = dice.random() < DECLARED
        return Read(up, rate, waits, not waits and dice.random() < FAILS_WITHOUT)

    def _add(self, key: PipelineKey, reads: list[Read], weekly: bool, dice: random.Random) -> None:
        hourly = not weekly and dice.random() < HOURLY
        buffer_s = dice.uniform(5, 40) * MIN_S
        if hourly:
            self.lines.append(
                Line(key, HOUR_S, dice.uniform(0, HOUR_S), dice.uniform(3, 10) * MIN_S, reads)
            )
            return
        ready_s = 0.0
        for up in (self.lines[read.up] for read in reads):
            if up.every_s >= DAY_S:
                ready_s = max(ready_s, up.starts_s % DAY_S + up.planned_s)
        starts_s = ready_s + buffer_s if ready_s else dice.uniform(1, 4) * HOUR_S
        if weekly:
            starts_s += dice.randrange(7) * DAY_S
        every_s = WEEK_S if weekly else DAY_S
        self.lines.append(Line(key, every_s, starts_s, dice.uniform(5, 30) * MIN_S, reads))

    def _renamed(self, key: DependencyKey) -> DependencyKey:
        return DependencyKey(self._named[key.upstream], self._named[key.downstream], key.dataset)

    @cached_property
    def number(self) -> dict[PipelineKey, int]:
        return {line.key: at for at, line in enumerate(self.lines)}

    def batches(self) -> Iterator[Batch]:
        """What the orchestrators list, then what is seen, day by day."""
        yield Batch("orchestrators", "0", tuple(map(self._pipeline, range(len(self.lines)))))
        for batch in self._batches:
            yield replace(batch, items=tuple(map(self._seen, batch.items)))

    def _pipeline(self, number: int) -> Pipeline:
        line = self.lines[number]
        end = TaskKey(line.key.orchestrator, line.key.name, "")
        ups = (self.lines[read.up].key for read in line.reads if read.waits)
        edges = tuple(
            DeclaredEdge(TaskKey(up.orchestrator, up.name, ""), end, "sensor") for up in ups
        )
        return Pipeline(line.key, declared=edges, owner=f"team{number % TEAMS}")

    def _seen(self, item: Item) -> Item:
        if isinstance(item, Evidence | Coverage):
            return replace(item, task=self._named[item.task])
        return item

    def luck(self, number: int, tick_s: float, attempt: int) -> Luck:
        """Of one try."""
        known = self._luck.get((number, tick_s, attempt))
        if known is None:
            known = self._luck[number, tick_s, attempt] = self._drawn(number, tick_s, attempt)
        return known

    def _drawn(self, number: int, tick_s: float, attempt: int) -> Luck:
        line = self.lines[number]
        dice = random.Random(f"{self._seed} {number} {tick_s} {attempt}")
        takes_s = line.takes_s * exp(dice.gauss(0, NOISE)) * self._slow(tick_s // DAY_S)
        if dice.random() < LONG:
            takes_s *= dice.uniform(2, 5)
        late_s = dice.uniform(0, 60)
        if dice.random() < LATE_START:
            late_s += dice.uniform(10, 60) * MIN_S
        fails_after = dice.random() if dice.random() < FAILS else None
        reads = tuple(read.rate > dice.random() for read in line.reads)
        return Luck(late_s, takes_s, fails_after, reads)

    def _slow(self, day: float) -> float:
        """By how much everything is slower on a day."""
        if day not in self._days:
            dice = random.Random(f"{self._seed} {day}")
            self._days[day] = dice.uniform(1.2, 1.6) if dice.random() < SLOW_DAY else 1.0
        return self._days[day]


def _number(task: TaskKey) -> int:
    return int(task.task.removeprefix("t"))
