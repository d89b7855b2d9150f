"""The calls that read or write data, as tables: which argument is the SQL, the table or the path.

A call is known by its full name when the program imports it (`pandas.read_csv`), else by the
name of the method alone: the class of most objects is not known to who only reads the program.
"""

import re
from collections.abc import Mapping

from swarm.lineage.code_found import (
    Found,
    HidesTable,
    Rule,
    RunsCommand,
    RunsSql,
    TouchesPath,
    TouchesTable,
    chain,
    library,
    receiver,
)
from swarm.lineage.code_library import Call
from swarm.lineage.code_paths import PATHS_BY_FULL_NAME, PATHS_BY_NAME, of_path
from swarm.lineage.code_values import (
    Atom,
    Const,
    External,
    Made,
    Member,
    PathText,
    Unknown,
    Value,
    combine,
    const,
    elements,
    of,
    plain,
)
from swarm.model.lineage import Access

READ, WRITE = Access.READ, Access.WRITE


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


def accesses(call: Call) -> tuple[Found, ...]:
    """What the call reads, writes or runs; empty when it is not a known call."""
    if isinstance(call.function, External):
        rule = _BY_FULL_NAME.get(call.function.name)
        if rule is not None:
            return rule(call)
    if isinstance(call.function, Member):
        owner = call.function.owner
        if isinstance(owner, PathText):
            return of_path(call, owner)
        if isinstance(owner, Const) and owner.value is not None:
            return ()
    found = _of_reader_or_writer(call)
    if found is not None:
        return found
    rule = _BY_NAME.get(call.name)
    return rule(call) if rule is not None else ()


# --- SQL -------------------------------------------------------------------------------------


def _sql(position: int, *keywords: str, sure: bool = True, bare_table: bool = False) -> Rule:
    def rule(call: Call) -> tuple[Found, ...]:
        text = call.argument(position, *keywords)
        if text is None:
            return ()
        given = call.argument(position + 1, "parameters", "params", "args") is not None
        return (RunsSql(text, receiver(call), sure, bare_table, given),)

    return rule


def _sql_on(position: int, server: int, *server_keywords: str, table: bool = False) -> Rule:
    """The server is an argument and not the receiver."""

    def rule(call: Call) -> tuple[Found, ...]:
        text = call.argument(position, "sql", "query")
        where = call.argument(server, *server_keywords)
        if text is None:
            return ()
        given = call.argument(-1, "params") is not None or call.name.startswith("execute")
        return (RunsSql(text, where or of(Unknown("connection")), True, table, given),)

    return rule


def _query(call: Call) -> tuple[Found, ...]:
    """Methods with a name that many classes have: sure only on classes known to run SQL."""
    text = call.argument(0, "sql", "query", "hql")
    if text is None:
        return ()
    return (RunsSql(text, receiver(call), _runs_sql(receiver(call)), False, True),)


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


# --- tables ----------------------------------------------------------------------------------


def _table(access: Access, position: int, *keywords: str) -> Rule:
    def rule(call: Call) -> tuple[Found, ...]:
        name = call.argument(position, *keywords)
        if name is None:
            return ()
        return (TouchesTable(access, name, receiver(call), call.kwargs.get("schema")),)

    return rule


def _table_on(
    access: Access, position: int, server: int, names: tuple[str, ...], *keywords: str
) -> Rule:
    def rule(call: Call) -> tuple[Found, ...]:
        name = call.argument(position, *names)
        where = call.argument(server, *keywords)
        if name is None:
            return ()
        schema = call.argument(-1, "schema")
        return (TouchesTable(access, name, where or of(Unknown("connection")), schema),)

    return rule


def _copy_table(call: Call) -> tuple[Found, ...]:
    source, target = call.argument(0, "sources"), call.argument(1, "destination")
    if source is None or target is None:
        return ()
    where = receiver(call)
    return (TouchesTable(READ, source, where), TouchesTable(WRITE, target, where))


