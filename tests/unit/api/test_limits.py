"""One key cannot keep swarm busy, and guessing is slow; neither shuts out the others."""

from dataclasses import replace

import httpx2 as httpx

from swarm.api.app import create_app
from swarm.api.limits import _BUCKETS_MAX, BURST_S, Buckets
from swarm.model.access import Caller, Role
from tests.unit.api.conftest import Api


class Now:
    s = 100.0


def test_a_bucket_holds_a_burst_and_fills_again():
    buckets = Buckets(2.0, lambda: Now.s)
    assert [buckets.take("a") for _ in range(int(2 * BURST_S))] == [0.0] * int(2 * BURST_S)
    assert buckets.take("a") == 0.5
    assert buckets.take("b") == 0.0, "the others have their own"
    Now.s += 0.5
    assert [buckets.take("a"), buckets.take("a")] == [0.0, 0.5]


def test_many_names_do_not_fill_the_memory_and_the_empty_stay_empty():
    buckets = Buckets(1.0, lambda: Now.s)
    while not buckets.take("busy"):
        pass
    for number in range(3 * _BUCKETS_MAX):
        buckets.take(f"one of many {number}")
    assert len(buckets._left) <= _BUCKETS_MAX + 1
    assert buckets.take("busy") > 0


async def test_who_asks_too_often_is_told_when_to_come_back(api: Api) -> None:
    tokens = {"other": Caller("other", frozenset({Role.VIEWER}))}
    app = create_app(replace(api.deps, tokens=tokens, requests_per_s=1.0))
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://x") as http:

        async def asks(token: str) -> httpx.Response:
            path, header = "/api/v1/pipelines", {"Authorization": f"Bearer {token}"}
            return await http.get(path, headers=header)

        assert {(await asks("token")).status_code for _ in range(10)} == {200}
        refused = await asks("token")
        assert (refused.status_code, refused.json()["code"]) == (429, "rate-limited")
        assert refused.headers["Retry-After"] == "1"
        assert (await asks("other")).status_code == 200
        guesses = [(await asks(f"guess{n}")).status_code for n in range(101)]
        assert guesses == [401] * 100 + [429]
        assert (await asks("other")).status_code == 200, "guessing shuts out no key"
        api.clock.at_s += 1
        assert (await asks("token")).status_code == 200
