"""What waits, runs and is to come, as demands of a plan."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import replace
from random import Random

from swarm.model.keys import PipelineKey
from swarm.model.plans import Because, Budget, Offering, Rented, ScaleUp
from swarm.model.scaling import Expected
from swarm.model.work import CapacityClass, Needs, Resources, SlaClass, Submission, TaskId
from swarm.placement.demand import Spread
from swarm.placement.planner import Situation, plan
from swarm.placement.rooms import room
from swarm.placement.situation import MOST, UNKNOWN, Coming, Live, Scene, Terms, situation
from swarm.placement.sizing import Worth

T = 1_000_000.0
DAILY = PipelineKey("air", "daily")
GIB = 1 << 30
SPOT = Offering("spot", room(2, 4 * GIB, 0), 0.03, 60, CapacityClass.SPOT)
OWN = Offering("own", room(4, 8 * GIB, 1), 0.2, 60)
PATIENCE_S = {SlaClass.CRITICAL: 300.0, SlaClass.STANDARD: 1_800.0, SlaClass.BACKFILL: 21_600.0}
TERMS = Terms(Budget(10), Worth(), PATIENCE_S, 3_600)


def a_task(name: str = "t", needs: Needs = Needs(), **more: object) -> Submission:  # noqa: B008
    return replace(Submission(TaskId(name), "team", "digest", T - 10, needs), **more)


def made(
    *live: Live,
    coming: Iterable[Coming] = (),
    expected: Mapping[PipelineKey, Expected] | None = None,
    rented: Iterable[Rented] = (),
    took: Spread | None = None,
) -> Situation:
    scene = Scene((SPOT, OWN), list(rented), live, list(coming), expected or {}, lambda _: took)
    return situation(scene, TERMS, T)


def waiting(*more: Submission) -> list[Live]:
    return [Live(one) for one in more]


def test_a_task_needs_slots_memory_and_gpus() -> None:
    needs = Needs(resources=Resources(cpu=2.5, memory_bytes=GIB, gpu=0.5))
    (demand,) = made(*waiting(a_task(needs=needs))).demands
    assert demand.needs == (3, 1_024, 50)


def test_how_long_it_takes_is_learned_else_expected_else_of_its_pipeline_else_unknown() -> None:
    known = {DAILY: Expected(DAILY, (1.0, 2.0, 9.0))}
    told = a_task(expected_duration_s=100.0, pipeline=DAILY)
    (learned,) = made(*waiting(told), took=Spread((7.0, 8.0)), expected=known).demands
    (expected,) = made(*waiting(told), expected=known).demands
    (of_runs,) = made(*waiting(a_task(pipeline=DAILY)), expected=known).demands
    (unknown,) = made(*waiting(a_task())).demands
    assert learned.takes == Spread((7.0, 8.0))
    assert expected.takes == Spread((50.0, 100.0, 200.0))
    assert of_runs.takes == Spread((1.0, 2.0, 9.0))
    assert unknown.takes == UNKNOWN


def test_it_is_due_by_its_own_deadline_else_its_pipelines_else_it_has_patience() -> None:
    known = {DAILY: Expected(DAILY, end_by_s=T + 500, value=3.0)}
    own = a_task("own", deadline_s=T + 90, pipeline=DAILY)
    of_pipeline, ad_hoc = a_task("pipeline", pipeline=DAILY), a_task("ad hoc")
    found = {
        one.name: one for one in made(*waiting(own, of_pipeline, ad_hoc), expected=known).demands
    }
    assert (found["own"].due_s, found["own"].value) == (90, 3.0)
    assert (found["pipeline"].due_s, found["pipeline"].value) == (500, 3.0)
    assert (found["ad hoc"].due_s, found["ad hoc"].patience_s) == (None, 1_790)
    assert found["ad hoc"].value < 1.0


def test_a_backfill_is_behind_even_where_its_pipeline_is_due() -> None:
    known = {DAILY: Expected(DAILY, end_by_s=T + 500)}
    (demand,) = made(
        *waiting(a_task(sla=SlaClass.BACKFILL, pipeline=DAILY)), expected=known
    ).demands
    assert (demand.behind, demand.due_s) == (True, None)


def test_what_runs_has_what_is_left_of_it_on_its_node() -> None:
    running = Live(a_task(), "n1", T - 30)
    (demand,) = made(running, took=Spread((20.0, 40.0, 50.0))).demands
    assert (demand.runs_on, demand.takes) == ("n1", Spread((0.0, 10.0, 20.0)))


def test_what_may_not_run_on_spot_has_room_on_dedicated_workers_only() -> None:
    needs = Needs(capacity=CapacityClass.DEDICATED)
    found = made(*waiting(a_task(needs=needs), a_task("any")), rented=[Rented("n", SPOT)])
    assert [one.needs[3] for one in found.demands] == [1, 0]
    assert [one.room[3] for one in found.offerings] == [0, 4]
    assert found.rented[0].offering.room[3] == 0
    ups = [one for one in plan(found, Random(1)).moves if isinstance(one, ScaleUp)]
    assert [one.offering for one in ups] == ["own"]


def test_a_pool_is_an_offering_by_its_name() -> None:
    found = made(*waiting(a_task(needs=Needs(pool="spot")), a_task("x", needs=Needs(pool="gone"))))
    assert [one.room[3:] for one in found.offerings] == [(0, 2), (0, 0)]
    unplaced = plan(found, Random(1)).unplaced
    assert [(one.task, one.because) for one in unplaced] == [("x", Because.NO_OFFERING)]


def test_what_is_to_come_is_released_then_and_what_is_too_far_off_is_left_out() -> None:
    takes, needs = Spread((5.0, 6.0)), Needs()
    coming = [
        Coming(name, DAILY, at_s, needs, SlaClass.CRITICAL, takes)
        for name, at_s in (("soon", T + 600), ("late", T + 9_000))
    ]
    (demand,) = made(coming=coming).demands
    assert (demand.name, demand.release_s, demand.patience_s) == ("soon", 600, 300)


def test_of_a_long_queue_the_rest_is_taken_together_and_loses_no_work() -> None:
    tasks = [a_task(f"t{n}", submitted_at_s=T - n) for n in range(5 * MOST)]
    found = made(*waiting(*tasks), took=Spread((10.0, 10.0))).demands
    assert len(found) < MOST + 20
    assert sum(one.takes.mean() for one in found) == 5 * MOST * 10.0
    assert found[0].name == f"t{5 * MOST - 1}", "the one that waits longest is the most urgent"


def test_what_runs_takes_no_place_of_what_waits() -> None:
    running = [Live(a_task(f"r{n}"), "n", T - 10) for n in range(2 * MOST)]
    waits = waiting(*(a_task(f"t{n}") for n in range(3)))
    found = made(*running, *waits, took=Spread((10.0, 10.0))).demands
    assert [one.name for one in found if not one.runs_on] == ["t0", "t1", "t2"]


def test_nothing_at_all_is_a_situation_too() -> None:
    found = plan(made(rented=[Rented("n", SPOT)]), Random(1))
    assert found.order == ()


def test_a_queue_is_answered_with_more_workers() -> None:
    tasks = [a_task(f"t{n}", sla=SlaClass.CRITICAL) for n in range(40)]
    found = plan(made(*waiting(*tasks), took=Spread((240.0, 300.0))), Random(1))
    assert len([one for one in found.moves if isinstance(one, ScaleUp)]) > 3


def test_a_fleet_grows_by_the_kind_of_worker_that_its_work_may_run_on() -> None:
    needs = Needs(capacity=CapacityClass.DEDICATED)
    only = [a_task(f"d{n}", needs, sla=SlaClass.CRITICAL) for n in range(16)]
    anywhere = [a_task(f"a{n}", sla=SlaClass.CRITICAL) for n in range(8)]
    found = plan(made(*waiting(*only, *anywhere), took=Spread((290.0, 300.0))), Random(1))
    ups = Counter(one.offering for one in found.moves if isinstance(one, ScaleUp))
    assert ups["own"] * OWN.room[0] >= 8, "half of it has begun within its patience"
    assert found.chosen.missed < 1


def test_of_a_pipeline_a_plan_knows_by_when_it_ends_and_not_what_follows_a_task() -> None:
    """Ten tasks in a row have no slack left, a single one has half an hour: the order of a plan
    does not tell them apart, sequencing's latest starts do."""
    chain = PipelineKey("air", "chain")
    known = {
        chain: Expected(chain, (6_000.0, 6_000.0), end_by_s=T + 6_000),
        DAILY: Expected(DAILY, (600.0, 600.0), end_by_s=T + 2_400),
    }
    first, only = a_task("first of ten", pipeline=chain), a_task("only", pipeline=DAILY)
    found = made(
        *waiting(only, first),
        expected=known,
        rented=[Rented("w", SPOT)],
        took=Spread((600.0, 600.0)),
    )
    assert {one.name: (one.after, one.due_s) for one in found.demands} == {
        "only": ((), 2_400),
        "first of ten": ((), 6_000),
    }
    assert plan(found, Random(1)).order == ("only", "first of ten")
