"""The tables in a parsed statement: which are read, which are written, which are none at all.

A bare name that a `WITH` in scope defines is no table; neither is the path of a repeated column
(`FROM t, t.items`), a table function, a stage variable or a bind parameter.
"""

from collections.abc import Iterator

from sqlglot import exp

from swarm.lineage.sql_effects import Accessed, Effect, Name, NotUnderstood
from swarm.model.lineage import Access, UnresolvedReason

# fmt: off
_FILE_FUNCTIONS = frozenset({
    "read_csv", "read_csv_auto", "read_parquet", "parquet_scan", "read_json", "read_json_auto",
    "read_ndjson", "read_text", "read_blob", "iceberg_scan", "delta_scan", "read_files", "s3",
    "s3cluster", "gcs", "hdfs", "file", "url", "openrowset", "read_xlsx",
})
_FORMATS = frozenset({
    "parquet", "csv", "json", "orc", "avro", "delta", "text", "iceberg", "binaryfile",
})
# fmt: on
_FILE_ENDINGS = (".csv", ".tsv", ".parquet", ".json", ".jsonl", ".ndjson", ".gz", ".zst", ".xlsx")
_CATALOG_SCHEMAS = frozenset({"information_schema", "pg_catalog", "sys", "mysql", "system"})
_ARRAY_PATHS = frozenset({"", "bigquery", "redshift"})  # dialects with `FROM t, t.items`

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
        if not isinstance(node, exp.Expression):
            continue
        scope, children = _with_scope(node, scope)
        waiting.extend(children)
        targets = write_targets(node)
        written.update(id(target) for target in targets)
        for target in targets:
            effect = _access(target, Access.WRITE, scope, dialect)
            if effect is not None:
                found.append((*position(target), effect))
        found.extend((*position(node), effect) for effect in _special(node))
        if isinstance(node, exp.Table) and id(node) not in written:
            found.extend((*position(node), effect) for effect in _read(node, scope, dialect))
        waiting.extend(_below(node, scope, targets))
    found.sort(key=lambda item: item[:2])
    return [effect for _, _, effect in found]


def _special(node: exp.Expression) -> Iterator[Effect]:
    """Snowflake's TABLE('a.b'), and ClickHouse's INSERT INTO FUNCTION s3(...)."""
    if isinstance(node, exp.TableFromRows) and isinstance(node.this, exp.Literal):
        yield Accessed(Access.READ, Name(tuple(node.this.name.split(".")), position(node)[0]))
    if isinstance(node, exp.Insert) and isinstance(node.this, exp.Func):
        for effect in _function_reads(node.this):
            if isinstance(effect, Accessed):
                effect = Accessed(Access.WRITE, effect.name)
            yield effect


def position(node: exp.Expression) -> tuple[int, int]:
    """(line, character) of the first name below `node`, zeros where nothing has a position."""
    for below in node.walk():
        line = below.meta.get("line")
        if line is not None:
            return int(line), int(below.meta.get("start", 0))
    return 0, 0


def table_of(node: object) -> exp.Table | None:
    """The table of a statement's target, inside of a column list or not."""
    if isinstance(node, exp.Schema):
        node = node.this
    return node if isinstance(node, exp.Table) else None


def write_targets(node: exp.Expression) -> list[exp.Expression]:
    """The tables and directories that `node` itself writes, not what is nested in it."""
    if isinstance(node, exp.Insert):
        target = table_of(node.this)
        if target is None and isinstance(node.this, exp.Directory):
            return [node.this]
        return [target] if target is not None else []
    if isinstance(node, exp.Merge):
        return [_behind(node, node.this)] if isinstance(node.this, exp.Table) else []
    if isinstance(node, exp.Update):
        return _update_targets(node)
    if isinstance(node, exp.Delete):
        return _delete_targets(node)
    if isinstance(node, exp.TruncateTable):
        return [table for table in node.expressions if isinstance(table, exp.Table)]
    return []


def _update_targets(node: exp.Update) -> list[exp.Expression]:
    target = node.this
    if not isinstance(target, exp.Table):
        return []
    around = [target, *_joined(target)]
    source = node.args.get("from_")
    if isinstance(source, exp.From) and isinstance(source.this, exp.Table):
        inside = [source.this, *_joined(source.this)]
        return [_aliased(target, inside) or _behind(node, target)]
    if len(around) > 1:  # MySQL: the tables of the columns that are set
        names = {
            item.this.table.casefold()
            for item in node.expressions
            if isinstance(item, exp.EQ) and isinstance(item.this, exp.Column) and item.this.table
        }
        written: list[exp.Expression] = [t for t in around if t.alias_or_name.casefold() in names]
        return written or [target]
    return [_behind(node, target)]


def _delete_targets(node: exp.Delete) -> list[exp.Expression]:
    source = node.this
    named = [table for table in node.args.get("tables") or () if isinstance(table, exp.Table)]
    if not isinstance(source, exp.Table):
        return list(named)
    inside = [source, *_joined(source)]
    using = node.args.get("using") or []
    inside += [table for table in using if isinstance(table, exp.Table)] if named else []
    return [_aliased(name, inside) or name for name in named] or [_behind(node, source)]


