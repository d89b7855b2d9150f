"""Spot or dedicated for tasks that wait: what is proposed, and when nothing is."""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from random import Random

import pytest

from swarm.model.keys import PipelineKey
from swarm.model.plans import Budget, Offering, Rented
from swarm.model.scaling import Expected
from swarm.model.sides import Side, Sided
from swarm.model.work import (
    CapacityClass,
    Effects,
    Needs,
    Rearm,
    Resources,
    SlaClass,
    Submission,
    TaskId,
)
from swarm.placement.demand import Spread
from swarm.placement.planner import plan
from swarm.placement.rooms import room
from swarm.placement.sides import Market, Sides, sides
from swarm.placement.situation import Coming, Live, Scene, Terms, situation
from swarm.placement.sizing import Worth
from swarm.placement.spot import Because
from swarm.placement.survival import Survival

T = 1_000_000.0
GIB = 1 << 30
SPOT, SURE = CapacityClass.SPOT, CapacityClass.DEDICATED
OLD = Offering("old", room(2, 4 * GIB, 0), 0.06, 60, SPOT)
YOUNG = Offering("young", room(2, 4 * GIB, 0), 0.04, 60, SPOT)
OWN = Offering("own", room(2, 4 * GIB, 0), 0.2, 60, SURE)
DAILY = PipelineKey("air", "daily")
TERMS = Terms(
    Budget(10),
    Worth(),
    {SlaClass.CRITICAL: 300.0, SlaClass.STANDARD: 1_800.0, SlaClass.BACKFILL: 21_600.0},
    3_600,
)
AGES_S = {"old": 24 * 3_600.0, "young": 60.0}
TOOK = Spread((60.0, 60.0))
LONG = Spread((600.0, 600.0))  # so long young spot is lost in one of five cases


def a_task(name: str = "t", needs: Needs = Needs(), **more: object) -> Submission:  # noqa: B008
    return replace(Submission(TaskId(name), "team", "digest", T - 10, needs), **more)


def a_scene(
    *tasks: Submission,
    offerings: Iterable[Offering] = (OWN, OLD, YOUNG),
    rented: Iterable[Rented] = (),
    expected: Mapping[PipelineKey, Expected] | None = None,
    coming: Iterable[Coming] = (),
    took: Spread = TOOK,
) -> Scene:
    live = [Live(one) for one in tasks]
    known = expected or {}
    return Scene(tuple(offerings), list(rented), live, list(coming), known, lambda _: took)


def chosen(scene: Scene, terms: Terms = TERMS, domains: Mapping[str, str] | None = None) -> Sides:
    market = Market(lambda name: AGES_S.get(name, 0.0), Survival(), domains or {})
    return sides(scene, market, terms, {"again": 2}, T)


def side(scene: Scene, terms: Terms = TERMS) -> tuple[Side, str]:
    (one,) = chosen(scene, terms).sided
    return one.side, one.why


def test_where_nothing_is_due_the_cheapest_place_comes_first_and_any_other_will_do() -> None:
    assert side(a_scene(a_task())) == (Side(SPOT), Because.CHEAPEST.value)
    dear = replace(OLD, price_usd_per_h=0.3)
    assert side(a_scene(a_task(), offerings=(OWN, dear))) == (Side(SURE), Because.CHEAPEST.value)


def test_what_is_due_is_on_spot_only_while_a_loss_could_be_made_good() -> None:
    """It takes a minute; lost at its end it would take a boot, a restart and a minute again."""
    assert side(a_scene(a_task(deadline_s=T + 600.0)))[0] == Side(SPOT)
    late = side(a_scene(a_task(deadline_s=T + 180.0)))
    assert late == (Side(SURE, ()), Because.NO_SLACK.value)


def test_what_each_pool_risks_is_told_the_cheapest_first() -> None:
    """An old one is nearly dedicated; of dedicated capacity there is nothing to tell."""
    young, old = chosen(a_scene(a_task())).risks
    assert [(one.pool, one.price_usd_per_h, one.age_s) for one in (young, old)] == [
        ("young", 0.04, 60.0),
        ("old", 0.06, 86_400.0),
    ]
    assert 0 < old.chance < young.chance < 1
    assert young.chance == Survival().chance("young", 60.0, 3_600.0)
    assert chosen(a_scene(a_task(), offerings=(OWN,))).risks == ()


