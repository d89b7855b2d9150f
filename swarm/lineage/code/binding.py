"""What an assignment changes: names, attributes of objects, items of dicts and lists."""

import ast
from collections.abc import Sequence

from swarm.lineage.code.texts import label, plain
from swarm.lineage.code.values import (
    Class,
    Const,
    DictOf,
    External,
    Instance,
    ListOf,
    Scope,
    Unknown,
    Value,
    elements,
    join,
    of,
    only,
    unknown,
)
from swarm.lineage.code.walk import Walk


def bind(walk: Walk, target: ast.expr, value: Value, scope: Scope) -> None:
    """`target = value`."""
    if isinstance(target, ast.Name):
        _bind_name(target.id, value, scope)
    elif isinstance(target, ast.Tuple | ast.List):
        _unpack(walk, target.elts, value, scope)
    elif isinstance(target, ast.Starred):
        bind(walk, target.value, value, scope)
    elif isinstance(target, ast.Attribute):
        for atom in walk.evaluate(target.value, scope).atoms:
            if isinstance(atom, Instance | Class):
                atom.members[target.attr] = value
    elif isinstance(target, ast.Subscript):
        _bind_item(walk, target, value, scope)


def _bind_name(name: str, value: Value, scope: Scope) -> None:
    if name not in scope.outer_names:
        scope.names[name] = value
        return
    outer: Scope | None = scope.parent
    while outer is not None and name not in outer.names:
        outer = outer.parent
    (outer or scope.top()).names[name] = value


def _unpack(walk: Walk, targets: Sequence[ast.expr], value: Value, scope: Scope) -> None:
    found = elements(value)
    starred = [i for i, t in enumerate(targets) if isinstance(t, ast.Starred)]
    if found is None or (not starred and len(found) != len(targets)):
        for target in targets:
            bind(walk, target, _part(target, value), scope)
        return
    if starred:
        at = starred[0]
        rest = len(targets) - at - 1
        middle = of(ListOf(found[at : len(found) - rest]))
        found = [*found[:at], middle, *(found[len(found) - rest :] if rest else [])]
    for target, item in zip(targets, found, strict=False):
        bind(walk, target, item, scope)


def _part(target: ast.expr, value: Value) -> Value:
    name = target.id if isinstance(target, ast.Name) else label(value)
    return Value((Unknown(name),), (name,))


def _bind_item(walk: Walk, target: ast.Subscript, value: Value, scope: Scope) -> None:
    key = only(walk.evaluate(target.slice, scope))
    for atom in walk.evaluate(target.value, scope).atoms:
        if isinstance(atom, DictOf):
            if isinstance(key, Const):
                atom.items[key.value] = value
            else:
                atom.is_open = True
        elif isinstance(atom, ListOf):
            atom.is_open = True
        elif atom == External("os.environ") and isinstance(key, Const):
            known = plain(value)
            if known is not None:
                walk.parameters[str(key.value)] = known


def loop_item(target: ast.expr, source: Value) -> Value:
    """What a loop variable is when the turns are not known."""
    known = [a.items for a in source.atoms if isinstance(a, ListOf)]
    rest = [unknown(target.id if isinstance(target, ast.Name) else label(source))]
    return join([*(item for items in known for item in items), *rest])
