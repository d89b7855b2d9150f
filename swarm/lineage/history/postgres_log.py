"""Statements out of PostgreSQL's CSV log (`log_destination = csvlog`).

Rules
1. With `log_min_duration_statement` a statement is logged when it has ended well.
2. With `log_statement` it is logged before it runs. How it ended is told by what its session
   logs next: an error means that it failed; its duration, another statement or the end of the
   session that it did not.
3. Where the log ends before that, the statement counts once it is `OPEN_S` old.
4. Of the extended protocol only `execute` runs a statement, `parse` and `bind` do not.

Columns: https://www.postgresql.org/docs/current/runtime-config-logging.html (csvlog).
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from swarm.lineage.history.statement import MalformedRow, Statement, time_s

OPEN_S = 600.0
"""So long a statement may run before it counts although nothing tells how it ended."""

_TIME, _USER, _DATABASE, _SESSION, _SEVERITY, _MESSAGE, _APPLICATION = 0, 1, 2, 5, 11, 13, 22
_FEWEST_COLUMNS = 23  # version 9.0; later ones append

_ENTRY = re.compile(
    r"(?:duration: (?P<ms>[\d.]+) ms(?:  |$))?"
    r"(?:(?:statement|execute (?:fetch from )?[^:]*): (?P<text>.*))?",
    re.DOTALL,
)
_FAILED = frozenset({"ERROR", "FATAL", "PANIC"})
_SEVERITIES = _FAILED | {"LOG", "INFO", "NOTICE", "WARNING", "DEBUG"}
_SEVERITIES |= {f"DEBUG{level}" for level in range(1, 6)}
# "Dauer: 0.5 ms", "durée : 0.5 ms": of a statement that ended, in another language.
_FOREIGN = re.compile(r"(?!duration\b)[^\s:\d]+ ?: [\d.,]+ (?:ms|мс)\b")
_SYSTEM_USERS = frozenset(
    {"rdsadmin", "rdsrepladmin", "cloudsqladmin", "alloydbadmin", "azuresu", "azure_superuser"}
)
# Summer time is told from winter time by these names; a log in another zone is refused.
_ZONES = {
    "UTC": "+00:00", "GMT": "+00:00", "WET": "+00:00", "WEST": "+01:00", "BST": "+01:00",
    "CET": "+01:00", "CEST": "+02:00", "EET": "+02:00", "EEST": "+03:00", "MSK": "+03:00",
    "JST": "+09:00", "EST": "-05:00", "EDT": "-04:00", "CDT": "-05:00",
    "MST": "-07:00", "MDT": "-06:00", "PST": "-08:00", "PDT": "-07:00",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class _Open:
    statement: Statement
    place: str


class PostgresLog:
    """Takes the rows of a log in order and gives the statements that ended well."""

    def __init__(self) -> None:
        self._open: dict[str, _Open] = {}

    def add(self, row: Sequence[str], place: str) -> Iterator[tuple[Statement, str]]:
        """What `row` settles. Raises `MalformedRow`."""
        if len(row) < _FEWEST_COLUMNS:
            raise MalformedRow(
                f"{len(row)} columns; PostgreSQL's log has {_FEWEST_COLUMNS} or more"
            )
        if not row[_USER] or row[_USER] in _SYSTEM_USERS:
            return
        if row[_SEVERITY] not in _SEVERITIES or _FOREIGN.match(row[_MESSAGE]):
            raise MalformedRow("the log is not in English; set `lc_messages = 'C'`")
        session = row[_SESSION]
        if row[_SEVERITY] in _FAILED:
            self._open.pop(session, None)
            return
        if row[_SEVERITY] != "LOG":
            return  # a notice or a warning of a statement that still runs
        message = row[_MESSAGE]
        entry = _ENTRY.match(message)
        assert entry is not None  # every part of it is optional
        duration, text = entry.group("ms"), entry.group("text")
        if duration is not None or text is not None or message.startswith("disconnection:"):
            before = self._open.pop(session, None)
            if before is not None:
                yield before.statement, before.place
        if text is None:
            return
        statement = _statement(row, text, float(duration or 0) / 1000)
        if duration is None:
            self._open[session] = _Open(statement, place)
        else:
            yield statement, place

    def settle(self, now_s: float) -> Iterator[tuple[Statement, str]]:
        """Those that are open for so long that they count."""
        for session, item in list(self._open.items()):
            if item.statement.started_at_s <= now_s - OPEN_S:
                del self._open[session]
                yield item.statement, item.place

    def is_open(self, row: Sequence[str], place: str) -> bool:
        """Whether the row just added is a statement whose end is not known yet."""
        item = self._open.get(row[_SESSION])
        return item is not None and item.place == place

    @property
    def open_places(self) -> tuple[str, ...]:
        """Where the statements are whose end is not known yet."""
        return tuple(item.place for item in self._open.values())


def _statement(row: Sequence[str], text: str, duration_s: float) -> Statement:
    ended_at_s = _time_s(row[_TIME])
    application = row[_APPLICATION]
    return Statement(
        text=text,
        user=row[_USER],
        started_at_s=ended_at_s - duration_s,
        ended_at_s=ended_at_s,
        tags={"application_name": application} if application else {},
        dialect="postgres",
        database=row[_DATABASE],
        session=row[_SESSION],
    )


def _time_s(text: str) -> float:
    clock, _, zone = text.rpartition(" ")
    offset = _ZONES.get(zone) or (zone if zone[:1] in ("+", "-") else "")
    if not offset:
        raise MalformedRow(f"time zone {zone[:20]!r} is not known; set `log_timezone = 'UTC'`")
    return time_s(clock + offset, "log_time")
