"""Commands print in the same ways: forms, tables and times are in one place."""

import inspect
import json
from pathlib import Path

import pytest
import yaml
from typer.testing import CliRunner

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


MORE = {"scan": "html", "replay": "html", "diff": "markdown", "cost": "csv"}


def test_every_form_is_table_json_or_yaml_and_some_have_one_more():
    known = {command: [one.value for one in type(form)] for command, form in forms().items()}
    assert {tuple(has[:3]) for has in known.values()} == {("table", "json", "yaml")}
    more = {command.partition(":")[2]: has[3] for command, has in known.items() if has[3:]}
    assert more == MORE


def test_what_is_no_table_by_default_is_what_others_read():
    others = {command: form for command, form in forms().items() if form != "table"}
    assert others == {
        "swarm.cli.config:show": "yaml",
        "swarm.cli.cluster:offerings": "yaml",
        "swarm.cli.cluster:prices": "yaml",
        "swarm.cli.reads:openapi": "json",
    }


CLUSTER = Path(__file__).parents[3] / "cluster" / "aws.yaml"
BEFORE = '{"pipeline": "load", "task": "load", "writes": ["dwh.a"]}\n'
AFTER = BEFORE + '{"pipeline": "read", "task": "read", "reads": ["dwh.a"]}\n'


def rounded(tree):
    """Sums over a span that ends now have other last digits a moment later."""
    if isinstance(tree, dict):
        return {name: rounded(inner) for name, inner in tree.items()}
    if isinstance(tree, list):
        return [rounded(inner) for inner in tree]
    return round(tree, 6) if isinstance(tree, float) else tree


@pytest.mark.parametrize(
    "words",
    [
        ("scan", "--manifest", "after.jsonl"),
        ("diff", "--base", "before.jsonl", "--head", "after.jsonl"),
        (
            *("cost", "--baseline", "--manifest", "after.jsonl"),
            *("--workers", 2, "--slots", 2, "--price", 1),
        ),
        ("check",),
        ("connections", "list"),
        ("cluster", "check", CLUSTER),
        ("cluster", "offerings", CLUSTER),
        ("config", "show"),
    ],
    ids=lambda words: " ".join(map(str, words[:2])),
)
def test_yaml_says_what_json_says(words, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("SWARM_CONFIG", raising=False)
    (tmp_path / "before.jsonl").write_text(BEFORE)
    (tmp_path / "after.jsonl").write_text(AFTER)
    told = {form: invoked(*words, "-o", form) for form in ("table", "json", "yaml")}
    as_json, as_yaml = json.loads(told["json"]), yaml.safe_load(told["yaml"])
    for tree in (as_json, as_yaml):  # what was looked at a moment later
        for name in ("generated_at", "generated_at_s", "from_s", "until_s", "to_s"):
            tree.pop(name, None)
    assert rounded(as_yaml) == rounded(as_json)
    with pytest.raises(ValueError, match=r"Expecting|Extra"):
        json.loads(told["table"])


def invoked(*words):
    done = CliRunner().invoke(app, [str(word) for word in words])
    assert done.exit_code in (0, 3), done.output
    return done.stdout


def test_a_name_with_brackets_is_printed_as_it_is(capsys):
    output.print_table(("writer",), [("airflow/[bold]load[/bold]",)])
    assert "airflow/[bold]load[/bold]" in capsys.readouterr().out
