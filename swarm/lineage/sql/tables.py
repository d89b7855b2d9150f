"""The tables in a parsed statement: which are read, which are written, which are none at all.

A bare name that a `WITH` in scope defines is no table; neither is the path of a repeated column
(`FROM t, t.items`), a table function, a stage variable or a bind parameter.
"""

from collections.abc import Iterator
from dataclasses import replace

from sqlglot import exp

from swarm.lineage.sql.asked import asked
from swarm.lineage.sql.calls import called
from swarm.lineage.sql.dictionary import is_dictionary, is_of_dictionary
from swarm.lineage.sql.effects import Accessed, Effect, Name, NotUnderstood
from swarm.lineage.sql.functions import dictionary_reads, function_reads
from swarm.lineage.sql.names import name_of, position
from swarm.lineage.sql.statistics import is_statistics, statistics_reads
from swarm.lineage.sql.targets import joined, unsure_target, write_targets
from swarm.model.lineage import Access, UnresolvedReason

_RECURSIVE = frozenset({"tsql", "fabric", "oracle"})  # without the word: a UNION with itself
_ICEBERG = frozenset({"spark", "spark2", "databricks"})
# fmt: off
_METADATA = frozenset({
    "history", "snapshots", "files", "manifests", "partitions", "entries", "refs", "changes",
    "all_data_files", "all_files", "all_manifests", "all_entries", "metadata_log_entries",
    "data_files", "delete_files", "position_deletes",
})
# fmt: on
_IN_TABLE = frozenset({"clickhouse", "sqlite"})  # dialects with `x IN t`
_ARRAY_PATHS = frozenset({"", "bigquery", "redshift"})  # dialects with `FROM t, t.items`

# They hold names alone, and are two thirds of a tree.
_LEAVES = frozenset({exp.Column, exp.Identifier, exp.Literal, exp.Boolean, exp.Null, exp.Var})

_Scope = tuple[frozenset[str], frozenset[str]]  # names of WITH, names of tables around


def accesses(
    root: exp.Expression, dialect: str, hidden: frozenset[str] = frozenset()
) -> list[Effect]:
    """Every read and write below `root` in the order of the text. `hidden` are no tables."""
    found: list[tuple[int, int, Effect]] = []
    written: set[int] = set()  # ids of tables that are targets; the tree keeps them alive
    waiting: list[tuple[object, _Scope]] = [(root, (hidden, frozenset()))]
    while waiting:
        node, scope = waiting.pop()
        if isinstance(node, list):
            waiting.extend((item, scope) for item in node)
            continue
        if node.__class__ in _LEAVES or not isinstance(node, exp.Expression):
            continue
        scope, children = _with_scope(node, scope, dialect)
        waiting.extend(children)
        targets = write_targets(node)
        written.update(id(target) for target in targets)
        for target in targets:
            effect = _access(target, Access.WRITE, scope, dialect)
            if effect is not None:
                removes = isinstance(node, exp.Delete | exp.TruncateTable)
                found.append((*position(target), replace(effect, removes=removes)))
                if _hands_on(node):
                    found.append((*position(target), replace(effect, access=Access.READ)))
        found.extend((*position(node), effect) for effect in _special(node, dialect))
        table = _table_after_in(node) if dialect in _IN_TABLE else _table_given(node)
        if table is not None:
            found.extend((*position(table), effect) for effect in _read(table, scope, dialect))
        if isinstance(node, exp.Table) and id(node) not in written:
            found.extend((*position(node), effect) for effect in _read(node, scope, dialect))
        waiting.extend(_below(node, scope, targets))
    found.sort(key=lambda item: item[:2])
    return [effect for _, _, effect in found]


def _hands_on(node: exp.Expression) -> bool:
    """`WITH moved AS (DELETE FROM q RETURNING *)`: the statement around gets the rows of `q`."""
    is_change = isinstance(node, exp.Delete | exp.Update)
    return is_change and bool(node.args.get("returning")) and isinstance(node.parent, exp.CTE)


def _special(node: exp.Expression, dialect: str) -> Iterator[Effect]:
    """Snowflake's TABLE('a.b'), ClickHouse's INSERT INTO FUNCTION s3(...), statistics, calls."""
    if isinstance(node, exp.TableFromRows) and isinstance(node.this, exp.Literal):
        yield Accessed(Access.READ, Name(tuple(node.this.name.split(".")), position(node)[0]))
    elif isinstance(node, exp.TableFromRows) and isinstance(node.this, exp.Anonymous):
        yield from function_reads(exp.Table(this=node.this), dialect)
    if dialect == "clickhouse":
        yield from dictionary_reads(node)
    if dialect == "mysql" and isinstance(node, exp.Update):
        yield from unsure_target(node)
    if isinstance(node, exp.Insert) and isinstance(node.this, exp.Func):
        for effect in function_reads(exp.Table(this=node.this), dialect):
            if isinstance(effect, Accessed):
                effect = Accessed(Access.WRITE, effect.name)
            yield effect
    if isinstance(node, exp.Select):
        yield from statistics_reads(node, position(node)[0])
        yield from _without_from(node)
    if isinstance(node, exp.Anonymous):
        yield from called(node)
        yield from asked(node, dialect)


def _without_from(node: exp.Select) -> Iterator[NotUnderstood]:
    """`SELECT * a, LATERAL FLATTEN(x)`: what is joined says that a FROM is missing."""
    laterals = node.args.get("laterals") or []
    is_joined = node.args.get("joins") or any(not one.args.get("view") for one in laterals)
    if is_joined and node.args.get("from_") is None:
        detail = "tables are joined and there is no FROM"
        yield NotUnderstood(UnresolvedReason.SYNTAX, position(node)[0], detail)


