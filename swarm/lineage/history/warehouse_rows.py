"""Rows of the histories of BigQuery and Snowflake, which say themselves what was touched.

Field names are those of `INFORMATION_SCHEMA.JOBS` and of `QUERY_HISTORY` joined with
`ACCESS_HISTORY`, in any case. A row of a statement that failed, was only planned, or was the
service's own gives `None`.
"""

import json
import re
from collections.abc import Iterable, Iterator, Mapping

from swarm.lineage.history.statement import MalformedRow, Statement, time_s
from swarm.lineage.naming import dataset_from_url, split_name, table_name
from swarm.model.keys import DatasetKey

Row = Mapping[str, object]

# What changes the rows of a table that is there already: the server lists the target as read too.
_IN_PLACE = frozenset({"UPDATE", "DELETE", "MERGE"})

# Of these BigQuery says everything; of others (views, DDL) the text says more.
_BIGQUERY_TOLD = _IN_PLACE | {"SELECT", "INSERT", "CREATE_TABLE_AS_SELECT"}
_BIGQUERY_COPIES = frozenset({"LOAD", "COPY", "EXTRACT"})
_ELSEWHERE = {"LOAD": "from which files", "EXTRACT": "to which files"}
_HIDDEN = re.compile(r"_(?:script)?[0-9a-f]+|_session", re.IGNORECASE)
_MOST_REFERENCED = 50  # a longer list is cut off there

_SNOWFLAKE_TOLD = _IN_PLACE | {
    "SELECT", "INSERT", "MULTI_TABLE_INSERT", "CREATE_TABLE_AS_SELECT", "COPY", "UNLOAD", "",
}  # fmt: skip
_SNOWFLAKE_USERS = frozenset({"SYSTEM", "SNOWFLAKE"})
_TABLES = frozenset({"table", "view", "materialized view", "external table", "dynamic table",
                     "event table", "iceberg table", "hybrid table"})  # fmt: skip
_NO_DATA = frozenset({"", "function", "procedure", "sequence", "secret", "stream", "integration"})
_TEMPORARY = re.compile(
    r"\s*create\s+(?:or\s+replace\s+)?(?:(?:local|global)\s+)?(?:temp|temporary|volatile)\s", re.I
)


def from_bigquery(row: Row) -> Statement | None:
    """One job. Raises `MalformedRow`."""
    text = _text(row, "query")
    kind = _text(row, "statement_type").upper()
    job = _text(row, "job_type").upper() or "QUERY"
    failed = bool(row.get("error_result")) or _text(row, "state").upper() not in ("", "DONE")
    if failed or row.get("dry_run") is True or kind == "EXPLAIN":
        return None
    labels = row.get("labels")
    tags = {_text(label, "key"): _text(label, "value") for label in _objects(labels, "labels")}
    script = kind == "SCRIPT"
    reads, writes, partial = _bigquery_tables(row, job, kind)
    return Statement(
        text=text,
        user=_text(row, "user_email"),
        started_at_s=_first_time(row, "start_time", "creation_time"),
        ended_at_s=_first_time(row, "end_time", "creation_time"),
        tags=tags,
        dialect="bigquery",
        database=_text(row, "project_id"),
        reads=None if script else reads,
        writes=None if script else writes,
        partial=partial,
        session=_text(_object(row.get("session_info"), "session_info"), "session_id")
        or _text(row, "parent_job_id"),
        id=_text(row, "job_id"),
        parent=_text(row, "parent_job_id"),
        is_script=script,
        untold=f"{_ELSEWHERE[job]} a job of {job} goes is not in JOBS" if job in _ELSEWHERE else "",
    )


Tables = tuple[DatasetKey, ...]


def _bigquery_tables(row: Row, job: str, kind: str) -> tuple[Tables | None, Tables | None, bool]:
    """Reads and writes, if the row tells them, and whether its text tells more."""
    referenced = list(_objects(row.get("referenced_tables"), "referenced_tables"))
    reads = tuple(dict.fromkeys(_bigquery_keys(referenced)))
    target = _object(row.get("destination_table"), "destination_table")
    writes = tuple(_bigquery_keys([target] if target else []))
    if job in _BIGQUERY_COPIES:
        return reads, writes, False
    # The result of a SELECT that comes from the cache names no tables, and is a read all the same.
    if job != "QUERY" or kind not in _BIGQUERY_TOLD or (not referenced and kind != "INSERT"):
        return (None, writes, True) if kind == "SELECT" and writes else (None, None, False)
    if kind in _IN_PLACE:
        reads = tuple(key for key in reads if key not in writes)
    return reads, writes, len(referenced) >= _MOST_REFERENCED


