"""The rules for calls that run SQL: which argument is the text, and on which server."""

import re
from collections.abc import Mapping

from swarm.lineage.code.call import Call
from swarm.lineage.code.effects import Effect, Rule, RunsSql, TouchesTable, chain, library, receiver
from swarm.lineage.code.values import External, Made, Unknown, Value, of, only
from swarm.model.lineage import Access

_SQL_START = re.compile(
    r"(?:\s|--[^\n]*(?:\n|$)|/\*.*?\*/|\(|\{[%{#].*?[%}#]\})*"
    r"(select|insert|update|delete|merge|with|create|drop|alter|truncate|copy|unload|replace|call|"
    r"begin|use|vacuum|analyze|explain|from|pragma|attach|grant|refresh|export|declare|values|"
    r"commit|rollback|start|lock|detach|install|load|set|show|describe|optimize|msck|exec|"
    r"execute|comment|reindex|cluster|do|savepoint|release|notify|listen|summarize|table)\b",
    re.IGNORECASE | re.DOTALL,
)


def reads_like_sql(text: str) -> bool:
    """Whether a text starts like a SQL statement."""
    return " " in text.strip() and _SQL_START.match(text[:5000]) is not None


def _sql(position: int, *keywords: str, sure: bool = True, bare_table: bool = False) -> Rule:
    def rule(call: Call) -> tuple[Effect, ...]:
        text = call.argument(position, *keywords)
        if text is None:
            return ()
        given = call.argument(position + 1, "parameters", "params", "args") is not None
        return (RunsSql(text, receiver(call), sure, bare_table, given),)

    return rule


def _sql_on(position: int, server: int, *server_keywords: str, table: bool = False) -> Rule:
    """The server is an argument and not the receiver."""

    def rule(call: Call) -> tuple[Effect, ...]:
        text = call.argument(position, "sql", "query")
        where = call.argument(server, *server_keywords)
        if text is None:
            return ()
        given = call.argument(-1, "params") is not None or call.name.startswith("execute")
        return (RunsSql(text, where or of(Unknown("connection")), True, table, given),)

    return rule


def _query(call: Call) -> tuple[Effect, ...]:
    """Methods with a name that many classes have: sure only on classes known to run SQL."""
    text = call.argument(0, "sql", "query", "hql")
    if text is None:
        return ()
    where = receiver(call)
    found = RunsSql(text, where, _runs_sql(where), False, True)
    config = only(call.kwargs["job_config"]) if "job_config" in call.kwargs else None
    target = config.kwargs.get("destination") if isinstance(config, Made) else None
    if target is None:
        return (found,)
    return (found, TouchesTable(Access.WRITE, target, where))


def _exec(call: Call) -> tuple[Effect, ...]:
    """`session.exec(statement)` of SQLModel, and not the function that runs Python code."""
    if isinstance(call.function, External):
        return ()
    return _sql(0, "statement", sure=False)(call)


_SQL_LIBRARIES = {
    "duckdb",
    "sqlite3",
    "psycopg2",
    "psycopg",
    "asyncpg",
    "sqlalchemy",
    "google",
    "snowflake",
    "pyspark",
    "databricks",
    "mysql",
    "pymysql",
    "trino",
    "clickhouse_connect",
    "redshift_connector",
    "aiosqlite",
}


def _runs_sql(value: Value) -> bool:
    for atom in value.atoms:
        if library(atom) in _SQL_LIBRARIES:
            return True
        if any(isinstance(a, External) and a.name.endswith("Hook") for a in chain(atom)):
            return True
    return False


SQL_BY_NAME: Mapping[str, Rule] = {
    "execute": _sql(0, "statement", "sql", "query", "operation"),
    "executemany": _sql(0, "statement", "sql", "query", "operation"),
    "executescript": _sql(0, "sql_script"),
    "exec_driver_sql": _sql(0, "statement"),
    "execute_async": _sql(0, "command"),
    "copy_expert": _sql(0, "sql"),
    "execute_string": _sql(0, "sql_text"),
    "scalar": _sql(0, "statement", sure=False),
    "scalars": _sql(0, "statement", sure=False),
    "stream": _sql(0, "statement", sure=False),
    "stream_scalars": _sql(0, "statement", sure=False),
    "exec": _exec,
    "sql": _query,
    "query": _query,
    "run": _query,
    "fetch": _query,
    "fetchrow": _query,
    "fetchval": _query,
    "command": _query,
    "query_df": _query,
    "query_and_wait": _query,
    "get_records": _query,
    "get_first": _query,
    "get_df": _query,
    "get_pandas_df": _query,
    "get_polars_df": _query,
    "get_df_by_chunks": _query,
    "get_pandas_df_by_chunks": _query,
    "read_sql": _sql_on(0, 1, "con", table=True),
    "read_sql_query": _sql_on(0, 1, "con"),
    "read_gbq": _sql_on(0, -1, "project_id", table=True),
    "read_database": _sql_on(0, 1, "connection"),
    "read_database_uri": _sql_on(0, 1, "uri"),
}

SQL_BY_FULL_NAME: Mapping[str, Rule] = {
    "psycopg2.extras.execute_values": _sql_on(1, 0, "cur"),
    "psycopg2.extras.execute_batch": _sql_on(1, 0, "cur"),
}
