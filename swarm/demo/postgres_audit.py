"""What each task touched, from the log of the PostgreSQL server itself.

Source: the plans that the server's own `auto_explain` logs when a statement has been executed.
A plan names the tables that are gone through and the one that is changed; views show as the
tables below them, names in comments, strings, aliases and WITH do not show. `log_statement`
names every statement that was asked for. One that has no plan and could have touched a table
makes the audit void, as does a plan of a connection that no task has opened.
"""

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from swarm.demo.processes import LabError

Task = tuple[str, str, str]
"""Orchestrator, pipeline, task."""

# Columns of the CSV log that matter; their order has been the same since PostgreSQL 9.0.
_TIME, _ROLE, _PID, _SESSION, _SEVERITY, _MESSAGE, _QUERY, _NAME = 0, 1, 3, 5, 11, 13, 19, 22
_STATEMENT = re.compile(r"(?:statement|execute [^:]*): (.*)", re.DOTALL)
_PLAN = re.compile(r"duration: [\d.]+ ms  plan:\n(.*)", re.DOTALL)
_BEFORE = re.compile(r"(?:\s|\(|--[^\n]*(?:\n|$)|/\*.*?\*/)*", re.DOTALL)
_PLANNED = re.compile(r"(?i)(SELECT|INSERT|UPDATE|DELETE|WITH|CREATE\s+(LOCAL\s+)?TEMP)\b")
_SEVERAL = re.compile(r";\s*\S")  # their plans do not say which of them they are of
# The pipelines' role owns no table, so what it drops can only be its own temporary ones.
_HARMLESS = re.compile(
    r"(?i)(BEGIN|START|COMMIT|ROLLBACK|SAVEPOINT|RELEASE|SET|SHOW|DROP|DEALLOCATE)\b"
)


@dataclass(slots=True)
class _Record:
    """What the log told so far, statements by session and text."""

    asked: set[tuple[str, str]] = field(default_factory=set)
    planned: set[tuple[str, str]] = field(default_factory=set)
    failed: set[tuple[str, str]] = field(default_factory=set)
    lines: dict[tuple[Task, str, str], dict[str, Any]] = field(default_factory=dict)


def accesses(
    rows: Iterable[Sequence[str]], role: str, tasks: Mapping[str, Task], schemas: frozenset[str]
) -> list[str]:
    """JSON lines of what `role` read and wrote in `schemas`, one per distinct access.

    `rows` are those of the CSV log, `tasks` who is behind an application name. Raises `LabError`
    that names what the log does not explain.
    """
    record = _Record()
    for row in rows:
        if row[_ROLE] == role:
            _take(row, record, tasks, schemas)
    for session, text in sorted(record.asked - record.planned - record.failed):
        if not _HARMLESS.match(_plain(text)) or _SEVERAL.search(_plain(text)):
            raise LabError(f"The audit does not see what this touched ({session}): {text[:500]}")
    return [json.dumps(line) for line in record.lines.values()]


def _take(
    row: Sequence[str], record: _Record, tasks: Mapping[str, Task], schemas: frozenset[str]
) -> None:
    message, session = row[_MESSAGE], row[_SESSION]
    if plan := _PLAN.match(message):
        explained = json.loads(plan.group(1))
        text = str(explained["Query Text"])
        if _PLANNED.match(_plain(text)) and not _SEVERAL.search(_plain(text)):
            record.planned.add((session, text))
        reads, writes = _relations(explained["Plan"], schemas)
        # What a statement changes it also looks through; that is no read of its own.
        for access, names in (("read", reads - writes), ("write", writes)):
            for name in sorted(names):
                _note(row, record, tasks, access, name)
    elif statement := _STATEMENT.match(message):
        record.asked.add((session, statement.group(1)))
    elif row[_SEVERITY] in ("ERROR", "FATAL"):
        record.failed.add((session, row[_QUERY]))


def _note(
    row: Sequence[str], record: _Record, tasks: Mapping[str, Task], access: str, name: str
) -> None:
    task = tasks.get(row[_NAME])
    if task is None:
        raise LabError(f"No task opened the connection {row[_NAME]!r} that touched {name}.")
    at = datetime.fromisoformat(row[_TIME].removesuffix(" UTC")).replace(tzinfo=UTC)
    line = {
        "orchestrator": task[0],
        "pipeline": task[1],
        "task": task[2],
        "access": access,
        "kind": "table",
        "name": name,
        "at_s": at.timestamp(),
        "pid": int(row[_PID]),
    }
    record.lines.setdefault((task, access, name), line)


def _relations(node: Mapping[str, Any], schemas: frozenset[str]) -> tuple[set[str], set[str]]:
    """Tables that a plan reads and writes, as `schema.table`."""
    reads: set[str] = set()
    writes: set[str] = set()
    for below in node.get("Plans", ()):
        more_reads, more_writes = _relations(below, schemas)
        reads |= more_reads
        writes |= more_writes
    if node.get("Schema") in schemas and "Relation Name" in node:
        name = f"{node['Schema']}.{node['Relation Name']}"
        (writes if node["Node Type"] == "ModifyTable" else reads).add(name)
    return reads, writes


def _plain(text: str) -> str:
    """A statement without the comments and parentheses before its first word."""
    before = _BEFORE.match(text)
    return text[before.end() :] if before else text