def _bigquery_keys(tables: Iterable[Row]) -> Iterator[DatasetKey]:
    for table in tables:
        names = [_text(table, f"{part}_id") for part in ("project", "dataset", "table")]
        if not all(names):
            raise MalformedRow("a table needs `project_id`, `dataset_id` and `table_id`")
        # Results nobody named and the temporary tables of scripts lie in hidden datasets.
        hidden = _HIDDEN.fullmatch(names[1])
        if not hidden and names[1].upper() != "INFORMATION_SCHEMA":
            yield DatasetKey("bigquery", table_name(tuple(names)))


def from_snowflake(row: Row) -> Statement | None:
    """One query with what it accessed, if the export has it. Raises `MalformedRow`."""
    row = {key.casefold(): value for key, value in row.items()}
    kind = _text(row, "query_type").upper()
    status = _text(row, "execution_status").upper()
    own = row.get("is_client_generated_statement") is True
    user = _text(row, "user_name")
    text = _text(row, "query_text")
    tag = _text(row, "query_tag")
    of_service = user in _SNOWFLAKE_USERS and not tag  # its tasks run under this name, too
    if status not in ("", "SUCCESS") or own or kind == "EXPLAIN" or of_service:
        return None
    started = _first_time(row, "start_time", "query_start_time")
    reads, writes, partial = _snowflake_tables(row, kind)
    return Statement(
        text=text,
        user=user,
        started_at_s=started,
        ended_at_s=time_s(row["end_time"], "end_time") if row.get("end_time") else started,
        tags={"query_tag": tag} if tag else {},
        dialect="snowflake",
        database=_text(row, "database_name"),
        schema=_text(row, "schema_name"),
        reads=reads,
        writes=writes,
        partial=partial,
        temporary=_TEMPORARY.match(text) is not None,
        session=_text(row, "session_id"),
        id=_text(row, "query_id"),
        parent=_text(row, "parent_query_id"),
    )


def _snowflake_tables(row: Row, kind: str) -> tuple[Tables | None, Tables | None, bool]:
    fields = ("direct_objects_accessed", "base_objects_accessed", "objects_modified")
    if kind not in _SNOWFLAKE_TOLD or not any(row.get(name) for name in fields):
        return None, None, False
    direct, base, modified = (list(_objects(row.get(name), name)) for name in fields)
    # A view is read, and through it what lies under it.
    reads = dict.fromkeys(_snowflake_keys([*direct, *base]))
    writes = dict.fromkeys(_snowflake_keys(modified))
    if kind in _IN_PLACE:
        reads = {key: None for key in reads if key not in writes}
    # A stage is named without the path in it; of other kinds the text may say more.
    others = {_domain(item) for item in (*direct, *base, *modified)} - _TABLES - _NO_DATA
    return tuple(reads), tuple(writes), bool(others)


def _snowflake_keys(items: Iterable[Row]) -> Iterator[DatasetKey]:
    for item in items:
        locations = item.get("locations") or item.get("location") or []
        for url in [locations] if isinstance(locations, str) else _list(locations, "locations"):
            if isinstance(url, str) and "://" in url:
                yield dataset_from_url(url)
        if _domain(item) in _TABLES:
            name = _text(item, "objectName")
            if not name:
                raise MalformedRow("an accessed object needs `objectName`")
            yield DatasetKey("", table_name(split_name(name)))


def _domain(item: Row) -> str:
    return _text(item, "objectDomain").casefold()


def _first_time(row: Row, *names: str) -> float:
    for name in names:
        if row.get(name) is not None:
            return time_s(row[name], name)
    raise MalformedRow(f"`{names[-1]}` is missing")


def _text(row: Row, name: str) -> str:
    value = row.get(name)
    if value is None:
        return ""
    if isinstance(value, str):
        return value
    if isinstance(value, int):
        return str(value)
    raise MalformedRow(f"`{name}` is no text")


def _object(value: object, name: str) -> Row:
    value = _parsed(value, name)
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise MalformedRow(f"`{name}` is no object")
    return value


def _objects(value: object, name: str) -> Iterator[Row]:
    for item in _list(value, name):
        if not isinstance(item, dict):
            raise MalformedRow(f"`{name}` holds something that is no object")
        yield item


def _list(value: object, name: str) -> list[object]:
    value = _parsed(value, name)
    if value is None:
        return []
    if not isinstance(value, list):
        raise MalformedRow(f"`{name}` is no list")
    return value


def _parsed(value: object, name: str) -> object:
    """Exports to CSV and some drivers write nested values as JSON text."""
    if not isinstance(value, str):
        return value
    try:
        return json.loads(value) if value else None
    except (ValueError, RecursionError):
        raise MalformedRow(f"`{name}` is no JSON") from None