def test_what_is_late_anyway_takes_what_there_is() -> None:
    assert side(a_scene(a_task(deadline_s=T + 30.0)))[0] == Side(SURE)


def test_critical_work_goes_to_an_old_pool_or_to_dedicated_capacity_never_to_a_young_one() -> None:
    critical = a_task(sla=SlaClass.CRITICAL, deadline_s=T + 3_600.0)
    assert side(a_scene(critical, took=LONG))[0] == Side(SPOT, ("old",))
    young = side(a_scene(critical, offerings=(OWN, YOUNG), took=LONG))
    assert young == (Side(SURE, ()), Because.TOO_RISKY.value)


def test_what_a_promise_stands_on_is_critical_and_its_backfills_are_not() -> None:
    expected = {DAILY: Expected(DAILY, end_by_s=T + 3_600.0)}
    task = a_task(pipeline=DAILY)
    found = chosen(a_scene(task, offerings=(OWN, YOUNG), expected=expected, took=LONG))
    assert [one.side for one in found.sided] == [Side(SURE, ())]
    assert found.promised == {DAILY}
    filling = replace(task, sla=SlaClass.BACKFILL)
    assert side(a_scene(filling, offerings=(OWN, YOUNG), expected=expected))[0] == Side(SPOT)


def test_of_critical_work_no_zone_holds_more_than_its_share() -> None:
    critical = [
        a_task(f"t{n}", sla=SlaClass.CRITICAL, deadline_s=T + 3_600.0 + n) for n in range(9)
    ]
    found = chosen(a_scene(*critical, offerings=(OWN, OLD)))
    assert [one.side for one in found.sided] == [Side(SPOT, ("old",))] * 3 + [Side(SURE, ())] * 6
    other = replace(OLD, name="more")
    scene = a_scene(*critical, offerings=(OWN, OLD, other))
    AGES_S["more"] = AGES_S["old"]
    together = chosen(scene, domains={"old": "zone", "more": "zone"})
    assert [one.side.where for one in together.sided].count(SPOT) == 3
    assert [one.side.where for one in chosen(scene).sided].count(SPOT) == 6


def test_what_a_task_says_itself_is_not_proposed_again() -> None:
    own = a_task("own", Needs(capacity=SPOT)), a_task("pooled", Needs(pool="old"))
    assert chosen(a_scene(*own)).sided == ()


def test_where_there_is_no_spot_nothing_is_proposed() -> None:
    assert chosen(a_scene(a_task(sla=SlaClass.CRITICAL), offerings=(OWN,))) == Sides()


def test_dedicated_capacity_that_cannot_be_had_is_not_waited_for() -> None:
    """Also by critical work: it would never run."""
    critical = a_task(sla=SlaClass.CRITICAL)
    large = a_task(needs=Needs(resources=Resources(cpu=4.0)), deadline_s=T + 180.0)
    big = replace(YOUNG, room=room(8, 0, 0))
    open_side = Side(SPOT), "it is critical, and no dedicated capacity can be had"
    assert side(a_scene(critical, offerings=(YOUNG,))) == open_side
    assert chosen(a_scene(large, offerings=(OWN, big))).sided == ()
    full = replace(TERMS, budget=Budget(1))
    rented = [Rented("n1", YOUNG)]
    assert side(a_scene(critical, rented=rented), full) == open_side
    assert not chosen(a_scene(critical, rented=rented), full).careful
    both = [Rented("n1", YOUNG), Rented("n2", OWN)]
    stands = side(a_scene(critical, rented=both, took=LONG), replace(TERMS, budget=Budget(2)))
    assert stands[0] == Side(SURE, ())
    assert chosen(a_scene(critical)).careful


def test_of_a_task_that_was_lost_the_proposal_is_for_its_next_grant() -> None:
    found = chosen(a_scene(a_task("again"), a_task("new")))
    assert {one.task: one.grant for one in found.sided} == {"again": 2, "new": 0}


