"""What a SQL script reads and writes, by table."""

import sqlglot
from sqlglot import exp
from sqlglot.errors import SqlglotError

from swarm.lineage.text import SqlContext
from swarm.model.keys import DatasetKey
from swarm.model.lineage import Access, Extraction, Touch, Unresolved, UnresolvedReason

MAX_TEXT_BYTES = 1_000_000


def extract_sql(text: str, context: SqlContext, place: str) -> Extraction:
    """Find every table that the script `text` reads or writes. Never raises.

    What cannot be understood is in `unresolved` with its line.
    """
    size = len(text.encode("utf-8", "replace"))
    if size > MAX_TEXT_BYTES:
        detail = f"the SQL text has {size} bytes; the limit is {MAX_TEXT_BYTES}"
        return Extraction(
            unresolved=(Unresolved(place, UnresolvedReason.TOO_LARGE, place, detail),)
        )
    try:
        statements = sqlglot.parse(text, read=context.dialect or None)
    except (SqlglotError, RecursionError, ValueError) as error:
        detail = str(error).splitlines()[0] if str(error) else "does not parse"
        return Extraction(unresolved=(Unresolved(place, UnresolvedReason.SYNTAX, place, detail),))
    touches: dict[tuple[Access, DatasetKey], Touch] = {}
    for statement in statements:
        if statement is None:
            continue
        hidden = {cte.alias.casefold() for cte in statement.find_all(exp.CTE)}
        target = statement.this if isinstance(statement, (exp.Create, exp.Insert)) else None
        goal = target.find(exp.Table) if isinstance(target, exp.Expression) else None
        for table in statement.find_all(exp.Table):
            if not table.name or (not table.db and table.name.casefold() in hidden):
                continue
            catalog = table.catalog or context.default_catalog
            schema = table.db or context.default_schema
            name = ".".join(part for part in (catalog, schema, table.name) if part).casefold()
            access = Access.WRITE if table is goal else Access.READ
            dataset = DatasetKey(context.namespace, name)
            touches.setdefault((access, dataset), Touch(access, dataset, place))
    return Extraction(touches=tuple(touches.values()))
