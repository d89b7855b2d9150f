"""From the texts of a task to evidence; what a custom scheduler's connectors share.

A bare SELECT counts as writing what the scheduler says the task writes. Coverage is claimed only
when everything the task runs was read and understood.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from swarm.connectors.sighting import sighted
from swarm.lineage.code.airflow import read_airflow
from swarm.lineage.code.entry import Reading, read_code, read_command
from swarm.lineage.code.jobs import Job
from swarm.lineage.naming import dataset_from_table, dataset_from_url
from swarm.lineage.sql.extract import extract_sql
from swarm.lineage.text import CodeContext, SqlContext
from swarm.model.connectors import Item
from swarm.model.keys import DatasetKey, TaskKey
from swarm.model.lineage import (
    Access,
    Channel,
    Coverage,
    Extraction,
    Touch,
    Unresolved,
    UnresolvedReason,
)

_STORED_RESULT_CONFIDENCE = 0.2


@dataclass(frozen=True, slots=True)
class Script:
    """A SQL text; `place` is how evidence names it."""

    place: str
    text: str
    context: SqlContext


@dataclass(frozen=True, slots=True)
class Code:
    """A Python program: the module that is started, among all that may be imported, by path.

    `task` is what it may be called in a DAG of Airflow that one of the modules makes.
    """

    entry: str
    modules: Mapping[str, str]
    context: CodeContext
    task: TaskKey | None = None


@dataclass(frozen=True, slots=True)
class Command:
    """A shell command, among the files it may start or feed to a program.

    Relative paths are seen from the folder of the job; `checkouts` may lie elsewhere where it runs.
    """

    job: Job
    files: Mapping[str, str]
    context: CodeContext
    checkouts: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Program:
    """What a task runs.

    `stated_writes` are the datasets that the scheduler itself says the task writes.
    """

    task: TaskKey
    scripts: tuple[Script, ...] = ()
    code: tuple[Code | Command, ...] = ()
    stated_writes: frozenset[DatasetKey] = frozenset()


def items_of(program: Program, now_s: float) -> Iterator[Item]:
    """Everything the texts of `program` say, as observed at `now_s`.

    SQL that its code reads or starts is seen there, with the values it gets there, and not again.
    """
    readings = [_read(code) for code in program.code]
    used = {path for reading in readings for path in reading.used}
    scripts = [script for script in program.scripts if script.place not in used]
    texts = [extract_sql(sql.text, sql.context, sql.place) for sql in scripts]
    code = [reading.extraction for reading in readings]
    yield from _items(program, Channel.SQL_SOURCE, texts, now_s)
    yield from _items(program, Channel.CODE, code, now_s)
    if not any(extraction.unresolved for extraction in (*texts, *code)):
        for channel, found in ((Channel.SQL_SOURCE, texts), (Channel.CODE, code)):
            if found:
                yield Coverage(program.task, channel, now_s)


def _read(code: Code | Command) -> Reading:
    if not isinstance(code, Command):
        if code.task is not None:
            found = read_airflow(code.modules, code.context, code.task.pipeline, code.task.task)
            if found is not None:
                return found
        return read_code(code.modules, code.entry, code.context)
    if code.job.missing:
        reason = UnresolvedReason.MISSING_SOURCE
        missing = Unresolved(code.job.place, reason, code.job.place, code.job.missing)
        return Reading(Extraction(unresolved=(missing,)))
    return read_command(code.job, code.files, code.context, code.checkouts)


def _items(
    program: Program, channel: Channel, found: list[Extraction], now_s: float
) -> Iterator[Item]:
    touches = [touch for extraction in found for touch in extraction.touches]
    for extraction in found:
        yield from sighted(program.task, extraction, channel, now_s)
    if channel is Channel.SQL_SOURCE and touches:
        stored = Extraction(_stored_result(program, touches))
        yield from sighted(program.task, stored, channel, now_s)


def _stored_result(program: Program, touches: list[Touch]) -> tuple[Touch, ...]:
    """A bare SELECT of a task with stated writes: the scheduler stores its result there.

    A weak hint, but without it the text would seem to say that the task writes nothing.
    """
    if any(touch.access is Access.WRITE for touch in touches):
        return ()
    place = touches[0].place
    excerpt = "SELECT whose result the scheduler stores"
    return tuple(
        Touch(Access.WRITE, dataset, place, excerpt, _STORED_RESULT_CONFIDENCE)
        for dataset in sorted(program.stated_writes)
    )


def stated_dataset(name: str, context: SqlContext) -> DatasetKey:
    """The dataset a person means by `name`: a URL, a path (it holds a `/`) or a table."""
    return dataset_from_url(name) if "/" in name else dataset_from_table(name, context)
