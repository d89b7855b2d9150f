"""What operators and comparisons give."""

import ast

from swarm.lineage.code.container_methods import extend
from swarm.lineage.code.paths import as_paths, join_path
from swarm.lineage.code.text_methods import percent
from swarm.lineage.code.texts import MAX_TEXT, combine, holes, texts, truth
from swarm.lineage.code.values import (
    Atom,
    Const,
    ListOf,
    PathText,
    Scope,
    Value,
    const,
    join,
    of,
    only,
    unknown,
)
from swarm.lineage.code.walk import Walk


def binary(walk: Walk, node: ast.BinOp, scope: Scope) -> Value:
    left, right = walk.evaluate(node.left, scope), walk.evaluate(node.right, scope)
    match node.op:
        case ast.Add():
            return _add(left, right)
        case ast.Div():
            if any(isinstance(a, PathText) for a in (*left.atoms, *right.atoms)):
                return as_paths(join_path(left, right))
            known = [a for a in left.atoms if isinstance(a, Const)]
            return unknown("a number") if known else as_paths(join_path(left, right))
        case ast.Mod():
            if any(isinstance(a, Const) and isinstance(a.value, str) for a in left.atoms):
                return join(percent(text, right) for text in texts(left))
        case ast.Mult():
            return _times(left, right)
    return unknown("an expression")


def _add(left: Value, right: Value) -> Value:
    one, two = only(left), only(right)
    if isinstance(one, ListOf):
        found = ListOf(list(one.items), one.is_open)
        extend(found, right)
        return of(found)
    numbers = [a.value for a in (one, two) if isinstance(a, Const) and type(a.value) is int]
    if len(numbers) == 2 and all(abs(n) < 10**12 for n in numbers):
        return const(sum(numbers))
    return combine([left, right])


def _times(left: Value, right: Value) -> Value:
    one, two = only(left), only(right)
    if not isinstance(one, Const) or not isinstance(two, Const):
        return unknown("an expression")
    text, count = (one.value, two.value) if isinstance(one.value, str) else (two.value, one.value)
    if isinstance(text, str) and type(count) is int and 0 <= len(text) * count <= MAX_TEXT:
        return const(text * count)
    return unknown("an expression")


def boolean(walk: Walk, node: ast.BoolOp, scope: Scope) -> Value:
    wanted = isinstance(node.op, ast.Or)
    found: list[Value] = []
    for part in node.values:
        value = walk.evaluate(part, scope)
        fixed = truth(value)
        found.append(value)
        if fixed is wanted:
            break
    kept = [value for value in found[:-1] if not _skipped(value, wanted)]
    return join([*kept, found[-1]])


def _skipped(value: Value, wanted: bool) -> bool:
    """Whether `or` (`and`) always goes on past the value."""
    return all(isinstance(a, Const) and bool(a.value) is not wanted for a in value.atoms)


def compare(walk: Walk, node: ast.Compare, scope: Scope) -> Value:
    values = [walk.evaluate(part, scope) for part in (node.left, *node.comparators)]
    if len(values) != 2:
        return unknown("a condition")
    left, right = only(values[0]), only(values[1])
    answer = _compared(node.ops[0], left, right)
    if answer is None:
        return unknown("a condition")
    return Value((Const(answer),), (), values[0].soft or values[1].soft)


def unary(walk: Walk, node: ast.UnaryOp, scope: Scope) -> Value:
    value = walk.evaluate(node.operand, scope)
    fixed = truth(value)
    if isinstance(node.op, ast.Not) and fixed is not None:
        return const(not fixed)
    atom = only(value)
    if isinstance(node.op, ast.USub) and isinstance(atom, Const) and type(atom.value) is int:
        return const(-atom.value)
    return unknown("an expression")


def _compared(operator: ast.cmpop, left: Atom | None, right: Atom | None) -> bool | None:
    if isinstance(operator, ast.In | ast.NotIn) and isinstance(right, ListOf):
        found = _contains(right, left)
        return found if found is None or isinstance(operator, ast.In) else not found
    if not isinstance(left, Const) or not isinstance(right, Const):
        return None
    if any(isinstance(c.value, str) and holes(c.value) for c in (left, right)):
        return None
    match operator:
        case ast.Eq() | ast.Is():
            return left.value == right.value
        case ast.NotEq() | ast.IsNot():
            return left.value != right.value
        case _:
            return None


def _contains(listed: ListOf, item: Atom | None) -> bool | None:
    atoms = [only(value) for value in listed.items]
    if not isinstance(item, Const) or listed.is_open:
        return None
    if item in atoms:
        return True
    return False if all(isinstance(atom, Const) for atom in atoms) else None
