"""The history of a warehouse or an object store, exported to files: what really ran.

`source.path` is a file, a folder of such files, or `s3://bucket/prefix`. A pass reads what is new.
"""

import asyncio
import json
import re
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import astuple, dataclass, field, replace

from swarm.clock import Clock, SystemClock
from swarm.config import Settings, Source
from swarm.connectors.base import RunsBetween
from swarm.connectors.contexts import sql_context
from swarm.connectors.files import path_of, understanding
from swarm.connectors.history.files import Mark, exports, open_export
from swarm.connectors.history.formats import Place, Rows
from swarm.connectors.history.objects import Bucket, Seen
from swarm.connectors.jsonlines import Problems
from swarm.lineage.history.evidence import MAX_LEFT, Found, History
from swarm.lineage.history.postgres_log import PostgresLog
from swarm.lineage.history.statement import Statement
from swarm.lineage.history.tags import Known
from swarm.lineage.text import SqlContext
from swarm.model.connectors import Batch, Item
from swarm.model.runs import TaskRun

_PER_BATCH = 500

# Where a bare name is looked for when neither the log nor the settings tell.
_USUAL_SCHEMA = {"postgres": "public", "redshift": "public"}

_S3 = re.compile(r"s3:/+([^/]+)/?(.*)$")  # a path loses one of two slashes


def connect(source: Source, settings: Settings) -> "QueryHistory":
    """The connector to the exports at `source.path`."""
    return QueryHistory(source, settings, SystemClock())


@dataclass(frozen=True, slots=True)
class _Position:
    """How far all files and objects were read, under one understanding of texts."""

    understanding: str
    files: Mapping[str, Mark] = field(default_factory=dict)
    seen: Seen = field(default_factory=Seen)

    def text(self) -> str:
        files = {number: astuple(mark) for number, mark in self.files.items()}
        seen = [self.seen.since_s, sorted(self.seen.keys)]
        return json.dumps([self.understanding, files, seen], separators=(",", ":"))


