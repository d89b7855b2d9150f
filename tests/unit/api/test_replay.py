"""`GET /replay` over the runs of the projections."""

import pytest

from swarm.model.keys import DatasetKey, PipelineKey, TaskKey
from swarm.model.lineage import Access, Channel, Evidence
from swarm.model.pipelines import Pipeline
from swarm.model.runs import Run, RunState

DAY_S, HOUR_S = 86_400.0, 3_600.0
LOAD, SUMS = PipelineKey("air", "load"), PipelineKey("dag", "sums")
DAYS = range(20_000, 20_040)
LATE = 20_030


def ran(key, at_s, took_s=1_800.0):
    return Run(key, f"r{at_s}", RunState.SUCCEEDED, None, at_s, at_s + took_s)


def mornings():
    """The load from five, the sums from six; one day the load takes longer, and somebody makes the
    sums again at eight."""
    for day in DAYS:
        at_s = day * DAY_S
        yield ran(LOAD, at_s + 5 * HOUR_S, 1.5 * HOUR_S if day == LATE else 1_800.0)
        yield ran(SUMS, at_s + 6 * HOUR_S)
        if day == LATE:
            yield ran(SUMS, at_s + 8 * HOUR_S)


def touches(key, access):
    task = TaskKey(key.orchestrator, key.name, "t")
    dataset = DatasetKey("warehouse", "raw.orders")
    return Evidence(task, access, dataset, Channel.MANIFEST, 1.0, "m:1", "x")


async def filled(api, *, accepted):
    await api.offer(Pipeline(LOAD), Pipeline(SUMS))
    await api.offer(touches(LOAD, Access.WRITE), touches(SUMS, Access.READ))
    await api.offer(*mornings())
    api.clock.at_s = 20_040 * DAY_S
    if accepted:
        (edge,) = (await api.get("dependencies"))["items"]
        names = {key: edge[key] for key in ("upstream", "downstream", "dataset")}
        await api.post("dependencies/verdict", names | {"verdict": "accepted", "by": "ann"})


@pytest.mark.parametrize(("accepted", "within"), [(True, 0), (False, 1)])
async def test_what_a_person_accepted_would_have_been_held_for(api, accepted, within):
    await filled(api, accepted=accepted)
    found = await api.get("replay", days=30, price_usd_per_h=2)
    assert (found["days"], found["runs"], found["held"]) == (30, 60, int(accepted))
    reads = found["stale_reads"]
    assert (reads["without"], reads["within"], reads["saved"]) == (1, within, 1 - within)
    assert reads["low"] <= reads["saved"] <= reads["high"]
    (hazard,) = found["hazards"]
    assert hazard == {
        "writer": "air/load",
        "reader": "dag/sums",
        "sure": accepted,
        "stale": 1,
        "failed": 0,
        "prevented": 1 - within,
        "old_data_min": 120.0 if accepted else 0.0,
        "slot_h": 0.5 if accepted else 0.0,
        "usd": 1.0 if accepted else 0.0,
    }
    assert found["usd"]["saved"] == (1.0 if accepted else 0.0)
    assert found["slas"] == []


async def test_without_runs_it_says_what_is_missing(api):
    told = await api.get("replay", 400)
    assert "no run of the last 30 days is known" in told["detail"]
    assert "days" in (await api.get("replay", 422, days=0))["detail"]
