"""What well-known functions give back: text methods, paths, the environment, copies of lists.

Only functions without effect. `result` answers `None` for a call it does not know.
"""

import inspect
import posixpath
import re
import string
import textwrap
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from swarm.lineage.code_values import (
    MAX_ALTERNATIVES,
    MAX_TEXT,
    Atom,
    Const,
    DictOf,
    External,
    ListOf,
    Made,
    Member,
    PathText,
    Plain,
    Unknown,
    Value,
    any_text,
    combine,
    const,
    elements,
    holes,
    is_text,
    join,
    label,
    of,
    only,
    plain,
    texts,
    unknown,
)

_MAX_RANGE = 50


@dataclass(frozen=True, slots=True)
class Call:
    """A call to something that is not part of the program; `place` is `file:line`."""

    function: Atom
    args: tuple[Value, ...]
    kwargs: Mapping[str, Value]
    place: str
    module: str = ""
    source: str = ""
    in_scope: Callable[[str], Value | None] = field(default=lambda name: None)

    @property
    def name(self) -> str:
        """The last part of the function's name."""
        if isinstance(self.function, External):
            return self.function.name.rpartition(".")[2]
        return self.function.name if isinstance(self.function, Member) else ""

    def argument(self, position: int, *keywords: str) -> Value | None:
        """An argument by its position (-1: keyword only) or one of its keywords."""
        for keyword in keywords:
            if keyword in self.kwargs:
                return self.kwargs[keyword]
        return self.args[position] if 0 <= position < len(self.args) else None


def result(call: Call, parameters: Mapping[str, str]) -> Value | None:
    """What the call gives back, or `None` when that is not known here."""
    function = call.function
    if isinstance(function, External):
        if function.name in _ENVIRONMENT:
            return environment(call, parameters, soft=True)
        known = _FUNCTIONS.get(function.name)
        return known(call) if known else None
    if isinstance(function, Member):
        return _method(call, function, parameters)
    return None


def is_known(function: Atom) -> bool:
    """Whether an external function is one of those here, without effect."""
    return isinstance(function, External) and function.name in _FUNCTIONS


def environment(call: Call, parameters: Mapping[str, str], soft: bool) -> Value | None:
    """A variable of the environment: as told, else the program's own default."""
    key = call.argument(0, "key")
    name = plain(key) if key else None
    if name is None:
        return unknown("environment variable")
    if name in parameters:
        return Value((Const(parameters[name]),), (name,))
    default = call.argument(1, "default", "default_var")
    if default is None:
        return Value((Const(None),), (name,), soft)
    return Value(default.atoms, (name, *default.names), soft)


_ENVIRONMENT = {
    "os.environ.get",
    "os.getenv",
    "os.environ.setdefault",
    "airflow.models.Variable.get",
    "airflow.models.variable.Variable.get",
    "airflow.sdk.Variable.get",
    "prefect.variables.Variable.get",
}


# --- functions by their full name ------------------------------------------------------------


def _same(call: Call) -> Value | None:
    return call.args[0] if call.args else next(iter(call.kwargs.values()), None)


def _text(call: Call) -> Value | None:
    return any_text(texts(call.args[0])) if call.args else const("")


def _path(call: Call) -> Value | None:
    if not call.args:
        return of(PathText("."))
    return as_paths(_joined_path(call.args))


def as_paths(value: Value) -> Value:
    """The texts of a value as `pathlib` paths."""
    atoms: list[Atom] = []
    for atom in value.atoms:
        if isinstance(atom, Const) and isinstance(atom.value, str):
            atoms.append(PathText(posixpath.normpath(atom.value)))
        else:
            atoms.append(atom)
    return Value(tuple(atoms), value.names)


def _joined_path(parts: tuple[Value, ...]) -> Value:
    found = parts[0] if is_text(parts[0]) else any_text(texts(parts[0]))
    for part in parts[1:]:
        found = join_path(found, part)
    return found


def join_path(left: Value, right: Value) -> Value:
    """`left / right`; an absolute right side wins, as it does at run time."""
    lefts, rights = texts(left), texts(right)
    if len(lefts) * len(rights) > MAX_ALTERNATIVES:
        return unknown("one of too many paths")
    return any_text(posixpath.join(a, b) for a in lefts for b in rights)


