"""How fast is the journal, and does it stay small and quick to start from, whatever the history?

A month of a data team's life is played through the real journal, ledger and projector: every
pipeline runs every hour, each run tells its states, its tasks' tries and what they touched again
(10 records). As in the graph actor, a snapshot is saved every 20,000 records and the stream is
trimmed to where the projections are.

- `appends_per_s`, `append_p50_ms`, ...: durable appends of 20 records, one writer, nothing else
  going on; `single_...`: of one record. Interleaved (A B B A).
- `replay_s`: snapshot and tail into a new ledger, after 1,000,000 records, in the worst moment:
  just before the next snapshot. `restart_s`: the same in a new process, from its start on.
- `size_after_month_mb`: all files of the store after the month, with retention.

`--url` measures a PostgreSQL database (that is empty) instead of SQLite files.
"""

import argparse
import random
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from statistics import quantiles

from sqlalchemy import text

from benchmarks.report import Figures, Options, progress, run
from swarm.lineage.ledger import Ledger
from swarm.lineage.naming import Naming
from swarm.model.connectors import Batch, CursorMoved, Item
from swarm.model.graph import EvidenceSeen, GraphRecord, RunSeen
from swarm.model.keys import DatasetKey, PipelineKey, TaskKey
from swarm.model.lineage import Access, Channel, Coverage, Evidence
from swarm.model.pipelines import Pipeline, Task
from swarm.model.runs import Run, RunState, TaskRun
from swarm.store.database import open_url
from swarm.store.follow import Follower
from swarm.store.journal import Journal, Stream, open_journal
from swarm.store.projector import open_projector

_START_S = 1_760_000_000.0
_HOUR_S = 3_600.0
_BATCH = 20
_SNAPSHOT_EVERY = 20_000
_TASKS = 3  # of a pipeline: two that read, one that writes
_READS = 2  # of each task that reads


@dataclass(frozen=True, slots=True)
class Scale:
    """Size of the run; `measured_at` records are in the stream when replay is timed."""

    pipelines: int
    days: int
    measured_at: int
    rounds: int  # of appends, each this many of each kind
    appends: int


FULL = Scale(pipelines=200, days=30, measured_at=1_000_000, rounds=8, appends=500)
QUICK = Scale(pipelines=12, days=30, measured_at=80_000, rounds=4, appends=100)


class World:
    """The pipelines of a team, and what the orchestrator tells of them each hour."""

    def __init__(self, pipelines: int, seed: int) -> None:
        choice = random.Random(seed)
        self._keys = [PipelineKey("airflow", f"pipeline_{n:04}") for n in range(pipelines)]
        self._evidence = {
            key: [
                (task, Access.READ, _table(choice.randrange(pipelines)))
                for task in _tasks(key)[:-1]
                for _ in range(_READS)
            ]
            + [(_tasks(key)[-1], Access.WRITE, _table(number))]
            for number, key in enumerate(self._keys)
        }

    def items(self) -> Iterator[Item]:
        """Everything a first pass finds."""
        for key in self._keys:
            yield Pipeline(key, tuple(Task(task) for task in _tasks(key)), schedule="0 * * * *")
            yield from (Coverage(task, Channel.SQL_RUN, _START_S) for task in _tasks(key))
            yield from (record.evidence for record in self._seen(key, _START_S))

    def hour(self, number: int) -> Iterator[list[GraphRecord]]:
        """The records of one run of each pipeline."""
        start_s = _START_S + number * _HOUR_S
        for key in self._keys:
            run_id = f"scheduled__{number:06}"
            yield [
                RunSeen(Run(key, run_id, RunState.RUNNING, start_s, start_s)),
                *(
                    RunSeen(TaskRun(task, run_id, 1, RunState.SUCCEEDED, start_s, start_s + 60.0))
                    for task in _tasks(key)
                ),
                *self._seen(key, start_s),
                RunSeen(Run(key, run_id, RunState.SUCCEEDED, start_s, start_s, start_s + 200.0)),
            ]

    def _seen(self, key: PipelineKey, at_s: float) -> Iterator[EvidenceSeen]:
        for task, access, dataset in self._evidence[key]:
            verb = "INSERT INTO" if access is Access.WRITE else "SELECT * FROM"
            yield EvidenceSeen(
                Evidence(
                    task,
                    access,
                    dataset,
                    Channel.SQL_RUN,
                    at_s,
                    "rendered_fields.sql:1",
                    f"{verb} {dataset.name}",
                )
            )


