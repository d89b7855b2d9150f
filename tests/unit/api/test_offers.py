"""What is offered over HTTP, accepted and declined: the close ends at half past six every day."""

import pytest

from swarm.model.graph import PipelineSeen
from swarm.model.keys import PipelineKey
from swarm.model.pipelines import Pipeline
from swarm.model.runs import Run, RunState
from swarm.model.sla import Origin, Sla

DAY_S = 86_400.0
CLOSE, ODD = PipelineKey("air", "close"), PipelineKey("air", "odd")
ASKED = {"pipeline": "air/close", "by": "kim"}


@pytest.fixture
async def api(api):
    api.clock.at_s = 20_030 * DAY_S
    days = range(20_003, 20_030)
    close = [_run(CLOSE, day * DAY_S + 6 * 3_600) for day in days]
    odd = [_run(ODD, day * DAY_S + day * 7 % 24 * 3_600) for day in days]
    await api.offer(Pipeline(CLOSE), Pipeline(ODD), *close, *odd)
    return api


def _run(key: PipelineKey, at_s: float) -> Run:
    return Run(key, f"{at_s}", RunState.SUCCEEDED, None, at_s, at_s + 1_800)


def promised(api) -> list[Sla]:
    return list(api.deps.sequencer.state.promises.slas)


async def test_what_is_kept_by_habit_is_offered(api):
    [row] = await api.get("slas/offered")
    assert row["sla"] == {
        "name": "air/close by 06:30 UTC",
        "pipeline": "air/close",
        "at": "06:30",
        "timezone": "UTC",
        "days": ["mon", "tue", "wed", "thu", "fri", "sat", "sun"],
        "value": 1.0,
    }
    assert (row["kept"], row["days"], row["spare_s"], row["behind"]) == (27, 27, 0.0, 0)
    assert row["confidence"] == pytest.approx(1 - 0.9**27 - 27 * 0.1 * 0.9**26)


async def test_who_accepts_an_offer_has_an_sla_and_is_offered_it_no_more(api):
    made = await api.post("slas", ASKED | {"value": 5})
    assert (made["name"], made["value"]) == ("air/close by 06:30 UTC", 5.0)
    assert promised(api) == [Sla(CLOSE, 6.5 * 3_600, value=5.0)]
    assert await api.get("slas/offered") == []
    decided = api.deps.sequencer.state.promises.decide(api.clock.at_s)
    await api.deps.sequencer.write(decided)
    api.see()
    [row] = await api.get("slas")
    assert (row["name"], row["origin"]) == ("air/close by 06:30 UTC", Origin.ACCEPTED)


async def test_who_names_another_time_gets_that(api):
    await api.post("slas", ASKED)
    made = await api.post("slas", ASKED | {"at": "07:15", "days": ["mon", "fri"]})
    assert (made["name"], made["days"]) == ("air/close by 07:15 UTC", ["mon", "fri"])
    assert promised(api) == [Sla(CLOSE, 7.25 * 3_600, days=(0, 4))], "in place of the first"


async def test_what_has_no_habit_needs_a_time(api):
    asked = {"pipeline": "air/odd", "by": "kim"}
    refused = await api.post("slas", asked, 409)
    assert "the runs of air/odd offer no deadline" in refused["detail"]
    assert "(`at`)" in refused["detail"]
    made = await api.post("slas", asked | {"at": "23:00", "timezone": "Europe/Berlin"})
    assert made["name"] == "air/odd by 23:00 Europe/Berlin"


async def test_who_declines_is_not_asked_again_and_may_change_his_mind(api):
    await api.post("slas", ASKED)
    await api.post("slas/decline", ASKED)
    assert promised(api) == []
    assert await api.get("slas/offered") == []
    await api.post("slas", ASKED)
    assert promised(api) == [Sla(CLOSE, 6.5 * 3_600)]


async def test_a_wrong_wish_says_what_to_change(api):
    unknown = await api.post("slas", ASKED | {"pipeline": "air/clsoe"}, 404)
    assert "Did you mean" in unknown["detail"]
    for wrong, says in (
        ({"at": "7:15"}, "String should match pattern"),
        ({"at": "07:15", "timezone": "Berlin"}, "no time zone `Berlin`"),
        ({"days": ["mon"]}, "say `at` too"),
        ({"at": "07:15", "days": []}, "at least 1 item"),
    ):
        assert says in str(await api.post("slas", ASKED | wrong, 422))


async def test_what_people_said_is_in_the_journal(api):
    await api.post("slas", ASKED)
    again = type(api.deps.sequencer)(api.settings, api.clock)
    again.state.apply(PipelineSeen(Pipeline(CLOSE)))
    assert list(again.state.promises.slas) == [Sla(CLOSE, 6.5 * 3_600)]
