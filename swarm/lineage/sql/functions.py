"""Functions of a syntax tree that read tables or files."""

from collections.abc import Iterator

from sqlglot import exp

from swarm.lineage.naming import split_name
from swarm.lineage.sql.asked import query_tables
from swarm.lineage.sql.effects import Accessed, Effect, Name, NotUnderstood
from swarm.lineage.sql.names import position
from swarm.lineage.sql.places import Argument, rows_of
from swarm.model.lineage import Access, UnresolvedReason

_DICTIONARY = ("dictget", "dicthas", "dictisin", "joinget")


def function_reads(table: exp.Table, dialect: str) -> Iterator[Effect]:
    """What a function in the place of a table reads."""
    function = table.this
    name = _name(function)
    first = position(function)[0]
    if name == "openquery":
        yield from _linked(function, first)
        return
    arguments = [_argument(node) for node in _arguments(function)]
    found = rows_of(name, arguments, first)
    yield from found
    is_view = dialect == "clickhouse" and any(isinstance(a, exp.EQ) for a in _arguments(function))
    if not found and is_view and isinstance(function, exp.Anonymous):  # a view with parameters
        parts = [table.args.get("catalog"), table.args.get("db")]
        names = [part.name for part in parts if isinstance(part, exp.Expression)]
        yield Accessed(Access.READ, Name((*names, function.name), first))


def dictionary_reads(function: exp.Expression) -> Iterator[Effect]:
    """ClickHouse: `dictGet('db.names', ...)` reads the dictionary, `joinGet` the table."""
    if isinstance(function, exp.Anonymous) and function.name.casefold().startswith(_DICTIONARY):
        name = function.expressions[0] if function.expressions else None
        line = position(function)[0]
        if isinstance(name, exp.Literal) and name.is_string:
            yield Accessed(Access.READ, Name(split_name(name.name), line))
        elif isinstance(name, exp.Column):
            yield Accessed(Access.READ, Name(tuple(part.name for part in name.parts), line))
        else:
            detail = f"the name given to {function.name} is not a constant"
            yield NotUnderstood(UnresolvedReason.DYNAMIC, line, detail)


def _name(function: exp.Func) -> str:
    name = function.name if isinstance(function, exp.Anonymous) else function.key
    return str(name).casefold()


def _arguments(function: exp.Func) -> list[exp.Expression]:
    first = [] if isinstance(function, exp.Anonymous) else [function.this]
    nodes = [*first, *function.expressions]
    return [node for node in nodes if isinstance(node, exp.Expression)]


def _argument(node: exp.Expression) -> Argument:
    if isinstance(node, exp.National) or (isinstance(node, exp.Literal) and node.is_string):
        return Argument((node.name,), is_text=True)
    if isinstance(node, exp.Kwarg):
        return _argument(node.expression)
    if isinstance(node, exp.Array | exp.Tuple | exp.Paren):
        literals = [literal for literal in node.find_all(exp.Literal) if literal.is_string]
        return Argument(texts=tuple(literal.name for literal in literals))
    if isinstance(node, exp.Column | exp.Table | exp.Dot):
        return Argument(tuple(part.name for part in node.parts))
    if isinstance(node, exp.Identifier | exp.Var):
        return Argument((node.name,))
    return Argument()


def _linked(function: exp.Func, line: int) -> Iterator[Effect]:
    """T-SQL: OPENQUERY(server, 'query'): the query runs on the other server, in its names."""
    server, text = [*_arguments(function), None, None][:2]
    name = server.name if isinstance(server, exp.Expression) else "?"
    tables = query_tables(text.name, "tsql") if isinstance(text, exp.Literal) else None
    for parts in tables or ():
        if len(parts) == 3:
            yield Accessed(Access.READ, Name((name, *parts), line))
    if tables is None or any(len(parts) != 3 for parts in tables):
        detail = f"a query runs on the linked server {name}, whose default names are not known"
        yield NotUnderstood(UnresolvedReason.DYNAMIC, line, detail)