def _load_uri(call: Call) -> tuple[Found, ...]:
    source, target = call.argument(0, "source_uris"), call.argument(1, "destination")
    if source is None or target is None:
        return ()
    return (TouchesPath(READ, source), TouchesTable(WRITE, target, receiver(call)))


def _extract_table(call: Call) -> tuple[Found, ...]:
    source, target = call.argument(0, "source"), call.argument(1, "destination_uris")
    if source is None or target is None:
        return ()
    return (TouchesTable(READ, source, receiver(call)), TouchesPath(WRITE, target))


def _spark_table(call: Call) -> tuple[Found, ...]:
    """`spark.table(name)`; other classes have a `table` method too."""
    where = receiver(call)
    is_spark = any(library(a) == "pyspark" for a in where.atoms) or "spark" in where.names
    is_duckdb = any(library(a) == "duckdb" for a in where.atoms)
    name = call.argument(0, "tableName", "table_name")
    if name is None or not (is_spark or is_duckdb):
        return ()
    return (TouchesTable(READ, name, where),)


def _hides(position: int, *keywords: str) -> Rule:
    def rule(call: Call) -> tuple[Found, ...]:
        name = call.argument(position, *keywords)
        return () if name is None else (HidesTable(name),)

    return rule


# --- readers and writers of spark ------------------------------------------------------------

_FORMATS = {"csv", "parquet", "json", "orc", "text", "avro", "delta", "xml"}
_NEW_TABLE = {"append", "create", "createOrReplace", "replace", "overwrite", "overwritePartitions"}


def _of_reader_or_writer(call: Call) -> tuple[Found, ...] | None:
    """`spark.read.….parquet(path)`, `df.write.….saveAsTable(name)`, `df.writeTo(t).append()`."""
    if not isinstance(call.function, Member):
        return None
    links = chain(call.function.owner)
    names = [link.name for link in links if isinstance(link, Member)]
    if call.name in _NEW_TABLE and "writeTo" in names:
        return _of_write_to(links)
    if "read" in names or "readStream" in names:
        return _of_reader(call, links)
    if "write" in names or "writeStream" in names:
        return _of_writer(call, links)
    return None


def _of_write_to(links: list[Atom]) -> tuple[Found, ...]:
    for link in links:
        maker = link.maker if isinstance(link, Made) else None
        if isinstance(maker, Member) and isinstance(link, Made) and maker.name == "writeTo":
            return tuple(TouchesTable(WRITE, name, of(links[-1])) for name in link.args[:1])
    return ()


def _options(links: list[Atom]) -> dict[str, Value]:
    found: dict[str, Value] = {}
    for link in links:
        if isinstance(link, Made) and isinstance(link.maker, Member):
            if link.maker.name == "options":
                found.update({k.lower(): v for k, v in link.kwargs.items()})
            elif link.maker.name in {"option", "format"}:
                key = plain(link.args[0]) if len(link.args) == 2 else link.maker.name
                found.setdefault((key or "").lower(), (link.args or (const(""),))[-1])
    return found


def _of_reader(call: Call, links: list[Atom]) -> tuple[Found, ...] | None:
    options = _options(links)
    where = of(links[-1])
    first = call.argument(0, "path", "paths", "tableName")
    if call.name == "table" and first is not None:
        return (TouchesTable(READ, first, where),)
    if call.name == "jdbc" or (call.name == "load" and "dbtable" in options):
        name = call.argument(1, "table") or options.get("dbtable")
        server = call.argument(0, "url") or options.get("url")
        return () if name is None else (RunsSql(name, server or where, False, True),)
    if call.name == "load" and "query" in options:
        return (RunsSql(options["query"], options.get("url", where)),)
    path = first or options.get("path")
    if call.name in _FORMATS | {"load"} and path is not None:
        return (TouchesPath(READ, path),)
    return None


