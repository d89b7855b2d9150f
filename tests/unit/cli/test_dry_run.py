"""What changes something can be looked at before: `--dry-run`."""

import ast
import inspect
import sys

import typer

from swarm import client
from swarm.cli.main import app

# What a command may send that changes nothing, and what it is that is told of, not asked for.
HARMLESS = {"simulate"}
ITSELF = {"swarm run"}  # wraps a line of a crontab, which it starts itself


def leaves(command, above="swarm"):
    for name, below in command.commands.items():
        path = f"{above} {name}"
        if hasattr(below, "commands"):
            yield from leaves(below, path)
        else:
            yield path, below


def changing_methods():
    """The methods of the client that send something else than a question."""
    found = {"submit"}
    for module in vars(client.calls).values():
        if inspect.ismodule(module):
            for node in ast.parse(inspect.getsource(module)).body:
                if isinstance(node, ast.FunctionDef) and any(
                    isinstance(one, ast.Call) and getattr(one.func, "id", "") == "post"
                    for one in ast.walk(node)
                ):
                    found.add(node.name)
    return found - HARMLESS


def calls_of(function, seen=()):
    """The names of all methods that a command calls, by functions of its module too."""
    module = sys.modules[function.__module__]
    for node in ast.walk(ast.parse(inspect.getsource(function))):
        if isinstance(node, ast.Call):
            if isinstance(node.func, ast.Attribute):
                yield node.func.attr
            beside = getattr(module, getattr(node.func, "id", ""), None)
            own = inspect.isfunction(beside) and beside.__module__ == module.__name__
            if own and beside not in seen:
                yield from calls_of(beside, (*seen, beside))


def test_every_command_that_changes_something_has_a_dry_run():
    methods = changing_methods()
    assert {"hold", "judge", "drain", "revoke_key", "keep_agents", "quarantine"} <= methods
    commands = dict(leaves(typer.main.get_command(app)))
    changes = {
        path
        for path, command in commands.items()
        if methods & set(calls_of(inspect.unwrap(command.callback)))
    }
    assert len(changes) > 15
    dry = {
        path
        for path, command in commands.items()
        if any("--dry-run" in one.opts for one in command.params)
    }
    assert changes - dry - ITSELF == set()
    assert {f"swarm {one}" for one in ("init", "up", "down", "alerts test")} <= dry