class QueryHistory:
    """Reads in a thread. `unattributed` counts the statements that nobody could attribute.

    A statement that names no task waits until it is known what ran at its time. What waits when
    the process ends is not asked about again.
    """

    def __init__(self, source: Source, settings: Settings, clock: Clock) -> None:
        self._source = source
        self._settings = settings
        self._clock = clock
        self._path = path_of(source)
        match = _S3.match(self._path.as_posix())
        self._address = (match[1], match[2]) if match else None
        self._bucket: Bucket | None = None
        self._known = _known(settings)
        # A statement may be open at the end of a pass. The cursor points before it, so that a
        # restart loses nothing; while the process lives, nothing is read twice.
        self._log = PostgresLog()
        self._opened: dict[str, tuple[str, Place]] = {}
        self._reached: tuple[str, _Position] | None = None
        self._runs: RunsBetween | None = None
        self._settle_s = 0.0
        self._waiting: list[tuple[Statement, str]] = []
        self.unattributed = 0

    def learn_runs(self, between: RunsBetween, settle_s: float) -> None:
        self._runs, self._settle_s = between, settle_s

    @property
    def name(self) -> str:
        return self._source.instance

    @property
    def kind(self) -> str:
        return self._source.kind

    async def observe(self, cursor: str | None) -> AsyncIterator[Batch]:
        before = self.unattributed
        items, reached = await asyncio.to_thread(self._pass, cursor)
        more = self.unattributed - before
        if not items and not more and reached == cursor:
            return
        for start in range(0, max(len(items), 1), _PER_BATCH):
            last = start + _PER_BATCH >= len(items)
            batch = tuple(items[start : start + _PER_BATCH])
            yield Batch(self.name, reached if last else cursor or "", batch, more if last else 0)

    async def wait(self, timeout_s: float) -> None:
        """A file has no push: news is found by the next pass."""
        await asyncio.sleep(timeout_s)

    async def close(self) -> None:
        """Nothing is held open between two passes."""

    def _pass(self, cursor: str | None) -> tuple[list[Item], str]:
        if self._reached is not None and self._reached[0] == cursor:
            position = self._reached[1]
        else:
            position = self._resumed(cursor)
            self._log, self._opened, self._waiting = PostgresLog(), {}, []
        self._reached = None  # a pass that breaks off is repeated from the cursor
        now_s = self._clock.now_s()
        problems = Problems(self.name)
        history = History(self._known, self._context_of)
        rows = Rows(history, self._log, problems)
        if self._address is None:
            position, safe = self._read_files(position, rows, now_s)
        else:
            position = safe = self._read_objects(position, rows)
            rows.finish(now_s)
        found = history.finish()
        by_time = self._by_time(found, now_s)
        self._reached = safe.text(), position
        items: list[Item] = [*found.evidence, *found.views, *found.unresolved, *problems.items()]
        return [*items, *by_time.evidence, *by_time.views], self._reached[0]

    def _by_time(self, found: Found, now_s: float) -> Found:
        """Ask of the statements that name no task which run was alone under way."""
        self.unattributed += found.unattributed - len(found.left)
        waiting = [*self._waiting, *found.left]
        until_s = now_s - self._settle_s
        over = len(waiting) - MAX_LEFT
        due = [one for n, one in enumerate(waiting) if n < over or one[0].ended_at_s <= until_s]
        self._waiting = [
            one for n, one in enumerate(waiting) if n >= over and one[0].ended_at_s > until_s
        ]
        runs: Sequence[TaskRun] = ()
        if due and self._runs is not None:
            first_s = min(statement.started_at_s for statement, _ in due)
            last_s = max(statement.ended_at_s for statement, _ in due)
            runs = self._runs(first_s, last_s)
        history = History(self._known, self._context_of, runs)
        for statement, place in due:
            history.add(statement, place)
        told = history.finish()
        self.unattributed += told.unattributed
        return told

    def _read_files(
        self, position: _Position, rows: Rows, now_s: float
    ) -> tuple[_Position, _Position]:
        """What was reached, and the same with no statement open behind it."""
        files: dict[str, Mark] = {}
        for export in exports(self._path, now_s):
            mark = position.files.get(export.number, Mark())
            if mark.state != export.state:
                file, mark = open_export(export, mark)
                with file:
                    end = rows.read(export.name, file, mark.place, export.finished)
                mark = replace(mark, offset=end.offset, line=end.line)
                opened = {place: (export.number, at) for place, at in rows.opened.items()}
                self._opened = opened | self._opened
            files[export.number] = mark
        rows.finish(now_s)
        still = set(self._log.open_places)
        self._opened = {place: at for place, at in self._opened.items() if place in still}
        safe = dict(files)
        for number, start in self._opened.values():
            if number in safe and start.offset < safe[number].offset:
                safe[number] = replace(safe[number], state="", offset=start.offset, line=start.line)
        return replace(position, files=files), replace(position, files=safe)

    def _read_objects(self, position: _Position, rows: Rows) -> _Position:
        assert self._address is not None
        if self._bucket is None:
            self._bucket = Bucket(*self._address, self._source.timeout_s)
        keys, seen = self._bucket.new(position.seen)
        for key in keys:
            with self._bucket.open(key) as file:
                rows.read(key, file, Place(), finished=True)
        return replace(position, seen=seen)

    def _resumed(self, cursor: str | None) -> _Position:
        """From the start, when texts are understood otherwise now."""
        now = understanding(self._settings)
        try:
            before, files, (since_s, keys) = json.loads(cursor or "null")
            marks = {str(number): Mark(*mark) for number, mark in files.items()}
            position = _Position(before, marks, Seen(float(since_s), frozenset(keys)))
        except (TypeError, ValueError):
            return _Position(now)
        return position if before == now else _Position(now)

    def _context_of(self, dialect: str) -> SqlContext:
        """The connection of the source's own name, else the only one of the dialect."""
        connections = self._settings.connections
        same = [name for name, below in connections.items() if below.dialect == dialect]
        names = (self.name, *(same if len(same) == 1 else ()))
        context = sql_context(self._settings, *names)
        if dialect and context.dialect not in ("", dialect):
            context = SqlContext(
                convention=context.convention, tree=context.tree, told=context.told
            )
        schema = context.default_schema or _USUAL_SCHEMA.get(dialect, "")
        return replace(context, dialect=dialect, default_schema=schema)


def _known(settings: Settings) -> Known:
    sources: dict[str, tuple[str, ...]] = {}
    for source in settings.sources:
        sources[source.kind] = (*sources.get(source.kind, ()), source.instance)
    return Known(sources)
