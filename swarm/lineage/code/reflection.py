"""Things that a program looks up by a text: `import_module("a.b")`, `getattr(module, "Name")`."""

import ast

from swarm.lineage.code.call import Call
from swarm.lineage.code.imports import module_named
from swarm.lineage.code.members import attribute
from swarm.lineage.code.texts import plain
from swarm.lineage.code.values import External, Scope, Value
from swarm.lineage.code.walk import Walk

_BY_PATH = frozenset({"import_string", "import_from_string", "locate", "get_class", "load_object"})


def looked_up(walk: Walk, call: Call, node: ast.AST, scope: Scope) -> Value | None:
    """What the call finds; `None` for other calls and for texts that are not known."""
    if not isinstance(call.function, External) or not call.args:
        return None
    if call.function.name == "builtins.getattr" and len(call.args) > 1:
        name = plain(call.args[1])
        return attribute(walk, call.args[0], name, node, scope) if name is not None else None
    dotted = plain(call.args[0])
    if dotted is None or dotted.startswith("."):
        return None
    if call.function.name == "importlib.import_module":
        return module_named(walk, dotted, scope)
    module, dot, name = dotted.rpartition(".")
    if call.name in _BY_PATH and dot:
        return attribute(walk, module_named(walk, module, scope), name, node, scope)
    return None
