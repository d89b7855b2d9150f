"""`swarm cost --baseline` over a manifest with runs, called as from a shell."""

import json
import time

import pytest
from typer.testing import CliRunner

from swarm.cli.main import app

DAY_S, HOUR_S = 86_400.0, 3_600.0


@pytest.fixture
def cost(tmp_path, monkeypatch):
    """Two pipelines; each ran for an hour on each of the ten days before yesterday."""
    monkeypatch.setenv("NO_COLOR", "1")
    begins_s = time.time() - 11 * DAY_S
    runs = [
        {"started_at_s": begins_s + day * DAY_S, "ended_at_s": begins_s + day * DAY_S + HOUR_S}
        for day in range(10)
    ]
    lines = [
        {"pipeline": name, "task": "t", "writes": [f"raw.{name}"], "runs": runs}
        for name in ("load", "close")
    ]
    manifest = tmp_path / "tasks.jsonl"
    manifest.write_text("".join(json.dumps(line) + "\n" for line in lines))
    config = tmp_path / "swarm.yaml"
    config.write_text("{}\n")

    def invoke(*words):
        asked = ["cost", "--manifest", manifest, "-c", config, "--days", 20, *words]
        return CliRunner().invoke(app, [str(word) for word in asked])

    return invoke


FLEET = ("--baseline", "--workers", 2, "--slots", 2)


def test_what_stands_is_priced_and_attributed(cost):
    done = cost(*FLEET, "--price", 0.5, "-o", "json")
    assert done.exit_code == 0, done.stderr
    tree = json.loads(done.stdout)
    assert tree["bill_usd"] == pytest.approx(20 * 24 * 2 * 0.5)
    assert tree["utilisation"] == pytest.approx(20 / (20 * 24 * 4))
    assert tree["usd"] == pytest.approx({"manifest/close": 2.5, "manifest/load": 2.5})
    assert tree["idle_usd"] + sum(tree["usd"].values()) == pytest.approx(tree["bill_usd"])
    assert tree["slots_at_most"] == 2


def test_by_day_as_csv(cost):
    done = cost(*FLEET, "--price", 0.5, "-o", "csv", "--by", "day")
    assert done.exit_code == 0, done.stderr
    head, *rows = done.stdout.splitlines()
    assert head == "day,usd"
    assert sum(float(row.split(",")[1]) for row in rows) == pytest.approx(5.0)


def test_a_known_type_has_a_price(cost):
    done = cost(*FLEET, "--type", "m5.2xlarge", "-o", "json")
    assert done.exit_code == 0, done.stderr
    assert json.loads(done.stdout)["worker_usd_per_h"] == pytest.approx(0.384)


def test_the_table_says_how_much_works(cost):
    done = cost(*FLEET, "--price", 0.5)
    assert done.exit_code == 0, done.stderr
    assert "20 days: 480.00 USD, 1% of it at work" in done.stdout
    assert "at most 2 runs at once" in done.stdout


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--workers", 2, "--slots", 2, "--price", 1), "say --baseline"),
        (("--baseline", "--slots", 2), "say --workers and --slots"),
        ((*FLEET, "--price", 1, "--by", "team"), "nobody knows by team"),
        (FLEET, "Say --price USD or --type TYPE"),
        ((*FLEET, "--type", "x9.huge"), "x9.huge in us-east-1 is not in the table"),
    ],
)
def test_what_is_missing_is_said(cost, words, said):
    done = cost(*words)
    assert done.exit_code == 2
    assert said in " ".join(done.stderr.replace("│", " ").split())
