"""Walks what a program reaches from an entry, statement by statement, without running it.

The parts are `statements`, `expressions`, `definitions`, `imports` and `invocation`; here is the
state they share and its limits. What is called outside the program is told to a `Watcher`, which
knows what those calls mean.
"""

import ast
from collections.abc import Mapping, Sequence

from swarm.lineage.code.expressions import EXPRESSIONS
from swarm.lineage.code.invocation import call_atom, run
from swarm.lineage.code.memory import Memory
from swarm.lineage.code.program import Program
from swarm.lineage.code.statements import STATEMENTS
from swarm.lineage.code.values import Bound, Function, Instance, Scope, Value, const, join, unknown
from swarm.lineage.code.watcher import Watcher
from swarm.model.lineage import Unresolved, UnresolvedReason

MAX_STEPS = 100_000
_MAX_NESTING = 120


class Interpreter:
    """One walk, a `Walk` for its parts.

    With `quiet_imports` what modules do while they are imported is not told to the watcher.
    """

    def __init__(
        self,
        program: Program,
        parameters: Mapping[str, str],
        watcher: Watcher,
        quiet_imports: bool = True,
        arguments: Sequence[str] | None = None,
    ) -> None:
        self.program = program
        self.parameters = dict(parameters)
        self.defaults: dict[str, Value] = {}
        self.arguments = arguments
        self.watcher = watcher
        self.contexts: list[Value] = []
        self.active: list[Function] = []
        self.memory = Memory()
        self.quiet = 0
        self.unresolved: list[Unresolved] = []
        self._quiet_imports = quiet_imports
        self._steps = 0
        self._depth = 0
        self._modules: dict[str, Scope] = {}

    def module(self, path: str, main: bool = False) -> Scope:
        """The scope of a module after its body was walked once."""
        if path in self._modules:
            return self._modules[path]
        dotted = path.removesuffix(".py").replace("/", ".")
        name = "__main__" if main else dotted
        scope = Scope(path, {"__name__": const(name), "__file__": const(path)})
        self._modules[path] = scope
        tree = self.program.tree(path)
        if isinstance(tree, Unresolved):
            self.unresolved.append(tree)
            return scope
        quiet = self._quiet_imports and not main
        self.quiet += quiet
        active, self.active = self.active, []
        self.block(tree.body, scope)
        self.active = active
        self.quiet -= quiet
        return scope

    def watch(self, watcher: Watcher) -> None:
        """Tells another watcher from here on."""
        self.watcher = watcher
        self.active.clear()
        self.contexts.clear()
        self._steps = 0
        self.memory = Memory()

    def call_entry(
        self, function: Value, args: Sequence[Value], kwargs: Mapping[str, Value]
    ) -> Value | None:
        """Calls a function of the program from outside; `None` when it is not one."""
        if not any(isinstance(atom, Function | Bound | Instance) for atom in function.atoms):
            return None
        return self.call(function, args, kwargs, ast.Pass(), Scope("", {}))

    def run(self, function: Function, args: Sequence[Value], kwargs: Mapping[str, Value]) -> Value:
        """Walks a function with these arguments and answers what it returns."""
        return run(self, function, args, kwargs)

    def give_up(self, node: ast.AST, scope: Scope, detail: str) -> None:
        """Says that the walk leaves something out at `node`, unless nobody is told anything."""
        place = f"{scope.module}:{getattr(node, 'lineno', 1)}"
        problem = Unresolved(scope.module, UnresolvedReason.TOO_LARGE, place, detail)
        if not self.quiet and problem not in self.unresolved:
            self.unresolved.append(problem)

    def _spend(self, node: ast.AST, scope: Scope) -> bool:
        """Takes one step; false when the walk is over its limit."""
        self._steps += 1
        if self._steps == MAX_STEPS:
            place = f"{scope.module}:{getattr(node, 'lineno', 1)}"
            detail = f"the program takes more than {MAX_STEPS} steps to read"
            problem = Unresolved(scope.module, UnresolvedReason.TOO_LARGE, place, detail)
            self.unresolved.append(problem)
        return self._steps < MAX_STEPS

    def evaluate(self, node: ast.expr, scope: Scope) -> Value:
        kind = EXPRESSIONS.get(type(node))
        if kind is None or not self._spend(node, scope):  # a slice: who takes it evaluates it
            return unknown("an expression")
        if self._depth >= _MAX_NESTING:
            self.give_up(node, scope, f"expressions are nested more than {_MAX_NESTING} deep")
            return unknown("an expression")
        self._depth += 1
        try:
            return kind(self, node, scope)
        finally:
            self._depth -= 1

    def block(self, body: Sequence[ast.stmt], scope: Scope) -> bool:
        for node in body:
            if not self._spend(node, scope):
                return True
            kind = STATEMENTS.get(type(node))
            if kind is not None and kind(self, node, scope):
                return True
        return False

    def call(
        self,
        function: Value,
        args: Sequence[Value],
        kwargs: Mapping[str, Value],
        node: ast.AST,
        scope: Scope,
    ) -> Value:
        return join(call_atom(self, atom, args, kwargs, node, scope) for atom in function.atoms)
