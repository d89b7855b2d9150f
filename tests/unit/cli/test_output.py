"""Commands print in the same ways: forms, tables and times are in one place."""

import inspect

import pytest

from swarm.cli import output
from swarm.cli.main import app


def commands(group):
    for one in group.registered_commands:
        yield one.callback
    for one in group.registered_groups:
        yield from commands(one.typer_instance)


def forms():
    """The default form of each command that has forms."""
    signatures = [(one, inspect.signature(one).parameters) for one in commands(app)]
    return {
        f"{one.__module__}:{one.__name__}": p["output"].default
        for one, p in signatures
        if "output" in p
    }


def test_every_form_is_of_one_module():
    found = forms()
    assert len(found) > 25
    assert {type(form).__module__ for form in found.values()} == {output.__name__}


@pytest.mark.parametrize(
    ("command", "known"),
    [
        ("swarm.cli.deps:deps", ["table", "json", "yaml"]),
        ("swarm.cli.scan:scan", ["table", "json", "html"]),
        ("swarm.cli.replay:replay", ["table", "json", "html"]),
        ("swarm.cli.diff:diff", ["table", "json", "markdown"]),
        ("swarm.cli.cost:cost", ["table", "json", "csv"]),
        ("swarm.cli.config:show", ["yaml", "json"]),
        ("swarm.cli.cluster:check", ["text", "json"]),
    ],
)
def test_each_command_has_the_forms_it_had(command, known):
    form = forms()[command]
    assert form == known[0]
    assert [one.value for one in type(form)] == known


def test_a_name_with_brackets_is_printed_as_it_is(capsys):
    output.print_table(("writer",), [("airflow/[bold]load[/bold]",)])
    assert "airflow/[bold]load[/bold]" in capsys.readouterr().out