def _of_writer(call: Call, links: list[Atom]) -> tuple[Found, ...] | None:
    options = _options(links)
    where = of(links[-1])
    first = call.argument(0, "path", "name", "tableName")
    if call.name in {"saveAsTable", "insertInto", "toTable"} and first is not None:
        return (TouchesTable(WRITE, first, where),)
    if call.name == "jdbc" or (call.name == "save" and "dbtable" in options):
        name = call.argument(1, "table") or options.get("dbtable")
        server = call.argument(0, "url") or options.get("url") or where
        return () if name is None else (TouchesTable(WRITE, name, server),)
    path = first or options.get("path")
    if call.name in _FORMATS | {"save", "start"} and path is not None:
        return (TouchesPath(WRITE, path),)
    return None


# --- commands --------------------------------------------------------------------------------


def _command(call: Call) -> tuple[Found, ...]:
    command = call.argument(0, "args", "cmd", "command")
    return () if command is None else (RunsCommand(command),)


def _command_of_args(call: Call) -> tuple[Found, ...]:
    """`create_subprocess_exec(program, *args)`."""
    found = elements(call.args[0]) if len(call.args) == 1 else None
    words = found if found is not None else list(call.args)
    return (RunsCommand(combine(words, " ")),)


_BY_NAME: Mapping[str, Rule] = {
    **PATHS_BY_NAME,
    "execute": _sql(0, "statement", "sql", "query", "operation"),
    "executemany": _sql(0, "statement", "sql", "query", "operation"),
    "executescript": _sql(0, "sql_script"),
    "exec_driver_sql": _sql(0, "statement"),
    "execute_async": _sql(0, "command"),
    "copy_expert": _sql(0, "sql"),
    "execute_string": _sql(0, "sql_text"),
    "scalar": _sql(0, "statement", sure=False),
    "scalars": _sql(0, "statement", sure=False),
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
    "read_sql_table": _table_on(READ, 0, 1, ("table_name",), "con"),
    "to_sql": _table_on(WRITE, 0, 1, ("name",), "con"),
    "read_gbq": _sql_on(0, -1, "project_id", table=True),
    "to_gbq": _table_on(WRITE, 0, -1, ("destination_table",), "project_id"),
    "read_database": _sql_on(0, 1, "connection"),
    "read_database_uri": _sql_on(0, 1, "uri"),
    "write_database": _table_on(WRITE, 0, 1, ("table_name",), "connection"),
    "insert_rows": _table(WRITE, 0, "table"),
    "bulk_load": _table(WRITE, 0, "table"),
    "bulk_dump": _table(READ, 0, "table"),
    "insert_rows_json": _table(WRITE, 0, "table"),
    "insert_df": _table(WRITE, 0, "table"),
    "copy_from": _table(WRITE, 1, "table"),
    "copy_records_to_table": _table(WRITE, 0, "table_name"),
    "list_rows": _table(READ, 0, "table"),
    "load_table_from_dataframe": _table(WRITE, 1, "destination"),
    "load_table_from_json": _table(WRITE, 1, "destination"),
    "load_table_from_file": _table(WRITE, 1, "destination"),
    "load_table_from_uri": _load_uri,
    "copy_table": _copy_table,
    "extract_table": _extract_table,
    "table": _spark_table,
    "createOrReplaceTempView": _hides(0, "name"),
    "createTempView": _hides(0, "name"),
    "registerTempTable": _hides(0, "name"),
    "register": _hides(0, "view_name"),
}

_BY_FULL_NAME: Mapping[str, Rule] = {
    **PATHS_BY_FULL_NAME,
    "psycopg2.extras.execute_values": _sql_on(1, 0, "cur"),
    "psycopg2.extras.execute_batch": _sql_on(1, 0, "cur"),
    "subprocess.run": _command,
    "subprocess.call": _command,
    "subprocess.check_call": _command,
    "subprocess.check_output": _command,
    "subprocess.Popen": _command,
    "subprocess.getoutput": _command,
    "asyncio.create_subprocess_shell": _command,
    "asyncio.create_subprocess_exec": _command_of_args,
    "os.system": _command,
    "os.popen": _command,
}
