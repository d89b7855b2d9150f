"""Statements that SQLAlchemy builds, and the tables and mapped classes they are about.

A table is `Table("orders", metadata, schema="dwh")`, `table("orders")` or a class with
`__tablename__` or `__table__`; one of its columns, an alias or an object of the class stands for
it. A statement's target is a write, every other table in it a read. What only a comparison names
(`where(a.c.id == b.c.id)`) is not seen.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from swarm.lineage.code.call import Call
from swarm.lineage.code.effects import Effect, TouchesTable, chain, library, receiver
from swarm.lineage.code.texts import plain
from swarm.lineage.code.values import (
    Atom,
    Class,
    DictOf,
    External,
    Instance,
    ListOf,
    Made,
    Member,
    Value,
    elements,
    only,
    unknown,
)
from swarm.model.lineage import Access

_LIBRARIES = {"sqlalchemy", "sqlmodel"}
_VERBS = {"select", "insert", "update", "delete"}
_STORED = {"add", "merge", "delete", "add_all", "bulk_save_objects"}
_STORED |= {"bulk_insert_mappings", "bulk_update_mappings"}
_LOADED = {"query", "get", "get_one", "refresh"}
_JOINED = {"join", "outerjoin", "select_from", "union", "union_all", "filter", "where"}
_MAX_DEPTH = 40


@dataclass(frozen=True, slots=True)
class TableName:
    """A table as a program names it."""

    name: Value
    schema: Value | None = None


# --- tables ----------------------------------------------------------------------------------


def table_of(atom: Atom) -> TableName | None:
    """The table that a table, a mapped class, a column or an object stands for."""
    return next((found for link in chain(atom) if (found := _at(link)) is not None), None)


def _at(link: Atom) -> TableName | None:
    match link:
        case Made():
            return _of_table(link)
        case Class():
            return _of_class(link)
        case Instance(of=one):
            return _of_class(one)
        case _:
            return None


def _of_table(made: Made) -> TableName | None:
    maker = made.maker
    if not isinstance(maker, External) or library(maker) not in _LIBRARIES:
        return None
    if maker.name.rpartition(".")[2] not in {"Table", "table"}:
        return None
    name = made.args[0] if made.args else made.kwargs.get("name")
    if name is None:
        return None
    metadata = made.args[1] if len(made.args) > 1 else made.kwargs.get("metadata")
    return TableName(name, made.kwargs.get("schema") or _schema_of(metadata))


def _schema_of(metadata: Value | None) -> Value | None:
    """`MetaData(schema="dwh")` is what its tables use."""
    atom = only(metadata) if metadata is not None else None
    return atom.kwargs.get("schema") if isinstance(atom, Made) else None


def _of_class(one: Class) -> TableName | None:
    members: dict[str, Value] = {}
    for base in reversed(one.family()):
        members.update(base.members)
    inner = only(members["__table__"]) if "__table__" in members else None
    if isinstance(inner, Made):
        return _of_table(inner)
    name = members.get("__tablename__")
    if name is None:
        return None
    options = members.get("__table_args__")
    schema = _option(options, "schema") if options is not None else None
    return TableName(name, schema or _schema_of(members.get("metadata")))


def _option(given: Value, key: str) -> Value | None:
    """An entry of `__table_args__`: a dict, or a tuple that ends with one."""
    atom = only(given)
    if isinstance(atom, ListOf) and atom.items:
        atom = only(atom.items[-1])
    return atom.items.get(key) if isinstance(atom, DictOf) else None


def _named_in(value: Value, depth: int = 0) -> Iterator[TableName]:
    """Every table that a part of a statement names, those of inner statements too."""
    if depth == _MAX_DEPTH:  # a name that is not known is reported
        yield TableName(unknown(f"a statement that is nested more than {_MAX_DEPTH} deep"), None)
        return
    for atom in value.atoms:
        for link in chain(atom):
            found = _at(link)
            if found is not None:
                yield found
                break
            for part in _parts(link):
                yield from _named_in(part, depth + 1)


def _parts(atom: Atom) -> list[Value]:
    match atom:
        case Made(args=args, kwargs=kwargs):
            return [*args, *kwargs.values()]
        case ListOf(items=items):
            return items
        case DictOf(items=named):
            return list(named.values())
        case _:
            return []


# --- statements ------------------------------------------------------------------------------


def tables_of_statement(atom: Atom, server: Value) -> tuple[TouchesTable, ...]:
    """What `select(orders)`, `orders.insert().from_select(...)`, `select(Orders.id)` touch."""
    if isinstance(atom, Class):
        found = table_of(atom)
        return () if found is None else (_touch(Access.READ, found, server),)
    links = chain(atom)
    verb, target, at = _verb(links)
    if verb == "select":
        named = [name for link in links for part in _parts(link) for name in _named_in(part)]
        known = [target, *named] if target is not None else named
        return tuple(_touch(Access.READ, one, server) for one in known)
    if target is None:
        return ()
    parts = [part for link in links[:at] for part in _parts(link)]
    reads = [name for part in parts for name in _named_in(part) if name != target]
    written = _touch(Access.WRITE, target, server)
    return (written, *(_touch(Access.READ, one, server) for one in reads))


def _verb(links: list[Atom]) -> tuple[str, TableName | None, int]:
    """What a statement does, to which table, and where in the chain that stands."""
    for at, link in enumerate(links):
        maker = link.maker if isinstance(link, Made) else None
        if not isinstance(link, Made) or not isinstance(maker, External | Member):
            continue
        name = maker.name.rpartition(".")[2]
        if name not in _VERBS:
            continue
        if isinstance(maker, Member):
            target = table_of(maker.owner)
            if target is not None:
                return name, target, at
        elif library(maker) in _LIBRARIES:
            first = link.args[0] if link.args else None
            target = table_of(first.atoms[0]) if first is not None and name != "select" else None
            return name, target, at
    return "", None, 0


def _touch(access: Access, table: TableName, server: Value) -> TouchesTable:
    return TouchesTable(access, table.name, server, table.schema)


# --- sessions --------------------------------------------------------------------------------


def of_session(call: Call) -> tuple[Effect, ...]:
    """`session.add(Orders(...))`, `session.query(Orders).join(Customers)`, `.delete()`."""
    if not isinstance(call.function, Member) or isinstance(call.function.owner, ListOf | DictOf):
        return ()
    where = receiver(call)
    queried = _queried(call.function.owner)
    if queried and call.name in {"delete", "update"}:
        target = queried[0]
        return (TouchesTable(Access.WRITE, target.name, where, target.schema, True),)
    given = [table for arg in call.args for table in _given(arg)]
    if call.name in _STORED:
        return tuple(_touch(Access.WRITE, one, where) for one in given)
    if call.name in _LOADED or (queried and call.name in _JOINED):
        return tuple(_touch(Access.READ, one, where) for one in given)
    return ()


def _given(arg: Value) -> list[TableName]:
    inside = elements(arg)
    values = [arg] if inside is None else inside
    return [found for one in values for atom in one.atoms if (found := table_of(atom)) is not None]


def _queried(owner: Atom) -> list[TableName]:
    """The tables of the `query(...)` that a chain of calls started from."""
    for link in chain(owner):
        if isinstance(link, Made) and isinstance(link.maker, Member) and link.maker.name == "query":
            return [name for arg in link.args for name in _given(arg)]
    return []


def has_table(one: Class) -> bool:
    """Whether a class stands for a table, wherever its base is from."""
    found = _of_class(one)
    return found is not None and plain(found.name) is not None
