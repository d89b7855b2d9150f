"""`swarm cost` against the real API over real records, without Ray."""

import csv
import io
import json
from datetime import UTC, datetime

import pytest
from typer.testing import CliRunner

from swarm.cli.main import app
from tests.e2e.dashboard_world import TOKEN, served

HOUR_S, DAY_S = 3_600.0, 86_400.0
HEAD = (
    "lineItem/LineItemType",
    "lineItem/UsageStartDate",
    "lineItem/UsageEndDate",
    "lineItem/UsageType",
    "lineItem/UsageAmount",
    "lineItem/UnblendedCost",
    "resourceTags/user:ray-cluster-name",
)


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    with served(tmp_path_factory.mktemp("cost"), hostile=False) as world:
        yield world


@pytest.fixture
def cost(world, tmp_path, monkeypatch):
    monkeypatch.setenv("NO_COLOR", "1")
    monkeypatch.setenv("SWARM_URL", world.url)
    token = tmp_path / "token"
    token.write_text(TOKEN)
    monkeypatch.setenv("SWARM_TOKEN_FILE", str(token))

    def invoke(*words):
        return CliRunner().invoke(app, ["cost", *map(str, words)])

    return invoke


def test_what_it_cost_and_whose_it_was(cost):
    done = cost()
    assert done.exit_code == 0, done.stderr
    assert "spot saved" in done.stdout
    assert "0.15  dagster/finance_close" in done.stdout
    assert "15.0 h spot of pool new have no price: set `prices.new`" in done.stderr


def test_rows_and_idle_make_the_bill(cost):
    for by in ("pipeline", "team", "day", "run"):
        done = cost("--by", by, "-o", "json")
        assert done.exit_code == 0, done.stderr
        tree = json.loads(done.stdout)
        rows = sum(row["usd"] for row in tree["rows"])
        assert rows + tree["idle_usd"] == pytest.approx(tree["bill_usd"], abs=1e-4)


def test_as_csv(cost):
    rows = list(csv.DictReader(io.StringIO(cost("--by", "team", "-o", "csv").stdout)))
    finance = next(row for row in rows if row["team"] == "finance")
    assert (float(finance["usd"]), float(finance["slot_h"])) == (pytest.approx(0.15), 10.0)


def a_bill(path, world, *, usd_per_h=0.06, node_h_a_day=3.02):
    """Of the spot node of each of the last five days, and somebody else's."""
    now_s = world.deps.clock.now_s()
    lines = [",".join(HEAD)]
    for day in range(5, 0, -1):
        for cluster in ("swarm", "other"):
            from_s = (now_s - day * DAY_S) // HOUR_S * HOUR_S
            times = (from_s, from_s + 4 * HOUR_S)
            spans = [datetime.fromtimestamp(at_s, UTC).isoformat() for at_s in times]
            usd = node_h_a_day * usd_per_h
            row = ("Usage", *spans, "SpotUsage:m5.xlarge", node_h_a_day, usd, cluster)
            lines.append(",".join(map(str, row)))
    path.write_text("\n".join(lines) + "\n")
    return path


def test_a_bill_of_aws_agrees_within_two_percent(cost, world, tmp_path):
    """The minute of each node's boot is on the bill alone."""
    bill = a_bill(tmp_path / "cur.csv", world)
    done = cost("--bill", bill, "--tag", "ray-cluster-name=swarm", "-o", "json")
    assert done.exit_code == 0, done.output
    tree = json.loads(done.stdout)
    assert tree["billed_usd"] == pytest.approx(5 * 3.02 * 0.06)
    assert 0 < tree["difference"] < 0.02
    (kind,) = tree["kinds"]
    assert (kind["billed_h"], kind["receipt_h"]) == (
        pytest.approx(15.1),
        pytest.approx(15, abs=0.1),
    )


def test_a_bill_that_is_apart_is_said_by_the_exit_code(cost, world, tmp_path):
    bill = a_bill(tmp_path / "cur.csv", world, usd_per_h=0.07)
    done = cost("--bill", bill, "--tag", "ray-cluster-name=swarm")
    assert done.exit_code == 3
    assert "% apart" in done.stdout
    assert cost("--bill", bill, "--tag", "ray-cluster-name=none").exit_code == 2
