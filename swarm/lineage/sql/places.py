"""Where the rows are of which a table function or a table engine speaks.

`mysql('h:3306', 'shop', 'orders', ...)` of ClickHouse, a function or an engine, is a table of
another server; `s3('s3://...')` is files; `table_changes('t', 1)` of Databricks is the table `t`.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import quote

from swarm.lineage.naming import split_name
from swarm.lineage.sql.effects import Accessed, Effect, Name, NotUnderstood
from swarm.model.lineage import Access, UnresolvedReason

# fmt: off
_FILES = frozenset({
    "readcsv", "readcsvauto", "readparquet", "parquetscan", "readjson", "readjsonauto",
    "readndjson", "readtext", "readblob", "icebergscan", "deltascan", "readfiles", "s3", "gcs",
    "hdfs", "file", "url", "openrowset", "readxlsx", "cloudfiles", "oss", "cosn",
    "deltalake", "deltalakelocal", "iceberglocal", "iceberg", "icebergs3", "hudi", "s3queue",
    "inferschema",
})
_FILES_OF_CLUSTER = frozenset({
    "s3cluster", "hdfscluster", "urlcluster", "filecluster", "deltalakecluster",
    "icebergs3cluster", "hudicluster",
})
_SERVERS = {"mysql": "mysql", "postgresql": "postgres", "mongodb": "mongodb"}
_NAMED = frozenset({
    "tablechanges", "changetable", "containstable", "freetexttable", "dictionary", "loop",
    "stream",
})
_UNKNOWN = frozenset({
    "opendatasource", "remotequery", "merge", "odbc", "jdbc", "executable", "redis",
    "rabbitmq", "nats", "azureblobstorage", "azureblobstoragecluster", "azurequeue", "sqlite",
    "icebergazure", "hive", "ytsaurus", "arrowflight", "materializedpostgresql",
})
_HERE = frozenset({"localhost", "127.0.0.1", "[::1]"})
# fmt: on
_NATIVE_PORTS = (":9000", ":9440")  # of ClickHouse; the same server answers HTTP at another one


@dataclass(frozen=True, slots=True)
class Argument:
    """`parts` of a name, or one text; empty: neither is written there."""

    parts: tuple[str, ...] = ()
    is_text: bool = False
    texts: tuple[str, ...] = ()  # of a list


def rows_of(function: str, arguments: Sequence[Argument], line: int) -> list[Effect]:
    """The reads of the table function or engine; nothing for one that reads nothing stored."""
    name = function.casefold().replace("_", "")
    if name in _FILES or name in _FILES_OF_CLUSTER:
        return _files(function, arguments[1:] if name in _FILES_OF_CLUSTER else arguments, line)
    if name in _SERVERS:
        return _server(_SERVERS[name], name, arguments, line)
    if name in ("remote", "remotesecure"):
        return _remote(function, arguments, line)
    if name in ("cluster", "clusterallreplicas", "distributed"):
        return _table(function, arguments[1:], line)
    if name == "buffer":
        return _table(function, arguments[:2], line)
    if name in _NAMED:
        return _table(function, arguments[:1], line)
    if name in _UNKNOWN:
        return [_problem(f"which tables {function} takes is not known from the text", line)]
    return []


def _problem(detail: str, line: int) -> NotUnderstood:
    return NotUnderstood(UnresolvedReason.DYNAMIC, line, detail)


def _files(function: str, arguments: Sequence[Argument], line: int) -> list[Effect]:
    first = arguments[0] if arguments else Argument()
    paths = first.texts or (first.parts if first.is_text else ())
    if not paths:
        return [_problem(f"the path given to {function} is not a constant", line)]
    return [Accessed(Access.READ, Name(line=line, url=path)) for path in paths]


def _server(scheme: str, name: str, arguments: Sequence[Argument], line: int) -> list[Effect]:
    """(address, database, table, user, password, schema)."""
    texts = [argument.parts[0] if argument.is_text else "" for argument in arguments]
    if len(texts) < 3 or not all(texts[:3]):
        return [_problem(f"the table given to {name} is not a constant", line)]
    schema = (texts[5] if len(texts) > 5 else "") or "public"
    steps = [texts[1], schema, texts[2]] if scheme == "postgres" else texts[1:3]
    return _foreign(scheme, texts[0], steps, line)


def _remote(function: str, arguments: Sequence[Argument], line: int) -> list[Effect]:
    """(address, database, table) or (address, database.table)."""
    address = arguments[0].parts[0] if arguments and arguments[0].is_text else ""
    parts = _table_parts(arguments[1:])
    if not address or not parts:
        return [_problem(f"the table given to {function} is not a constant", line)]
    for port in _NATIVE_PORTS:
        address = address.removesuffix(port)
    if address.casefold() in _HERE:
        return [Accessed(Access.READ, Name(parts, line))]
    return _foreign("clickhouse", address, parts, line)


def _foreign(scheme: str, address: str, steps: Sequence[str], line: int) -> list[Effect]:
    if any(mark in address for mark in "{},|"):
        return [_problem(f"the address {address} stands for several servers", line)]
    url = f"{scheme}://{address}/{'/'.join(quote(step, safe='') for step in steps)}"
    return [Accessed(Access.READ, Name(line=line, url=url))]


def _table(function: str, arguments: Sequence[Argument], line: int) -> list[Effect]:
    parts = _table_parts(arguments)
    if not parts:
        return [_problem(f"the table given to {function} is not a constant", line)]
    return [Accessed(Access.READ, Name(parts, line))]


def _table_parts(arguments: Sequence[Argument]) -> tuple[str, ...]:
    """`db.t`, `'db.t'`, or `db` and `t` in two arguments."""
    if not arguments or not arguments[0].parts:
        return ()
    first = arguments[0]
    if len(first.parts) == 1 and len(arguments) > 1 and "." not in first.parts[0]:
        second = arguments[1].parts
        return tuple(part for part in (*first.parts, *second) if part) if len(second) == 1 else ()
    return split_name(first.parts[0]) if first.is_text else first.parts
