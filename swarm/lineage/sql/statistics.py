"""Queries of a server's statistics about tables: row counts and partitions, not definitions.

What they answer changes whenever the rows of the table change, so a query that asks for one table
by a constant name reads that table. Whether a table exists and which columns it has is no such
thing, and a query over all tables of a schema names none.
"""

from collections.abc import Iterator

from sqlglot import exp

from swarm.lineage.sql.effects import Accessed, Name
from swarm.model.lineage import Access

# View, with its schema where the bare name could be anybody's table.
STATISTICS = frozenset(
    {
        "information_schema.partitions",  # BigQuery, MySQL
        "information_schema.table_storage",  # BigQuery
        "__tables__",  # BigQuery
        "system.parts",  # ClickHouse
        "pg_catalog.pg_stat_user_tables",
        "pg_stat_user_tables",  # PostgreSQL
        "svv_table_info",  # Redshift
    }
)
_REGION = "region-"  # BigQuery: `project.region-us.INFORMATION_SCHEMA`
_TABLE_COLUMNS = frozenset({"table_name", "table_id", "table", "relname"})
_SCHEMA_COLUMNS = frozenset({"table_schema", "dataset_id", "database", "schemaname", "schema"})


def is_statistics(table: exp.Table) -> bool:
    """Whether `table` is a view of statistics, and so no dataset itself."""
    return _place(table) is not None


def statistics_reads(select: exp.Select, line: int) -> Iterator[Accessed]:
    """The tables, by constant name, whose statistics the query `select` itself asks for.

    Names in a condition under NOT are left out: they are what is not asked for.
    """
    places = [place for place in map(_place, _sources(select)) if place is not None]
    if not places:
        return
    schemas = _constants(select, _SCHEMA_COLUMNS)
    around = places[0]
    if len(around) < 2 and len(schemas) == 1 and schemas != around[-1:]:
        around = (*around, *schemas)
    for table in _constants(select, _TABLE_COLUMNS):
        yield Accessed(Access.READ, Name((*around, table), line))


def _sources(select: exp.Select) -> Iterator[exp.Table]:
    for clause in (select.args.get("from_"), *(select.args.get("joins") or [])):
        if isinstance(clause, exp.Expression) and isinstance(clause.this, exp.Table):
            yield clause.this


def _place(table: exp.Table) -> tuple[str, ...] | None:
    """What stands before the name of a view of statistics; `None`: the table is no such view."""
    written = [name for part in table.parts for name in part.name.split(".")]
    for length in (2, 1):
        if ".".join(written[-length:]).casefold() in STATISTICS:
            before = written[:-length]
            return tuple(name for name in before if not name.startswith(_REGION))
    return None


def _constants(select: exp.Select, columns: frozenset[str]) -> tuple[str, ...]:
    """Texts that a column of `columns` is compared with in WHERE or ON, each once."""
    conditions = [select.args.get("where")]
    conditions += [join.args.get("on") for join in select.args.get("joins") or []]
    found: dict[str, None] = {}
    for condition in conditions:
        if isinstance(condition, exp.Expression):
            for node in condition.walk(prune=lambda node: isinstance(node, exp.Not | exp.Query)):
                found.update(dict.fromkeys(_compared(node, columns)))
    return tuple(found)


def _compared(node: exp.Expression, columns: frozenset[str]) -> Iterator[str]:
    if isinstance(node, exp.EQ):
        for one, other in ((node.this, node.expression), (node.expression, node.this)):
            if isinstance(one, exp.Column) and one.name.casefold() in columns:
                yield from _text(other)
    elif isinstance(node, exp.In) and isinstance(node.this, exp.Column):
        asked = node.this.name.casefold() in columns
        for item in node.expressions if asked else ():
            yield from _text(item)


def _text(node: exp.Expression) -> Iterator[str]:
    if isinstance(node, exp.Literal) and node.is_string:
        yield node.name
