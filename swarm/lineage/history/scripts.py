"""The texts of many statements, read as the scripts they were.

The statements of one task in one session are one script, so that temporary tables and
`search_path` mean what they meant. Where nothing in them lasts, each is read alone: statements
that are repeated then cost nothing.
"""

import re
from bisect import bisect_right
from collections.abc import Callable
from dataclasses import dataclass, field, replace

from swarm.lineage.history.statement import Statement
from swarm.lineage.sql.extract import extract_sql
from swarm.lineage.text import SqlContext
from swarm.model.keys import TaskKey
from swarm.model.lineage import Extraction, Touch

_MAX_SCRIPT = 60_000  # characters
_MAX_BEFORE = 20_000  # texts

# What a later statement of the session may depend on.
_LASTING = re.compile(r"\b(?:temp|temporary|volatile|search_path|use|drop)\b|#", re.IGNORECASE)
_BETWEEN = "\n;\n"

Report = Callable[[TaskKey, Statement, Extraction, float], None]


@dataclass(slots=True)
class _Script:
    parts: list[tuple[Statement, str]] = field(default_factory=list)
    size: int = 0


class Scripts:
    """Collects statements; `report` is called with what was found in each, at its place."""

    def __init__(self, context_of: Callable[[str], SqlContext], report: Report) -> None:
        self._context_of = context_of
        self._report = report
        self._before: dict[tuple[str, ...], Extraction] = {}
        self._scripts: dict[tuple[TaskKey, float, tuple[str, ...]], _Script] = {}

    def add(self, task: TaskKey, statement: Statement, place: str, confidence: float) -> None:
        where = (statement.session, statement.dialect, statement.database, statement.schema)
        key = (task, confidence, where)
        script = self._scripts.setdefault(key, _Script())
        if script.size + len(statement.text) > _MAX_SCRIPT and script.parts:
            self._read(task, confidence, self._scripts.pop(key))
            script = self._scripts[key] = _Script()
        script.parts.append((statement, place))
        script.size += len(statement.text)

    def finish(self) -> None:
        """Read what is left."""
        for (task, confidence, _), script in self._scripts.items():
            self._read(task, confidence, script)
        self._scripts.clear()

    def _read(self, task: TaskKey, confidence: float, script: _Script) -> None:
        context = self._context(script.parts[0][0])
        if any(_LASTING.search(statement.text) for statement, _ in script.parts):
            self._read_whole(task, confidence, script, context)
            return
        # Of equal texts the first gives the place, the last the time.
        alone: dict[str, tuple[Statement, str]] = {}
        for statement, place in script.parts:
            first = alone.get(statement.text, (statement, place))
            alone[statement.text] = (statement, first[1])
        for text, (statement, place) in alone.items():
            self._report(task, statement, _at(self._found(text, context), place), confidence)

    def _found(self, text: str, context: SqlContext) -> Extraction:
        """What `text` says. A history repeats itself over many sessions and tasks."""
        key = (text, context.dialect, context.default_catalog, context.default_schema)
        found = self._before.get(key)
        if found is None:
            if len(self._before) >= _MAX_BEFORE:
                self._before.clear()
            found = self._before[key] = extract_sql(text, context, "")
        return found

    def _read_whole(
        self, task: TaskKey, confidence: float, script: _Script, context: SqlContext
    ) -> None:
        starts: list[int] = []
        line = 1
        for statement, _ in script.parts:
            starts.append(line)
            line += len(statement.text.splitlines()) + _BETWEEN.count("\n") - 1
        text = _BETWEEN.join(statement.text.rstrip(";\n ") for statement, _ in script.parts)
        found = extract_sql(text, context, "")
        for number, (statement, place) in enumerate(script.parts):
            part = Extraction(
                tuple(t for t in found.touches if _part_of(t.place, starts) == number),
                tuple(v for v in found.views if _part_of(v.place, starts) == number),
                tuple(u for u in found.unresolved if _part_of(u.place, starts) == number),
            )
            self._report(task, statement, _at(part, place), confidence)

    def _context(self, statement: Statement) -> SqlContext:
        base = self._context_of(statement.dialect)
        return replace(
            base,
            dialect=base.dialect or statement.dialect,
            default_catalog=statement.database or base.default_catalog,
            default_schema=statement.schema or base.default_schema,
        )


def _part_of(place: str, starts: list[int]) -> int:
    return bisect_right(starts, int(place.rpartition(":")[2])) - 1


def _at(found: Extraction, place: str) -> Extraction:
    return Extraction(
        tuple(Touch(t.access, t.dataset, place, t.excerpt, t.confidence) for t in found.touches),
        tuple(replace(view, place=place) for view in found.views),
        tuple(replace(item, place=place) for item in found.unresolved),
    )
