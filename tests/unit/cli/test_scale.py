"""`swarm plan` and `swarm scale`, called as from a shell; what the API answers is given."""

import contextlib
import json
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from swarm.api.scaling_schemas import PlanRow, StepRow
from swarm.cli import scale
from swarm.cli.main import app
from swarm.model.scaling import Scaled, Step
from tests.unit.api.test_scaling import MADE, UP

STEPS = [
    Scaled(Step.LEFT, 6_000.0, offering="spot", node="n2", detail="it was lost"),
    Scaled(Step.JOINED, 5_060.0, offering="spot", node="n1"),
    Scaled(Step.ORDERED, 5_001.0, 7, "spot", move=UP),
]


class Answers:
    """A client of an API that always says the same."""

    def plan(self) -> Any:
        return PlanRow.of(MADE).model_dump(mode="json")

    def scaling(self) -> Any:
        return (StepRow.of(one).model_dump(mode="json") for one in STEPS)


@pytest.fixture(autouse=True)
def answers(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(scale, "connected", lambda _: contextlib.nullcontext(Answers()))


def swarm(*words: str) -> Result:
    return CliRunner().invoke(app, list(words))


def test_a_plan_is_told_with_its_candidates_prices_and_reasons() -> None:
    done = swarm("plan")
    assert done.exit_code == 0, done.stderr
    chosen = next(line for line in done.stdout.splitlines() if line.endswith("chosen"))
    assert chosen.split() == ["3", "0", "5.0", "min", "$0.50", "$0.50", "chosen"]
    parts = "nodes wanted: 3 spot ($0.09/h)", "raise `most_workers`", "huge needs 64 slots"
    for part in (*parts, "7.1% more than the least", "within the hour in 4.2% of cases"):
        assert part in done.stdout


def test_a_plan_is_told_with_who_runs_where_and_how_many_more_do() -> None:
    lines = swarm("plan").stdout.splitlines()
    at = lines.index("load goes on at n1 for 1.5 min.")
    assert lines[at - 2].startswith("report begins on spot+2 in 1.0 min, for 5.0 min: ")
    assert lines[at + 1] == "and 2 more tasks that are placed"
    told = json.loads(swarm("plan", "-o", "json").stdout)["plan"]["placements"]
    assert [(one["task"], one["start_s"], one["end_s"]) for one in told] == [
        ("report", 60, 360),
        ("sweep", 120, 180),
        ("load", 0, 90),
    ]


def test_a_plan_as_json_is_what_the_api_says() -> None:
    told = json.loads(swarm("plan", "-o", "json").stdout)
    assert (told["schema_version"], told["plan"]["number"]) == (1, 7)


def test_steps_are_listed_as_many_as_were_asked_for() -> None:
    lines = swarm("scale", "-n", "2").stdout.splitlines()
    assert ["left" in lines[0], "n1 of spot joined" in lines[1], len(lines)] == [True, True, 2]


def test_one_node_is_explained_and_an_unknown_one_is_named() -> None:
    steps = json.loads(swarm("scale", "explain", "n1", "-o", "json").stdout)["steps"]
    assert [one["step"] for one in steps] == ["joined"]
    assert len(swarm("scale", "explain", "spot").stdout.splitlines()) == 3
    unknown = swarm("scale", "explain", "n9")
    assert (unknown.exit_code, "n9" in unknown.stderr) == (4, True)
