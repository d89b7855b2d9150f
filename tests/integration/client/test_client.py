"""Both clients against the real API: what they send is taken, what they read is there."""

import asyncio
import contextlib

import pytest

from swarm.client import Conflict, Forbidden, Gone, Invalid, NotFound, Unauthorized
from swarm.client.hearing import Event
from swarm.model.keys import PipelineKey
from swarm.model.pipelines import Pipeline
from swarm.model.work import Outcome
from tests.integration.client.both import Either, either, taken
from tests.integration.client.conftest import PATIENCE_S, World


async def listed(swarm: Either, name: str, *args: object, **kwargs: object) -> list:
    async with swarm.walk(name, *args, **kwargs) as rows:
        return [row async for row in rows]


async def until(look) -> None:
    async with asyncio.timeout(PATIENCE_S):
        while not await look():
            pass


async def test_every_page_is_walked_and_no_row_comes_twice(swarm: Either) -> None:
    ids = await swarm.call("submit", [{"argv": ["true"]} for _ in range(1_250)])
    await until(lambda: _has(swarm, ids[-1]))
    found = [row["id"] for row in await listed(swarm, "tasks")]
    assert len(found) == len(ids)
    assert set(found) == set(ids)
    assert await listed(swarm, "tasks", "running") == []


async def _has(swarm: Either, task: str) -> bool:
    with contextlib.suppress(NotFound):
        return bool(await swarm.call("task", task))
    return False


async def test_the_same_tasks_under_the_same_key_are_the_same(swarm: Either) -> None:
    tasks = [{"argv": ["echo", str(number)]} for number in range(3)]
    ids = await swarm.call("submit", tasks, idempotency_key="nightly")
    assert await swarm.call("submit", tasks, idempotency_key="nightly") == ids
    assert await swarm.call("submit", tasks) != ids
    with pytest.raises(Conflict, match="handed in before with another body") as refused:
        await swarm.call("submit", [{"argv": ["other"]}], idempotency_key="nightly")
    assert (refused.value.code, refused.value.idempotency_key) == ("different-body", "nightly")
    assert "another Idempotency-Key" in refused.value.fix


async def test_more_than_one_request_takes_are_handed_in(swarm: Either) -> None:
    item = {"item": 1, "capability": "count", "wait_for_capacity": True}
    ids = await swarm.call("submit", [item] * 10_001, idempotency_key="many")
    assert len(set(ids)) == 10_001


async def test_tasks_are_waited_for(swarm: Either, world: World) -> None:
    ids = await swarm.call("submit", [{"argv": ["true"]}, {"argv": ["false"]}])
    await world.join()
    waits = asyncio.create_task(swarm.call("wait_all", ids, timeout_s=PATIENCE_S))
    await world.start(*ids)
    await world.ends(ids[1], Outcome.FAILED)
    await world.ends(ids[0])
    assert [(one["id"], one["state"]) for one in await waits] == [
        (ids[0], "succeeded"),
        (ids[1], "failed"),
    ]
    assert (await swarm.call("wait", ids[1]))["state"] == "failed"


async def test_a_deadline_is_kept_and_says_why_it_waits(swarm: Either) -> None:
    (task,) = await swarm.call("submit", [{"argv": ["true"]}])
    await until(lambda: _has(swarm, task))
    with pytest.raises(TimeoutError, match=r"is queued after .*there is no worker yet"):
        await swarm.call("wait", task, timeout_s=3.0)
    await swarm.call("cancel", task)
    assert (await swarm.call("wait", task))["state"] == "cancelled"


async def test_what_a_task_prints_is_followed_to_its_end(swarm: Either, world: World) -> None:
    (task,) = await swarm.call("submit", [{"argv": ["true"]}])
    await world.join()
    async with swarm.walk("follow", task) as parts:
        await world.start(task)
        await world.prints(task, 0, b"one\n")
        assert await taken(parts, 1) == [b"one\n"]
        await world.prints(task, 4, b"two\n", last=True)
        await world.ends(task)
        assert b"".join([part async for part in parts]) == b"two\n"
    assert await swarm.call("output", task) == b"one\ntwo\n"