def _behind(node: exp.Expression, target: exp.Table) -> exp.Table:
    """T-SQL changes a table through a WITH that selects from it: the table, else `target`."""
    clause = node.args.get("with_")
    for cte in clause.expressions if isinstance(clause, exp.With) else []:
        source = cte.this.args.get("from_") if cte.alias == target.name and not target.db else None
        if isinstance(source, exp.From) and isinstance(source.this, exp.Table):
            return source.this
    return target


def _joined(table: exp.Table) -> list[exp.Table]:
    joins = table.args.get("joins") or []
    return [join.this for join in joins if isinstance(join.this, exp.Table)]


def _aliased(target: exp.Table, tables: list[exp.Table]) -> exp.Table | None:
    """The table in a FROM that `target` stands for: by alias, or by being the same table."""
    for table in tables:
        if not target.db and table.alias.casefold() == target.name.casefold():
            return table
    for table in tables:
        same = [p.name.casefold() for p in table.parts] == [p.name.casefold() for p in target.parts]
        if same and not table.alias:
            return table
    return None


def _with_scope(node: exp.Expression, scope: _Scope) -> tuple[_Scope, list[tuple[object, _Scope]]]:
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
        inner.append((cte.this, (visible, around)))
        visible = visible | {cte.alias.casefold()}
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
    if is_alias and targets and not _joined(node.this):
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
        yield from _function_reads(function)
        return
    effect = _access(table, Access.READ, scope, dialect)
    if effect is not None:
        yield effect


def _function_reads(function: exp.Func) -> Iterator[Effect]:
    name = (function.name if isinstance(function, exp.Anonymous) else function.key).casefold()
    line = position(function)[0]
    if name.replace("_", "") in {known.replace("_", "") for known in _FILE_FUNCTIONS}:
        first = next((a for a in (function.this, *function.expressions) if _is_node(a)), None)
        literals = [first] if isinstance(first, exp.Literal) else []
        if isinstance(first, exp.Array | exp.Tuple | exp.Paren):
            literals = list(first.find_all(exp.Literal))
        paths = [literal.name for literal in literals if literal.is_string]
        for path in paths:
            yield Accessed(Access.READ, Name(line=line, url=path))
        if not paths:
            yield NotUnderstood(
                UnresolvedReason.DYNAMIC, line, f"the path given to {name} is not a constant"
            )


def _is_node(value: object) -> bool:
    return isinstance(value, exp.Expression)


def _access(node: exp.Expression, access: Access, scope: _Scope, dialect: str) -> Effect | None:
    if isinstance(node, exp.Directory):
        return Accessed(access, Name(line=position(node)[0], url=node.name))
    if not isinstance(node, exp.Table):
        return None
    name = name_of(node)
    if name is None or (not name.url and _is_no_dataset(name.parts, access, scope, dialect)):
        return None
    return Accessed(access, name)


def _is_no_dataset(parts: tuple[str, ...], access: Access, scope: _Scope, dialect: str) -> bool:
    names, around = scope
    folded = [part.casefold() for part in parts]
    if folded[-1].startswith("information_schema."):
        return True
    if len(folded) == 1:
        return folded[0] in names or (folded[0] == "dual" and access is Access.READ)
    if access is Access.WRITE:
        return False
    is_array = folded[0] in around and dialect in _ARRAY_PATHS
    return is_array or any(part in _CATALOG_SCHEMAS for part in folded[:-1])


def name_of(table: exp.Table) -> Name | None:
    """The name of `table`, None where it has none (a function)."""
    line, this = position(table)[0], table.this
    if isinstance(this, exp.DynamicIdentifier):  # Snowflake: IDENTIFIER('a.b'), IDENTIFIER($a)
        if isinstance(this.this, exp.Literal):
            return Name(tuple(this.this.name.split(".")), line)
        return Name((":" + this.this.name,), line, bound=True)
    if isinstance(this, exp.Parameter):
        return Name(("@" + this.name,), line, local=True)
    if isinstance(this, exp.Literal):
        return Name(line=line, url=this.name)
    if isinstance(this, exp.Var):
        return Name(line=line, url=this.name) if this.name.startswith("@") else None
    if isinstance(this, exp.Identifier | exp.Dot | exp.Placeholder):
        return _plain_name(table, line)
    return None


def _plain_name(table: exp.Table, line: int) -> Name:
    this = table.this
    written = [p for p in (table.args.get("catalog"), table.args.get("db")) if p is not None]
    tail = list(this.flatten()) if isinstance(this, exp.Dot) else [this]
    nodes = [*written, *tail]
    parts = tuple(_part(node) for node in nodes)
    if any(isinstance(node, exp.Placeholder) for node in nodes):
        return Name(parts, line, bound=True)
    if len(parts) == 2 and parts[0].casefold() in _FORMATS and "/" in parts[1]:
        return Name(line=line, url=parts[1])
    if len(parts) == 1 and _is_file(this):
        return Name(line=line, url=parts[0])
    if isinstance(this, exp.Identifier) and this.args.get("temporary"):
        return Name(("#" + parts[-1],), line, local=True)
    return Name(parts, line, local=parts[-1].startswith("#"))


def _part(node: object) -> str:
    if isinstance(node, exp.Placeholder):
        return ":" + (node.name or "?")
    return str(node.name) if isinstance(node, exp.Expression) else ""


def _is_file(this: exp.Expression) -> bool:
    quoted = isinstance(this, exp.Identifier) and bool(this.args.get("quoted"))
    text = this.name.casefold()
    return quoted and ("/" in text or text.endswith(_FILE_ENDINGS))
