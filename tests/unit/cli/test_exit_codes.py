"""Every exit code that a command may end with is in the table of the command line's README."""

import ast
import importlib
import re
from collections.abc import Iterator
from pathlib import Path

import swarm.cli
from swarm.cli import connection

FOLDER = Path(swarm.cli.__file__).parent
OWN = {75, 128}  # of `swarm run`: said below the table


def given() -> Iterator[tuple[str, int]]:
    """The codes that the source names, with where."""
    for path in sorted(FOLDER.glob("*.py")):
        module = importlib.import_module(f"swarm.cli.{path.stem}")
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call) and node.args:
                name = ast.unparse(node.func)
                code = {"fail": 1, "typer.Exit": 0, "sys.exit": 0}.get(name)
                if code is not None and code < len(node.args):
                    yield from ((path.name, one) for one in numbers(node.args[code], module))


def numbers(node: ast.expr, module: object) -> Iterator[int]:
    """The numbers that an expression can be, as far as it says so itself."""
    if isinstance(node, ast.Constant) and isinstance(node.value, int):
        yield node.value
    elif isinstance(node, ast.Name) and isinstance(getattr(module, node.id, None), int):
        yield getattr(module, node.id)
    elif isinstance(node, ast.IfExp):
        yield from numbers(node.body, module)
        yield from numbers(node.orelse, module)


def test_the_table_has_every_code_that_a_command_ends_with() -> None:
    text = (FOLDER / "README.md").read_text()
    table = {int(code) for code in re.findall(r"^\| (\d+) \|", text, re.MULTILINE)}
    found = set(given()) | {("connection", code) for code in connection._EXIT_OF_STATUS.values()}
    assert {code for _, code in found} >= {0, 1, 2, 3, 4, 5, 6, 7, 130}
    assert [one for one in sorted(found) if one[1] not in table | OWN] == []
    assert table == {code for _, code in found} - OWN, "and no other"
    assert all(f"{code} " in text.partition("## Commands")[2] for code in OWN)
