"""Text of which only a part is known: the unknown parts are holes in it.

So `f"INSERT INTO t SELECT * FROM s WHERE d = '{day}'"` still names `t` and `s` when `day` is made
at run time.
"""

import re
from collections.abc import Iterable
from itertools import product

from swarm.lineage.code.values import (
    MAX_ALTERNATIVES,
    Atom,
    Class,
    Const,
    External,
    Function,
    Made,
    Member,
    PathText,
    Unknown,
    Value,
    const,
    join,
    only,
    unknown,
)

MAX_TEXT = 200_000
_MARK = "\x00"
_HOLE = re.compile(f"{_MARK}([^{_MARK}]*){_MARK}")


def hole(what: str) -> str:
    """The mark of an unknown part inside a text."""
    return _MARK + re.sub(r"\W+", "_", what)[:60] + _MARK


def holes(text: str) -> list[str]:
    """The names of the unknown parts of a text."""
    return _HOLE.findall(text)


def fill(text: str, shape: str = "{{ %s }}") -> str:
    """The text with each hole written as a template."""
    return _HOLE.sub(lambda match: shape % (match.group(1) or "value"), text)


def label(value: Value) -> str:
    """What the program calls the value."""
    if value.names:
        return value.names[0]
    return describe(value.atoms[0])


def describe(atom: Atom) -> str:
    """A few words for a value that is not a text."""
    match atom:
        case Unknown(what=what):
            return what
        case External(name=name) | Member(name=name) | Function(name=name) | Class(name=name):
            return name
        case Made(maker=maker):
            return describe(maker) + "()"
        case Const(value=value):
            return repr(value)
        case _:
            return "value"


def texts(value: Value) -> list[str]:
    """Every text the value may be when it is put into a text; unknown ones are holes."""
    return [_text_of(atom, value) for atom in value.atoms]


def _text_of(atom: Atom, value: Value) -> str:
    if isinstance(atom, PathText):
        return atom.text
    if isinstance(atom, Const) and not isinstance(atom.value, bytes):
        return str(atom.value)
    return hole(label(Value((atom,), value.names)))


def combine(parts: Iterable[Value], glue: str = "") -> Value:
    """The parts written one after the other, for every combination of what they may be."""
    choices = [texts(part) for part in parts]
    size = 1
    for choice in choices:
        size *= len(choice)
        if size > MAX_ALTERNATIVES:
            return unknown("one of too many texts")
    return any_text(glue.join(chosen) for chosen in product(*choices))


def any_text(found: Iterable[str]) -> Value:
    """One of the texts; a text over the limit is not followed further."""
    return join(const(t) if len(t) <= MAX_TEXT else unknown("a very long text") for t in found)


def is_text(value: Value) -> bool:
    """Whether every alternative is a text (holes allowed)."""
    return all(
        isinstance(a, PathText) or (isinstance(a, Const) and isinstance(a.value, str))
        for a in value.atoms
    )


def plain(value: Value) -> str | None:
    """The one text a value is, if it is one fully known text."""
    atom = only(value)
    if isinstance(atom, PathText):
        return atom.text if not holes(atom.text) else None
    if isinstance(atom, Const) and isinstance(atom.value, str) and not holes(atom.value):
        return atom.value
    return None


def truth(value: Value) -> bool | None:
    """Whether a condition on the value always or never holds; `None`: it depends."""
    if value.soft:
        return None
    found = {_truth_of(atom) for atom in value.atoms}
    return found.pop() if len(found) == 1 else None


def _truth_of(atom: Atom) -> bool | None:
    if isinstance(atom, Const):
        return None if isinstance(atom.value, str) and holes(atom.value) else bool(atom.value)
    if isinstance(atom, External) and atom.name == "typing.TYPE_CHECKING":
        return False
    return None


def shown(text: str) -> str:
    """The text as a person is shown it."""
    return fill(text, "{%s}")
