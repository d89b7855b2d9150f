"""What is asked for again under the same key is done once, and told as it was told first."""

import asyncio
import json
from collections.abc import Callable
from typing import Any

import pytest

from swarm.api.guard import CALLER
from swarm.api.repeats import AGAIN_S, Repeats
from swarm.model.access import Caller, Role
from tests.unit.api.conftest import Api
from tests.unit.api.test_decisions import CLOSE, known

ANN, BOB = (Caller(name, frozenset({Role.OPERATOR})) for name in ("key:ann", "key:bob"))
KEPT = 20
KEPT_BYTES = 10_000
HOLD = {"pipeline": str(CLOSE), "by": "ann", "for_s": 600}


class World:
    """An app that counts what it does; `status` is what it answers, `gate` what it waits for."""

    def __init__(self) -> None:
        self.done, self.status, self.at_s = 0, 201, 0.0
        self.gate = asyncio.Event()
        self.gate.set()
        self.repeats = Repeats(self._app, lambda: self.at_s, KEPT, KEPT_BYTES)

    async def _app(self, scope: Any, receive: Callable[[], Any], send: Callable[..., Any]) -> None:
        body = (await receive())["body"]
        await self.gate.wait()
        self.done += 1
        told = json.dumps({"done": self.done, "read": body.decode()}).encode()
        head = {"type": "http.response.start", "status": self.status}
        await send({**head, "headers": [(b"content-type", b"application/json")]})
        await send({"type": "http.response.body", "body": told})

    async def ask(
        self, key: str, body: str = "x", who: Caller = ANN, path: str = "/api/v1/decisions/hold"
    ) -> tuple[int, Any, dict[bytes, bytes]]:
        scope = {"type": "http", "method": "POST", "path": path, CALLER: who}
        scope["headers"] = [(b"idempotency-key", key.encode())]
        sent: list[Any] = []

        async def receive() -> Any:
            return {"type": "http.request", "body": body.encode(), "more_body": False}

        async def send(message: Any) -> None:
            sent.append(message)

        await self.repeats(scope, receive, send)
        return sent[0]["status"], json.loads(sent[1]["body"]), dict(sent[0]["headers"])


@pytest.fixture
def world() -> World:
    return World()


async def test_the_second_is_told_what_the_first_was(world: World) -> None:
    first, again = await world.ask("k"), await world.ask("k")
    assert (first[:2], first[2].get(b"idempotent-replayed")) == (
        (201, {"done": 1, "read": "x"}),
        None,
    )
    assert (again[:2], again[2][b"idempotent-replayed"]) == (first[:2], b"true")
    assert world.done == 1


async def test_a_key_is_its_senders_own_and_of_one_path(world: World) -> None:
    await world.ask("k")
    await world.ask("k", who=BOB)
    await world.ask("k", path="/api/v1/decisions/release")
    await world.ask("other")
    assert world.done == 4


async def test_another_body_under_the_same_key_is_refused(world: World) -> None:
    await world.ask("k")
    status, told, _ = await world.ask("k", "y")
    assert (status, told["code"], world.done) == (409, "different-body", 1)
    assert (await world.ask("k"))[1] == {"done": 1, "read": "x"}


async def test_who_comes_while_it_is_done_waits_for_it(world: World) -> None:
    world.gate.clear()
    asking = [asyncio.create_task(world.ask("k")) for _ in range(5)]
    await asyncio.sleep(0)
    world.gate.set()
    assert [one[:2] for one in await asyncio.gather(*asking)] == [
        (201, {"done": 1, "read": "x"})
    ] * 5


async def test_what_was_refused_is_asked_again(world: World) -> None:
    world.gate.clear()
    world.status = 503
    asking = [asyncio.create_task(world.ask("k")) for _ in range(3)]
    await asyncio.sleep(0)
    world.gate.set()
    await asyncio.gather(*asking)
    assert world.done == 3
    assert not world.repeats._kept
    world.status = 201
    assert (await world.ask("k", "y"))[:2] == (201, {"done": 4, "read": "y"})


async def test_a_key_is_good_for_a_day(world: World) -> None:
    await world.ask("k")
    world.at_s = AGAIN_S - 1
    await world.ask("k")
    assert world.done == 1
    world.at_s = AGAIN_S
    assert (await world.ask("k", "y"))[:2] == (201, {"done": 2, "read": "y"})


async def test_a_key_has_a_bound_and_so_many_are_kept(world: World) -> None:
    assert (await world.ask("k" * 201))[0] == 400
    for number in range(KEPT + 5):
        await world.ask(str(number))
    assert len(world.repeats._kept) == KEPT
    await world.ask(str(KEPT))
    assert world.done == KEPT + 5


async def test_answers_are_kept_up_to_so_many_bytes_the_newest_of_them(world: World) -> None:
    large = "x" * 3_000
    for key in "abcde":
        await world.ask(key, large)
    assert sum(map(held, world.repeats._kept.values())) <= KEPT_BYTES
    for key in "cde":
        assert (await world.ask(key, large))[2][b"idempotent-replayed"] == b"true"
    assert world.done == 5
    await world.ask("b", large)
    assert world.done == 6, "it was given up"


async def test_what_is_no_longer_kept_does_not_count(world: World) -> None:
    """Answers that were replaced after a day, too large to keep, or refused take no room."""
    large = "x" * 4_000
    await world.ask("a", large)
    for day in range(1, 4):
        world.at_s = day * AGAIN_S
        await world.ask("a", large)
    await world.ask("b", "x" * 200_000)
    world.status = 409
    await world.ask("c", large)
    world.status = 201
    await world.ask("d", large)
    for key in "ad":
        assert (await world.ask(key, large))[2][b"idempotent-replayed"] == b"true"


def held(kept: Any) -> int:
    return sum(len(message.get("body", b"")) for message in kept.messages)


async def test_a_hold_that_is_asked_for_again_does_not_undo_a_release(api: Api) -> None:
    await known(api)
    key = {"Idempotency-Key": "night"}
    first = await api.http.post("decisions/hold", json=HOLD, headers=key)
    await api.post("decisions/release", {"pipeline": str(CLOSE), "by": "bob"})
    again = await api.http.post("decisions/hold", json=HOLD, headers=key)
    assert (again.status_code, again.json()) == (201, first.json())
    api.see()
    assert await api.get("decisions") == []
    changed = await api.http.post("decisions/hold", json=HOLD | {"for_s": 9}, headers=key)
    assert changed.status_code == 409


async def test_each_change_says_that_it_may_be_sent_again(api: Api) -> None:
    paths = (await api.get("openapi.json"))["paths"]
    changes = [methods["post"] for methods in paths.values() if "post" in methods]
    assert len(changes) > 20
    for one in changes:
        names = [part["name"].lower() for part in one["parameters"]]
        assert names.count("idempotency-key") == 1, one["operationId"]
