"""On which server a SQL text in a program runs: follows a cursor back to what it was made from."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import replace

from swarm.lineage.code.effects import chain
from swarm.lineage.code.texts import holes, texts
from swarm.lineage.code.values import (
    Atom,
    Const,
    DictOf,
    External,
    Instance,
    ListOf,
    Made,
    Member,
    PathText,
    Value,
    of,
)
from swarm.lineage.text import CodeContext, SqlContext

PRIVATE = "private"
"""Namespace of a database that only lives inside the program: nobody else sees it."""
_DIALECTS = {
    "sqlite3": "sqlite",
    "aiosqlite": "sqlite",
    "sqlite": "sqlite",
    "duckdb": "duckdb",
    "psycopg2": "postgres",
    "psycopg": "postgres",
    "asyncpg": "postgres",
    "pyspark": "spark",
    "postgresql": "postgres",
    "postgres": "postgres",
    "mysql": "mysql",
    "pymysql": "mysql",
    "snowflake": "snowflake",
    "bigquery": "bigquery",
    "google": "bigquery",
    "trino": "trino",
    "redshift": "redshift",
    "clickhouse_connect": "clickhouse",
}
_IN_MEMORY = {
    ":memory:",
    "sqlite://",
    "sqlite:///:memory:",
    "duckdb:///:memory:",
    "sqlite+pysqlite://",
}
_MAX_DEPTH = 12


def server_of(value: Value, context: CodeContext) -> SqlContext:
    """The SQL context behind a connection, cursor, engine, hook or URL.

    A value that is found in `context.connections` wins over the name of a variable that is, and
    both over `context.default`.
    """
    clues = list(_clues(value, 0))
    parameters = {**context.parameters}
    for clue in clues:
        for text in texts(clue):
            for spelling in _spellings(text):
                if spelling in context.connections:
                    return _with(context.connections[spelling], parameters)
    for clue in clues:
        for name in (*(n for text in texts(clue) for n in holes(text)), *clue.names):
            if name in context.connections:
                return _with(context.connections[name], parameters)
    if _is_private(value):
        dialect = next((d for d in (_dialect(atom) for atom in value.atoms) if d), "")
        private = replace(context.default, default_catalog="", default_schema="")
        return replace(private, dialect=dialect, namespace=PRIVATE, parameters=parameters)
    return _with(_by_dialect(value, clues, context.default), parameters)


def is_configured(value: Value, context: CodeContext) -> bool:
    """Whether a connection of the settings is behind the value."""
    return any(
        spelling in context.connections
        for clue in _clues(value, 0)
        for text in texts(clue)
        for spelling in _spellings(text)
    )


def _with(found: SqlContext, parameters: Mapping[str, str]) -> SqlContext:
    return replace(found, parameters={**parameters, **found.parameters})


def _by_dialect(value: Value, clues: list[Value], default: SqlContext) -> SqlContext:
    """The default server, with the dialect of the library where the default has none."""
    if default.dialect:
        return default
    guess = next((d for d in (_dialect(atom) for atom in value.atoms) if d), "")
    urls = [text.split(":")[0].split("+")[0] for clue in clues for text in texts(clue)]
    guess = next((_DIALECTS[u] for u in urls if u in _DIALECTS), guess)
    return replace(default, dialect=guess)


def _dialect(atom: Atom) -> str:
    for link in chain(atom):
        if isinstance(link, External):
            package = link.name.split(".")[0]
            hook = re.search(r"(\w+)Hook$", link.name)
            word = hook.group(1).lower() if hook else package
            return _DIALECTS.get(word, "")
    return ""


def _is_private(value: Value) -> bool:
    """Whether every alternative is an in-memory database."""
    return all(_is_private_atom(atom) for atom in value.atoms)


def _is_private_atom(atom: Atom) -> bool:
    for link in chain(atom):
        match link:
            case Const(value=str() as text) if text in _IN_MEMORY:
                return True
            case Made(maker=External(name="duckdb.connect"), args=(), kwargs=kwargs):
                return "database" not in kwargs or set(texts(kwargs["database"])) <= _IN_MEMORY
            case Made(maker=External(), args=args, kwargs=kwargs) if args or kwargs:
                given = (*args, *kwargs.values())
                return any(set(texts(v)) <= _IN_MEMORY or _made_private(v) for v in given)
            case External(name=name):
                return name == "duckdb" or name.startswith(("duckdb.sql", "duckdb.query"))
            case _:
                continue
    return False


def _made_private(value: Value) -> bool:
    return all(isinstance(a, Made | Member) and _is_private_atom(a) for a in value.atoms)


def _clues(value: Value, depth: int) -> Iterator[Value]:
    """Everything that may say which server it is, nearest first."""
    if depth > _MAX_DEPTH:
        return
    plain = tuple(a for a in value.atoms if isinstance(a, Const | PathText))
    if plain or value.names:
        yield Value(plain or value.atoms, value.names)
    for atom in value.atoms:
        yield from _clues_of(atom, depth)


def _clues_of(atom: Atom, depth: int) -> Iterator[Value]:
    if isinstance(atom, External):
        yield of(Const(atom.name.rpartition(".")[2]))
    for value in _parts(atom):
        yield from _clues(value, depth + 1)


def _parts(atom: Atom) -> list[Value]:
    """The values an object was made from or holds."""
    match atom:
        case Member(owner=owner, owner_names=names):
            return [Value((owner,), names)]
        case Made(maker=Member(owner=owner, owner_names=names), args=args, kwargs=kwargs):
            return [Value((owner,), names), *args, *kwargs.values()]
        case Made(args=args, kwargs=kwargs):
            return [*args, *kwargs.values()]
        case Instance(members=members):
            return list(members.values())[:20]
        case DictOf(items=items):
            return list(items.values())[:20]
        case ListOf(items=listed):
            return listed[:20]
        case _:
            return []


def _spellings(text: str) -> Iterator[str]:
    """A database file may be written as a path or as a URL, with options behind."""
    yield text
    plain = text.partition("?")[0]
    yield plain
    path = plain
    for prefix in ("sqlite+pysqlite:///", "sqlite:///", "duckdb:///", "file:"):
        path = path.removeprefix(prefix)
    if path != plain:
        yield path
    elif path.startswith("/"):
        yield f"sqlite:///{path}"
        yield f"duckdb:///{path}"
