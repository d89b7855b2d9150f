"""Links over HTTP, and whether a run is to wait."""

from dataclasses import replace

from swarm.cli.links import _line
from swarm.errors import Unreachable
from swarm.model.graph import PipelineSeen, RunSeen
from swarm.model.intents import Act, Intent
from swarm.model.keys import PipelineKey
from swarm.model.links import Link
from swarm.model.pipelines import Pipeline
from swarm.model.runs import Run, RunState
from swarm.model.sequencing import IntentMade, LinkMade

ORDERS, REPORT = PipelineKey("airflow", "orders"), PipelineKey("prefect", "report/main")
BODY = {"upstreams": ["airflow/orders"], "downstream": "prefect/report/main", "by": "kim"}


async def known(api) -> None:
    for key in (ORDERS, REPORT):
        await api.offer(Pipeline(key))
        api.deps.sequencer.state.apply(PipelineSeen(Pipeline(key)))


async def succeeds(api, run_id: str, planned_s: float) -> None:
    state = api.deps.sequencer.state
    ended_s = api.clock.at_s + 1
    state.apply(RunSeen(Run(ORDERS, run_id, RunState.SUCCEEDED, planned_s, planned_s, ended_s)))
    await api.deps.sequencer.write(state.links.decide(api.clock.at_s))
    api.see()


async def test_a_link_starts_its_pipeline_and_says_how_it_stands(api):
    await known(api)
    await api.post("links", BODY | {"every": "hour", "per": "day", "timezone": "Europe/Berlin"})
    day_s = 23 * 3600.0  # midnight in Berlin
    for hour in range(23):
        await succeeds(api, f"r{hour}", day_s + 3600 * hour)
    [row] = await api.get("links")
    assert (row["by"], row["every"], row["per"]) == ("kim", "hour", "day")
    assert (row["waits_in"], row["last"]) == ("1970-01-02", "")
    assert row["missing"] == [{"pipeline": "airflow/orders", "runs": 1}]
    await succeeds(api, "r23", day_s + 3600 * 23)
    [row] = await api.get("links")
    assert (row["waits_in"], row["missing"], row["last"]) == ("", [], "1970-01-02")
    [intent] = await api.deps.sequencer.intents("prefect")
    assert intent.reason == "airflow/orders made what it reads for 1970-01-02"


async def test_a_trigger_stands_beside_a_hold_in_what_was_decided(api):
    await known(api)
    await api.post("links", BODY)
    await api.post("decisions/hold", {"pipeline": "prefect/report/main", "by": "kim"})
    await succeeds(api, "r", api.clock.at_s)
    assert [row["act"] for row in await api.get("decisions")] == ["hold"]
    every = await api.get("decisions", every=True)
    assert sorted(row["act"] for row in every) == ["hold", "trigger"]
    acts = {intent.act for intent in await api.deps.sequencer.intents("prefect")}
    assert acts == {"hold", "trigger"}, "neither takes the other's place"


async def test_a_link_is_taken_away(api):
    await known(api)
    await api.post("links", BODY)
    await api.post("links/remove", {"downstream": "prefect/report/main", "by": "lee"})
    assert await api.get("links") == []
    gone = await api.post("links/remove", {"downstream": "prefect/report/main", "by": "lee"}, 404)
    assert "nothing links prefect/report/main" in gone["detail"]


async def test_a_wrong_link_says_what_to_change(api):
    await known(api)
    unknown = await api.post("links", BODY | {"upstreams": ["airflow/ordres"]}, 404)
    assert "Did you mean" in unknown["detail"]
    for wrong, says in (
        ({"every": "day", "per": "hour"}, "`every: day` is longer than `per: hour`"),
        ({"upstreams": ["airflow/orders", "a/b"]}, "say in `per` what belongs together"),
        ({"upstreams": ["prefect/report/main"]}, "would wait for itself"),
        ({"timezone": "Berlin"}, "no time zone `Berlin`"),
    ):
        assert says in str(await api.post("links", BODY | wrong, 422))


