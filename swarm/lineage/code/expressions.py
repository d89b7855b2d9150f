"""From an expression of a program to what its value may be; never fails, unknown is a value."""

import ast
import builtins
from collections.abc import Callable, Mapping

from swarm.lineage.code.binding import bind
from swarm.lineage.code.containers import comprehension, dict_comprehension, make_dict, make_list
from swarm.lineage.code.definitions import define
from swarm.lineage.code.imports import ANY
from swarm.lineage.code.members import attribute, subscript
from swarm.lineage.code.operators import binary, boolean, compare, unary
from swarm.lineage.code.texts import any_text, combine, label, truth
from swarm.lineage.code.values import (
    DictOf,
    External,
    Scope,
    Unknown,
    Value,
    const,
    elements,
    join,
    of,
    only,
    unknown,
)
from swarm.lineage.code.walk import Walk

_BUILTINS = frozenset(dir(builtins))


def _constant(walk: Walk, node: ast.Constant, scope: Scope) -> Value:
    value = node.value
    if isinstance(value, str):
        return any_text([value.replace("\x00", "")])
    return const(value) if isinstance(value, int | float | bytes | None) else unknown("...")


def _name(walk: Walk, node: ast.Name, scope: Scope) -> Value:
    found = scope.find(node.id)
    if found is None:
        if node.id in _BUILTINS:
            return of(External(f"builtins.{node.id}"))
        return _from_anywhere(node.id, scope)
    if node.id in found.names:
        return found
    return Value(found.atoms, (*found.names, node.id), found.soft)


def _from_anywhere(name: str, scope: Scope) -> Value:
    """A name that only `import *` can have brought."""
    module = scope.find(ANY)
    atoms = module.atoms if module is not None else ()
    found = [External(f"{atom.name}.{name}") for atom in atoms if isinstance(atom, External)]
    return Value(tuple(found) or (Unknown(name),), (name,))


def _attribute(walk: Walk, node: ast.Attribute, scope: Scope) -> Value:
    return attribute(walk, walk.evaluate(node.value, scope), node.attr, node, scope)


def _call(walk: Walk, node: ast.Call, scope: Scope) -> Value:
    function = walk.evaluate(node.func, scope)
    args: list[Value] = []
    for arg in node.args:
        value = walk.evaluate(arg, scope)
        if isinstance(arg, ast.Starred):
            args.extend(elements(value) or [])
        else:
            args.append(value)
    kwargs: dict[str, Value] = {}
    for keyword in node.keywords:
        value = walk.evaluate(keyword.value, scope)
        atom = only(value)
        if keyword.arg is not None:
            kwargs[keyword.arg] = value
        elif isinstance(atom, DictOf):
            kwargs.update({str(key): item for key, item in atom.items.items()})
    return walk.call(function, args, kwargs, node, scope)


def _lambda(walk: Walk, node: ast.Lambda, scope: Scope) -> Value:
    return define(walk, node, scope)


def _inner(walk: Walk, node: ast.Await | ast.Starred, scope: Scope) -> Value:
    return walk.evaluate(node.value, scope)


def _walrus(walk: Walk, node: ast.NamedExpr, scope: Scope) -> Value:
    value = walk.evaluate(node.value, scope)
    bind(walk, node.target, value, scope)
    return value


def _yield(walk: Walk, node: ast.Yield, scope: Scope) -> Value:
    scope.yielded.append(walk.evaluate(node.value, scope) if node.value else const(None))
    return unknown("sent value")


def _yield_from(walk: Walk, node: ast.YieldFrom, scope: Scope) -> Value:
    scope.yielded.extend(elements(walk.evaluate(node.value, scope)) or [])
    return unknown("sent value")


def _joined(walk: Walk, node: ast.JoinedStr, scope: Scope) -> Value:
    return combine([walk.evaluate(part, scope) for part in node.values])


def _formatted(walk: Walk, node: ast.FormattedValue, scope: Scope) -> Value:
    value = walk.evaluate(node.value, scope)
    # a format changes the text in ways that are not followed
    return value if node.format_spec is None else unknown(label(value))


def _either(walk: Walk, node: ast.IfExp, scope: Scope) -> Value:
    fixed = truth(walk.evaluate(node.test, scope))
    branches = [node.body, node.orelse] if fixed is None else [node.body if fixed else node.orelse]
    return join(walk.evaluate(branch, scope) for branch in branches)


EXPRESSIONS: Mapping[type[ast.AST], Callable[..., Value]] = {
    ast.Constant: _constant,
    ast.Name: _name,
    ast.Attribute: _attribute,
    ast.Subscript: subscript,
    ast.Call: _call,
    ast.BinOp: binary,
    ast.JoinedStr: _joined,
    ast.FormattedValue: _formatted,
    ast.IfExp: _either,
    ast.BoolOp: boolean,
    ast.Compare: compare,
    ast.UnaryOp: unary,
    ast.List: make_list,
    ast.Tuple: make_list,
    ast.Set: make_list,
    ast.Dict: make_dict,
    ast.ListComp: comprehension,
    ast.SetComp: comprehension,
    ast.GeneratorExp: comprehension,
    ast.DictComp: dict_comprehension,
    ast.Lambda: _lambda,
    ast.Await: _inner,
    ast.Starred: _inner,
    ast.NamedExpr: _walrus,
    ast.Yield: _yield,
    ast.YieldFrom: _yield_from,
}