def _os_join(call: Call) -> Value | None:
    return _joined_path(call.args) if call.args else None


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


# --- methods of texts, paths, lists and dicts ------------------------------------------------


def _method(call: Call, member: Member, parameters: Mapping[str, str]) -> Value | None:
    match member.owner:
        case Const(value=str() as text):
            return _text_method(call, text)
        case PathText(text=text):
            return _path_method(call, text)
        case ListOf() as listed:
            return _list_method(call, listed)
        case DictOf() as items:
            return _dict_method(call, items)
        case External(name=name) if f"{name}.{member.name}" in _ENVIRONMENT:
            return environment(call, parameters, soft=True)
        case Made() if member.name == "as_string":  # psycopg's composed SQL
            return of(member.owner)
        case _:
            return None


_TRIMS: dict[str, Callable[[str], str]] = {
    "strip": str.strip,
    "lstrip": str.lstrip,
    "rstrip": str.rstrip,
    "lower": str.lower,
    "upper": str.upper,
    "title": str.title,
    "capitalize": str.capitalize,
    "encode": str,
    "expandtabs": str,
    "as_posix": str,
    "as_string": str,
}


def _text_method(call: Call, text: str) -> Value | None:
    if call.name in _TRIMS and not call.args:
        return any_text([_TRIMS[call.name](text)])
    if call.name in {"format", "format_map"}:
        return _format(text, call)
    if call.name == "join" and call.args:
        parts = elements(call.args[0])
        return unknown(label(call.args[0])) if parts is None else combine(parts, text)
    if call.name == "bindparams":
        return const(text)
    return _text_arguments(call, text)


def _text_arguments(call: Call, text: str) -> Value | None:
    given = [plain(arg) for arg in call.args]
    words = [word for word in given if word is not None]
    if len(words) != len(given) or call.kwargs:
        return None
    match call.name, words:
        case "replace", [old, new] if old and len(text) * (len(new) + 1) <= MAX_TEXT:
            return any_text([text.replace(old, new)])
        case (("strip" | "rstrip" | "lstrip"), [chars]):
            return const(getattr(text, call.name)(chars))
        case "removeprefix", [prefix]:
            return const(text.removeprefix(prefix))
        case "removesuffix", [suffix]:
            return const(text.removesuffix(suffix))
        case "startswith", [prefix] if not holes(text):
            return const(text.startswith(prefix))
        case "endswith", [suffix] if not holes(text):
            return const(text.endswith(suffix))
        case (("split" | "splitlines"), [] | [_]) if words != [""]:
            return of(ListOf([const(part) for part in getattr(text, call.name)(*words)]))
        case _:
            return None


def _format(text: str, call: Call) -> Value:
    """`str.format` without its field widths: those could make a text of any size."""
    named: dict[str, Value] = dict(call.kwargs)
    if call.name == "format_map" and call.args:
        atom = only(call.args[0])
        if isinstance(atom, DictOf):
            named.update({str(key): value for key, value in atom.items.items()})
    named.update({str(i): arg for i, arg in enumerate(call.args)})
    parts: list[Value] = []
    try:
        fields = list(string.Formatter().parse(text))
    except ValueError:
        return unknown("a broken format")
    for count, (before, name, spec, _) in enumerate(fields):
        parts.append(const(before))
        if name is not None:
            key = name or str(sum(1 for f in fields[:count] if f[1] == ""))
            parts.append(_spelled(named.get(key, unknown(key)), spec or ""))
    return combine(parts)


def _spelled(value: Value, spec: str) -> Value:
    return unknown(label(value)) if spec.strip("s") else value


def percent(text: str, right: Value) -> Value:
    """`text % right` for `%s`, `%d` and `%(name)s`."""
    atom = only(right)
    given = atom.items if isinstance(atom, ListOf) else [right]
    named = atom.items if isinstance(atom, DictOf) else {}
    parts: list[Value] = []
    at, used = 0, 0
    for match in re.finditer(r"%(?:\((\w+)\))?([#0\- +]?[\d.]*)([a-zA-Z%])", text):
        parts.append(const(text[at : match.start()]))
        at = match.end()
        if match.group(3) == "%":
            parts.append(const("%"))
            continue
        if match.group(1):
            value = named.get(match.group(1), unknown(match.group(1)))
        else:
            value = given[used] if used < len(given) else unknown("value")
            used += 1
        parts.append(_spelled(value, match.group(2)))
    parts.append(const(text[at:]))
    return combine(parts)


