"""One store under test, and builders of what goes into it."""

import dataclasses
import enum
import itertools
import subprocess
import sys
import types
import typing
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

import pytest

from swarm.model.graph import DependencyChanged, DependencyGone, EvidenceSeen, PipelineSeen, RunSeen
from swarm.model.journal import Record
from swarm.model.keys import DatasetKey, PipelineKey, TaskKey
from swarm.model.lineage import (
    Access,
    Channel,
    Dependency,
    DependencyKey,
    Evidence,
    Proof,
)
from swarm.model.pipelines import Pipeline
from swarm.model.runs import Run, RunState
from swarm.store.journal import Journal, open_journal
from swarm.store.projections import Projections, open_projections
from swarm.store.projector import Projector, open_projector


@dataclasses.dataclass
class Store:
    """Opens the parts of one store, as often as a test likes, and closes them at the end."""

    url: str
    folder: Path
    opened: list[Journal | Projector | Projections] = dataclasses.field(default_factory=list)

    def journal(self) -> Journal:
        journal = open_journal(self.url, self.folder)
        self.opened.append(journal)
        return journal

    def projector(self) -> Projector:
        projector = open_projector(self.url, self.folder)
        self.opened.append(projector)
        return projector

    def projections(self) -> Projections:
        projections = open_projections(self.url, self.folder)
        self.opened.append(projections)
        return projections

    def close(self) -> None:
        while self.opened:
            self.opened.pop().close()


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)])
def new_store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Callable[[], Store]]:
    """Makes empty stores of one kind."""
    stores: list[Store] = []

    def make() -> Store:
        url = ""
        if request.param == "postgresql":
            url = request.getfixturevalue("new_database")()
        stores.append(Store(url, tmp_path / f"store{len(stores)}"))
        return stores[-1]

    if request.param == "postgresql":
        request.getfixturevalue("new_database")
    yield make
    for store in stores:
        store.close()


@pytest.fixture
def store(new_store: Callable[[], Store]) -> Store:
    return new_store()


@pytest.fixture
def start_python() -> Iterator[Callable[..., subprocess.Popen[str]]]:
    """Starts a Python program in a process of its own; what is still running is killed."""
    started: list[subprocess.Popen[str]] = []

    def start(program: str, *arguments: str) -> subprocess.Popen[str]:
        process = subprocess.Popen(
            [sys.executable, "-c", program, *arguments],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            cwd=Path(__file__).parents[3],
        )
        started.append(process)
        return process

    yield start
    for process in started:
        process.kill()
        process.communicate()


class Build:
    """Records that differ by a number."""

    def evidence(self, number: int) -> EvidenceSeen:
        task = TaskKey("airflow", f"pipeline-{number}", "load")
        dataset = DatasetKey("postgres://warehouse:5432", f"db.public.table_{number}")
        return EvidenceSeen(
            Evidence(task, Access.WRITE, dataset, Channel.SQL_RUN, float(number), "rendered sql")
        )

    def pipeline(self, number: int, owner: str = "") -> PipelineSeen:
        return PipelineSeen(Pipeline(PipelineKey("airflow", f"pipeline-{number}"), owner=owner))

    def dependency(self, number: int, confidence: float, *, declared: bool = False) -> Dependency:
        up = TaskKey("airflow", f"pipeline-{number}", "load")
        down = TaskKey("dagster", f"job-{number}", "read")
        key = DependencyKey(up, down, DatasetKey("warehouse", f"table_{number}"))
        proof = Proof(up, Access.WRITE, Channel.SQL_RUN, "rendered sql", "insert", 1.0, 2.5)
        return Dependency(key, declared, confidence, (proof,))

    def changed(self, version: int, number: int, confidence: float) -> DependencyChanged:
        return DependencyChanged(version, self.dependency(number, confidence))

    def gone(self, version: int, number: int) -> DependencyGone:
        return DependencyGone(version, self.dependency(number, 0.0).key)

    def run(self, number: int, run_id: str, started_at_s: float) -> RunSeen:
        key = PipelineKey("airflow", f"pipeline-{number}")
        return RunSeen(Run(key, run_id, RunState.SUCCEEDED, started_at_s=started_at_s))

    def one_of_each(self) -> list[Record]:
        """Every record type, every variant of a union, every member of an enum."""
        return [example for kind in typing.get_args(Record) for example in _examples(kind)]


@pytest.fixture
def build() -> Build:
    return Build()


_TEXT = 'a "quoted" name\n\t\\ \x00 é ☃ 🐝 \u2028'
_PLAIN: dict[object, list[typing.Any]] = {
    str: [_TEXT],
    int: [2**40],
    float: [0.1 + 0.2, float("inf")],
    bool: [True, False],
    type(None): [None],
}


def _examples(kind: typing.Any) -> list[typing.Any]:
    if kind in _PLAIN:
        return _PLAIN[kind]
    if isinstance(kind, typing.NewType):
        return _examples(kind.__supertype__)
    if isinstance(kind, type) and issubclass(kind, enum.Enum):
        return list(kind)
    if typing.get_origin(kind) is tuple:
        first, *others = typing.get_args(kind)
        return [(), tuple(_examples(first))] if others == [...] else _rows((first, *others))
    if isinstance(kind, types.UnionType) or typing.get_origin(kind) is typing.Union:
        return [example for part in typing.get_args(kind) for example in _examples(part)]
    hints = typing.get_type_hints(kind)
    if dataclasses.is_dataclass(kind):
        return [kind(*row) for row in _rows(hints[each.name] for each in dataclasses.fields(kind))]
    assert issubclass(kind, tuple), kind
    return [kind(*row) for row in _rows(hints.values())]


def _rows(kinds: Iterable[typing.Any]) -> list[tuple[typing.Any, ...]]:
    """Every example of each of `kinds` at least once, side by side."""
    columns = [_examples(kind) for kind in kinds]
    longest = max(len(column) for column in columns)
    return list(zip(*(itertools.islice(itertools.cycle(c), longest) for c in columns), strict=True))
