"""Functions in a query that say more than their value: those a script defines, and settings."""

from collections.abc import Iterator

from sqlglot import exp

from swarm.lineage.sql.effects import Called, Effect, Name, UsedDefault
from swarm.lineage.sql.names import position


def called(function: exp.Anonymous) -> Iterator[Effect]:
    """A function that this script or a catalog may know, by its full name."""
    around = function.parent
    parts = [function.name]
    if isinstance(around, exp.Dot):
        parts = [part.name for part in around.parts[:-1]] + parts
    elif isinstance(around, exp.Table):
        parts = [
            part.name for part in (around.args.get("catalog"), around.args.get("db")) if part
        ] + parts
    line = position(function)[0]
    if function.name.casefold() == "set_config" and len(function.expressions) > 1:
        yield from _set_config(function)
    yield Called(Name(tuple(parts), line))


def _set_config(function: exp.Anonymous) -> Iterator[Effect]:
    """PostgreSQL: set_config('search_path', 'a, b', false)."""
    setting, value, *_ = function.expressions
    if setting.name.casefold() == "search_path" and isinstance(value, exp.Literal):
        schemas = [name.strip(' "') for name in value.name.split(",")]
        first = next((name for name in schemas if name and name != "$user"), "")
        if first:
            yield UsedDefault("", first)
