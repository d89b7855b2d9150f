"""Rows that go between tables and files: COPY, EXPORT, LOAD DATA."""

from collections.abc import Iterator

from sqlglot import exp

from swarm.lineage.sql.create import paths_in
from swarm.lineage.sql.effects import Accessed, Effect, Name, NotUnderstood
from swarm.lineage.sql.names import name_of, position, table_of
from swarm.lineage.sql.tables import accesses
from swarm.model.lineage import Access, UnresolvedReason


def copy(tree: exp.Expression, dialect: str) -> Iterator[Effect]:
    inward = bool(tree.args.get("kind"))
    target = table_of(tree.this)
    files = list(_copied(_files(tree), dialect))
    if target is not None and isinstance(target.this, exp.Var | exp.Literal):
        name = name_of(target)  # Snowflake: COPY INTO @stage FROM table
        yield from files
        if name is not None:
            yield Accessed(Access.WRITE, name)
    elif target is not None:
        name = name_of(target)
        if name is not None:
            if inward:
                yield from files
            yield Accessed(Access.WRITE if inward else Access.READ, name)
    elif isinstance(tree.this, exp.Expression):
        yield from accesses(tree.this, dialect)
    if not inward:
        for effect in files:
            if isinstance(effect, Accessed):
                effect = Accessed(Access.WRITE, effect.name)
            yield effect


def _files(tree: exp.Expression) -> list[exp.Expression]:
    """The files copied: in Snowflake `FROM @stage/path FILES = ('a', 'b')` are two of them."""
    files = list(tree.args.get("files") or [])
    for option in tree.args.get("params") or []:
        if option.name.upper() == "FILES" and isinstance(option.expression, exp.Expression):
            names = [text.name for text in option.expression.find_all(exp.Literal)]
            return [_below(folder, name) for folder in files for name in names] or files
    return files


def _below(folder: exp.Expression, name: str) -> exp.Expression:
    """`folder/name`, in the place of `folder`."""
    inside = folder.this if isinstance(folder, exp.Table) else folder
    if not isinstance(inside, exp.Var | exp.Literal):
        return folder
    path = f"{inside.name.rstrip('/')}/{name}"
    if isinstance(inside, exp.Var):
        return exp.Table(this=exp.Var(this=path))
    return exp.Literal.string(path)


def _copied(files: list[exp.Expression], dialect: str) -> Iterator[Effect]:
    for item in files:
        if isinstance(item, exp.Identifier) and item.name.upper() == "PROGRAM":
            detail = "what the program does that rows are copied through is not in the text"
            yield NotUnderstood(UnresolvedReason.DYNAMIC, position(item)[0] or 1, detail)
        elif isinstance(item, exp.Literal) and item.is_string:
            yield Accessed(Access.READ, Name(line=position(item)[0], url=item.name))
        elif isinstance(item, exp.Table | exp.Subquery | exp.Query):
            yield from accesses(item, dialect)


def export(tree: exp.Expression, dialect: str) -> Iterator[Effect]:
    if isinstance(tree.this, exp.Expression):
        yield from accesses(tree.this, dialect)
    options = tree.args.get("options")
    if isinstance(options, exp.Properties):
        for path in paths_in(options.expressions, position(tree)[0]):
            yield Accessed(Access.WRITE, path)


def load(tree: exp.Expression, dialect: str) -> Iterator[Effect]:
    target = table_of(tree.this)
    name = name_of(target) if target is not None else None
    if name is None:
        return
    inpath = tree.args.get("inpath")
    if isinstance(inpath, exp.Literal):
        yield Accessed(Access.READ, Name(line=name.line, url=inpath.name))
    files = tree.args.get("files")
    if isinstance(files, exp.Properties):
        for path in paths_in(files.expressions, name.line):
            yield Accessed(Access.READ, path)
    yield Accessed(Access.WRITE, name)