def _path_method(call: Call, text: str) -> Value | None:
    if call.name == "joinpath":
        return as_paths(_joined_path((const(text), *call.args)))
    if call.name in {"resolve", "absolute", "expanduser"}:
        return of(PathText(text))
    if call.name in {"as_posix", "__str__", "as_uri"}:
        return const(text)
    word = plain(call.args[0]) if call.args else None
    head, name = posixpath.split(text)
    if call.name == "with_suffix" and word is not None:
        return of(PathText(posixpath.join(head, posixpath.splitext(name)[0] + word)))
    if call.name == "with_name" and word is not None:
        return of(PathText(posixpath.join(head, word)))
    return None


def path_attribute(text: str, name: str) -> Value | None:
    """`parent`, `name`, `stem`, `suffix` of a path."""
    head, last = posixpath.split(text)
    match name:
        case "parent":
            return of(PathText(head or "."))
        case "name":
            return const(last)
        case "stem":
            return const(posixpath.splitext(last)[0])
        case "suffix":
            return const(posixpath.splitext(last)[1])
        case _:
            return None


def _list_method(call: Call, listed: ListOf) -> Value | None:
    if call.name in {"append", "add"} and call.args:
        listed.items.append(call.args[0])
    elif call.name in {"extend", "update"} and call.args:
        extend(listed, call.args[0])
    elif call.name == "insert" and len(call.args) > 1:
        listed.items.append(call.args[1])
    elif call.name == "copy":
        return of(ListOf(list(listed.items), listed.is_open))
    elif call.name == "pop":
        return join(listed.items) if listed.items else unknown("an element")
    else:
        return None
    return const(None)


def extend(listed: ListOf, more: Value) -> None:
    """`listed += more`."""
    found = elements(more)
    if found is None:
        listed.is_open = True
    elif len(listed.items) + len(found) <= MAX_TEXT:
        listed.items.extend(found)


def _dict_method(call: Call, items: DictOf) -> Value | None:
    if call.name == "get" and call.args:
        default = call.argument(1, "default") or const(None)
        return look_up(items, call.args[0], default)
    if call.name in {"items", "keys", "values", "copy"}:
        return of(_dict_view(call.name, items))
    if call.name in {"update", "setdefault", "pop"}:
        return _dict_change(call, items)
    return None


def _dict_view(name: str, items: DictOf) -> ListOf | DictOf:
    if name == "copy":
        return DictOf(dict(items.items), items.is_open)
    if name == "items":
        pairs = [of(ListOf([const(k), v])) for k, v in items.items.items()]
        return ListOf(pairs, items.is_open)
    found = list(items.items.values()) if name == "values" else [const(k) for k in items.items]
    return ListOf(found, items.is_open)


def _dict_change(call: Call, items: DictOf) -> Value:
    if call.name == "update":
        more = only(call.args[0]) if call.args else DictOf({})
        if isinstance(more, DictOf):
            items.items.update(more.items)
            items.is_open = items.is_open or more.is_open
        else:
            items.is_open = True
        items.items.update(call.kwargs)
        return const(None)
    key = only(call.args[0]) if call.args else None
    if not isinstance(key, Const):
        return unknown("an element")
    default = call.argument(1, "default") or unknown("an element")
    if call.name == "setdefault":
        return items.items.setdefault(key.value, default)
    return items.items.get(key.value, default)


def look_up(items: DictOf, key: Value, default: Value) -> Value:
    """`items[key]`; a key that is not known may be any of them."""
    found: list[Value] = []
    for atom in key.atoms:
        if not isinstance(atom, Const) or (isinstance(atom.value, str) and holes(atom.value)):
            return unknown(label(key))
        if atom.value in items.items:
            found.append(items.items[atom.value])
        else:
            found.append(unknown(str(atom.value)) if items.is_open else default)
    return join(found)


def from_environment(name: str, parameters: Mapping[str, str]) -> Value:
    """`os.environ[name]`."""
    if name in parameters:
        return Value((Const(parameters[name]),), (name,))
    return Value((Unknown(name),), (name,))


def made(call: Call) -> Value:
    """The value of a call nothing is known of."""
    return of(Made(call.function, call.args, call.kwargs))
