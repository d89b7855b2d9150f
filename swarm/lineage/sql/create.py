"""CREATE of a table or view: what it is made from, what reading it reads, how long it lives."""

from collections.abc import Iterator, Sequence

from sqlglot import exp

from swarm.lineage.sql.effects import (
    Accessed,
    Called,
    Created,
    Defined,
    Effect,
    Name,
    NotUnderstood,
)
from swarm.lineage.sql.foreign import foreign_table
from swarm.lineage.sql.names import name_of, position, table_of
from swarm.lineage.sql.tables import accesses
from swarm.model.lineage import Access, UnresolvedReason

_PATH_OPTIONS = frozenset({"path", "location", "uri", "uris", "external_location"})


def create(tree: exp.Expression, dialect: str) -> Iterator[Effect]:
    kind = str(tree.args.get("kind") or "").upper()
    target = table_of(tree.this)
    if target is None or kind not in ("TABLE", "VIEW", "MODEL"):
        return
    name = name_of(target)
    if name is None:
        return
    traits = _properties(tree)
    inner = _parts(tree, dialect)
    reads = tuple(e.name for e in inner if isinstance(e, Accessed) and e.access is Access.READ)
    temporary = name.local or any(_is_temporary(trait) for trait in traits)
    if kind == "VIEW" and any(isinstance(trait, exp.GlobalProperty) for trait in traits):  # Spark
        name, temporary = Name(("global_temp", name.parts[-1]), name.line), True
    foreign = foreign_table(traits, position(target)[0])
    if isinstance(foreign, NotUnderstood):
        yield foreign
    paths: tuple[Name, ...] = (foreign,) if isinstance(foreign, Name) else ()
    if inner or not any(map(_is_iceberg, traits)):  # Athena: such files are the table's own
        paths = paths or tuple(paths_in(traits, position(target)[0]))
    if kind == "VIEW" and not temporary:
        yield from _create_view(name, reads, inner, traits)
    elif paths and not any(isinstance(effect, Accessed) for effect in inner):
        if temporary:
            yield Created(name, temporary=True)
            yield from (Accessed(Access.READ, path) for path in paths)
        else:
            yield Defined(name, paths)
    elif inner or temporary or not tree.args.get("exists"):
        yield from inner
        yield from _prepared(traits, name.line)
        yield Created(name, temporary)
        yield Accessed(Access.WRITE, name)
        yield from (Accessed(Access.WRITE, path) for path in paths)


def _create_view(
    name: Name, reads: tuple[Name, ...], inner: list[Effect], traits: list[exp.Expression]
) -> Iterator[Effect]:
    target = next((t.this for t in traits if isinstance(t, exp.ToTableProperty)), None)
    fed = name_of(target) if isinstance(target, exp.Table) else None
    if any(isinstance(trait, exp.MaterializedProperty) for trait in traits) and fed is None:
        yield from inner  # its query runs now
    else:
        yield from (effect for effect in inner if isinstance(effect, NotUnderstood))
    yield Created(name, temporary=False)
    yield Accessed(Access.WRITE, name)
    yield Defined(name, reads)
    if fed is not None:
        yield Defined(fed, reads)


def _parts(tree: exp.Expression, dialect: str) -> list[Effect]:
    """What the query, the clone and the common table expressions of a CREATE read and write."""
    query, clone = tree.args.get("expression"), tree.args.get("clone")
    names: frozenset[str] = frozenset()
    found: list[Effect] = []
    clause = tree.args.get("with_")
    if isinstance(clause, exp.With):
        names = frozenset(cte.alias.casefold() for cte in clause.expressions)
        found += accesses(clause, dialect, names)
    for part in (query, clone):
        if isinstance(part, exp.Expression):
            found += accesses(part, dialect, names)
    return found


def made(target: exp.Table, *, temporary: bool) -> Iterator[Effect]:
    name = name_of(target)
    if name is not None:
        yield Created(name, temporary or name.local)
        yield Accessed(Access.WRITE, name)


def cache(tree: exp.Expression, dialect: str) -> Iterator[Effect]:
    target = table_of(tree.this)
    query = tree.args.get("expression")
    if target is not None and isinstance(query, exp.Expression):
        yield from accesses(query, dialect)
        yield from made(target, temporary=True)


def _is_iceberg(trait: exp.Expression) -> bool:
    is_kind = isinstance(trait, exp.Property) and trait.name.casefold() == "table_type"
    return is_kind and trait.text("value").casefold() == "iceberg"


def _prepared(traits: Sequence[exp.Expression], line: int) -> Iterator[Effect]:
    """PostgreSQL: CREATE TABLE t AS EXECUTE q."""
    for trait in traits:
        if isinstance(trait, exp.ExecuteAsProperty):
            detail = f"runs a statement that was prepared elsewhere: {trait.name}"
            problem = NotUnderstood(UnresolvedReason.DYNAMIC, line, detail)
            yield Called(Name((trait.name,), line), problem)


def _is_temporary(trait: exp.Expression) -> bool:
    """Not Oracle's GLOBAL TEMPORARY: its rows are one session's, but the table stays."""
    if isinstance(trait, exp.TemporaryProperty):
        return str(trait.args.get("this") or "").upper() != "GLOBAL"
    return isinstance(trait, exp.VolatileProperty)


def _properties(tree: exp.Expression) -> list[exp.Expression]:
    properties = tree.args.get("properties")
    return list(properties.expressions) if isinstance(properties, exp.Properties) else []


def paths_in(traits: Sequence[exp.Expression], line: int) -> Iterator[Name]:
    """The files below an external table."""
    for trait in traits:
        options = trait.expressions if isinstance(trait, exp.OptionsProperty) else [trait]
        for option in options:
            is_path = isinstance(option, exp.LocationProperty) or (
                isinstance(option, exp.Property) and option.name.casefold() in _PATH_OPTIONS
            )
            place = option.this if isinstance(option, exp.LocationProperty) else None
            if isinstance(place, exp.Var) and place.name.startswith("@"):  # Snowflake: a stage
                yield Name(line=line, url=place.name)
            elif is_path:
                literals = option.find_all(exp.Literal)
                yield from (Name(line=line, url=text.name) for text in literals if text.is_string)
