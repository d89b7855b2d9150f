"""Functions that hand a text to be run elsewhere: `dblink`, `EXTERNAL_QUERY`, Trino's
`system.query`, DuckDB's `postgres_scan`; and DuckDB's own `query` and `query_table`.

What is asked of another server is read only where its tables can be named: by the address in the
text, or by the catalog that stands for the server. Else it is `dynamic`.
"""

import re
from collections.abc import Iterator, Sequence

import sqlglot
from sqlglot import exp
from sqlglot.errors import SqlglotError

from swarm.lineage.naming import split_name
from swarm.lineage.sql.effects import Accessed, Effect, Name, Nested, NotUnderstood
from swarm.lineage.sql.names import position
from swarm.lineage.sql.tokens import MAX_NESTING
from swarm.model.lineage import Access, UnresolvedReason

_BY_ADDRESS = {"dblink": "postgres", "dblink_exec": "postgres", "dblink_open": "postgres"}
_BY_ADDRESS |= {"dblink_send_query": "postgres", "external_query": ""}
_BY_CATALOG = frozenset({"postgres_query", "mysql_query", "postgres_execute", "mysql_execute"})
_SCANS = {"postgres_scan": "postgres", "postgres_scan_pushdown": "postgres"}
_SCANS |= {"mysql_scan": "mysql", "sqlite_scan": ""}
_SETTING = re.compile(r"(\w+)\s*=\s*'?([^'\s]+)'?")
_READ_ERRORS = (SqlglotError, ValueError, TypeError, AttributeError, KeyError, IndexError)


def asked(function: exp.Anonymous, dialect: str) -> Iterator[Effect]:
    """What a call reads elsewhere; nothing for other functions."""
    name, line = function.name.casefold(), position(function)[0]
    texts = [_text(argument) for argument in function.expressions]
    if name in _SCANS:
        yield from _scanned(name, texts, line)
    elif name in _BY_ADDRESS:
        server = _server(_BY_ADDRESS[name], texts[0] if texts else "")
        yield from _of_server(name, server, texts[-1] if len(texts) > 1 else "", line)
    elif name in _BY_CATALOG and dialect == "duckdb" and texts:
        yield from _of_catalog(name, texts[0], texts[-1], line)
    elif name == "query" and dialect in ("trino", "presto", "athena"):
        parts = _qualified(function)
        if len(parts) == 3 and parts[1].name.casefold() == "system":
            yield from _of_catalog("system.query", parts[0].name, texts[0] if texts else "", line)
    elif dialect == "duckdb" and name in ("query", "query_table") and function.expressions:
        yield from _here(name, function.expressions[0], line)


def query_tables(text: str, dialect: str) -> list[tuple[str, ...]] | None:
    """The names in the FROM clauses of a query; None: the text is no single query."""
    if not text or text.count("(") > MAX_NESTING:
        return None
    try:
        query = sqlglot.parse_one(text, dialect=dialect)
    except _READ_ERRORS:
        return None
    if not isinstance(query, exp.Query):
        return None
    common = {(cte.alias,) for cte in query.find_all(exp.CTE)}
    found = [tuple(part.name for part in table.parts) for table in query.find_all(exp.Table)]
    return [parts for parts in found if parts not in common]


def _qualified(function: exp.Anonymous) -> list[exp.Expression]:
    """`catalog.system.query`, with the function itself as the last."""
    node: exp.Expression = function
    while isinstance(node.parent, exp.Dot):
        node = node.parent
    return list(node.flatten()) if isinstance(node, exp.Dot) else []


def _text(node: exp.Expression) -> str:
    value = node.expression if isinstance(node, exp.Kwarg | exp.PropertyEQ) else node
    return value.name if isinstance(value, exp.Literal) and value.is_string else ""


def _problem(function: str, line: int) -> NotUnderstood:
    detail = f"which tables {function} asks another server for is not known from the text"
    return NotUnderstood(UnresolvedReason.DYNAMIC, line, detail)


def _server(scheme: str, connection: str) -> tuple[str, str] | None:
    """(scheme, `scheme://host:port/database`) of a connection text."""
    if not scheme:
        return None
    if connection.startswith(("postgresql://", "postgres://")):
        address = connection.partition("://")[2].partition("?")[0].rpartition("@")[2]
        return (scheme, f"{scheme}://{address}") if "/" in address.rstrip("/") else None
    known = {key.casefold(): value for key, value in _SETTING.findall(connection)}
    host = known.get("host") or known.get("hostaddr")
    database = known.get("dbname") or known.get("database") or known.get("db")
    if not host or (not database and scheme == "postgres"):
        return None
    port = f":{known['port']}" if "port" in known else ""
    base = f"{scheme}://{host}{port}"
    return scheme, f"{base}/{database}" if scheme == "postgres" else base


def _of_server(
    function: str, server: tuple[str, str] | None, text: str, line: int
) -> Iterator[Effect]:
    tables = query_tables(text, server[0]) if server is not None else None
    if server is None or tables is None:
        yield _problem(function.upper() if function == "external_query" else function, line)
        return
    for parts in tables:
        schema = ("public",) if len(parts) == 1 else ()
        yield _foreign(server[1], (*schema, *parts[-2:]), line)


def _of_catalog(function: str, catalog: str, text: str, line: int) -> Iterator[Effect]:
    tables = query_tables(text, "")
    if tables is None or not catalog or any(len(parts) != 2 for parts in tables):
        yield _problem(f"{function} of {catalog}", line)
        return
    for parts in tables:
        yield Accessed(Access.READ, Name((catalog, *parts), line))


def _scanned(function: str, texts: Sequence[str], line: int) -> Iterator[Effect]:
    """(connection, schema, table)."""
    server = _server(_SCANS[function], texts[0] if texts else "")
    if server is None or len(texts) < 3 or not all(texts[1:3]):
        yield _problem(function, line)
    else:
        yield _foreign(server[1], texts[1:3], line)


def _foreign(server: str, steps: Sequence[str], line: int) -> Accessed:
    return Accessed(Access.READ, Name(line=line, url=f"{server}/{'/'.join(steps)}"))


def _here(function: str, argument: exp.Expression, line: int) -> Iterator[Effect]:
    """DuckDB: `query('SELECT 1')` runs the text, `query_table(['a', 'b'])` reads the tables."""
    items = argument.expressions if isinstance(argument, exp.Array) else [argument]
    texts = [_text(item) for item in items]
    if not all(texts):
        detail = f"the text given to {function} is not a constant"
        yield NotUnderstood(UnresolvedReason.DYNAMIC, line, detail)
    elif function == "query":
        yield Nested(texts[0], line)
    else:
        yield from (Accessed(Access.READ, Name(split_name(text), line)) for text in texts)
