"""What is known of a value in a program that is read and not run.

A `Value` is the set of things an expression may be (`atoms`).
"""

import ast
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

MAX_ALTERNATIVES = 32
Plain = str | int | float | bool | bytes | None


@dataclass(frozen=True, slots=True)
class Const:
    """A constant of the program."""

    value: Plain


@dataclass(frozen=True, slots=True)
class PathText:
    """A `pathlib` path."""

    text: str


@dataclass(frozen=True, slots=True)
class Unknown:
    """Made at run time; `what` is the name the program gives it."""

    what: str


@dataclass(frozen=True, slots=True)
class External:
    """A module, class or function that is not part of the program, by its dotted name."""

    name: str


@dataclass(frozen=True, slots=True, eq=False)
class Member:
    """`owner.name`, where the program does not say what that is."""

    owner: "Atom"
    name: str
    owner_names: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, eq=False)
class Made:
    """What calling `maker` gave."""

    maker: "Atom"
    args: tuple["Value", ...] = ()
    kwargs: Mapping[str, "Value"] = field(default_factory=dict)


@dataclass(slots=True, eq=False)
class ListOf:
    """A list, tuple, set or generator; `is_open`: there may be more elements."""

    items: list["Value"]
    is_open: bool = False


@dataclass(slots=True, eq=False)
class DictOf:
    """A dict with constant keys; `is_open`: there may be more keys. `maker` is the class of an
    object that is used like one."""

    items: dict[Plain, "Value"]
    is_open: bool = False
    maker: str = ""


@dataclass(frozen=True, slots=True, eq=False)
class ModuleOf:
    """A module of the program."""

    path: str


@dataclass(frozen=True, slots=True, eq=False)
class Function:
    """A function of the program with the scope it was made in; `owner` is bound as `self`."""

    node: ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda
    scope: "Scope"
    name: str
    owner: "Instance | Class | None" = None
    home: "Class | None" = None
    decorators: tuple["Value", ...] = ()
    defaults: Mapping[str, "Value"] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, eq=False)
class Bound:
    """A function with some arguments given already (`functools.partial`)."""

    function: "Value"
    args: tuple["Value", ...]
    kwargs: Mapping[str, "Value"]


@dataclass(slots=True, eq=False)
class Class:
    """A class of the program; `bases` may be classes of the program or external."""

    name: str
    scope: "Scope"
    bases: tuple["Atom", ...]
    members: dict[str, "Value"]
    fields: tuple[str, ...] = ()

    def family(self) -> tuple["Class", ...]:
        """The class and its bases within the program, nearest first."""
        found: list[Class] = []
        queue: list[Class] = [self]
        while queue and len(found) < MAX_ALTERNATIVES:
            one = queue.pop(0)
            if one not in found:
                found.append(one)
                queue.extend(base for base in one.bases if isinstance(base, Class))
        return tuple(found)


@dataclass(slots=True, eq=False)
class Instance:
    """An object of a class of the program."""

    of: Class
    members: dict[str, "Value"]


@dataclass(frozen=True, slots=True, eq=False)
class Super:
    """`super()` inside a method: the object, seen from the bases of `after`."""

    owner: "Instance | Class"
    after: Class


Atom = (
    Const
    | PathText
    | Unknown
    | External
    | Member
    | Made
    | ListOf
    | DictOf
    | ModuleOf
    | Function
    | Bound
    | Class
    | Instance
    | Super
)


@dataclass(frozen=True, slots=True, eq=False)
class Value:
    """What an expression may be.

    `names` are the variables it went through, latest first: the name of a connection is often
    all that is known of it. `soft`: it comes from a default that the environment may override,
    so no branch may be ruled out by it.
    """

    atoms: tuple[Atom, ...]
    names: tuple[str, ...] = ()
    soft: bool = False


@dataclass(slots=True, eq=False)
class Scope:
    """The names of a module, class or function while it is walked."""

    module: str
    names: dict[str, Value]
    parent: "Scope | None" = None
    function: Function | None = None
    returned: list[Value] = field(default_factory=list)
    yielded: list[Value] = field(default_factory=list)
    outer_names: set[str] = field(default_factory=set)

    def find(self, name: str) -> Value | None:
        """The value of a name here or in the nearest scope around that has it."""
        scope: Scope | None = self
        while scope is not None:
            if name in scope.names:
                return scope.names[name]
            scope = scope.parent
        return None

    def top(self) -> "Scope":
        """The scope of the module."""
        scope = self
        while scope.parent is not None:
            scope = scope.parent
        return scope


def const(plain: Plain) -> Value:
    return Value((Const(plain),))


def unknown(what: str) -> Value:
    return Value((Unknown(what),))


def of(atom: Atom) -> Value:
    return Value((atom,))


def join(values: Iterable[Value]) -> Value:
    """Any of `values`, each alternative once."""
    atoms: list[Atom] = []
    names: list[str] = []
    soft = False
    for value in values:
        soft = soft or value.soft
        atoms.extend(a for a in value.atoms if a not in atoms)
        names.extend(n for n in value.names if n not in names)
    if not atoms:
        atoms.append(Const(None))
    if len(atoms) > MAX_ALTERNATIVES:
        return Value((Unknown("one of too many values"),), tuple(names), soft)
    return Value(tuple(atoms), tuple(names), soft)


def only(value: Value) -> Atom | None:
    """The one thing a value is, if it is one thing."""
    return value.atoms[0] if len(value.atoms) == 1 else None


def elements(value: Value) -> list[Value] | None:
    """What a loop over the value goes through; `None`: not known."""
    atom = only(value)
    if isinstance(atom, ListOf) and not atom.is_open:
        return list(atom.items)
    if isinstance(atom, DictOf) and not atom.is_open:
        return [const(key) for key in atom.items]
    return None
