"""The guard lets nothing in without the token and nothing large, however it is packed."""

import asyncio
import gzip
import json

import pytest

from swarm.api.bodies import BODY_MAX_BYTES, Pace
from swarm.api.doors import Doors
from swarm.api.guard import Guard
from swarm.api.keyring import Keyring
from swarm.api.limits import Limits
from swarm.clock import SystemClock
from swarm.model.access import Caller, Role

TOKENS = {
    "secret": Caller("secret", frozenset({Role.ADMIN})),
    "looks": Caller("looks", frozenset({Role.VIEWER})),
    "tells": Caller("tells", frozenset({Role.VIEWER, Role.WORKER})),
}


async def ask(*chunks, headers=(), method="POST", path="/api/v1/tasks", pace=None, end=()):
    """Send one request through the guard to an app that answers 200 with the length it read. After
    `chunks` comes `end`, else the end of the body."""

    async def app(scope, receive, send):
        message = await receive()
        body = str(len(message["body"])).encode()
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": body})

    whole = [{"type": "http.request", "body": b"", "more_body": False}]
    arriving = iter([*(part(chunk) for chunk in chunks), *(end or whole)])
    sent = []

    async def receive():
        message = next(arriving)
        return await message if asyncio.isfuture(message) else message

    async def send(message):
        sent.append(message)

    scope = {"type": "http", "method": method, "path": path}
    scope["headers"] = [(k.encode(), v.encode()) for k, v in headers]
    doors = Doors(TOKENS, Keyring(None, SystemClock()))
    guard = Guard(app, doors, Limits(1e6, SystemClock().monotonic_s), pace)
    await guard(scope, receive, send)
    return sent[0]["status"], sent[1]["body"]


def part(body):
    return {"type": "http.request", "body": body, "more_body": True}


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


async def test_what_is_too_large_is_thrown_away_as_it_comes():
    """Else a server that closes on it resets the connection, and the client reads nothing."""
    taken = []

    class Piece(bytes):
        def __len__(self):
            taken.append(self)
            return super().__len__()

    piece = Piece(b"x" * 1_000_000)
    for length in ([("content-length", "60000000")], []):
        taken.clear()
        status, body = await ask(*[piece] * 60, headers=[GOOD, *length])
        assert (status, json.loads(body)["code"]) == (413, "too-large")
        assert len(taken) >= 49, "it was read to its end"


async def test_who_asks_first_whether_to_send_it_is_answered_at_once():
    headers = [GOOD, ("content-length", "60000000"), ("expect", "100-continue")]
    nothing_comes = [asyncio.get_running_loop().create_future()]
    assert (await ask(headers=headers, end=nothing_comes))[0] == 413


async def test_a_read_without_a_body_waits_for_none():
    nothing_comes = [asyncio.get_running_loop().create_future()]
    asked = ask(headers=[GOOD], method="GET", end=nothing_comes, pace=Pace(piece_s=0.0))
    assert await asked == (200, b"0")


@pytest.mark.parametrize("announced", [("content-length", "60000000"), ("transfer-encoding", "x")])
async def test_the_body_of_a_read_is_bounded_too(announced):
    pieces = [b"x" * 1_000_000] * 11
    status, _ = await ask(*pieces, headers=[GOOD, announced], method="GET")
    assert status == 413


@pytest.mark.parametrize("pace", [Pace(piece_s=0.0), Pace(whole_s=0.0)])
@pytest.mark.parametrize("length", ["100", "60000000"])
async def test_a_body_that_stops_coming_is_ended(pace, length):
    nothing_comes = [asyncio.get_running_loop().create_future()]
    headers = [GOOD, ("content-length", length)]
    status, body = await ask(b"ab", headers=headers, pace=pace, end=nothing_comes)
    assert (status, json.loads(body)["code"]) == (408, "too-slow")


async def test_a_body_that_was_cut_off_reaches_no_route():
    status, body = await ask(b"{}", headers=[GOOD], end=[{"type": "http.disconnect"}])
    assert (status, json.loads(body)["code"]) == (400, "bad-input")


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
