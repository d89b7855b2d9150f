"""The guard lets nothing in without the token and nothing large, however it is packed."""

import gzip
import json

import pytest

from swarm.api.doors import Doors
from swarm.api.guard import BODY_MAX_BYTES, Guard
from swarm.api.keyring import Keyring
from swarm.api.limits import Limits
from swarm.clock import SystemClock
from swarm.model.access import Caller, Role

TOKENS = {
    "secret": Caller("secret", frozenset({Role.ADMIN})),
    "looks": Caller("looks", frozenset({Role.VIEWER})),
    "tells": Caller("tells", frozenset({Role.VIEWER, Role.WORKER})),
}


async def ask(*chunks, headers=(), method="POST", path="/api/v1/tasks"):
    """Send one request through the guard to an app that answers 200 with the length it read."""

    async def app(scope, receive, send):
        message = await receive()
        body = str(len(message["body"])).encode()
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": body})

    arriving = iter(
        [{"type": "http.request", "body": chunk, "more_body": True} for chunk in chunks]
        + [{"type": "http.request", "body": b"", "more_body": False}]
    )
    sent = []

    async def receive():
        return next(arriving)

    async def send(message):
        sent.append(message)

    scope = {"type": "http", "method": method, "path": path}
    scope["headers"] = [(k.encode(), v.encode()) for k, v in headers]
    await Guard(
        app, Doors(TOKENS, Keyring(None, SystemClock())), Limits(1e6, SystemClock().monotonic_s)
    )(scope, receive, send)
    return sent[0]["status"], sent[1]["body"]


GOOD = ("authorization", "Bearer secret")
GZIP = ("content-encoding", "gzip")


@pytest.mark.parametrize(
    "header", [None, "", "secret", "bearer secret", "Bearer secret2", "Bearer ", "Basic secret"]
)
async def test_only_the_very_token_opens(header):
    headers = [] if header is None else [("authorization", header)]
    status, body = await ask(b"{}", headers=headers)
    assert status == 401
    assert "secret" not in json.loads(body)["detail"]


async def test_a_body_in_chunks_arrives_whole():
    assert await ask(b"ab", b"cde", headers=[GOOD]) == (200, b"5")


async def test_gzip_is_opened():
    packed = gzip.compress(b"x" * 1_000)
    assert await ask(packed[:10], packed[10:], headers=[GOOD, GZIP]) == (200, b"1000")


@pytest.mark.parametrize("packed", [False, True])
async def test_the_limit_counts_what_comes_out(packed):
    def pack(body):
        return gzip.compress(body) if packed else body

    headers = [GOOD, GZIP] if packed else [GOOD]
    most = str(BODY_MAX_BYTES).encode()
    assert await ask(pack(b"x" * BODY_MAX_BYTES), headers=headers) == (200, most)
    status, _ = await ask(pack(b"x" * (BODY_MAX_BYTES + 1)), headers=headers)
    assert status == 413


async def test_a_bomb_is_refused_before_it_is_inflated():
    bomb = gzip.compress(b"\0" * 300_000_000, compresslevel=9)
    status, _ = await ask(bomb, headers=[GOOD, GZIP])
    assert status == 413


async def test_half_a_gzip_stream_is_refused():
    status, _ = await ask(gzip.compress(b"x" * 1_000)[:20], headers=[GOOD, GZIP])
    assert status == 400


@pytest.mark.parametrize(
    ("token", "method", "path", "status"),
    [
        ("looks", "GET", "/api/v1/tasks", 200),
        ("looks", "POST", "/api/v1/lineage", 403),
        ("tells", "POST", "/api/v1/lineage", 200),
        ("tells", "POST", "/api/v1/push", 200),
        ("tells", "GET", "/api/v1/tasks", 200),
        ("tells", "POST", "/api/v1/tasks", 403),
        ("tells", "POST", "/api/v1/lineage/", 404),
        ("secret", "POST", "/api/v1/lineage/", 404),
        ("secret", "POST", "/api/v1/tasks\n", 404),
        ("secret", "GET", "/api/v1/nothing", 404),
        ("secret", "DELETE", "/api/v1/tasks", 405),
        ("wrong", "GET", "/api/v1/nothing", 401),
        ("tells", "POST", "/api/v1/dependencies/verdict", 403),
        ("secret", "POST", "/api/v1/tasks", 200),
        ("Secret", "GET", "/api/v1/tasks", 401),
    ],
)
async def test_a_token_may_do_what_its_roles_say(token, method, path, status):
    header = ("authorization", f"Bearer {token}")
    assert (await ask(headers=[header], method=method, path=path))[0] == status


async def test_a_refusal_names_the_role_that_is_missing():
    _, body = await ask(headers=[("authorization", "Bearer tells")])
    assert json.loads(body)["detail"] == (
        "This token has the role viewer, worker; "
        "`POST /tasks` takes one of: admin, operator, plug-in."
    )
