"""The door for agents outside Ray: a worker's own words, over HTTP."""

import base64
from dataclasses import replace

import httpx2 as httpx
import pytest
from pydantic import TypeAdapter

from swarm.actors.outside_line import said
from swarm.api.outside_schemas import AnySaid
from swarm.api.roles import ROUTES
from swarm.dispatch.events import Event, Finish, Register, Renew, WorkerLost
from swarm.model.access import Role
from swarm.model.work import LossCause, Offer, Outcome, Resources, TaskId, Token, WorkerId
from tests.unit.api.conftest import Api

W = WorkerId("outside:there:1~a")
FIRST = Token(TaskId("t"), 1)
OFFER = Offer(W, "there", 2, Resources(2.0, 7), ("echo",), renew_s=3.0, fence_s=15.0)
ITEM = {"tasks": [{"id": "t", "capability": "echo", "item": {"a": 1}, "wait_for_capacity": True}]}


async def tell(api: Api, *events: Event) -> list[dict]:
    told = await api.post("agents/tell", {"events": [said(event) for event in events]}, 200)
    return told["answers"]


async def granted(api: Api) -> None:
    await api.post("tasks", ITEM)
    await tell(api, Register(OFFER))
    told = await api.post("agents/acquire", {"worker": W, "number": 1}, 200)
    assert (told["known"], told["epoch"]) == (True, 1)
    (grant,) = told["grants"]
    assert (grant["task"], grant["grant"]) == ("t", 1)
    assert '"item"' in grant["body"]


@pytest.mark.parametrize(
    "event",
    [
        Register(OFFER),
        Renew(W, 3, (FIRST, Token(TaskId("u"), 2)), (FIRST,)),
        Finish(FIRST, Outcome.FAILED, "why", '{"a": [1]}'),
        WorkerLost(W, LossCause.OUT_OF_MEMORY),
    ],
)
def test_what_an_agent_says_arrives_as_it_was_said(event: Event) -> None:
    assert TypeAdapter(AnySaid).validate_python(said(event)).event() == event


async def test_an_item_runs_under_its_grant_and_ends_once(api: Api) -> None:
    await granted(api)
    (told,) = await tell(api, Renew(W, 1, (FIRST,), (FIRST,)))
    assert told["orders"] == {"revoked": [], "cancel": [], "drain": False}
    assert (await api.get("tasks/t"))["state"] == "running"
    older = replace(FIRST, grant=2)  # it was never given
    answers = await tell(
        api, Finish(older, Outcome.FAILED), *[Finish(FIRST, Outcome.SUCCEEDED)] * 2
    )
    assert [answer["receipt"] for answer in answers] == ["stale", "done", "done"]
    assert (await api.get("tasks/t"))["state"] == "succeeded"


async def test_a_zombie_is_refused(api: Api) -> None:
    await granted(api)
    await tell(api, WorkerLost(W, LossCause.SELF_FENCED))
    other = WorkerId("outside:here:2")
    await tell(api, Register(replace(OFFER, worker=other)))
    told = await api.post("agents/acquire", {"worker": other, "number": 1}, 200)
    assert [row["grant"] for row in told["grants"]] == [2]
    late, renewal, asked = (
        *(await tell(api, Finish(FIRST, Outcome.SUCCEEDED), Renew(W, 1, (FIRST,)))),
        await api.post("agents/acquire", {"worker": W, "number": 2}, 200),
    )
    assert (late["receipt"], renewal["receipt"]) == ("stale", "unknown_worker")
    assert (asked["known"], asked["grants"]) == (False, [])


async def test_one_that_is_refused_keeps_none_of_the_others(api: Api) -> None:
    await tell(api, Register(OFFER))
    changed, same = await tell(api, Register(replace(OFFER, slots=9)), Renew(W, 0))
    assert "another offer" in changed["refused"]
    assert same["orders"] is not None


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"worker": "worker:1"}, "outside:"),
        ({"capabilities": []}, "capabilities"),
        ({"capabilities": [""]}, "capabilities"),
        ({"renew_s": 10.0}, "three times"),
    ],
)
async def test_an_agent_that_cannot_be(api: Api, change: dict, words: str) -> None:
    body = {"events": [said(Register(OFFER)) | change]}
    assert words in (await api.post("agents/tell", body, 422))["detail"]


async def test_what_items_print_is_kept_once(api: Api) -> None:
    part = {"task": "t", "grant": 1, "at": 0, "text": base64.b64encode(b"hello\n").decode()}
    for _ in range(2):
        told = await api.post("agents/outputs", {"parts": [part]}, 200)
        assert told["outputs"] == [{"task": "t", "grant": 1, "printed_bytes": 6}]
    torn = {"parts": [part | {"text": "?"}]}
    assert "text" in (await api.post("agents/outputs", torn, 422))["detail"]


async def test_the_door_takes_its_own_role(api: Api) -> None:
    assert ROUTES["POST /agents/tell"] == {Role.AGENT, Role.ADMIN}
    assert ROUTES["POST /agents"] == {Role.ADMIN}
    shut = httpx.Headers({"Authorization": "Bearer wrong"})
    answer = await api.http.post("agents/tell", json={"events": []}, headers=shut)
    assert answer.status_code == 401


async def test_asking_is_no_sign_of_life(api: Api) -> None:
    """A request that was parked may have outlived its host."""
    await tell(api, Register(OFFER))
    await api.post("tasks", ITEM)
    api.clock.at_s += 9.5  # three of its beats
    told = await api.post("agents/acquire", {"worker": W, "number": 1}, 200)
    assert told["grants"] == []
    await tell(api, Renew(W, 0))
    told = await api.post("agents/acquire", {"worker": W, "number": 1}, 200)
    assert len(told["grants"]) == 1
