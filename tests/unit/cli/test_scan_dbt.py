"""`swarm scan --dbt`, called as from a shell, beside another scheduler."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from swarm.cli.main import app

BUILD = Path(__file__).parents[1] / "connectors" / "dbt_artifacts" / "build"


def scan(*words):
    return CliRunner().invoke(app, ["scan", *map(str, words), "-o", "json"])


@pytest.mark.parametrize("path", [BUILD, BUILD / "manifest.json"])
def test_what_feeds_a_dbt_project_is_found(tmp_path, path):
    tasks = tmp_path / "tasks.jsonl"
    tasks.write_text(
        '{"pipeline": "ingest", "task": "load", "writes": ["lake.raw.customers_v2"]}\n'
    )
    done = scan("--dbt", path, "--manifest", tasks)
    assert done.exit_code == 0, done.stderr
    edges = json.loads(done.stdout)["edges"]
    undeclared = {
        (edge["upstream"]["pipeline"], edge["downstream"]["pipeline"], edge["downstream"]["task"])
        for edge in edges
        if not edge["declared"]
    }
    assert undeclared == {
        ("ingest", "shop", "customers_history"),
        ("ingest", "shop", "customer_value"),
    }


def test_a_folder_without_a_manifest_is_told(tmp_path):
    done = scan("--dbt", tmp_path)
    assert done.exit_code == 3
    assert "dbt compile" in done.stderr


def test_a_path_that_is_not_there_is_refused(tmp_path):
    done = scan("--dbt", tmp_path / "target")
    assert done.exit_code == 2
    assert "there is no file" in done.stderr
