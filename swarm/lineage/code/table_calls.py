"""The rules for calls that name a table."""

from collections.abc import Mapping

from swarm.lineage.code.call import Call
from swarm.lineage.code.effects import (
    Effect,
    HidesTable,
    Rule,
    TouchesPath,
    TouchesTable,
    library,
    receiver,
)
from swarm.lineage.code.values import Unknown, of
from swarm.model.lineage import Access

READ, WRITE = Access.READ, Access.WRITE


def _table(access: Access, position: int, *keywords: str) -> Rule:
    def rule(call: Call) -> tuple[Effect, ...]:
        name = call.argument(position, *keywords)
        if name is None:
            return ()
        return (TouchesTable(access, name, receiver(call), call.kwargs.get("schema")),)

    return rule


def _table_on(
    access: Access, position: int, server: int, names: tuple[str, ...], *keywords: str
) -> Rule:
    def rule(call: Call) -> tuple[Effect, ...]:
        name = call.argument(position, *names)
        where = call.argument(server, *keywords)
        if name is None:
            return ()
        schema = call.argument(-1, "schema")
        return (TouchesTable(access, name, where or of(Unknown("connection")), schema),)

    return rule


def _copy_table(call: Call) -> tuple[Effect, ...]:
    source, target = call.argument(0, "sources"), call.argument(1, "destination")
    if source is None or target is None:
        return ()
    where = receiver(call)
    return (TouchesTable(READ, source, where), TouchesTable(WRITE, target, where))


def _load_uri(call: Call) -> tuple[Effect, ...]:
    source, target = call.argument(0, "source_uris"), call.argument(1, "destination")
    if source is None or target is None:
        return ()
    return (TouchesPath(READ, source), TouchesTable(WRITE, target, receiver(call)))


def _extract_table(call: Call) -> tuple[Effect, ...]:
    source, target = call.argument(0, "source"), call.argument(1, "destination_uris")
    if source is None or target is None:
        return ()
    return (TouchesTable(READ, source, receiver(call)), TouchesPath(WRITE, target))


def _spark_table(call: Call) -> tuple[Effect, ...]:
    """`spark.table(name)`; other classes have a `table` method too."""
    where = receiver(call)
    is_spark = any(library(a) == "pyspark" for a in where.atoms) or "spark" in where.names
    is_duckdb = any(library(a) == "duckdb" for a in where.atoms)
    name = call.argument(0, "tableName", "table_name")
    if name is None or not (is_spark or is_duckdb):
        return ()
    return (TouchesTable(READ, name, where),)


def _hides(position: int, *keywords: str) -> Rule:
    def rule(call: Call) -> tuple[Effect, ...]:
        name = call.argument(position, *keywords)
        return () if name is None else (HidesTable(name),)

    return rule


TABLES_BY_NAME: Mapping[str, Rule] = {
    "read_sql_table": _table_on(READ, 0, 1, ("table_name",), "con"),
    "to_sql": _table_on(WRITE, 0, 1, ("name",), "con"),
    "to_gbq": _table_on(WRITE, 0, -1, ("destination_table",), "project_id"),
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
