"""The proxy hands no large body on, and says of a replica that died what may be done about it."""

import asyncio
import json
from typing import Any

import pytest

from swarm.api.bodies import BODY_MAX_BYTES
from swarm.api.proxy import Porch, middlewares

MEGABYTE = b"x" * 1_000_000


class Serve:
    """In place of Serve: takes all of a body at once, as that does, and may die on it."""

    def __init__(self, *, dies: bool = False) -> None:
        self.dies, self.taken = dies, 0

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        while True:
            message = await receive()
            self.taken += len(message.get("body", b""))
            if message["type"] == "http.disconnect":
                return  # the replica is told to stop
            if not message["more_body"]:
                break
        if not self.dies:
            await send({"type": "http.response.start", "status": 201, "headers": []})
            await send({"type": "http.response.body", "body": b"null"})


async def ask(
    serve: Serve, pieces: int, *headers: tuple[bytes, bytes], leaves: bool = False
) -> Any:
    """The status and the body of the answer, None where there is none; how much was read."""
    sent: list[Any] = []
    read = 0

    async def receive() -> Any:
        nonlocal read
        if read == pieces:
            if leaves:
                return {"type": "http.disconnect"}
            await asyncio.get_running_loop().create_future()
        read += 1
        return {"type": "http.request", "body": MEGABYTE, "more_body": leaves or read < pieces}

    async def send(message: Any) -> None:
        sent.append(message)

    scope = {"type": "http", "method": "POST", "path": "/api/v1/lineage", "headers": list(headers)}
    async with asyncio.timeout(20):
        await Porch(serve)(scope, receive, send)
    if not sent:
        return None, None, read
    return sent[0]["status"], json.loads(sent[1]["body"]), read


async def test_what_is_small_passes_as_it_is() -> None:
    serve = Serve()
    assert await ask(serve, 9) == (201, None, 9)
    assert serve.taken == 9_000_000


@pytest.mark.parametrize("length", [(), ((b"content-length", b"60000000"),)])
async def test_what_is_too_large_is_handed_on_no_further_and_read_to_its_end(length: Any) -> None:
    serve = Serve()
    status, told, read = await ask(serve, 60, *length)
    assert (status, told["code"], read) == (413, "too-large", 60)
    assert serve.taken <= (0 if length else BODY_MAX_BYTES)


async def test_who_asks_first_is_refused_at_once() -> None:
    headers = ((b"content-length", b"60000000"), (b"expect", b"100-continue"))
    status, _, read = await ask(Serve(), 60, *headers)
    assert (status, read) == (413, 0)


async def test_a_replica_that_died_is_told_as_something_to_send_again() -> None:
    status, told, _ = await ask(Serve(dies=True), 1)
    assert (status, told["code"]) == (503, "interrupted")
    assert "Idempotency-Key" in told["fix"]


async def test_who_left_is_told_nothing() -> None:
    assert (await ask(Serve(), 2, leaves=True))[0] is None


def test_serve_is_given_what_it_takes() -> None:
    assert [one.cls for one in middlewares()] == [Porch]