def test_the_fleet_has_dedicated_room_for_what_may_not_run_on_spot() -> None:
    """Young spot stands empty; the plan orders a node beside it all the same."""
    critical = a_task(sla=SlaClass.CRITICAL, deadline_s=T + 300.0)
    scene = a_scene(critical, offerings=(YOUNG, OWN), rented=[Rented("n1", YOUNG)])
    scene = replace(scene, sides=chosen(scene).of)
    made = plan(situation(scene, TERMS, T), Random(1))
    (placed,) = made.placements
    assert placed.worker.startswith("own"), placed


def test_the_fleet_grows_by_the_class_that_most_of_the_work_is_better_on() -> None:
    found = chosen(a_scene(a_task()))
    assert [one.name for one in found.first((OWN, OLD, YOUNG))] == ["old", "young", "own"]
    assert Sides().first((OWN, OLD)) == (OWN, OLD)


def test_what_is_to_come_has_its_side_too_and_is_not_told() -> None:
    one = Coming("later", DAILY, T + 900.0, Needs(), SlaClass.CRITICAL, LONG)
    found = chosen(a_scene(offerings=(OWN, YOUNG), coming=[one]))
    assert found.sided == ()
    assert found.of == {"later": Side(SURE, ())}


def on_spot(began_s: float, copied: bool = False, **more: object) -> Scene:
    """Critical and fenced, on the old pool since then; it takes ten minutes."""
    critical = {"sla": SlaClass.CRITICAL, "effects": Effects.FENCED, "deadline_s": T + 660.0}
    task = a_task("run", **{**critical, **more})
    rented = [Rented("n1", OLD), Rented("n2", OWN)]
    scene = a_scene(offerings=(OWN, OLD, YOUNG), rented=rented, took=LONG)
    return replace(scene, live=[Live(task, "n1", began_s, copied)])


def copies(scene: Scene) -> tuple[Sided, ...]:
    return chosen(scene).copies


def test_critical_work_that_a_loss_would_make_late_gets_a_second_copy() -> None:
    """A minute of slack is less than a boot and a restart."""
    (copy,) = copies(on_spot(T - 60.0))
    assert (copy.task, copy.side, copy.why) == ("run", Side(SURE, ()), Because.OVERRUN.value)
    assert copies(on_spot(T - 60.0, deadline_s=T + 800.0)) == (), "there is time to run it again"


@pytest.mark.parametrize(
    "more",
    [
        {"effects": Effects.UNSAFE},
        {"rearm": Rearm.OWNER},
        {"sla": SlaClass.STANDARD},
        {"deadline_s": T - 1.0},
        {"needs": Needs(capacity=SPOT)},
        {"copied": True},
    ],
    ids=["unsafe", "of an owner", "not critical", "late anyway", "it chose spot", "it had one"],
)
def test_nothing_else_does(more: Mapping[str, object]) -> None:
    assert copies(on_spot(T - 60.0, **more)) == ()  # type: ignore[arg-type]


def test_a_copy_may_be_on_old_spot_that_is_not_lost_with_the_first() -> None:
    scene = on_spot(T - 60.0)
    other = replace(OLD, name="more")
    AGES_S["more"] = AGES_S["old"]
    scene = replace(scene, offerings=(OWN, OLD, YOUNG, other))
    (apart,) = chosen(scene, domains={"old": "a", "more": "b"}).copies
    assert apart.side == Side(SURE, ("more",))
    (together,) = chosen(scene, domains={"old": "a", "more": "a"}).copies
    assert together.side == Side(SURE, ())


def test_without_dedicated_capacity_there_is_no_copy() -> None:
    scene = on_spot(T - 60.0)
    assert copies(replace(scene, offerings=(OLD,), rented=[Rented("n1", OLD)])) == ()


def test_the_plan_has_room_for_a_copy() -> None:
    """What is dedicated is full, so one more is ordered."""
    scene = on_spot(T - 60.0)
    busy = [Live(a_task(name), "n2", T) for name in ("b", "c")]
    scene = replace(scene, live=[*scene.live, *busy])
    found = chosen(scene)
    assert [one.submission.task for one in found.waiting] == ["run (copy)"]
    whole = replace(scene, live=[*scene.live, *found.waiting], sides=found.of)
    made = plan(situation(whole, TERMS, T), Random(1))
    (copy,) = [one for one in made.placements if one.task == "run (copy)"]
    assert copy.worker.startswith("own"), copy
