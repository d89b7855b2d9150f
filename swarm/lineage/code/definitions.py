"""The functions and classes that `def`, `lambda` and `class` make."""

import ast

from swarm.lineage.code.frames import at_home
from swarm.lineage.code.values import Bound, Class, Function, Instance, Scope, Value, of, only
from swarm.lineage.code.walk import Walk


def define(
    walk: Walk, node: ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda, scope: Scope
) -> Value:
    """The function that a `def` or `lambda` makes."""
    name = "lambda" if isinstance(node, ast.Lambda) else node.name
    marks = [] if isinstance(node, ast.Lambda) else node.decorator_list
    decorators = tuple(walk.evaluate(mark, scope) for mark in marks)
    found = of(
        Function(node, scope, name, None, None, decorators, _defaults(walk, node.args, scope))
    )
    for mark in reversed(decorators):
        wrapper = only(mark)
        if isinstance(wrapper, Function | Bound | Class | Instance):
            found = walk.call(mark, [found], {}, node, scope)
    return found


def _defaults(walk: Walk, args: ast.arguments, scope: Scope) -> dict[str, Value]:
    names = [a.arg for a in (*args.posonlyargs, *args.args)]
    found: dict[str, Value] = {}
    start = len(names) - len(args.defaults)
    for name, default in zip(names[start:], args.defaults, strict=True):
        found[name] = walk.evaluate(default, scope)
    for arg, given in zip(args.kwonlyargs, args.kw_defaults, strict=True):
        if given is not None:
            found[arg.arg] = walk.evaluate(given, scope)
    return found


def define_function(walk: Walk, node: ast.FunctionDef | ast.AsyncFunctionDef, scope: Scope) -> bool:
    scope.names[node.name] = define(walk, node, scope)
    return False


def define_class(walk: Walk, node: ast.ClassDef, scope: Scope) -> bool:
    bases = tuple(a for base in node.bases for a in walk.evaluate(base, scope).atoms)
    inner = Scope(scope.module, {}, scope)
    walk.block(node.body, inner)
    fields = tuple(
        s.target.id
        for s in node.body
        if isinstance(s, ast.AnnAssign) and isinstance(s.target, ast.Name)
    )
    inherited = [f for b in bases if isinstance(b, Class) for f in b.fields]
    made_class = Class(node.name, scope, bases, {}, tuple(dict.fromkeys([*inherited, *fields])))
    for name, value in inner.names.items():
        atoms = tuple(at_home(a, made_class, inner, scope) for a in value.atoms)
        made_class.members[name] = Value(atoms, value.names, value.soft)
    scope.names[node.name] = of(made_class)
    return False
