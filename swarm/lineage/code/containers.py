"""Lists, dicts and comprehensions."""

import ast
from collections.abc import Callable, Sequence

from swarm.lineage.code.binding import bind, loop_item
from swarm.lineage.code.container_methods import extend
from swarm.lineage.code.texts import truth
from swarm.lineage.code.values import Const, DictOf, ListOf, Scope, Value, elements, of, only
from swarm.lineage.code.walk import Walk


def make_list(walk: Walk, node: ast.List | ast.Tuple | ast.Set, scope: Scope) -> Value:
    listed = ListOf([])
    for item in node.elts:
        value = walk.evaluate(item, scope)
        if isinstance(item, ast.Starred):
            extend(listed, value)
        else:
            listed.items.append(value)
    return of(listed)


def make_dict(walk: Walk, node: ast.Dict, scope: Scope) -> Value:
    items = DictOf({})
    for key_node, value_node in zip(node.keys, node.values, strict=True):
        value = walk.evaluate(value_node, scope)
        atom = only(value)
        key = only(walk.evaluate(key_node, scope)) if key_node is not None else None
        if isinstance(key, Const):
            items.items[key.value] = value
        elif key_node is None and isinstance(atom, DictOf):
            items.items.update(atom.items)
            items.is_open = items.is_open or atom.is_open
        else:
            items.is_open = True
    return of(items)


def comprehension(
    walk: Walk, node: ast.ListComp | ast.SetComp | ast.GeneratorExp, scope: Scope
) -> Value:
    found: list[Value] = []
    inner = Scope(scope.module, {}, scope, scope.function)
    complete = _each(
        walk, node.generators, inner, lambda: found.append(walk.evaluate(node.elt, inner))
    )
    return of(ListOf(found, not complete))


def dict_comprehension(walk: Walk, node: ast.DictComp, scope: Scope) -> Value:
    items = DictOf({})
    inner = Scope(scope.module, {}, scope, scope.function)

    def add() -> None:
        key, value = only(walk.evaluate(node.key, inner)), walk.evaluate(node.value, inner)
        if isinstance(key, Const):
            items.items[key.value] = value
        else:
            items.is_open = True

    complete = _each(walk, node.generators, inner, add)
    items.is_open = items.is_open or not complete
    return of(items)


def _each(
    walk: Walk, loops: Sequence[ast.comprehension], scope: Scope, visit: Callable[[], None]
) -> bool:
    """Visits every turn of the loops; false when not all turns are known."""
    if not loops:
        visit()
        return True
    loop, rest = loops[0], loops[1:]
    source = walk.evaluate(loop.iter, scope)
    found = elements(source)
    complete = found is not None
    for item in found if found is not None else [loop_item(loop.target, source)]:
        bind(walk, loop.target, item, scope)
        tests = [truth(walk.evaluate(test, scope)) for test in loop.ifs]
        if False in tests:
            continue
        complete = _each(walk, rest, scope, visit) and complete
    return complete
