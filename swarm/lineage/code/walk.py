"""What the parts of a walk need of each other and what all of them know of its state."""

import ast
from collections.abc import Mapping, Sequence
from typing import Protocol

from swarm.lineage.code.memory import Memory
from swarm.lineage.code.program import Program
from swarm.lineage.code.values import Function, Scope, Value
from swarm.lineage.code.watcher import Watcher


class Walk(Protocol):
    """One walk through a program; the parts of it are functions that take it first.

    `contexts` are the `with` objects around the current statement, `active` the functions that
    are being walked, outermost first. While `quiet` is not 0 the watcher is not told anything.
    `parameters` are known from outside, `defaults` set by the program for when they are not.
    `arguments` are the words of the command line; `None`: not known.
    """

    program: Program
    parameters: dict[str, str]
    defaults: dict[str, Value]
    arguments: Sequence[str] | None
    watcher: Watcher
    contexts: list[Value]
    active: list[Function]
    memory: Memory
    quiet: int

    def give_up(self, node: ast.AST, scope: Scope, detail: str) -> None:
        """Says that something is left out at `node`."""

    def evaluate(self, node: ast.expr, scope: Scope) -> Value:
        """What an expression may be."""

    def block(self, body: Sequence[ast.stmt], scope: Scope) -> bool:
        """Walks statements; true when control never gets past them."""

    def call(
        self,
        function: Value,
        args: Sequence[Value],
        kwargs: Mapping[str, Value],
        node: ast.AST,
        scope: Scope,
    ) -> Value:
        """What calling `function` may give; functions of the program are walked."""

    def module(self, path: str, main: bool = False) -> Scope:
        """The scope of a module after its body was walked once."""
