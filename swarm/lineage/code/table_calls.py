"""The rules for calls that name a table."""

from collections.abc import Mapping

from swarm.lineage.code.call import Call
from swarm.lineage.code.effects import (
    Effect,
    HidesTable,
    Rule,
    TouchesPath,
    TouchesTable,
    chain,
    library,
    receiver,
)
from swarm.lineage.code.values import DictOf, Member, Unknown, of, only
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


def _of_relation(call: Call) -> tuple[Effect, ...]:
    """`relation.create(name)` of DuckDB; other classes have such methods too."""
    where = receiver(call)
    name = call.argument(0, "table_name")
    if name is None or not any(library(atom) == "duckdb" for atom in where.atoms):
        return ()
    return (TouchesTable(WRITE, name, where),)


def _of_catalog(call: Call) -> tuple[Effect, ...]:
    """Frames of AWS Glue: a table of the catalog, read or written by where the method is from."""
    name, schema = call.argument(-1, "table_name"), call.argument(-1, "database")
    where = receiver(call)
    if name is None or schema is None:
        return ()
    names = [link.name for atom in where.atoms for link in chain(atom) if isinstance(link, Member)]
    access = WRITE if any(n.startswith("write") for n in (*names, call.name)) else READ
    return (TouchesTable(access, name, where, schema),)


def _of_wrangler(call: Call) -> tuple[Effect, ...]:
    """`awswrangler.s3.to_parquet(path=, database=, table=)` writes files that are a table too."""
    path, table = call.argument(1, "path"), call.argument(-1, "table")
    found: list[Effect] = [TouchesPath(WRITE, path)] if path is not None else []
    if table is not None:
        schema = call.argument(-1, "database")
        found.append(TouchesTable(WRITE, table, receiver(call), schema))
    return tuple(found)


def _of_connection(call: Call) -> tuple[Effect, ...]:
    """Frames of AWS Glue: a path among the options of a connection."""
    options = call.argument(-1, "connection_options")
    atom = only(options) if options is not None else None
    if not isinstance(atom, DictOf):
        return ()
    where = receiver(call)
    names = [link.name for one in where.atoms for link in chain(one) if isinstance(link, Member)]
    access = WRITE if any(n.startswith("write") for n in (*names, call.name)) else READ
    found = [atom.items[name] for name in ("path", "paths") if name in atom.items]
    table = atom.items.get("dbtable")
    tables = [TouchesTable(access, table, where)] if table is not None else []
    return (*(TouchesPath(access, path) for path in found), *tables)


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
    "create": _of_relation,
    "to_table": _of_relation,
    "insert_into": _of_relation,
    "from_catalog": _of_catalog,
    "create_dynamic_frame_from_catalog": _of_catalog,
    "from_options": _of_connection,
    "create_dynamic_frame_from_options": _of_connection,
    "write_dynamic_frame_from_options": _of_connection,
    "createOrReplaceTempView": _hides(0, "name"),
    "createTempView": _hides(0, "name"),
    "registerTempTable": _hides(0, "name"),
    "register": _hides(0, "view_name"),
}

TABLES_BY_FULL_NAME: Mapping[str, Rule] = {
    f"awswrangler.s3.to_{kind}": _of_wrangler for kind in ("parquet", "csv", "json", "orc")
}
