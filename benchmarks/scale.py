"""What does a batch cost the graph among 10,000 pipelines?

The graph takes in one batch at a time, and nobody is answered meanwhile. Each pipeline writes a
table and reads some written before, as its SQL and its runs show; a few close a ring. One batch is
what a connector tells of 50 pipelines, unless said else. Times are CPU times of the calling thread:
deciding does no I/O, and the machine may be shared.

- `load_s`: all pipelines for the first time; `load_batch_p50_ms`, `..._max_ms` of its batches, with
  findings.
- `rescan_s`: all of them again a day later, one text in a hundred changed; batches as above.
- `settle_s`, `settle_step_max_ms`: weighing by what was learned of the channels, what no batch was
  about; in steps, between which batches are taken.
- `change_decide_...`, `change_findings_...`: one pipeline comes to read another table, so that a
  pair moves: the ledger's part and that of findings.
- `runs_...`: 50 pipelines ended a run, each with 60 earlier ones; by `runs_late_...` half were
  late.
- `restart_settle_s`: gathering and weighing after a restart, in such steps too.
"""

import random
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from statistics import median
from time import thread_time

from benchmarks.report import Figures, Options, progress, run
from swarm.graph.findings import Findings
from swarm.lineage.ledger import SETTLE, Ledger
from swarm.lineage.naming import Naming
from swarm.model.connectors import Batch, Item
from swarm.model.graph import GraphRecord, RunsKept
from swarm.model.keys import DatasetKey, PipelineKey, TaskKey
from swarm.model.lineage import STATIC, Access, Channel, Coverage, Evidence
from swarm.model.pipelines import Pipeline, Task
from swarm.model.runs import Ran, Run, RunState

QUESTION = "What does a batch cost the graph among 10,000 pipelines?"
DAY_S = 86_400.0
FIRST_S = 10 * DAY_S
PER_BATCH = 50
NEAR = 400  # tables are read by pipelines that came so many later at most
BACKWARDS = 0.002  # of reads, of a later table
HISTORY = 60
WEEK = 0b1111111


@dataclass(slots=True)
class _Graph:
    """The engines of the graph actor, and how long they took for each batch."""

    ledger: Ledger = field(default_factory=lambda: Ledger(Naming()))
    findings: Findings = field(default_factory=Findings)
    decided_ms: list[float] = field(default_factory=list)
    told_ms: list[float] = field(default_factory=list)

    def take(self, batch: Batch, now_s: float) -> None:
        begun = thread_time()
        self.apply(self.ledger.decide(batch, now_s))
        decided = thread_time()
        self.apply(self.findings.decide(now_s))
        self.decided_ms.append(1000 * (decided - begun))
        self.told_ms.append(1000 * (thread_time() - decided))

    def apply(self, records: Iterable[GraphRecord]) -> None:
        for record in records:
            self.ledger.apply(record)
            self.findings.apply(record)

    def timed(self, batches: Iterable[Batch], now_s: float) -> tuple[list[float], list[float]]:
        """Milliseconds of each batch: the ledger's, those of findings."""
        self.decided_ms, self.told_ms = [], []
        for batch in batches:
            self.take(batch, now_s)
        return self.decided_ms, self.told_ms

    def settled(self, now_s: float) -> list[float]:
        steps: list[float] = []
        while not self.ledger.settled:
            steps += map(sum, zip(*self.timed([SETTLE], now_s), strict=True))
        return steps


class _Estate:
    """Who reads what."""

    def __init__(self, count: int, dice: random.Random) -> None:
        self.reads = [list[int]() for _ in range(count)]
        self._dice = dice
        for number in range(1, count):
            for _ in range(dice.randint(1, 4)):
                self.read(number)

    def read(self, number: int) -> None:
        """A pipeline comes to read one more table."""
        last = len(self.reads) - 1
        back = self._dice.random() < BACKWARDS
        span = (number + 1, min(number + NEAR, last)) if back else (max(0, number - NEAR), number)
        other = self._dice.randint(min(span), max(span[0], span[1] - (not back)))
        if other != number and other not in self.reads[number]:
            self.reads[number].append(other)

    def told(self, number: int, at_s: float) -> Iterator[Item]:
        key, task = _pipeline(number), _task(number)
        yield Pipeline(key, (Task(task),))
        for channel in (Channel.SQL_SOURCE, Channel.SQL_RUN):
            days = 1 if channel in STATIC else WEEK
            place = f"{number}.sql:1"
            yield Evidence(task, Access.WRITE, _table(number), channel, at_s, place, days=days)
            for other in self.reads[number]:
                yield Evidence(task, Access.READ, _table(other), channel, at_s, place, days=days)
            yield Coverage(task, channel, at_s, days)

    def batches(self, at_s: float) -> Iterator[Batch]:
        for first in range(0, len(self.reads), PER_BATCH):
            some = range(first, min(first + PER_BATCH, len(self.reads)))
            items = tuple(item for number in some for item in self.told(number, at_s))
            yield Batch("airflow", str(first), items)