async def test_a_link_that_closes_a_ring_is_refused_with_the_way_round(api):
    await known(api)
    await api.post("links", BODY)
    back = {"upstreams": ["prefect/report/main"], "downstream": "airflow/orders", "by": "lee"}
    refused = await api.post("links", back, 409)
    assert "airflow/orders -> prefect/report/main -> airflow/orders" in refused["detail"]
    [row] = await api.get("links")
    assert (row["downstream"], row["ring"]) == ("prefect/report/main", [])


async def test_a_ring_of_the_settings_says_that_it_starts_nothing(api):
    await known(api)
    links = [Link((ORDERS,), REPORT, by="settings"), Link((REPORT,), ORDERS, by="settings")]
    await api.deps.sequencer.write([LinkMade(link) for link in links])
    rows = await api.get("links")
    ring = ["airflow/orders", "prefect/report/main", "airflow/orders"]
    assert [row["ring"] for row in rows] == [ring, [ring[1], ring[0], ring[1]]]
    assert _line(rows[0]) == (
        "prefect/report/main -> airflow/orders; starts nothing, links go round: "
        "airflow/orders -> prefect/report/main -> airflow/orders"
    )


async def test_a_run_hears_whether_it_is_to_wait(api):
    await known(api)
    rest = {"from_s": 0.0, "left_out_in_s": None, "left_out": False}
    free = {"for_s": 0.0, "reason": "", **rest}
    assert await api.get("holds/prefect/report/main") == free
    await api.post("decisions/hold", {"pipeline": "prefect/report/main", "by": "kim"})
    held = {"for_s": 60.0, "reason": "held by kim", **rest}
    assert await api.get("holds/prefect/report/main") == held
    assert await api.get("holds/prefect%2Freport%2Fmain") == held
    assert await api.get("holds/prefect/report") == free
    assert await api.get("holds/no-such") == free


async def test_a_run_hears_when_it_is_left_out(api):
    until_s = api.clock.at_s + 90.0
    held = Intent(PipelineKey("prefect", "a"), 1, Act.HOLD, "late", until_s, skip_at_s=until_s)

    intents = [held]

    class Sequencer:
        async def intents(self, orchestrator: str) -> list[Intent]:
            return intents

    api.deps.sequencer = Sequencer()
    told = {"for_s": 90.0, "reason": "late", "left_out_in_s": 90.0, "left_out": False}
    assert await api.get("holds/prefect/a") == {**told, "from_s": 0.0}
    intents[:] = [replace(held, due_s=(20.0,), let_go_s=(10.0,))]
    assert await api.get("holds/prefect/a") == {**told, "from_s": 15.0}
    both = replace(held, due_s=(20.0,), left_out_s=(5.0,), let_go_s=(10.0,))
    for act in (Act.HOLD, Act.RELEASE):
        intents[:] = [replace(both, act=act, skip_at_s=until_s if act is Act.HOLD else None)]
        rows = [await api.get("holds/prefect/a", came_s=came_s) for came_s in (5.5, 10.5, 25.0)]
        assert [row["left_out"] for row in rows] == [True, False, False]
        assert rows[0]["for_s"] == 0.0
        assert rows[1]["left_out_in_s"] is None
        assert rows[2]["left_out_in_s"] == (90.0 if act is Act.HOLD else None)
    for skip_at_s, is_left_out in ((until_s, True), (None, False)):
        over = replace(held, number=2, act=Act.RELEASE, reason="over", skip_at_s=skip_at_s)
        intents[:] = [over]
        row = await api.get("holds/prefect/a")
        assert (row["for_s"], row["left_out"]) == (0.0, is_left_out)


async def test_nobody_waits_for_a_sequencer_that_does_not_answer(api):
    class Silent:
        async def intents(self, orchestrator: str) -> list[IntentMade]:
            raise Unreachable("the sequencer actor did not answer")

    api.deps.sequencer = Silent()
    assert (await api.get("holds/prefect/report/main"))["for_s"] == 0.0


async def test_a_link_to_take_away_is_named_in_full(api):
    for name in ("report", "", "/report", "prefect/"):
        told = await api.post("links/remove", {"downstream": name, "by": "lee"}, 422)
        assert "downstream" in told["detail"]
