"""Remembers walks of a function, so that a program that calls it everywhere is read in time.

Only a function that was walked often is looked up, and only with the same arguments, the same
state of its object, inside the same decorated functions (a task) and the same `with` blocks.
"""

from collections import Counter
from collections.abc import Hashable, Mapping, Sequence

from swarm.lineage.code.values import (
    Atom,
    Const,
    DictOf,
    External,
    Function,
    Instance,
    ListOf,
    Made,
    Member,
    PathText,
    Unknown,
    Value,
)

_OFTEN = 6
_MAX_DEPTH = 2
Key = tuple[Hashable, ...]


class Memory:
    """What walks of functions gave back; one per walk of a program."""

    def __init__(self) -> None:
        self._walks: Counter[int] = Counter()
        self._answers: dict[Key, Value] = {}
        self._kept: list[object] = []  # an id means nothing once its object is gone

    def recall(
        self,
        function: Function,
        args: Sequence[Value],
        kwargs: Mapping[str, Value],
        active: Sequence[Function],
        contexts: Sequence[Value],
    ) -> tuple[Key | None, Value | None]:
        """The key to keep the answer of this walk under, and the answer if it is known."""
        self._walks[id(function.node)] += 1
        if self._walks[id(function.node)] <= _OFTEN:
            return None, None
        around = tuple(self._id(one.decorators) for one in active if one.decorators)
        inside = tuple(self._id(value) for value in contexts)
        owner = self._atom(function.owner, 0) if isinstance(function.owner, Instance) else None
        given = tuple(self._value(value, 0) for value in args)
        named = tuple((name, self._value(value, 0)) for name, value in sorted(kwargs.items()))
        scope = self._id(function.scope)
        key = (id(function.node), scope, owner, around, inside, given, named)
        return key, self._answers.get(key)

    def keep(self, key: Key | None, answer: Value) -> Value:
        """Remembers the answer of a walk and gives it back."""
        if key is not None:
            self._answers[key] = answer
        return answer

    def _id(self, thing: object) -> int:
        self._kept.append(thing)
        return id(thing)

    def _value(self, value: Value, depth: int) -> Hashable:
        return (tuple(self._atom(atom, depth) for atom in value.atoms), value.names, value.soft)

    def _atom(self, atom: Atom, depth: int) -> Hashable:
        if isinstance(atom, Const):
            return (type(atom.value), atom.value)
        if isinstance(atom, PathText | Unknown | External):
            return atom
        if depth >= _MAX_DEPTH:
            return self._id(atom)
        return self._whole(atom, depth + 1)

    def _whole(self, atom: Atom, depth: int) -> Hashable:
        match atom:
            case Made(maker=maker, args=args, kwargs=kwargs):
                parts = (*args, *kwargs.values())
                return (self._atom(maker, depth), tuple(self._value(v, depth) for v in parts))
            case Member(owner=owner, name=name, owner_names=names):
                return (self._atom(owner, depth), name, names)
            case Instance(members=members):
                state = ((name, self._value(v, depth)) for name, v in members.items())
                return (self._id(atom), tuple(state))
            case ListOf(items=items):
                return (self._id(atom), tuple(self._value(v, depth) for v in items))
            case DictOf(items=named):
                return (self._id(atom), tuple((k, self._value(v, depth)) for k, v in named.items()))
            case _:
                return self._id(atom)
