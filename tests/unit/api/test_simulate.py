"""`POST /simulate` over the runs of the projections."""

from swarm.model.keys import PipelineKey, TaskKey
from swarm.model.pipelines import DeclaredEdge, Pipeline
from swarm.model.runs import Run, RunState

DAY_S, HOUR_S = 86_400.0, 3_600.0
LOAD, SUMS = PipelineKey("air", "load"), PipelineKey("dag", "sums")
DAYS = range(20_000, 20_029)


def runs(key, hour):
    for day in DAYS:
        at_s = day * DAY_S + hour * HOUR_S
        yield Run(key, f"r{day}", RunState.SUCCEEDED, None, at_s, at_s + 1_800.0)


async def filled(api):
    whole = DeclaredEdge(TaskKey("air", "load", ""), TaskKey("dag", "sums", ""), "sensor")
    await api.offer(Pipeline(LOAD), Pipeline(SUMS, declared=(whole,)))
    await api.offer(*runs(LOAD, 5.0), *runs(SUMS, 6.0))
    api.clock.at_s = 20_029 * DAY_S - HOUR_S - 1.0


async def test_a_late_source_moves_its_readers(api):
    await filled(api)
    asked = {"late": [{"pipeline": "load", "by_s": 5_400}], "draws": 20}
    found = await api.post("simulate", asked, status=200)
    at_s = 20_029 * DAY_S
    assert found.pop("begins_s") == at_s - HOUR_S
    load, sums = found.pop("pipelines")
    assert load == {
        "pipeline": "air/load",
        "before": {"p50_s": at_s + 5.5 * HOUR_S, "p90_s": at_s + 5.5 * HOUR_S},
        "after": {"p50_s": at_s + 7.0 * HOUR_S, "p90_s": at_s + 7.0 * HOUR_S},
        "later_share": 1.0,
        "moved_s": 5_400.0,
    }
    assert (sums["pipeline"], sums["moved_s"]) == ("dag/sums", 3_600.0)
    days = found.pop("days")
    assert days >= 8
    assert found == {"draws": 20, "slots": {"air": 1, "dag": 1}, "slas": [], "unknown": []}


async def test_a_new_pipeline_may_name_others_that_are_new(api):
    await filled(api)
    one = {"pipeline": "air/one", "takes_s": 600, "after": ["load"]}
    two = {"pipeline": "air/two", "takes_s": 600, "after": ["air/one"]}
    found = await api.post("simulate", {"added": [one, two], "draws": 10}, status=200)
    ends = {row["pipeline"]: row["after"]["p50_s"] % DAY_S for row in found["pipelines"]}
    assert (ends["air/one"], ends["air/two"]) == (5.5 * HOUR_S + 600, 5.5 * HOUR_S + 1_200)


async def test_what_cannot_be_asked_is_said(api):
    await filled(api)
    unknown = {"late": [{"pipeline": "air/laod", "by_s": 60}]}
    told = await api.post("simulate", unknown, status=404)
    assert "Did you mean air/load" in told["detail"]
    told = await api.post("simulate", {"late": [{"pipeline": "load", "by_s": -1}]}, status=422)
    assert "by_s" in told["detail"]
    told = await api.post("simulate", {"slots": {"mars": 2}}, status=400)
    assert "`mars`; there are: air, dag" in told["detail"]


async def test_without_runs_there_is_nothing_to_draw(api):
    told = await api.post("simulate", {}, status=400)
    assert "three days" in told["detail"]


async def test_durations_are_of_good_runs(api):
    await filled(api)
    await api.offer(Run(LOAD, "bad", RunState.FAILED, None, 9.0, 99_999.0))
    await api.offer(Run(LOAD, "long", RunState.SUCCEEDED, None, 19.0, 9_019.0))
    load, sums = await api.get("durations")
    assert load == {"pipeline": "air/load", "runs": 30, "p50_s": 1_800.0, "p90_s": 1_800.0}
    assert (sums["pipeline"], sums["runs"]) == ("dag/sums", 29)


async def test_what_is_to_come_today_and_tomorrow_is_told_as_it_usually_goes(api):
    assert await api.get("ahead") == []
    await filled(api)
    api.clock.at_s = 20_028 * DAY_S + 6.0 * HOUR_S
    told = [
        (row["pipeline"], row["p50_s"] / HOUR_S - 20_028 * 24) for row in await api.get("ahead")
    ]
    assert told == [("dag/sums", 6.5), ("air/load", 29.5), ("dag/sums", 30.5)]
