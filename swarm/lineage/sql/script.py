"""Follows a script statement by statement: temporary tables, renames, drops and `USE`.

Rules
1. A temporary table is no dataset: its own query has already shown what it is built from.
2. A table written here and dropped later in the script is a temporary table by another name.
3. Rows that are moved (rename, swap) count as written to where they end up.
4. Rows that were there before and are moved are read from where they were.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import assert_never

from swarm.lineage.naming import complete_name, dataset_from_url, split_name, table_name
from swarm.lineage.sql.effects import (
    DIRECTORY,
    Accessed,
    Altered,
    Assigned,
    Called,
    Created,
    Defined,
    Dropped,
    Effect,
    Executed,
    Kept,
    Moved,
    Name,
    Nested,
    NotUnderstood,
    Placed,
    Swapped,
    UsedDefault,
)
from swarm.lineage.templates.holes import Rendering
from swarm.lineage.text import SqlContext
from swarm.model.keys import DatasetKey
from swarm.model.lineage import Access, UnresolvedReason

# Where temporary tables are in a schema of the session, which is searched before all others. In
# other dialects they are in the current schema.
_OWN_SCHEMA = frozenset({"", "postgres", "redshift", "bigquery", "duckdb", "sqlite"})
_SESSION_SCHEMAS = frozenset({"pg_temp", "_session", "temp"})


@dataclass(frozen=True, slots=True)
class Entry:
    """One access; `because` is the table that only a move in this script gave these rows to."""

    access: Access
    dataset: DatasetKey
    line: int
    because: DatasetKey | None = None
    confidence: float = 1.0


class Script:
    """What a script has done up to here. `entries`, `views` and `problems` are the result."""

    def __init__(self, context: SqlContext, rendering: Rendering) -> None:
        self._entries: list[Entry | None] = []  # None: taken back
        self._places: dict[DatasetKey, list[int]] = {}  # where the entries of a dataset are
        self._moved_to: dict[DatasetKey, list[int]] = {}  # entries by their `because`
        self.views: dict[DatasetKey, tuple[tuple[DatasetKey, ...], int]] = {}
        self.problems: list[NotUnderstood] = []
        self._context = context
        self._counts = context.convention
        self._rendering = rendering
        self._made_here: set[str] = set()  # what stand-ins of texts made at run time stand for
        self._placed: dict[str, str] = {}  # stages and directories that the script makes
        self._temporary: dict[DatasetKey, tuple[DatasetKey, ...]] = {}
        self._filled: list[DatasetKey] = []  # temporary tables the statement at hand writes

    @property
    def entries(self) -> list[Entry]:
        return [entry for entry in self._entries if entry is not None]

    def _add(self, entry: Entry) -> None:
        self._places.setdefault(entry.dataset, []).append(len(self._entries))
        if entry.because is not None:
            self._moved_to.setdefault(entry.because, []).append(len(self._entries))
        self._entries.append(entry)

    def apply(self, effects: Iterable[Effect], lines: tuple[int, ...]) -> None:
        """Add one statement. `lines[i]` is the line of the original of line `i + 1` of names."""
        bases: list[DatasetKey] = []
        for effect in effects:
            self._apply(effect, lines, bases)
        for key in self._filled:  # the target stands before its query
            known = self._temporary.get(key)
            if known is not None:
                self._temporary[key] = tuple(dict.fromkeys((*known, *bases)))
        self._filled.clear()

    def _apply(self, effect: Effect, lines: tuple[int, ...], bases: list[DatasetKey]) -> None:
        match effect:
            case Accessed():
                self._access(effect, lines, bases)
            case Created():
                self._create(effect, lines, bases)
            case Defined() | Placed():
                self._define(effect, lines)
            case Moved():
                self._move(effect, lines)
            case Swapped():
                self._swap(effect, lines)
            case Dropped() | Altered():
                self._drop(effect, lines)
            case UsedDefault():
                catalog = effect.catalog or self._context.default_catalog
                schema = effect.schema or self._context.default_schema
                self._context = replace(
                    self._context, default_catalog=catalog, default_schema=schema
                )
            case NotUnderstood():
                self._problem(effect, lines)
            case Nested() | Assigned() | Executed() | Kept() | Called():
                pass  # the caller follows these, who can parse
            case _:
                assert_never(effect)

    def stand_in(self, source: str) -> str:
        """A word for something unknown that a text is made of; `holes_in` finds it again."""
        text = self.not_given(source)
        self._made_here.update(self._rendering.holes_in(text))
        return text

    def not_given(self, source: str) -> str:
        """The same for a variable of the client that nobody gave a value: it is a template."""
        self._rendering, text = self._rendering.with_hole(source)
        return text

    def holes_in(self, text: str) -> tuple[str, ...]:
        """What the stand-ins in `text` stand for."""
        return self._rendering.holes_in(text)

    def forget_syntax(self, since: int) -> None:
        """Take back what was said about syntax and clauses since there were `since` problems."""
        self.problems[since:] = [
            problem
            for problem in self.problems[since:]
            if problem.reason is not UnresolvedReason.SYNTAX and not problem.of_clauses
        ]

    def _problem(self, problem: NotUnderstood, lines: tuple[int, ...]) -> None:
        self.problems.append(
            replace(
                problem,
                line=original_line(problem.line, lines),
                detail=self._rendering.restored(problem.detail),
            )
        )

    def _key(
        self, name: Name, lines: tuple[int, ...], *, temporary: bool = False
    ) -> DatasetKey | None:
        """The dataset of `name`; None if a template hides it, which is then a problem.

        `temporary`: a temporary table is made under this name.
        """
        written = name.url or ".".join(name.parts)
        holes = self._rendering.holes_in(written)
        if name.bound:
            parts: list[str] = []
            for part in name.parts:
                value = self._context.parameters.get(part[1:]) if part[:1] == ":" else part
                if value is None:
                    holes = (*holes, part)
                parts.extend(split_name(value or ""))
            name = replace(name, parts=tuple(parts))
        if holes:
            self._hidden(name.line, written, holes, lines)
            return None
        if name.url:
            return self._file(name, lines)
        own_schema = "public" if self._context.dialect == "snowflake" else "dbo"
        plain = tuple(part or own_schema for part in name.parts)
        if not name.local and not self._is_of_session(plain, temporary=temporary):
            plain = complete_name(plain, self._context)
        elif plain[0].casefold() in _SESSION_SCHEMAS:
            plain = plain[1:]
        return DatasetKey(self._context.namespace, table_name(plain))

    def _file(self, name: Name, lines: tuple[int, ...]) -> DatasetKey | None:
        """The dataset of a file, an object, or what is below a stage or a directory."""
        start = len(DIRECTORY) if name.url.startswith(DIRECTORY) else 0
        if not start and not name.url.startswith("@"):
            return dataset_from_url(name.url)
        slash = (name.url + "/").index("/", start)
        known = self._placed.get(name.url[:slash].casefold())
        if known is not None:
            return dataset_from_url(known.rstrip("/") + name.url[slash:])
        if start:
            detail = (
                f"the files are in the directory {name.url[start:slash]}, which the server knows"
            )
            self._problem(NotUnderstood(UnresolvedReason.DYNAMIC, name.line, detail), lines)
            return None
        return DatasetKey(self._context.namespace, name.url.rstrip("/").casefold())

    def _is_of_session(self, parts: tuple[str, ...], *, temporary: bool) -> bool:
        """Whether the name is that of a temporary table, wherever bare names are looked for."""
        if self._context.dialect not in _OWN_SCHEMA:
            return False
        if len(parts) == 2:
            return parts[0].casefold() in _SESSION_SCHEMAS
        bare = DatasetKey(self._context.namespace, table_name(parts))
        return len(parts) == 1 and (temporary or bare in self._temporary)

    def _hidden(
        self, line: int, written: str, holes: tuple[str, ...], lines: tuple[int, ...]
    ) -> None:
        listed = ", ".join(dict.fromkeys(holes))
        reason, detail = UnresolvedReason.TEMPLATE, f"the name {written} needs a value for {listed}"
        if self._made_here.issuperset(holes):
            reason = UnresolvedReason.DYNAMIC
            detail = f"the name {written} is made at run time from {listed}"
        self._problem(NotUnderstood(reason, line, detail), lines)

    def _access(self, effect: Accessed, lines: tuple[int, ...], bases: list[DatasetKey]) -> None:
        key = self._key(effect.name, lines)
        if key is None:
            return
        if effect.access is Access.READ:
            bases.extend(self._temporary.get(key, (key,)))
        elif key in self._temporary:
            self._filled.append(key)
        if effect.removes and not self._counts.deletes_write:
            return
        if self._counts.intermediate_tables or (
            key not in self._temporary and not effect.name.local
        ):
            line = original_line(effect.name.line, lines)
            self._add(Entry(effect.access, key, line, confidence=effect.confidence))

    def _create(self, effect: Created, lines: tuple[int, ...], bases: list[DatasetKey]) -> None:
        parts = effect.name.parts
        temporary = effect.temporary or (
            len(parts) == 2 and self._is_of_session(parts, temporary=False)
        )
        key = self._key(effect.name, lines, temporary=temporary)
        if key is None:
            return
        if temporary and not self._counts.intermediate_tables:
            self._temporary[key] = tuple(bases)
        else:
            self._temporary.pop(key, None)

    def _define(self, effect: Defined | Placed, lines: tuple[int, ...]) -> None:
        if isinstance(effect, Placed):
            self._placed[effect.name.url.casefold()] = effect.url
            return
        key = self._key(effect.name, lines)
        found = [self._key(name, lines) for name in effect.reads]
        if key is None or (found and not any(found)):
            return
        reads: dict[DatasetKey, None] = {}
        for base in found:
            if base is not None:
                reads.update(dict.fromkeys(self._temporary.get(base, (base,))))
        reads.pop(key, None)  # a recursive view
        before, _ = self.views.get(key, ((), 0))
        line = original_line(effect.name.line, lines)
        if self._counts.views_read and not any(name.url for name in effect.reads):
            for base in reads:
                self._add(Entry(Access.READ, base, line))
        self.views[key] = (tuple(dict.fromkeys((*before, *reads))), line)

    def _move(self, effect: Moved, lines: tuple[int, ...]) -> None:
        source = self._key(effect.source, lines)
        target = self._key(effect.target, lines, temporary=source in self._temporary)
        if source is None or target is None:
            return
        if source in self._temporary:
            self._temporary[target] = self._temporary.pop(source)
            return
        line = original_line(effect.target.line, lines)
        if source in self.views:
            self.views[target] = self.views.pop(source)
        if self._counts.intermediate_tables or not self._forget(source):
            self._add(Entry(Access.READ, source, line, because=target))
        self._add(Entry(Access.WRITE, target, line))

    def _swap(self, effect: Swapped, lines: tuple[int, ...]) -> None:
        first, second = self._key(effect.first, lines), self._key(effect.second, lines)
        if first is None or second is None:
            return
        line = original_line(effect.second.line, lines)
        moves = [
            (target, source)
            for target, source in ((second, first), (first, second))
            if self._written(source)
        ]
        if not moves:
            moves = [(second, first), (first, second)]
            for target, source in moves:
                self._add(Entry(Access.READ, source, line, because=target))
        elif not self._counts.intermediate_tables:
            for _, source in moves:
                self._forget(source)
        for target, _ in moves:
            self._add(Entry(Access.WRITE, target, line))

    def _drop(self, effect: Dropped | Altered, lines: tuple[int, ...]) -> None:
        if isinstance(effect, Altered):
            self._change_schema(effect.name, lines)
            return
        key = self._key(effect.name, lines)
        if key is None:
            return
        if self._temporary.pop(key, None) is not None:
            return
        if not self._counts.intermediate_tables and self._forget(key):
            for index in self._moved_to.pop(key, ()):
                self._entries[index] = None
            self.views.pop(key, None)
        else:
            self._change_schema(effect.name, lines)

    def _change_schema(self, name: Name, lines: tuple[int, ...]) -> None:
        """A table was dropped or altered: a write to those who count it as one."""
        key = self._key(name, lines) if self._counts.schema_changes_write else None
        if key is not None and key not in self._temporary and not name.local:
            self._add(Entry(Access.WRITE, key, original_line(name.line, lines)))

    def _written(self, key: DatasetKey) -> bool:
        entries = (self._entries[index] for index in self._places.get(key, ()))
        return any(entry is not None and entry.access is Access.WRITE for entry in entries)

    def _forget(self, key: DatasetKey) -> bool:
        """Take the writes of `key` back, and the reads of what they wrote; False: none there."""
        written = False
        kept: list[int] = []
        for index in self._places.get(key, ()):
            entry = self._entries[index]
            written = written or (entry is not None and entry.access is Access.WRITE)
            if written:
                self._entries[index] = None
            elif entry is not None:
                kept.append(index)
        self._places[key] = kept
        return written


def original_line(line: int, lines: tuple[int, ...]) -> int:
    """The line of the original text for `line` of a rendered one."""
    if not lines:
        return 0
    return lines[min(max(line, 1), len(lines)) - 1]
