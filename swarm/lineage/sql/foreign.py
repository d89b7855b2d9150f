"""Tables that are a name for a table of another server: Spark's `USING jdbc OPTIONS (...)`."""

import re
from collections.abc import Sequence

from sqlglot import exp

from swarm.lineage.naming import split_name
from swarm.lineage.sql.effects import Name, NotUnderstood
from swarm.model.lineage import UnresolvedReason

_JDBC = re.compile(r"jdbc:(\w+)://([^/;?]+)(?:/([^?;]*))?", re.IGNORECASE)
_DATABASE = re.compile(r";\s*database(?:name)?\s*=\s*([^;]+)", re.IGNORECASE)


def foreign_table(traits: Sequence[exp.Expression], line: int) -> Name | NotUnderstood | None:
    """The table behind `OPTIONS (url 'jdbc:...', dbtable 's.t')`; None if there are no such."""
    options = {
        option.name.casefold(): option.args["value"].name
        for trait in traits
        if isinstance(trait, exp.OptionsProperty)
        for option in trait.expressions
        if isinstance(option.args.get("value"), exp.Expression)
    }
    url = options.get("url", "")
    if not url.casefold().startswith("jdbc:"):
        return None
    return jdbc_table(url, options.get("dbtable", ""), line)


def jdbc_table(url: str, table: str, line: int) -> Name | NotUnderstood:
    """The table called `table` on the server of a JDBC URL."""
    known = _JDBC.match(url)
    if known is None or not table or "(" in table:
        detail = f"which tables are read through {url[:80]} is not known from the text"
        return NotUnderstood(UnresolvedReason.DYNAMIC, line, detail)
    scheme, server, database = known.groups()
    named = _DATABASE.search(url)
    first = named.group(1) if named is not None else database or ""
    steps = [step for step in (first, *split_name(table)) if step]
    return Name(line=line, url=f"{scheme}://{server}/{'/'.join(steps)}")
