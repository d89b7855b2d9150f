"""Decisions over HTTP: what is held, and a person's word on it."""

from swarm.cli.decisions import _line, _waited_line
from swarm.model.connectors import IntentEnded
from swarm.model.graph import PipelineSeen
from swarm.model.intents import Act, Carried, Intent
from swarm.model.keys import PipelineKey
from swarm.model.pipelines import Pipeline
from swarm.model.sequencing import IntentMade

CLOSE = PipelineKey("airflow", "close")


async def known(api) -> None:
    await api.offer(Pipeline(CLOSE))
    api.deps.sequencer.state.apply(PipelineSeen(Pipeline(CLOSE)))


async def test_a_person_holds_a_pipeline_and_all_see_it(api):
    await known(api)
    made = await api.post("decisions/hold", {"pipeline": "close", "by": "kim", "for_s": 600})
    assert made == {
        "pipeline": "airflow/close",
        "number": 1,
        "act": "hold",
        "mode": "gate",
        "reason": "held by kim",
        "waits_for": [],
        "due_s": [],
        "until_s": 1_600.0,
        "by": "kim",
        "outcome": None,
        "detail": "",
    }
    assert await api.get("decisions") == [made]
    [intent] = await api.deps.sequencer.intents("airflow")
    assert intent.valid_until_s == 1_060.0


async def test_what_a_person_releases_is_no_longer_listed(api):
    await known(api)
    await api.post("decisions/hold", {"pipeline": "airflow/close", "by": "kim"})
    made = await api.post("decisions/release", {"pipeline": "close", "by": "lee"})
    assert (made["act"], made["by"], made["number"]) == ("release", "lee", 2)
    assert await api.get("decisions") == []
    assert await api.get("decisions", every=True) == [made]


async def test_a_hold_whose_time_is_over_is_not_listed(api):
    await known(api)
    await api.post("decisions/hold", {"pipeline": "close", "by": "kim", "for_s": 600})
    api.clock.at_s += 600
    assert await api.get("decisions") == []


async def test_what_is_not_held_cannot_be_released(api):
    await known(api)
    answer = await api.post("decisions/release", {"pipeline": "close", "by": "kim"}, 409)
    assert "airflow/close is not held; `swarm decisions` lists what is" in answer["detail"]


async def test_a_pipeline_that_only_data_tells_of_cannot_be_held(api):
    pushed = {"pipeline": "load", "access": "write", "dataset": "dwh.t"}
    await api.post("push", {"orchestrator": "home", "evidence": [pushed]})
    read = {"pipeline": "report", "access": "read", "dataset": "dwh.t"}
    await api.post("push", {"orchestrator": "home", "evidence": [read]})
    answer = await api.post("decisions/hold", {"pipeline": "report", "by": "kim"}, 404)
    assert "Only data tells of home/report" in answer["detail"]


async def test_a_pipeline_that_nobody_knows_cannot_be_held(api):
    await known(api)
    answer = await api.post("decisions/hold", {"pipeline": "clsoe", "by": "kim"}, 404)
    assert "Did you mean close" in answer["detail"]


async def test_a_release_that_is_delayed_is_listed_until_it_is_done(api):
    release = Intent(CLOSE, 2, Act.RELEASE, "airflow/export is there", 600.0)
    outcomes = [None, Carried.DELAYED, Carried.DONE]

    class Known:
        def decisions(self):
            ended = IntentEnded(release, outcomes[0], "3 tries failed: no answer")
            return [(release, ended if outcomes[0] else None)]

    api.deps.projections = Known()
    assert await api.get("decisions") == []
    outcomes.pop(0)
    api.clock.at_s += 2.0  # an answer is given again for a second
    [row] = await api.get("decisions")
    assert (row["act"], row["outcome"]) == ("release", "delayed")
    assert _line(row) == (
        "release  airflow/close; airflow/export is there [delayed: 3 tries failed: no answer]"
    )
    outcomes.pop(0)
    api.clock.at_s += 2.0
    assert await api.get("decisions") == []


async def test_what_waited_is_told_with_until_when(api):
    await known(api)
    export = PipelineKey("airflow", "export")
    begun_s = api.clock.at_s
    hold = Intent(
        CLOSE,
        1,
        Act.HOLD,
        "waits for airflow/export",
        begun_s + 900.0,
        due_s=(begun_s + 60.0,),
        waits_for=(export,),
    )
    await api.deps.sequencer.write([IntentMade(hold)])
    api.see()
    api.clock.at_s += 120.0
    [row] = await api.get("decisions/waited")
    assert row == {
        "pipeline": "airflow/close",
        "due_s": begun_s + 60.0,
        "until_s": None,
        "latest_s": begun_s + 900.0,
        "left_out": False,
        "waits_for": ["airflow/export"],
        "reason": "waits for airflow/export",
    }
    assert "airflow/close is held until" in _waited_line(row)
    await api.post("decisions/release", {"pipeline": "close", "by": "lee"})
    [row] = await api.get("decisions/waited")
    assert row["until_s"] == begun_s + 120.0
    assert "airflow/close waited until" in _waited_line(row)
    assert await api.get("decisions/waited", since_s=begun_s + 121.0) == []
