"""`swarm alerts test` without a server: what cannot be sent says why."""

import pytest
import yaml
from typer.testing import CliRunner

from swarm.cli.main import app


@pytest.fixture
def run(tmp_path):
    def call(*arguments, **targets):
        told = []
        for name, address in targets.items():
            file = tmp_path / name
            file.write_text(address)
            told.append({"name": name, "kind": "webhook", "address_file": str(file)})
        settings = tmp_path / "swarm.yaml"
        settings.write_text(yaml.safe_dump({"alerts": {"targets": told}}))
        return CliRunner().invoke(app, ["alerts", "test", *arguments, "--config", str(settings)])

    return call


def test_without_targets_it_says_where_to_name_one(run):
    done = run()
    assert done.exit_code == 2
    assert "no target in the settings" in done.stderr


def test_a_name_that_is_none_is_told(run):
    done = run("pager", chat="http://127.0.0.1:9/")
    assert done.exit_code == 2
    assert "no target called pager" in done.stderr


def test_an_address_that_is_none_is_told(run):
    done = run(chat="nonsense")
    assert done.exit_code == 2
    assert "alerts.targets: chat" in done.stderr
    assert "nonsense" not in done.stderr
