"""What well-known functions without effect give back.

`result` answers `None` for a call it does not know.
"""

import inspect
import posixpath
import textwrap
from collections.abc import Callable, Mapping

from swarm.lineage.code.call import Call
from swarm.lineage.code.container_methods import dict_method, list_method
from swarm.lineage.code.environment import ENVIRONMENT, environment
from swarm.lineage.code.paths import as_paths, joined_path, path_method
from swarm.lineage.code.text_methods import text_method
from swarm.lineage.code.texts import any_text, texts
from swarm.lineage.code.values import (
    Atom,
    Const,
    DictOf,
    External,
    ListOf,
    Made,
    Member,
    PathText,
    Plain,
    Value,
    const,
    elements,
    of,
    only,
)

_MAX_RANGE = 50


def result(call: Call, parameters: Mapping[str, str]) -> Value | None:
    """What the call gives back, or `None` when that is not known here."""
    function = call.function
    if isinstance(function, External):
        if function.name in ENVIRONMENT:
            return environment(call, parameters, soft=True)
        known = _FUNCTIONS.get(function.name)
        return known(call) if known else None
    if isinstance(function, Member):
        return _method(call, function, parameters)
    return None


def _method(call: Call, member: Member, parameters: Mapping[str, str]) -> Value | None:
    match member.owner:
        case Const(value=str() as text):
            return text_method(call, text)
        case PathText(text=text):
            return path_method(call, text)
        case ListOf() as listed:
            return list_method(call, listed)
        case DictOf() as items:
            return dict_method(call, items)
        case External(name=name) if f"{name}.{member.name}" in ENVIRONMENT:
            return environment(call, parameters, soft=True)
        case Made() if member.name == "as_string":  # psycopg's composed SQL
            return of(member.owner)
        case _:
            return None


def is_pure(function: Atom) -> bool:
    """Whether an external function is one of those here, without effect."""
    return isinstance(function, External) and function.name in _FUNCTIONS


def is_column(value: Value) -> bool:
    """Whether an attribute of a class is a column or relation of a table: those are read through
    the class, and `Orders.id` says more than what made it."""
    atom = only(value)
    return isinstance(atom, Made) and atom.maker in _COLUMNS


_COLUMNS = [
    External(f"{module}.{name}")
    for module in ("sqlalchemy", "sqlalchemy.orm", "sqlmodel")
    for name in ("Column", "mapped_column", "relationship", "Field", "Relationship")
]


def _same(call: Call) -> Value | None:
    return call.args[0] if call.args else next(iter(call.kwargs.values()), None)


def _text(call: Call) -> Value | None:
    return any_text(texts(call.args[0])) if call.args else const("")


def _path(call: Call) -> Value | None:
    if not call.args:
        return of(PathText("."))
    return as_paths(joined_path(call.args))


def _os_join(call: Call) -> Value | None:
    return joined_path(call.args) if call.args else None


def _per_text(change: Callable[[str], str]) -> Callable[[Call], Value | None]:
    def known(call: Call) -> Value | None:
        return any_text(change(t) for t in texts(call.args[0])) if call.args else None

    return known


def _list(call: Call) -> Value | None:
    if not call.args:
        return of(ListOf([]))
    found = elements(call.args[0])
    return None if found is None else of(ListOf(found))


def _dict(call: Call) -> Value | None:
    first = only(call.args[0]) if call.args else DictOf({})
    if not isinstance(first, DictOf):
        return None
    items: dict[Plain, Value] = dict(first.items)
    items.update(call.kwargs)
    return of(DictOf(items, first.is_open))


def _enumerate(call: Call) -> Value | None:
    found = elements(call.args[0]) if call.args else None
    if found is None:
        return None
    return of(ListOf([of(ListOf([const(i), item])) for i, item in enumerate(found)]))


def _zip(call: Call) -> Value | None:
    columns = [elements(arg) for arg in call.args]
    known = [column for column in columns if column is not None]
    if not known or len(known) != len(columns):
        return None
    return of(ListOf([of(ListOf(list(row))) for row in zip(*known, strict=False)]))


def _range(call: Call) -> Value | None:
    bounds = [only(arg) for arg in call.args]
    numbers = [b.value for b in bounds if isinstance(b, Const) and type(b.value) is int]
    if len(numbers) != len(call.args) or not 1 <= len(numbers) <= 3 or numbers[2:] == [0]:
        return None
    steps = range(*numbers)
    # len() of a huge range would overflow, so its bounds are looked at
    if any(abs(number) > _MAX_RANGE for number in numbers) or len(steps) > _MAX_RANGE:
        return None
    return of(ListOf([const(i) for i in steps]))


def _reversed(call: Call) -> Value | None:
    found = elements(call.args[0]) if call.args else None
    return None if found is None else of(ListOf(found[::-1]))


_FUNCTIONS: dict[str, Callable[[Call], Value | None]] = {
    "builtins.str": _text,
    "builtins.list": _list,
    "builtins.tuple": _list,
    "builtins.set": _list,
    "builtins.frozenset": _list,
    "builtins.sorted": _list,
    "builtins.iter": _list,
    "builtins.reversed": _reversed,
    "builtins.dict": _dict,
    "builtins.enumerate": _enumerate,
    "builtins.zip": _zip,
    "builtins.range": _range,
    "pathlib.Path": _path,
    "pathlib.PurePath": _path,
    "pathlib.PosixPath": _path,
    "pathlib.PurePosixPath": _path,
    "os.path.join": _os_join,
    "posixpath.join": _os_join,
    "os.path.dirname": _per_text(posixpath.dirname),
    "os.path.basename": _per_text(posixpath.basename),
    "os.path.normpath": _per_text(posixpath.normpath),
    "os.path.abspath": _per_text(posixpath.normpath),
    "os.path.realpath": _per_text(posixpath.normpath),
    "os.path.expanduser": _same,
    "os.path.expandvars": _same,
    "os.fspath": _text,
    "textwrap.dedent": _per_text(textwrap.dedent),
    "inspect.cleandoc": _per_text(inspect.cleandoc),
    "sqlalchemy.text": _same,
    "sqlalchemy.sql.text": _same,
    "sqlalchemy.sql.expression.text": _same,
    "sqlalchemy.sql.quoted_name": _same,
    "psycopg2.sql.SQL": _same,
    "psycopg2.sql.Identifier": _same,
    "psycopg.sql.SQL": _same,
    "psycopg.sql.Identifier": _same,
    "contextlib.closing": _same,
    "contextlib.nullcontext": _same,
    "copy.copy": _same,
    "copy.deepcopy": _same,
    "typing.cast": lambda call: call.args[1] if len(call.args) > 1 else None,
}
