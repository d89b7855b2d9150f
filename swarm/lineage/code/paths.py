"""Paths: how `os.path` and `pathlib` join and change them."""

import posixpath

from swarm.lineage.code.call import Call
from swarm.lineage.code.texts import any_text, is_text, plain, texts
from swarm.lineage.code.values import (
    MAX_ALTERNATIVES,
    Atom,
    Const,
    PathText,
    Value,
    const,
    of,
    unknown,
)


def as_paths(value: Value) -> Value:
    """The texts of a value as `pathlib` paths."""
    atoms: list[Atom] = []
    for atom in value.atoms:
        if isinstance(atom, Const) and isinstance(atom.value, str):
            atoms.append(PathText(posixpath.normpath(atom.value)))
        else:
            atoms.append(atom)
    return Value(tuple(atoms), value.names)


def joined_path(parts: tuple[Value, ...]) -> Value:
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


def path_method(call: Call, text: str) -> Value | None:
    if call.name == "joinpath":
        return as_paths(joined_path((const(text), *call.args)))
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