def _table_after_in(node: exp.Expression) -> exp.Table | None:
    """ClickHouse, SQLite: `x IN db.t` is `x IN (SELECT * FROM db.t)`."""
    field = node.args.get("field") if isinstance(node, exp.In) else None
    return _as_table(field)


def _table_given(node: exp.Expression) -> exp.Table | None:
    """`f(TABLE(db.t))`: a table is handed to a function. `FROM TABLE(x)` is a collection."""
    is_call = isinstance(node, exp.Anonymous) and node.name.upper() == "TABLE"
    if not (is_call or isinstance(node, exp.TableFromRows)) or isinstance(node.parent, exp.Table):
        return None
    if isinstance(node, exp.TableFromRows):
        return _as_table(node.this) if isinstance(node.parent, exp.Func | exp.Kwarg) else None
    return _as_table(node.expressions[0]) if len(node.expressions) == 1 else None


def _as_table(node: object) -> exp.Table | None:
    """The table whose name was taken for that of a column."""
    if not isinstance(node, exp.Column):
        return None
    this, db, catalog = [*reversed([part.copy() for part in node.parts]), None, None][:3]
    return exp.Table(this=this, db=db, catalog=catalog)


def _with_scope(
    node: exp.Expression, scope: _Scope, dialect: str
) -> tuple[_Scope, list[tuple[object, _Scope]]]:
    """The scope inside of `node`, and its common table expressions with theirs."""
    clause = node.args.get("with_")
    if not isinstance(clause, exp.With):
        return scope, []
    names, around = scope
    inner: list[tuple[object, _Scope]] = []
    own = frozenset(cte.alias.casefold() for cte in clause.expressions)
    recursive = bool(clause.args.get("recursive"))
    visible = names | own if recursive else names
    for cte in clause.expressions:
        alias = cte.alias.casefold()
        is_recursive = dialect in _RECURSIVE and isinstance(cte.this, exp.SetOperation)
        inner.append((cte.this, (visible | {alias} if is_recursive else visible, around)))
        visible = visible | {alias}
    return (visible, around), inner


def _below(
    node: exp.Expression, scope: _Scope, targets: list[exp.Expression]
) -> Iterator[tuple[object, _Scope]]:
    if isinstance(node, exp.Select):
        yield from _select_children(node, scope)
        return
    if isinstance(node, exp.Lock | exp.NextValueFor):  # FOR UPDATE OF alias, a sequence
        return
    skipped = {"with_"}
    if isinstance(node, exp.Delete):
        skipped.add("tables")
    is_alias = isinstance(node, exp.Update) and all(t is not node.this for t in targets)
    if is_alias and targets and not joined(node.this):
        skipped.add("this")  # it stands for a table in FROM
    yield from ((value, scope) for key, value in node.args.items() if key not in skipped)


def _select_children(node: exp.Select, scope: _Scope) -> Iterator[tuple[object, _Scope]]:
    """Sources see the tables before them, everything else sees all tables of the FROM."""
    names, around = scope
    source = node.args.get("from_")
    first = [source] if isinstance(source, exp.Expression) else []
    sources = [*first, *(node.args.get("joins") or []), *(node.args.get("laterals") or [])]
    for part in sources:
        yield part, (names, around)
        table = part.this
        if isinstance(table, exp.Expression):
            around = around | {name.casefold() for name in _visible(table)}
    for key, value in node.args.items():
        if key not in ("with_", "from_", "joins", "laterals", "into"):
            yield value, (names, around)


def _visible(source: exp.Expression) -> list[str]:
    """The name that columns of `source` are addressed by."""
    if isinstance(source, exp.Unnest):  # BigQuery: the alias names the element
        alias = source.args.get("alias")
        return (
            [column.name for column in alias.columns] if isinstance(alias, exp.TableAlias) else []
        )
    return [source.alias_or_name]


def _read(table: exp.Table, scope: _Scope, dialect: str) -> Iterator[Effect]:
    function = table.this
    if isinstance(function, exp.Func) and not isinstance(function, exp.DynamicIdentifier):
        yield from function_reads(table, dialect)
        return
    if is_statistics(table):  # what it is asked about is read, not the view
        return
    effect = _access(table, Access.READ, scope, dialect)
    if effect is not None:
        yield effect


def _access(node: exp.Expression, access: Access, scope: _Scope, dialect: str) -> Accessed | None:
    if isinstance(node, exp.Directory):
        return Accessed(access, Name(line=position(node)[0], url=node.name))
    if not isinstance(node, exp.Table):
        return None
    name = name_of(node)
    if name is not None and dialect in _ICEBERG and _tells_about(name.parts):
        name = replace(name, parts=name.parts[:-1])
    if name is None or (not name.url and _is_no_dataset(name.parts, access, scope, dialect)):
        return None
    return Accessed(access, name)


def _tells_about(parts: tuple[str, ...]) -> bool:
    """Iceberg in Spark: `catalog.db.t.snapshots`, `catalog.db.t.branch_x` are about the table."""
    last = parts[-1].casefold() if len(parts) > 3 else ""
    return last in _METADATA or last.startswith(("branch_", "tag_"))


def _is_no_dataset(parts: tuple[str, ...], access: Access, scope: _Scope, dialect: str) -> bool:
    names, around = scope
    folded = [part.casefold() for part in parts]
    if is_dictionary(folded, dialect):
        return True
    if len(folded) == 1:
        return folded[0] in names or (folded[0] == "dual" and access is Access.READ)
    if access is Access.WRITE:
        return False
    is_array = folded[0] in around and dialect in _ARRAY_PATHS
    return is_array or is_of_dictionary(folded, dialect)