async def test_events_are_heard_as_they_happen_and_again_from_a_place(swarm: Either) -> None:
    begin = (await swarm.call("status"))["seq"]
    async with swarm.walk("events", begin) as events:
        ids = await swarm.call("submit", [{"argv": ["true"]} for _ in range(3)])
        first = await taken(events, 3)
    assert [one["about"] for one in first] == [[task] for task in ids]
    assert set(first[0]) == set(Event.__annotations__)
    async with swarm.walk("events", first[0]["seq"]) as events:
        assert await taken(events, 2) == first[1:]


async def test_a_place_that_never_was_is_refused(swarm: Either) -> None:
    with pytest.raises(Gone) as gone:
        async with swarm.walk("events", 1_000_000) as events:
            await taken(events, 1)
    assert (gone.value.code, gone.value.fix != "") == ("trimmed", True)


async def test_the_graph_is_read_and_judged(swarm: Either, world: World) -> None:
    key = PipelineKey("airflow", "a/b")
    await world.know(Pipeline(key))
    await until(lambda: _sees(swarm, "airflow", "a/b"))
    assert (await swarm.call("impact", "airflow/a/b"))["total"] == 0
    assert (await swarm.call("held", "airflow/a/b"))["for_s"] == 0.0
    held = await swarm.call("hold", "airflow/a/b", by="ann", for_s=60.0)
    assert (held["act"], held["by"]) == ("hold", "ann")
    end = {"orchestrator": "airflow", "pipeline": "a/b", "task": "t"}
    edge = {"upstream": end, "downstream": end | {"task": "u"}, "dataset": "warehouse/x"}
    with pytest.raises(NotFound, match="swarm deps"):  # nothing showed it
        await swarm.call("judge", edge, "accepted", "ann")
    run = {"pipeline": "x", "run_id": "r", "state": "succeeded", "started_at_s": 1.0}
    assert await swarm.call("push", "cron", runs=[run | {"ended_at_s": 2.0}]) > 0
    await until(lambda: _ran(swarm))


async def _sees(swarm: Either, orchestrator: str, name: str) -> bool:
    found = await listed(swarm, "pipelines")
    return [(row["orchestrator"], row["pipeline"]) for row in found] == [(orchestrator, name)]


async def _ran(swarm: Either) -> bool:
    return [row["run_id"] for row in await listed(swarm, "runs")] == ["r"]


async def test_keys_open_what_their_roles_say(swarm: Either, world: World) -> None:
    made = await swarm.call("create_key", "ann", ["viewer"], life_s=600.0)
    async with either("awaiting", world.url, made["key"]) as viewer:
        assert (await viewer.call("status"))["version"]
        with pytest.raises(Forbidden) as refused:
            await viewer.call("drain", "w")
        assert refused.value.fix
    await swarm.call("revoke_key", made["id"])
    async with either("awaiting", world.url, made["key"]) as nobody:
        with pytest.raises(Unauthorized, match="was revoked"):
            await nobody.call("status")
    assert [row["types"] for row in await listed(swarm, "audit")] == ["KeyRevoked", "KeyMade"]
    assert {row["wrong"] for row in await swarm.call("verify_audit")} == {""}


async def test_refusals_say_what_is_wrong_and_what_to_do(swarm: Either) -> None:
    with pytest.raises(Invalid, match="argv") as invalid:
        await swarm.call("submit", [{"argv": []}])
    assert (invalid.value.status, invalid.value.code) == (422, "invalid-request")
    with pytest.raises(NotFound) as unknown:
        await swarm.call("cancel", "nobody")
    assert (unknown.value.code, unknown.value.fix != "") == ("unknown-key", True)


@pytest.fixture
def slow_door(deps):
    deps.requests_per_s = 2.0  # twenty at once, then two a second


@pytest.mark.usefixtures("slow_door")
async def test_a_limit_slows_a_client_down_and_stops_it_not(swarm: Either) -> None:
    for _ in range(24):
        assert (await swarm.call("status"))["version"]
