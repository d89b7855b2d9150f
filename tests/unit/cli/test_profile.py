"""`swarm runs PIPELINE --profile`, called as from a shell."""

import contextlib
import json

import pytest
from typer.testing import CliRunner

from swarm.cli import reads
from swarm.cli.main import app

FOUND = {
    "pipeline": "airflow/a",
    "runs": 20,
    "failed": 5,
    "failure_rate": 0.25,
    "apart": 1,
    "from_s": 0.0,
    "until_s": 1.0,
    "every_s": 86_400.0,
    "took": {"p50_s": 600.0, "p90_s": 660.0},
    "late": {"p50_s": -10.0, "p90_s": 120.0},
    "begins": {"p50_s": -1_800.0, "p90_s": 600.0},
    "odd_days": [{"kind": "last", "days": 3, "runs": 3, "failed": 0, "took": None}],
    "tasks": [
        {
            "task": "load",
            "runs": 10,
            "tries": 12,
            "failed": 3,
            "failure_rate": 0.25,
            "retried": 2,
            "took": {"p50_s": 30.0, "p90_s": 45.0},
            "after": {"p50_s": 5.0, "p90_s": 6.0},
        }
    ],
}


@pytest.fixture
def runs(monkeypatch):
    class Answers:
        def profile(self, name):
            return FOUND | {"pipeline": name}

    monkeypatch.setattr(reads, "connected", lambda *_, **__: contextlib.nullcontext(Answers()))
    return lambda *words: CliRunner().invoke(app, ["runs", *words, "--profile"])


def test_it_is_told_in_words(runs):
    done = runs("airflow/a")
    assert done.exit_code == 0, done.stderr
    for words in (
        "airflow/a: 20 runs",
        "23:30, on nine of ten days by 00:10 UTC",
        "-10 s, on nine of ten 2 min at most",
        "10 min, on nine of ten 11 min at most",
        "25.0% (5 of 20)",
        "last working day: fails 0.0% (0 of 3)",
        "25.0% (3 of 12)",
        "20.0% (2 of 10)",
    ):
        assert words in done.stdout


def test_as_json_it_is_as_the_api_tells_it(runs):
    assert json.loads(runs("airflow/a", "-o", "json").stdout) == {"schema_version": 1, **FOUND}


def test_it_is_of_one_pipeline(runs):
    assert runs().exit_code == 2


@pytest.mark.parametrize("words", [("--newest",), ("--state", "failed")])
def test_it_is_of_all_its_runs(runs, words):
    done = runs("airflow/a", *words)
    assert done.exit_code == 2
    assert "leave out `--newest`" in done.stderr
