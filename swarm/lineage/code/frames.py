"""How names are bound when a function starts, and what is left of them when branches meet."""

import ast
from collections.abc import Mapping, Sequence

from swarm.lineage.code.texts import label
from swarm.lineage.code.values import (
    Atom,
    Bound,
    Class,
    DictOf,
    External,
    Function,
    ListOf,
    Made,
    Member,
    Plain,
    Scope,
    Super,
    Unknown,
    Value,
    elements,
    join,
    of,
    unknown,
)

_MAX_NESTED = 3
_GENERATOR_MARKS = {"contextmanager", "asynccontextmanager", "resource", "fixture"}


def is_function(value: Value) -> bool:
    return any(isinstance(atom, Function | Bound) for atom in value.atoms)


def is_repeated(function: Function, active: Sequence[Function]) -> bool:
    """Whether a function calls itself again: on the same object once, on others a few times."""
    same = [one for one in active if one.node is function.node]
    return len(same) > _MAX_NESTED or any(
        one.scope is function.scope and one.owner is function.owner for one in same
    )


def any_of(value: Value) -> Value:
    """One element of a list that is not told which."""
    found = elements(value)
    return unknown(label(value)) if found is None else join(found)


def turn_of(column: list[Value] | None, turn: int, whole: Value) -> Value:
    if column is None:
        return whole
    return column[turn] if turn < len(column) else unknown(label(whole))


def place_of(node: ast.AST, scope: Scope) -> str:
    return f"{scope.module}:{getattr(node, 'lineno', 1)}"


def as_load(target: ast.Name | ast.Attribute | ast.Subscript) -> ast.expr:
    if isinstance(target, ast.Name):
        return ast.copy_location(ast.Name(target.id, ast.Load()), target)
    if isinstance(target, ast.Attribute):
        return ast.copy_location(ast.Attribute(target.value, target.attr, ast.Load()), target)
    return ast.copy_location(ast.Subscript(target.value, target.slice, ast.Load()), target)


def merged(states: Sequence[dict[str, Value]]) -> dict[str, Value]:
    """A name may be what it is in any of the states."""
    merged = dict(states[0])
    for state in states[1:]:
        for name, value in state.items():
            known = merged.get(name)
            merged[name] = value if known is None or known is value else join([known, value])
    return merged


def catches_all(pattern: ast.pattern) -> bool:
    return isinstance(pattern, ast.MatchAs) and pattern.pattern is None


def at_home(atom: Atom, home: Class, inner: Scope, outer: Scope) -> Atom:
    """A method does not see the names of its class body."""
    if not isinstance(atom, Function) or atom.scope is not inner:
        return atom
    return Function(atom.node, outer, atom.name, None, home, atom.decorators, atom.defaults)


def bound_arguments(
    function: Function, args: Sequence[Value], kwargs: Mapping[str, Value]
) -> dict[str, Value]:
    """The names a function starts with; what nobody gave is unknown under its own name."""
    spec = function.node.args
    names = [a.arg for a in (*spec.posonlyargs, *spec.args)]
    bound = dict(zip(names, args, strict=False))
    for name in (*names, *(a.arg for a in spec.kwonlyargs)):
        given = bound.get(name) or kwargs.get(name) or function.defaults.get(name)
        if given is None:
            bound[name] = Value((Unknown(name),), (name,))
        else:
            seen = given.names if name in given.names else (*given.names, name)
            bound[name] = Value(given.atoms, seen, given.soft)
    if spec.vararg is not None:
        bound[spec.vararg.arg] = of(ListOf(list(args[len(names) :])))
    if spec.kwarg is not None:
        rest: dict[Plain, Value] = {k: v for k, v in kwargs.items() if k not in bound}
        bound[spec.kwarg.arg] = of(DictOf(rest, is_open=not rest))
    return bound


def given_back(function: Function, scope: Scope) -> Value:
    if not scope.yielded:
        return join(scope.returned)
    marks = {
        atom.name.rpartition(".")[2]
        for mark in function.decorators
        for atom in (_marker(mark.atoms[0]),)
        if isinstance(atom, External | Member)
    }
    if marks & _GENERATOR_MARKS:
        return join(scope.yielded)
    return of(ListOf(list(scope.yielded)))


def _marker(atom: Atom) -> Atom:
    return atom.maker if isinstance(atom, Made) else atom


def super_of(scope: Scope) -> Value:
    """What `super()` is in the method around."""
    inner: Scope | None = scope
    while inner is not None and (inner.function is None or inner.function.home is None):
        inner = inner.parent
    function = inner.function if inner else None
    if function is None or function.owner is None or function.home is None:
        return unknown("super()")
    return of(Super(function.owner, function.home))
