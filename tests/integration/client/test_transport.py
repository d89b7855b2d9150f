"""What both clients do when connections break, over real sockets."""

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator, Callable

import pytest

from swarm.client import Busy, NotFound, Unreachable
from swarm.client.steps import Patience
from tests.integration.client.both import Either, either, taken
from tests.integration.client.scripted_server import (
    Act,
    Server,
    answers,
    cuts,
    cuts_within,
    free_port,
    is_silent,
    streams,
)

STATUS = answers(200, {"seq": 3})
TASKS = [{"argv": ["true"]}]
Started = Callable[..., contextlib.AbstractAsyncContextManager[tuple[Either, Server]]]


@pytest.fixture(params=["waiting", "awaiting"])
def kind(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def started(kind: str) -> Started:
    @contextlib.asynccontextmanager
    async def start(*acts: Act, **options: float) -> AsyncIterator[tuple[Either, Server]]:
        server = Server(list(acts), free_port())
        async with server.listening(), either(kind, server.url, "token", **options) as swarm:
            yield swarm, server

    return start


async def test_a_call_says_who_asks(started: Started) -> None:
    async with started(STATUS) as (swarm, server):
        assert await swarm.call("status") == {"seq": 3}
    (heard,) = server.heard
    assert (heard.method, heard.path) == ("GET", "/api/v1/status")
    assert heard.headers["authorization"] == "Bearer token"


async def test_names_pass_as_they_are(started: Started) -> None:
    async with started(answers(200, {})) as (swarm, server):
        await swarm.call("task", "a/b ü?c")
    assert server.heard[0].path == "/api/v1/tasks/a%2Fb%20%C3%BC%3Fc"


@pytest.mark.parametrize("trouble", [cuts, cuts_within], ids=["before", "within"])
async def test_a_question_is_asked_again(started: Started, trouble: Act) -> None:
    async with started(trouble, trouble, STATUS) as (swarm, server):
        assert await swarm.call("status") == {"seq": 3}
    assert len(server.heard) == 3


@pytest.mark.parametrize("trouble", [cuts, cuts_within], ids=["before", "within"])
async def test_tasks_are_handed_in_again_under_the_same_key(started: Started, trouble: Act) -> None:
    async with started(trouble, trouble, answers(201, {"tasks": ["a"]})) as (swarm, server):
        assert await swarm.call("submit", TASKS) == ["a"]
    assert len(server.heard) == 3
    assert len({heard.headers["idempotency-key"] for heard in server.heard}) == 1
    assert {heard.body for heard in server.heard} == {server.heard[0].body}
    assert json.loads(server.heard[0].body) == {"tasks": TASKS}


async def test_what_may_have_been_done_is_not_done_twice(started: Started) -> None:
    async with started(cuts, STATUS) as (swarm, server):
        with pytest.raises(Unreachable, match="does not answer"):
            await swarm.call("hold", "airflow/a", by="ann")
    assert len(server.heard) == 1


async def test_who_gives_up_handing_in_has_the_key(started: Started) -> None:
    async with started(cuts, retry_for_s=0.0) as (swarm, server):
        with pytest.raises(Unreachable) as left:
            await swarm.call("submit", TASKS)
    assert left.value.idempotency_key == server.heard[0].headers["idempotency-key"]


async def test_what_never_left_is_sent_once_somebody_listens(kind: str) -> None:
    server, refused = Server([answers(201, {"act": "hold"})], free_port()), asyncio.Event()
    loop = asyncio.get_running_loop()

    def draw() -> float:  # asked for after each refusal
        loop.call_soon_threadsafe(refused.set)
        return 0.0

    async with either(kind, server.url, "token") as swarm:
        swarm.client.patience = Patience(30.0, draw)
        held = asyncio.create_task(swarm.call("hold", "airflow/a", by="ann"))
        await refused.wait()
        async with server.listening():
            assert (await held)["act"] == "hold"
    assert len(server.heard) == 1


async def test_the_api_is_asked_again_when_it_says(started: Started) -> None:
    busy = answers(429, {"code": "rate-limited", "detail": "too many"}, Retry_After=1)
    async with started(busy, answers(201, {"act": "hold"})) as (swarm, server):
        await swarm.call("hold", "airflow/a", by="ann")
    first, second = server.heard
    assert second.at_s - first.at_s >= 0.95


async def test_patience_is_as_long_as_was_said(started: Started) -> None:
    busy = answers(
        429, {"code": "rate-limited", "detail": "too many", "fix": "wait"}, Retry_After=9
    )
    async with started(busy, retry_for_s=5.0) as (swarm, server):
        with pytest.raises(Busy, match="too many") as refused:
            await swarm.call("status")
    assert (refused.value.retry_after_s, refused.value.fix) == (9.0, "wait")
    assert len(server.heard) == 1


async def test_an_answer_that_does_not_come_is_not_waited_for(started: Started) -> None:
    async with started(is_silent, timeout_s=0.2, retry_for_s=0.0) as (swarm, _):
        with pytest.raises(Unreachable, match="does not answer"):
            await swarm.call("status")


async def test_an_answer_that_cannot_be_unpacked_is_told_as_a_broken_one(started: Started) -> None:
    torn = answers(200, b"no gzip", Content_Encoding="gzip")
    async with started(torn, torn, retry_for_s=0.0) as (swarm, _):
        with pytest.raises(Unreachable, match="does not answer"):
            await swarm.call("status")
        async with swarm.walk("events") as events:
            with pytest.raises(Unreachable, match="broke off"):
                await taken(events, 1)


async def test_who_waits_for_a_task_waits_no_longer_for_an_answer(started: Started) -> None:
    async with started(is_silent, timeout_s=600.0) as (swarm, _), asyncio.timeout(300):
        with pytest.raises(Unreachable, match="does not answer"):
            await swarm.call("wait", "a", timeout_s=0.1)


async def test_refusals_are_typed(started: Started) -> None:
    told = {"code": "unknown-key", "detail": "no such task", "fix": "look it up"}
    async with started(answers(404, told)) as (swarm, _):
        with pytest.raises(NotFound, match="no such task") as refused:
            await swarm.call("task", "a")
    assert (refused.value.code, refused.value.fix) == ("unknown-key", "look it up")


def event(seq: int) -> bytes:
    return b'id: %d\nevent: task\ndata: {"seq": %d}\n\n' % (seq, seq)


async def test_events_go_on_where_a_stream_broke_off(started: Started) -> None:
    acts = (
        streams(b"retry: 10\nid: 7\n\n", event(8), event(9)[:12], then="breaks"),
        streams(event(9), event(10)),
        cuts,
        answers(503, {"code": "store-unavailable", "detail": "wait"}, Retry_After=0),
        streams(event(11), then="stays"),
    )
    async with started(*acts) as (swarm, server), swarm.walk("events") as events:
        assert [one["seq"] for one in await taken(events, 4)] == [8, 9, 10, 11]
    places = [heard.headers.get("last-event-id") for heard in server.heard]
    assert places == [None, "8", "10", "10", "10"]


async def test_who_leaves_a_stream_lets_its_connection_go(started: Started) -> None:
    async with started(streams(event(8), then="stays")) as (swarm, server):
        async with swarm.walk("events", 7) as events:
            assert [one["seq"] for one in await taken(events, 1)] == [8]
        async with asyncio.timeout(300):
            await server.left.wait()
    assert server.heard[0].headers["last-event-id"] == "7"


async def test_a_stream_that_stops_is_told_after_the_patience(started: Started) -> None:
    broken = streams(event(8), then="breaks")
    async with started(broken, retry_for_s=0.0) as (swarm, _), swarm.walk("events") as events:
        await taken(events, 1)
        with pytest.raises(Unreachable, match="broke off"):
            await taken(events, 1)


async def test_an_address_that_is_none_is_refused_at_once(kind: str) -> None:
    with pytest.raises(Unreachable, match="begin it with http"):
        async with either(kind, "localhost:8642", "token"):
            pass
