"""From the texts of a task to evidence; what a custom scheduler's connectors share.

A `.sql` file is read as SQL, a `.py` file as Python; where the ending does not tell, the kind of
the task does. Of several Python files one is the program and the others what it may import.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace

from swarm.config import Settings, SqlConnection
from swarm.lineage.code import extract_code
from swarm.lineage.naming import dataset_from_table, dataset_from_url
from swarm.lineage.sql import extract_sql
from swarm.lineage.text import CodeContext, SqlContext
from swarm.model.journal import Item
from swarm.model.keys import DatasetKey, TaskKey
from swarm.model.lineage import Access, Channel, Coverage, Evidence, Extraction, Touch

_STORED_RESULT_CONFIDENCE = 0.2


@dataclass(frozen=True, slots=True)
class Program:
    """What a task runs: its SQL texts and its Python modules, each by path.

    `entry` is the module that is started (empty: none). `stated_writes` are the datasets that
    the scheduler itself says the task writes.
    """

    task: TaskKey
    sql: Mapping[str, str] = field(default_factory=dict)
    modules: Mapping[str, str] = field(default_factory=dict)
    entry: str = ""
    sql_context: SqlContext = field(default_factory=SqlContext)
    code_context: CodeContext = field(default_factory=CodeContext)
    stated_writes: frozenset[DatasetKey] = frozenset()


def items_of(program: Program, now_s: float) -> Iterator[Item]:
    """Everything the texts of `program` say, as observed at `now_s`."""
    if program.sql:
        found = [extract_sql(text, program.sql_context, p) for p, text in program.sql.items()]
        yield from _items(program, Channel.SQL_SOURCE, found, now_s)
    if program.entry:
        code = extract_code(program.modules, program.entry, program.code_context)
        yield from _items(program, Channel.CODE, [code], now_s)


def _items(
    program: Program, channel: Channel, found: list[Extraction], now_s: float
) -> Iterator[Item]:
    touches = [touch for extraction in found for touch in extraction.touches]
    if channel is Channel.SQL_SOURCE and touches:
        touches += _stored_result(program, touches)
    for touch in touches:
        yield Evidence(
            task=program.task,
            access=touch.access,
            dataset=touch.dataset,
            channel=channel,
            observed_at_s=now_s,
            place=touch.place,
            excerpt=touch.excerpt,
            confidence=touch.confidence,
        )
    for extraction in found:
        yield from extraction.views
        for unresolved in extraction.unresolved:
            yield replace(unresolved, subject=str(program.task))
    if not any(extraction.unresolved for extraction in found):
        yield Coverage(program.task, channel, now_s)


def _stored_result(program: Program, touches: list[Touch]) -> list[Touch]:
    """A bare SELECT of a task with stated writes: the scheduler stores its result there.

    A weak hint, but without it the text would seem to say that the task writes nothing.
    """
    if any(touch.access is Access.WRITE for touch in touches):
        return []
    place = touches[0].place
    excerpt = "SELECT whose result the scheduler stores"
    return [
        Touch(Access.WRITE, dataset, place, excerpt, _STORED_RESULT_CONFIDENCE)
        for dataset in sorted(program.stated_writes)
    ]


def stated_dataset(name: str, context: SqlContext) -> DatasetKey:
    """The dataset a person means by `name`: a URL, a path (it holds a `/`) or a table."""
    return dataset_from_url(name) if "/" in name else dataset_from_table(name, context)


def sql_context(settings: Settings, *names: str) -> SqlContext:
    """The context of the first of `names` that is a configured connection, else of `default`."""
    for name in (*names, "default"):
        if name in settings.connections:
            return _context(settings.connections[name])
    return SqlContext()


def code_context(settings: Settings, default: SqlContext) -> CodeContext:
    """What code may find behind the names of connections."""
    connections = {name: _context(below) for name, below in settings.connections.items()}
    return CodeContext(connections, default, default.parameters)


def _context(connection: SqlConnection) -> SqlContext:
    return SqlContext(
        dialect=connection.dialect,
        namespace=connection.namespace,
        default_catalog=connection.default_catalog,
        default_schema=connection.default_schema,
    )