def main() -> None:
    """Run the benchmark."""
    run("scale", QUESTION, measure)


def measure(options: Options) -> Figures:
    count = 2_000 if options.quick else 10_000
    dice = random.Random(options.seed)
    estate, graph = _Estate(count, dice), _Graph()
    progress(f"{count:,} pipelines: load")
    figures = _batches("load", graph.timed(estate.batches(FIRST_S), FIRST_S))
    progress("rescan")
    for number in dice.sample(range(1, count), count // 100):
        estate.reads[number].pop()
        estate.read(number)
    figures |= _batches("rescan", graph.timed(estate.batches(FIRST_S + DAY_S), FIRST_S + DAY_S))
    steps = graph.settled(FIRST_S + DAY_S)
    figures["settle_s"] = sum(steps) / 1000
    figures["settle_step_max_ms"] = max(steps, default=0.0)
    progress("changes")
    figures |= _changes(estate, graph, dice, 50 if options.quick else 200)
    graph.settled(FIRST_S + 2 * DAY_S)
    progress("runs")
    figures |= _runs(graph, count, dice, 10 if options.quick else 40)
    progress("restart")
    figures |= _restart(graph)
    figures["dependencies"] = float(len(graph.ledger.dependencies))
    return figures


def _batches(name: str, took: tuple[list[float], list[float]]) -> dict[str, float]:
    whole = [sum(both) for both in zip(*took, strict=True)]
    figures = {f"{name}_s": sum(whole) / 1000, f"{name}_batch_p50_ms": median(whole)}
    return figures | {f"{name}_batch_max_ms": max(whole), f"{name}_findings_s": sum(took[1]) / 1000}


def _changes(estate: _Estate, graph: _Graph, dice: random.Random, times: int) -> dict[str, float]:
    at_s = FIRST_S + 2 * DAY_S
    batches = []
    for number in dice.sample(range(1, len(estate.reads)), times):
        estate.read(number)
        batches.append(Batch("airflow", "", tuple(estate.told(number, at_s))))
    decided, told = graph.timed(batches, at_s)
    return {
        "change_decide_p50_ms": median(decided),
        "change_decide_max_ms": max(decided),
        "change_findings_p50_ms": median(told),
        "change_findings_max_ms": max(told),
    }


def _runs(graph: _Graph, count: int, dice: random.Random, times: int) -> dict[str, float]:
    """Every pipeline runs daily for ten minutes, later the further down it stands."""
    for number in range(count):
        ran = tuple(_ran(number, day, dice.random() < 0.05, count) for day in range(HISTORY))
        graph.apply([RunsKept(_pipeline(number), ran)])
    figures: dict[str, float] = {}
    for name, share in (("runs", 0.0), ("runs_late", 0.5)):
        batches = []
        for _ in range(times):
            first = dice.randrange(count - PER_BATCH)
            ended = (
                _run(number, HISTORY, dice.random() < share, count)
                for number in range(first, first + PER_BATCH)
            )
            batches.append(Batch("airflow", "", tuple(ended)))
        decided, _ = graph.timed(batches, HISTORY * DAY_S)
        figures |= {f"{name}_p50_ms": median(decided), f"{name}_max_ms": max(decided)}
    return figures


def _restart(graph: _Graph) -> dict[str, float]:
    again = _Graph()
    again.apply(graph.ledger.records())
    steps = again.settled(HISTORY * DAY_S)
    return {"restart_settle_s": sum(steps) / 1000, "restart_step_max_ms": max(steps, default=0.0)}


def _ran(number: int, day: int, late: bool, count: int) -> Ran:
    due_s = day * DAY_S + number / count * DAY_S / 2
    return Ran(due_s, due_s, due_s + (7200.0 if late else 600.0), False)


def _run(number: int, day: int, late: bool, count: int) -> Run:
    ran = _ran(number, day, late, count)
    state = RunState.SUCCEEDED
    key = _pipeline(number)
    return Run(key, str(day), state, ran.scheduled_for_s, ran.started_at_s, ran.ended_at_s)


def _pipeline(number: int) -> PipelineKey:
    return PipelineKey("airflow", f"p{number}")


def _task(number: int) -> TaskKey:
    return TaskKey("airflow", f"p{number}", "load")


def _table(number: int) -> DatasetKey:
    return DatasetKey("postgres://w:5432", f"dwh.s{number % 50}.t{number}")


if __name__ == "__main__":
    main()