@dataclass(slots=True)
class Life:
    """A store that a month is played into."""

    url: str
    folder: Path
    scale: Scale
    seed: int
    figures: dict[str, float] = field(default_factory=dict)
    sizes_mb: list[float] = field(default_factory=list)

    def play(self) -> None:
        """The month; replay is timed in its midst."""
        journal = open_journal(self.url, self.folder)
        world, ledger = World(self.scale.pipelines, self.seed), new_ledger()
        graph, connector = journal.open("graph"), journal.open("connector:airflow")
        follower = Follower(journal, open_projector(self.url, self.folder))
        found = ledger.decide(Batch("airflow", "0", tuple(world.items())), _START_S)
        last = self._append(graph, ledger, found, _START_S)
        snapshot_seq = 0
        for hour in range(self.scale.days * 24):
            at_s = _START_S + hour * _HOUR_S
            for number, records in enumerate(_in_batches(world.hour(hour))):
                due = last - snapshot_seq >= _SNAPSHOT_EVERY
                if last >= self.scale.measured_at and due and "replay_s" not in self.figures:
                    self._time_replay(journal, last, last - snapshot_seq)
                if due:
                    graph.save_snapshot(last, ledger.records())
                    snapshot_seq = last
                    follower.catch_up()
                    graph.trim(last)
                last = self._append(graph, ledger, records, at_s)
                moved = connector.append([CursorMoved("airflow", f"{hour}.{number}")], at_s, "c")
                if moved % 1_000 == 0:
                    connector.save_snapshot(moved, [CursorMoved("airflow", f"{hour}.{number}")])
                    follower.catch_up()
                    connector.trim(moved)
            if hour % 24 == 23:
                self.sizes_mb.append(self._size_mb())
                progress(f"day {hour // 24 + 1}: {last} records, {self.sizes_mb[-1]:.1f} MB")
        journal.close()
        self.figures["records"] = last
        self.figures["size_after_half_month_mb"] = self.sizes_mb[len(self.sizes_mb) // 2]
        self.figures["size_after_month_mb"] = self.sizes_mb[-1]

    def _append(
        self, graph: Stream, ledger: Ledger, records: Sequence[GraphRecord], at_s: float
    ) -> int:
        last = graph.append(records, at_s, "cause")
        for record in records:
            ledger.apply(record)
        return last

    def _time_replay(self, journal: Journal, last: int, tail: int) -> None:
        started_s = time.perf_counter()
        count = replay(journal)
        self.figures["replay_s"] = time.perf_counter() - started_s
        started_s = time.perf_counter()
        program = [sys.executable, "-m", "benchmarks.journal", "--restart", str(self.folder)]
        subprocess.run([*program, "--url", self.url], check=True, timeout=60)
        self.figures["restart_s"] = time.perf_counter() - started_s
        self.figures["replayed_records"] = count
        progress(f"replay after {last} records: {count} from snapshot and tail, tail {tail}")

    def _size_mb(self) -> float:
        if self.url:
            database = open_url(self.url)
            with database.reading() as connection:
                size = connection.scalar(text("SELECT pg_database_size(current_database())"))
            database.close()
        else:
            size = sum(path.stat().st_size for path in self.folder.rglob("*") if path.is_file())
        return float(size or 0) / 1e6


def replay(journal: Journal) -> int:
    """Snapshot and tail of the graph's stream into a new ledger, as the graph actor starts."""
    ledger, after, count = new_ledger(), 0, 0
    snapshot = journal.snapshot("graph")
    if snapshot is not None:
        after, count = snapshot.seq, len(snapshot.records)
        for record in snapshot.records:
            ledger.apply(record)  # type: ignore[arg-type]  # the stream holds graph records
    while entries := journal.read("graph", after, 2_000):
        for entry in entries:
            ledger.apply(entry.record)  # type: ignore[arg-type]
        after = entries[-1].seq
        count += len(entries)
    assert ledger.dependencies
    return count


def time_appends(url: str, folder: Path, scale: Scale, seed: int) -> dict[str, float]:
    """Latencies of durable appends of one and of 20 records, interleaved."""
    journal = open_journal(url, folder)
    stream = journal.open("appends")
    records = next(iter(_in_batches(World(20, seed).hour(1))))
    took_s: dict[int, list[float]] = {1: [], _BATCH: []}
    for number in range(scale.rounds):
        for size in (1, _BATCH) if number % 4 in (0, 3) else (_BATCH, 1):
            for _ in range(scale.appends):
                started_s = time.perf_counter()
                stream.append(records[:size], _START_S, "cause")
                took_s[size].append(time.perf_counter() - started_s)
    stream.save_snapshot(stream.last(), [])  # in one database it is not to count for the month
    stream.trim(stream.last() + 1)
    journal.close()
    figures = {}
    for size, prefix in ((_BATCH, ""), (1, "single_")):
        cuts = quantiles(took_s[size], n=100)
        figures[f"{prefix}appends_per_s"] = size * len(took_s[size]) / sum(took_s[size])
        figures[f"{prefix}append_p50_ms"] = cuts[49] * 1e3
        figures[f"{prefix}append_p99_ms"] = cuts[98] * 1e3
        figures[f"{prefix}append_max_ms"] = max(took_s[size]) * 1e3
    return figures


def new_ledger() -> Ledger:
    return Ledger(Naming())


def _table(number: int) -> DatasetKey:
    return DatasetKey("postgres://warehouse:5432", f"warehouse.public.table_{number:04}")


def _tasks(key: PipelineKey) -> list[TaskKey]:
    return [TaskKey(key.orchestrator, key.name, f"task_{n}") for n in range(_TASKS)]


def _in_batches(parts: Iterator[list[GraphRecord]]) -> Iterator[list[GraphRecord]]:
    """The same records, cut into appends of 20."""
    waiting: list[GraphRecord] = []
    for part in parts:
        waiting += part
        while len(waiting) >= _BATCH:
            yield waiting[:_BATCH]
            waiting = waiting[_BATCH:]
    if waiting:
        yield waiting


def _add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--url", default="", help="an empty PostgreSQL database; default SQLite")
    parser.add_argument("--restart", type=Path, help=argparse.SUPPRESS)


class _Benchmark:
    """Keeps the daily sizes between the measuring and the plot."""

    def __init__(self) -> None:
        self._sizes_mb: list[float] = []

    def measure(self, options: Options) -> Figures:
        scale = QUICK if options.quick else FULL
        folder = Path(tempfile.mkdtemp(prefix="swarm-journal-"))
        url: str = options.own.url
        try:
            progress("appends")
            appends = time_appends(url, folder / "appends", scale, options.seed)
            life = Life(url, folder / "life", scale, options.seed)
            life.play()
        finally:
            shutil.rmtree(folder)
        self._sizes_mb = life.sizes_mb
        return appends | life.figures

    def draw(self, figures: Figures, path: Path) -> None:
        import matplotlib as mpl

        mpl.use("Agg")
        from matplotlib import pyplot as plt

        figure, (left, right) = plt.subplots(1, 2, figsize=(9, 3.5))
        left.plot(range(1, len(self._sizes_mb) + 1), self._sizes_mb)
        left.set(xlabel="day", ylabel="MB", title="Size of the store", ylim=(0, None))
        names = ("replay_s", "restart_s")
        right.bar(names, [figures[name] for name in names])
        right.set(ylabel="s", title=f"Start: {figures['replayed_records']:,.0f} records to apply")
        figure.tight_layout()
        figure.savefig(path)


if __name__ == "__main__":
    if "--restart" in sys.argv:
        parser = argparse.ArgumentParser()
        _add_arguments(parser)
        own = parser.parse_args()
        replay(open_journal(own.url, own.restart))
    else:
        benchmark = _Benchmark()
        run(
            "journal",
            (__doc__ or "").splitlines()[0],
            benchmark.measure,
            arguments=_add_arguments,
            draw=benchmark.draw,
        )
