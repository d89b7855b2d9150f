"""Plans of the fleet and their steps over HTTP."""

from dataclasses import replace

import pytest

from swarm.model.plans import Because, Candidate, Placement, Refused, ScaleUp, Unplaced
from swarm.model.scaling import PlacementRecord, PlanMade, Scaled, Step
from swarm.model.sides import Risk
from swarm.store.journal import open_journal

SMALL, LARGE = Candidate(1, 2.0, 900.0, 0.2, 200.2), Candidate(3, 0.0, 300.0, 0.5, 0.5)
UP = ScaleUp("spot+2", "spot", 0, 60, Because.PROMISES, SMALL)
MADE = PlanMade(
    number=7,
    at_s=5_000.0,
    demands=12,
    moves=(UP, Refused(Because.MOST_WORKERS, 3, 1.0)),
    candidates=(SMALL, LARGE),
    chosen=LARGE,
    unplaced=(Unplaced("huge", Because.NO_OFFERING, (64, 0, 0), (4, 0, 0)),),
    unplaced_all=1,
    makespan_s=300,
    bound_s=280,
    usd_per_h=0.09,
    wanted=(("spot", 3),),
    risks=(Risk("spot", 0.03, 7_200.0, 0.042), Risk("new", 0.04, 0.0, 0.5)),
    placements=(
        Placement("report", "spot+2", 60, 360, 240.0, Because.SLACK),
        Placement("sweep", "n1", 120, 180, None, Because.FILLS),
        Placement("load", "n1", 0, 90, None, Because.RUNS),
    ),
    placements_all=5,
)


def write(api, *records: PlacementRecord) -> None:
    open_journal("", api.settings.state_dir).open("placement").append(records, 5_000.0, "test")
    api.see()


async def test_before_the_first_plan_it_says_how_to_have_one(api):
    said = await api.get("plan", status=404)
    assert "placement.pool" in said["detail"]
    assert await api.get("scale") == {"items": [], "next_cursor": None}


async def test_a_plan_tells_what_was_thought_of_and_why_it_is_as_it_is(api):
    write(api, MADE)
    plan = await api.get("plan")
    assert (plan["number"], plan["wanted"], plan["usd_per_h"]) == (7, {"spot": 3}, 0.09)
    assert [(row["workers"], row["chosen"]) for row in plan["candidates"]] == [
        (1, False),
        (3, True),
    ]
    assert [(row["kind"], row["because"]) for row in plan["moves"]] == [
        ("scale_up", "promises"),
        ("refused", "most_workers"),
    ]
    assert "with 1 workers 2 in value would be late" in plan["moves"][0]["why"]
    assert plan["unplaced"][0]["task"] == "huge"
    assert "64 slots" in plan["unplaced"][0]["why"]
    assert plan["why"].startswith("3 workers cost least of 2 fleets: rent $0.50")


async def test_a_plan_tells_how_far_from_perfect_it_is(api):
    """At best 280 s, as planned 300 s."""
    write(api, MADE)
    plan = await api.get("plan")
    assert plan["gap"] == pytest.approx(300 / 280)
    assert plan["why"].endswith(
        "all done after 5.0 min: 7.1% more than the least any plan on these workers could take."
    )
    write(api, replace(MADE, number=8, makespan_s=0, bound_s=0))
    idle = await api.get("plan")
    assert (idle["gap"], "than the least" in idle["why"]) == (1.0, False)


async def test_a_plan_tells_who_runs_where_from_when_to_when_and_why(api):
    write(api, MADE)
    plan = await api.get("plan")
    report, sweep, load = plan["placements"]
    assert report == {
        "task": "report",
        "worker": "spot+2",
        "start_s": 60,
        "end_s": 360,
        "slack_s": 240.0,
        "because": "slack",
        "why": "report begins on spot+2 in 1.0 min, for 5.0 min: of those ready it has the least "
        "slack, 4.0 min.",
    }
    assert (sweep["because"], sweep["slack_s"]) == ("fills", None)
    assert (load["because"], load["why"]) == ("runs", "load goes on at n1 for 1.5 min.")
    assert plan["placements_all"] == 5


async def test_a_plan_tells_what_spot_risks(api):
    write(api, MADE)
    old, new = (await api.get("plan"))["risks"]
    assert (old["pool"], old["usd_per_h"], old["age_s"], old["chance"]) == (
        "spot",
        0.03,
        7_200.0,
        0.042,
    )
    assert old["why"] == (
        "Spot of spot costs $0.03/h; it has been there for 120.0 min without a loss: a node of it "
        "is lost within the hour in 4.2% of cases."
    )
    assert "not there just now" in new["why"]


async def test_steps_come_newest_first_page_by_page_with_their_reasons(api):
    ordered = Scaled(Step.ORDERED, 5_001.0, 7, "spot", move=UP)
    joined = Scaled(Step.JOINED, 5_060.0, offering="spot", node="n1")
    left = Scaled(Step.LEFT, 6_000.0, offering="spot", node="n1", detail="it was lost")
    write(api, MADE, ordered, joined, left)
    first = await api.get("scale", limit=2)
    assert [row["step"] for row in first["items"]] == ["left", "joined"]
    assert first["items"][0]["why"] == "n1 of spot is gone: it was lost."
    rest = await api.get("scale", limit=2, cursor=first["next_cursor"])
    (row,) = rest["items"]
    assert (row["because"], row["plan"], rest["next_cursor"]) == ("promises", 7, None)
    assert row["why"].startswith("One more node of spot is wanted. Order spot+2")
