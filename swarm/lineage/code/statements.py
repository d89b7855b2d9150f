"""What a statement does to the names around it, and which statements are reached.

Both sides of a condition are walked unless it is constant; a loop over known elements is walked
once for each, any other loop once. Nothing after a `return` or `raise` is reached. A statement
answers whether control never gets past it.
"""

import ast
from collections.abc import Callable, Mapping, Sequence

from swarm.lineage.code.binding import bind, loop_item
from swarm.lineage.code.definitions import define_class, define_function
from swarm.lineage.code.frames import as_load, catches_all, merged
from swarm.lineage.code.imports import import_from, import_modules
from swarm.lineage.code.members import special_method
from swarm.lineage.code.texts import truth
from swarm.lineage.code.values import Const, Scope, Value, const, elements, only, unknown
from swarm.lineage.code.walk import Walk

_MAX_TURNS = 500  # of one loop


def _expression(walk: Walk, node: ast.Expr, scope: Scope) -> bool:
    walk.evaluate(node.value, scope)
    called = node.value.func if isinstance(node.value, ast.Call) else None
    return isinstance(called, ast.Attribute) and ast.unparse(called) in {"sys.exit", "os._exit"}


def _assign(walk: Walk, node: ast.Assign, scope: Scope) -> bool:
    value = walk.evaluate(node.value, scope)
    for target in node.targets:
        bind(walk, target, value, scope)
    return False


def _assign_annotated(walk: Walk, node: ast.AnnAssign, scope: Scope) -> bool:
    if node.value is not None:
        bind(walk, node.target, walk.evaluate(node.value, scope), scope)
    return False


def _assign_augmented(walk: Walk, node: ast.AugAssign, scope: Scope) -> bool:
    whole = ast.BinOp(as_load(node.target), node.op, node.value)
    value = walk.evaluate(ast.copy_location(whole, node), scope)
    bind(walk, node.target, value, scope)
    return False


def _return(walk: Walk, node: ast.Return, scope: Scope) -> bool:
    scope.returned.append(walk.evaluate(node.value, scope) if node.value else const(None))
    return True


def _raise(walk: Walk, node: ast.Raise, scope: Scope) -> bool:
    if node.exc is not None:
        walk.evaluate(node.exc, scope)
    return True


def _outer(walk: Walk, node: ast.Global | ast.Nonlocal, scope: Scope) -> bool:
    scope.outer_names.update(node.names)
    return False


def _if(walk: Walk, node: ast.If, scope: Scope) -> bool:
    fixed = truth(walk.evaluate(node.test, scope))
    if fixed is not None:
        return walk.block(node.body if fixed else node.orelse, scope)
    return _branches(walk, [node.body, node.orelse], scope)


def _branches(walk: Walk, bodies: Sequence[Sequence[ast.stmt]], scope: Scope) -> bool:
    """Walks alternatives from the same start; afterwards a name may be what any left it."""
    before = dict(scope.names)
    after: list[dict[str, Value]] = []
    for body in bodies:
        scope.names = dict(before)
        if not walk.block(body, scope):
            after.append(scope.names)
    scope.names = merged(after) if after else before
    return not after


def _assert(walk: Walk, node: ast.Assert, scope: Scope) -> bool:
    walk.evaluate(node.test, scope)
    if node.msg is not None:
        walk.evaluate(node.msg, scope)
    return False


def _for(walk: Walk, node: ast.For | ast.AsyncFor, scope: Scope) -> bool:
    source = walk.evaluate(node.iter, scope)
    found = elements(source)
    if found is None or len(found) > _MAX_TURNS:
        before = dict(scope.names)
        bind(walk, node.target, loop_item(node.target, source), scope)
        walk.block(node.body, scope)
        scope.names = merged([before, scope.names])
    else:
        for item in found:
            bind(walk, node.target, item, scope)
            walk.block(node.body, scope)
    walk.block(node.orelse, scope)
    return False


def _while(walk: Walk, node: ast.While, scope: Scope) -> bool:
    fixed = truth(walk.evaluate(node.test, scope))
    if fixed is not False:
        before = dict(scope.names)
        walk.block(node.body, scope)
        scope.names = merged([before, scope.names])
    walk.block(node.orelse, scope)
    return False


def _with(walk: Walk, node: ast.With | ast.AsyncWith, scope: Scope) -> bool:
    opened: list[Value] = []
    for item in node.items:
        value = walk.evaluate(item.context_expr, scope)
        inner = special_method(walk, value, "__enter__", (), node, scope)
        inner = inner or special_method(walk, value, "__aenter__", (), node, scope) or value
        if item.optional_vars is not None:
            bind(walk, item.optional_vars, inner, scope)
        walk.contexts.append(value)
        opened.append(value)
    ended = walk.block(node.body, scope)
    for value in reversed(opened):
        walk.contexts.pop()
        special_method(walk, value, "__exit__", (const(None),) * 3, node, scope)
    return ended


def _try(walk: Walk, node: ast.Try | ast.TryStar, scope: Scope) -> bool:
    before = dict(scope.names)
    ended = walk.block(node.body, scope) or walk.block(node.orelse, scope)
    after = [] if ended else [scope.names]
    middle = merged([before, scope.names])
    for handler in node.handlers:
        scope.names = dict(middle)
        if handler.name:
            scope.names[handler.name] = unknown(handler.name)
        if not walk.block(handler.body, scope):
            after.append(scope.names)
    scope.names = merged(after) if after else middle
    return walk.block(node.finalbody, scope) or not after


def _match(walk: Walk, node: ast.Match, scope: Scope) -> bool:
    subject = walk.evaluate(node.subject, scope)
    bodies: list[Sequence[ast.stmt]] = []
    complete = False
    for case in node.cases:
        fits = _fits(walk, case.pattern, subject, scope)
        if fits is False:
            continue
        bodies.append(case.body)
        if (fits or catches_all(case.pattern)) and case.guard is None:
            complete = True
            break
    return _branches(walk, bodies if complete else [*bodies, []], scope)


def _fits(walk: Walk, pattern: ast.pattern, subject: Value, scope: Scope) -> bool | None:
    if isinstance(pattern, ast.MatchValue) and not subject.soft:
        left, right = only(subject), only(walk.evaluate(pattern.value, scope))
        if isinstance(left, Const) and isinstance(right, Const):
            return left.value == right.value
    return None


def _jump(walk: Walk, node: ast.Break | ast.Continue, scope: Scope) -> bool:
    return True


STATEMENTS: Mapping[type[ast.stmt], Callable[..., bool]] = {
    ast.Expr: _expression,
    ast.Assert: _assert,
    ast.Assign: _assign,
    ast.AnnAssign: _assign_annotated,
    ast.AugAssign: _assign_augmented,
    ast.Return: _return,
    ast.Raise: _raise,
    ast.If: _if,
    ast.For: _for,
    ast.AsyncFor: _for,
    ast.While: _while,
    ast.With: _with,
    ast.AsyncWith: _with,
    ast.Try: _try,
    ast.TryStar: _try,
    ast.Match: _match,
    ast.FunctionDef: define_function,
    ast.AsyncFunctionDef: define_function,
    ast.ClassDef: define_class,
    ast.Import: import_modules,
    ast.ImportFrom: import_from,
    ast.Global: _outer,
    ast.Nonlocal: _outer,
    ast.Break: _jump,
    ast.Continue: _jump,
}
