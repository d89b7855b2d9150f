"""Which tables of a statement are its targets, also where they are named by an alias."""

from collections.abc import Iterator

from sqlglot import exp

from swarm.lineage.sql.effects import NotUnderstood
from swarm.lineage.sql.names import position, table_of
from swarm.model.lineage import UnresolvedReason


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
    around = [target, *joined(target)]
    source = node.args.get("from_")
    if isinstance(source, exp.From) and isinstance(source.this, exp.Table):
        inside = [source.this, *joined(source.this)]
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


def unsure_target(node: exp.Update) -> Iterator[NotUnderstood]:
    """MySQL: a column without its table, set in a join, may be of any of the tables."""
    if not isinstance(node.this, exp.Table) or not joined(node.this):
        return
    for item in node.expressions:
        column = item.this if isinstance(item, exp.EQ) else None
        if isinstance(column, exp.Column) and not column.table:
            detail = f"which of the joined tables has the column {column.name} is not known"
            yield NotUnderstood(UnresolvedReason.DYNAMIC, position(column)[0], detail)


def _delete_targets(node: exp.Delete) -> list[exp.Expression]:
    source = node.this
    named = [table for table in node.args.get("tables") or () if isinstance(table, exp.Table)]
    if not isinstance(source, exp.Table):
        return list(named)
    inside = [source, *joined(source)]
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


def joined(table: exp.Table) -> list[exp.Table]:
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
