"""What imported names stand for: modules of the program, else something external by its name."""

import ast

from swarm.lineage.code.arguments import program_arguments
from swarm.lineage.code.values import External, ModuleOf, Scope, Unknown, Value, of
from swarm.lineage.code.walk import Walk

ANY = "*"
"""The name that a module has from `from ... import *` of something that is not at hand."""


def import_modules(walk: Walk, node: ast.Import, scope: Scope) -> bool:
    for alias in node.names:
        found = module_named(walk, alias.name, scope)
        if alias.asname or "." not in alias.name:
            scope.names[alias.asname or alias.name] = found
        else:
            _import_package(walk, alias.name, scope)
    return False


def module_named(walk: Walk, dotted: str, scope: Scope) -> Value:
    """The module of a full name, walked if it is of the program."""
    path = walk.program.find_module(dotted, scope.module)
    if path is None:
        return of(External(dotted))
    walk.module(path)
    return of(ModuleOf(path))


def _import_package(walk: Walk, dotted: str, scope: Scope) -> None:
    first = dotted.split(".")[0]
    path = walk.program.find_module(first, scope.module)
    if path is None and walk.program.find_module(dotted, scope.module):
        scope.names[first] = of(ModuleOf(first))  # a package without an __init__ file
    else:
        scope.names[first] = of(ModuleOf(path) if path else External(first))


def import_from(walk: Walk, node: ast.ImportFrom, scope: Scope) -> bool:
    dotted = node.module or ""
    path = walk.program.find_module(dotted, scope.module, node.level)
    for alias in node.names:
        if alias.name == "*":
            if path is not None:
                scope.names.update(walk.module(path).names)
            else:
                scope.names[ANY] = of(External("." * node.level + dotted))
            continue
        scope.names[alias.asname or alias.name] = _imported(walk, node, path, alias.name, scope)
    return False


def _imported(walk: Walk, node: ast.ImportFrom, path: str | None, name: str, scope: Scope) -> Value:
    if path is not None:
        found = walk.module(path).names.get(name)
        if found is not None:
            return found
    dotted = f"{node.module}.{name}" if node.module else name
    inner = walk.program.find_module(dotted, scope.module, node.level)
    if inner is not None:
        walk.module(inner)
        return of(ModuleOf(inner))
    if path is not None:
        return Value((Unknown(name),), (name,))
    return named_outside(walk, "." * node.level + dotted, scope)


def named_outside(walk: Walk, dotted: str, scope: Scope) -> Value:
    """Something that is not of the program, by its full name."""
    known = program_arguments(walk, scope.module) if dotted == "sys.argv" else None
    return known or of(External(dotted))


def member_of_module(walk: Walk, path: str, name: str) -> Value:
    """`module.name` for a module of the program."""
    if path in walk.program.sources:
        found = walk.module(path).names.get(name)
        if found is not None:
            return found
    folder = path.removesuffix("__init__.py").removesuffix(".py").rstrip("/")
    inner = walk.program.find_module(f"{folder.replace('/', '.')}.{name}", path)
    return of(ModuleOf(inner)) if inner else Value((Unknown(name),), (name,))
