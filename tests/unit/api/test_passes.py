"""A task's own token opens while its grant is held, a few routes, and of tasks its own."""

import json
import re
from dataclasses import replace

import httpx2 as httpx
import pytest

from swarm.api.app import create_app
from swarm.api.roles import OF_PASSES, ROOT, ROUTES
from swarm.dispatch.events import Acquire, Finish, Register, Renew, WorkerLost
from swarm.model.passes import pass_of, seed_of
from swarm.model.work import LossCause, Offer, Outcome, Resources, TaskId, Token, WorkerId
from tests.unit.api.conftest import Api

KEY = b"key"
W, V = WorkerId("w"), WorkerId("v")


def offer(worker: WorkerId) -> Register:
    return Register(Offer(worker, "node", 4, Resources(cpu=4.0)))


def token(task: str = "a", grant: int = 1, key: bytes = KEY) -> str:
    return pass_of(seed_of(key, TaskId(task)), Token(TaskId(task), grant))


@pytest.fixture
def with_passes(api: Api) -> Api:
    api.deps.pass_key = KEY
    return api


async def running(api: Api) -> Token:
    body = {"argv": ["true"], "effects": "fenced"}
    await api.post("tasks", {"tasks": [{"id": name, **body} for name in ("a", "b")]})
    first = Token(TaskId("a"), 1)
    for event in (offer(W), Acquire(W, 1), Renew(W, 1, (first,), (first,))):
        await api.happens(event)
    return first


async def asks(
    api: Api, path: str = "tasks/a", by: str | None = None, method: str = "GET"
) -> tuple[int, str]:
    header = {"Authorization": f"Bearer {token() if by is None else by}"}
    answer = await api.http.request(method, path, headers=header, json={})
    return answer.status_code, answer.json().get("code", "") if answer.content else ""


async def test_a_task_is_given_what_its_pass_is_made_of_where_it_asks_for_it(
    with_passes: Api,
) -> None:
    tasks = [{"id": "a", "argv": ["true"], "api": True}, {"id": "b", "argv": ["true"]}]
    await with_passes.post("tasks", {"tasks": tasks})
    bodies = with_passes.deps.dispatch.bodies
    assert json.loads(bodies["a"])["pass"] == {
        "seed": seed_of(KEY, TaskId("a")),
        "url": "http://swarm",
    }
    assert "pass" not in json.loads(bodies["b"])
    again = [{"id": "a", "argv": ["true"]}]  # the same work: as it was sent before this was there
    assert await with_passes.post("tasks", {"tasks": again}) == {"tasks": ["a"]}


async def test_an_item_has_no_program_that_could_carry_one(with_passes: Api) -> None:
    item = {"item": 1, "capability": "c", "wait_for_capacity": True, "api": True}
    assert "api" in str(await with_passes.post("tasks", {"tasks": [item]}, 422))


async def test_it_opens_for_its_grant_from_its_begin_to_its_end(with_passes: Api) -> None:
    api = with_passes
    assert await asks(api) == (503, "store-unavailable")
    await api.post("tasks", {"tasks": [{"id": "a", "argv": ["true"], "effects": "fenced"}]})
    for event in (offer(W), Acquire(W, 1)):
        await api.happens(event)
    assert (await asks(api))[0] == 200
    assert (await asks(api, by=token(grant=2)))[0] == 200, "it is heard of here in a moment"
    for event in (WorkerLost(W, LossCause.PROCESS_EXIT),):
        await api.happens(event)
    assert await asks(api) == (401, "attempt-over")
    for event in (offer(V), Acquire(V, 1)):
        await api.happens(event)
    assert await asks(api) == (401, "attempt-over")
    assert (await asks(api, by=token(grant=2)))[0] == 200
    await api.happens(Finish(Token(TaskId("a"), 2), Outcome.SUCCEEDED))
    assert await asks(api, by=token(grant=2)) == (401, "attempt-over")
    assert await asks(api, by=token(grant=3)) == (401, "attempt-over")


@pytest.mark.parametrize(
    "by", [token(key=b"other"), token()[:-1] + "x", "swt_", "swt_YQ.1.0", "swt_\u00ff.1.0"]
)
async def test_what_swarm_did_not_make_opens_nothing(with_passes: Api, by: str) -> None:
    await running(with_passes)
    header = {"Authorization": f"Bearer {by}".encode("latin-1")}
    answer = await with_passes.http.get("healthz", headers=header)
    assert (answer.status_code, answer.json()["code"]) == (401, "unauthorized")


async def test_without_a_key_there_are_none(api: Api) -> None:
    await api.post("tasks", {"tasks": [{"id": "a", "argv": ["true"], "api": True}]})
    assert "pass" not in json.loads(api.deps.dispatch.bodies["a"])
    assert await asks(api, by=token(key=b"")) == (401, "unauthorized")


async def test_of_all_routes_it_opens_a_few(with_passes: Api) -> None:
    await running(with_passes)
    transport = httpx.ASGITransport(create_app(replace(with_passes.deps)))
    async with httpx.AsyncClient(transport=transport, base_url="http://swarm") as http:
        for route in ROUTES.keys() - {"GET /events"}:
            method, path = route.split(" ")
            path = ROOT + re.sub(r"\{\w+(:path)?\}", "a", path)
            header = {"Authorization": f"Bearer {token()}"}
            answer = await http.request(method, path, headers=header, json={})
            assert (answer.status_code != 403) == (route in OF_PASSES), route


@pytest.mark.parametrize("path", ["tasks/b", "tasks/b/output", "tasks/b/explain", "tasks/%61b"])
async def test_of_tasks_it_opens_its_own_alone(with_passes: Api, path: str) -> None:
    await running(with_passes)
    assert await asks(with_passes, path) == (403, "forbidden")
    assert (await asks(with_passes, path.replace("b", "a", 1).replace("%61a", "%61")))[0] == 200


async def test_what_it_tells_is_told_by_that_task(with_passes: Api) -> None:
    await running(with_passes)
    event = {
        "eventType": "COMPLETE",
        "eventTime": "2026-11-22T10:00:00Z",
        "producer": "x",
        "schemaURL": "https://openlineage.io/spec/2-0-2/OpenLineage.json#/$defs/RunEvent",
        "run": {"runId": "0188dd2c-9d29-7dd2-b1a3-3c0f0f0f0f0f"},
        "job": {"namespace": "prod", "name": "load.report"},
        "inputs": [{"namespace": "warehouse", "name": "raw.orders"}],
    }
    header = {"Authorization": f"Bearer {token()}"}
    answer = await with_passes.http.post("lineage", headers=header, json=event)
    assert answer.status_code == 201, answer.text
    with_passes.see()
    told = [entry for _, entry in with_passes.deps.projections.log.read(0, 1_000)]
    assert any("task%3Aa" in entry.cause_id for entry in told)
