"""What `owner.name` and `owner[key]` are."""

import ast
from collections.abc import Sequence

from swarm.lineage.code.container_methods import look_up
from swarm.lineage.code.environment import from_environment
from swarm.lineage.code.imports import member_of_module, named_outside
from swarm.lineage.code.library import is_column
from swarm.lineage.code.paths import path_attribute
from swarm.lineage.code.texts import holes, label
from swarm.lineage.code.values import (
    Atom,
    Class,
    Const,
    DictOf,
    External,
    Function,
    Instance,
    ListOf,
    Member,
    ModuleOf,
    PathText,
    Scope,
    Super,
    Value,
    const,
    join,
    of,
    only,
    unknown,
)
from swarm.lineage.code.walk import Walk


def attribute(walk: Walk, owner: Value, name: str, node: ast.AST, scope: Scope) -> Value:
    """`owner.name`."""
    found = join(_member(walk, atom, owner, name, node, scope) for atom in owner.atoms)
    names = (*found.names, name, *(n for n in owner.names if n != name))
    return Value(found.atoms, tuple(dict.fromkeys(names)), owner.soft or found.soft)


def _member(walk: Walk, atom: Atom, owner: Value, name: str, node: ast.AST, scope: Scope) -> Value:
    match atom:
        case ModuleOf(path=path):
            return member_of_module(walk, path, name)
        case External(name=dotted):
            return named_outside(walk, f"{dotted}.{name}", scope)
        case Instance() | Class() | Super():
            return _member_of_class(walk, atom, name, node, scope)
        case PathText(text=text):
            return path_attribute(text, name) or of(Member(atom, name))
        case DictOf(maker="omegaconf") if name in atom.items:
            return atom.items[name]
        case Const(value=str()) if name in {"value", "name"}:
            return of(atom)  # a member of an enum
        case _:
            return of(Member(atom, name, owner.names))


def _member_of_class(
    walk: Walk, atom: Instance | Class | Super, name: str, node: ast.AST, scope: Scope
) -> Value:
    if isinstance(atom, Instance) and name in atom.members:
        return atom.members[name]
    if name == "__class__" and isinstance(atom, Instance):
        return of(atom.of)
    target = atom.owner if isinstance(atom, Super) else atom
    start = target.of if isinstance(target, Instance) else target
    family = start.family()
    if isinstance(atom, Super) and atom.after in family:
        family = family[family.index(atom.after) + 1 :]
    for one in family:
        if name in one.members:
            found = one.members[name]
            if is_column(found):
                break
            parts = [_bound(walk, f, target, node, scope) for f in found.atoms]
            return Value(join(parts).atoms, found.names, found.soft)
    return of(Member(target, name))


def _bound(walk: Walk, atom: Atom, owner: Instance | Class, node: ast.AST, scope: Scope) -> Value:
    if not isinstance(atom, Function):
        return of(atom)
    marks = {_last_name(mark) for mark in atom.decorators}
    if "staticmethod" in marks:
        return of(atom)
    if "classmethod" in marks:
        owner = owner.of if isinstance(owner, Instance) else owner
    elif isinstance(owner, Class):
        return of(atom)
    method = Function(
        atom.node, atom.scope, atom.name, owner, atom.home, atom.decorators, atom.defaults
    )
    if marks & {"property", "cached_property"}:
        return walk.call(of(method), (), {}, node, scope)
    return of(method)


def _last_name(value: Value) -> str:
    atom = value.atoms[0]
    return atom.name.rpartition(".")[2] if isinstance(atom, External | Member) else ""


def special_method(
    walk: Walk, value: Value, name: str, args: Sequence[Value], node: ast.AST, scope: Scope
) -> Value | None:
    """What a special method of an object of the program gives, if there is one."""
    if not isinstance(only(value), Instance):
        return None
    method = attribute(walk, value, name, node, scope)
    if not isinstance(only(method), Function):
        return None
    return walk.call(method, args, {}, node, scope)


def subscript(walk: Walk, node: ast.Subscript, scope: Scope) -> Value:
    owner = walk.evaluate(node.value, scope)
    if isinstance(node.slice, ast.Slice):
        return _slice(walk, owner, node.slice, scope)
    key = walk.evaluate(node.slice, scope)
    return join(_item(walk, atom, owner, key) for atom in owner.atoms)


def _item(walk: Walk, atom: Atom, owner: Value, key: Value) -> Value:
    index = only(key)
    plain = index.value if isinstance(index, Const) else None
    match atom:
        case External(name="os.environ"):
            return from_environment(str(plain), walk.parameters)
        case DictOf():
            return look_up(atom, key, unknown(label(key)))
        case ListOf(items=items) if isinstance(plain, int) and -len(items) <= plain < len(items):
            return items[plain]
        case ListOf(items=items, is_open=False) if items and not isinstance(index, Const):
            return join(items)
        case Const(value=str() as text) if isinstance(plain, int):
            return const(text[plain]) if -len(text) <= plain < len(text) else unknown("text")
        case Class():
            return atom.members.get(str(plain), of(atom))
        case _:
            name = str(plain) if isinstance(plain, str) else label(owner)
            return Value((Member(atom, name, owner.names),), (name, *owner.names))


def _slice(walk: Walk, owner: Value, node: ast.Slice, scope: Scope) -> Value:
    bounds = [None if b is None else walk.evaluate(b, scope) for b in (node.lower, node.upper)]
    numbers: list[int | None] = []
    for bound in bounds:
        atom = only(bound) if bound is not None else Const(None)
        if not isinstance(atom, Const) or not isinstance(atom.value, int | None):
            return unknown(label(owner))
        numbers.append(atom.value)
    atom = only(owner)
    cut = slice(*numbers)
    if node.step is None and isinstance(atom, ListOf):
        return of(ListOf(atom.items[cut], atom.is_open))
    if node.step is None and isinstance(atom, Const) and isinstance(atom.value, str):
        return unknown(label(owner)) if holes(atom.value) else const(atom.value[cut])
    return unknown(label(owner))
