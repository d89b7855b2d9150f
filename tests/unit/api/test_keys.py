"""API keys: one text, one answer; what is over says so; a rotation shuts nobody out."""

import asyncio
import sqlite3
from dataclasses import replace
from typing import Any

import pytest

from swarm.api.keyring import Keyring, Wish
from swarm.errors import StoreError
from swarm.model.access import Key, Role
from swarm.model.causes import asked_cause
from tests.unit.api.conftest import Api, TestClock, client_of

DAY_S = 86_400.0


async def made(api: Api, *roles: str, **more: Any) -> dict[str, Any]:
    body = {"name": "somebody", "roles": roles or ["viewer"], **more}
    answer: dict[str, Any] = await api.post("keys", body)
    return answer


async def asks(api: Api, key: str, path: str = "pipelines") -> tuple[int, Any]:
    answer = await api.http.get(path, headers={"Authorization": f"Bearer {key}"})
    return answer.status_code, answer.json()


async def test_a_key_opens_what_its_roles_do(api: Api) -> None:
    key = await made(api, "viewer")
    assert key["key"].startswith(f"swk_{key['id']}_")
    assert (await asks(api, key["key"]))[0] == 200
    assert (await asks(api, key["key"], "keys"))[0] == 403


@pytest.mark.parametrize(
    "spoilt",
    [
        lambda key: key[:-1],
        lambda key: key[:-1] + ("0" if key[-1] != "0" else "1"),
        lambda key: key + "0",
        lambda key: "swk_" + key.rpartition("_")[2],
        lambda key: "swk__" + key.rpartition("_")[2],
        lambda key: "swk_\xff_\xff",
        lambda key: key.upper(),
    ],
)
async def test_only_the_very_key_opens(api: Api, spoilt) -> None:
    key = (await made(api))["key"]
    answer = await api.http.get(
        "pipelines", headers={"Authorization": b"Bearer " + spoilt(key).encode("latin-1")}
    )
    assert answer.status_code == 401
    assert answer.json()["code"] == "unauthorized"


async def test_the_secret_is_in_one_answer_and_in_no_file(api: Api) -> None:
    key = await made(api)
    secret = key["key"].rpartition("_")[2]
    listed = (await api.http.get("keys")).text
    assert key["id"] in listed
    assert secret not in listed
    files = [path for path in api.settings.state_dir.rglob("*") if path.is_file()]
    assert [path for path in files if secret.encode() in path.read_bytes()] == []
    assert any(key["id"].encode() in path.read_bytes() for path in files)


async def test_an_expired_key_is_told_so(api: Api) -> None:
    key = await made(api, life_s=60)
    api.clock.at_s += 59
    assert (await asks(api, key["key"]))[0] == 200
    api.clock.at_s += 1
    status, body = await asks(api, key["key"])
    assert (status, body["code"]) == (401, "key-expired")
    assert f"swarm keys rotate {key['id']}" in body["detail"]
    # Who does not have the secret does not learn that there was one.
    assert (await asks(api, key["key"][:-1]))[1]["code"] == "unauthorized"


async def test_a_revoked_key_opens_nothing_from_then_on(api: Api) -> None:
    key = await made(api)
    assert (await asks(api, key["key"]))[0] == 200
    for _ in range(2):
        await api.post(f"keys/{key['id']}/revoke", None, 200)
    status, body = await asks(api, key["key"])
    assert (status, body["code"]) == (401, "key-revoked")
    await api.post(f"keys/{key['id']}/rotate", {}, 409)


async def test_a_rotation_has_both_open_for_a_while(api: Api) -> None:
    old = await made(api, "operator", life_s=10 * DAY_S)
    new = await api.post(f"keys/{old['id']}/rotate", {"overlap_s": DAY_S})
    assert (new["roles"], new["replaces"], new["name"]) == (["operator"], old["id"], "somebody")
    assert new["expires_at_s"] == api.clock.at_s + 10 * DAY_S
    api.clock.at_s += DAY_S - 1
    assert [(await asks(api, key["key"]))[0] for key in (old, new)] == [200, 200]
    api.clock.at_s += 1
    assert [(await asks(api, key["key"]))[0] for key in (old, new)] == [401, 200]


async def test_a_rotation_makes_no_life_longer(api: Api) -> None:
    old = await made(api, life_s=60)
    await api.post(f"keys/{old['id']}/rotate", {"overlap_s": DAY_S})
    api.clock.at_s += 60
    assert (await asks(api, old["key"]))[0] == 401


async def test_what_another_process_revoked_is_shut_within_a_second(api: Api) -> None:
    key = await made(api)
    assert (await asks(api, key["key"]))[0] == 200
    assert api.deps.keys is not None
    api.deps.keys.revoke(key["id"], api.clock.at_s, "elsewhere")
    assert (await asks(api, key["key"]))[0] == 200  # what is known, for a moment
    api.clock.at_s += 1
    assert (await asks(api, key["key"]))[0] == 401


async def test_a_key_that_is_revoked_while_keys_are_read_is_shut_at_once(
    api: Api, monkeypatch
) -> None:
    key, loop, kept = await made(api), asyncio.get_running_loop(), api.deps.keys
    assert kept is not None
    read = kept.all

    def slowly() -> list[Key]:
        found = read()
        monkeypatch.setattr(kept, "all", read)
        revoking = api.deps.keyring.revoke(key["id"], "meanwhile")
        asyncio.run_coroutine_threadsafe(revoking, loop).result(60)
        return found

    monkeypatch.setattr(kept, "all", slowly)
    await asks(api, key["key"])
    assert (await asks(api, key["key"]))[1]["code"] == "key-revoked"


async def test_the_last_use_is_kept(api: Api) -> None:
    key = await made(api)
    api.clock.at_s += 500
    await asks(api, key["key"])
    api.clock.at_s += 500
    (row,) = await api.get("keys")
    assert row["last_used_s"] == api.clock.at_s - 500


async def test_without_the_store_keys_open_nothing_and_files_still_do(
    api: Api, monkeypatch
) -> None:
    key = await made(api)

    def away() -> None:
        raise StoreError("the database is away")

    monkeypatch.setattr(api.deps.keyring, "_store", type("Away", (), {"all": staticmethod(away)}))
    status, body = await asks(api, key["key"])
    assert (status, body["code"]) == (503, "store-unavailable")
    assert (await asks(api, "token"))[0] == 200


async def asked(api: Api, path: str, body: Any, once: str, status: int = 201) -> Any:
    answer = await api.http.post(path, json=body, headers={"Idempotency-Key": once})
    assert answer.status_code == status, answer.text
    return answer.json()


async def test_a_key_that_is_asked_for_again_is_the_same_key_in_every_replica(api: Api) -> None:
    one = replace(api.deps, pass_key=b"of the store")
    other = replace(one)
    bodies = {"name": "grafana", "roles": ["viewer"]}
    async with client_of(one) as first, client_of(other) as second:
        here = await asked(replace(api, http=first), "keys", bodies, "w1")
        there = await asked(replace(api, http=second), "keys", bodies, "w1")
        assert (here, there["key"]) == (there, here["key"])
        assert (await asks(replace(api, http=second), here["key"]))[0] == 200
        assert len(await api.get("keys")) == 1
        changed = bodies | {"roles": ["admin"]}
        refused = await asked(replace(api, http=first), "keys", changed, "w1", 409)
        assert refused["code"] == "different-body"
        assert (await asked(replace(api, http=first), "keys", bodies, "w2"))["id"] != here["id"]
        api.clock.at_s += DAY_S + 1
        refused = await asked(replace(api, http=first), "keys", bodies, "w1", 409)
        assert "told for a day" in refused["detail"]


async def test_two_who_ask_for_the_same_key_at_once_get_one(api: Api) -> None:
    async with client_of(replace(api.deps, pass_key=b"of the store")) as http:
        once, body = replace(api, http=http), {"name": "a", "roles": ["viewer"]}
        told = await asyncio.gather(*(asked(once, "keys", body, "w") for _ in range(5)))
    assert len({one["key"] for one in told}) == 1
    assert len(await api.get("keys")) == 1


async def test_a_rotation_that_is_asked_for_again_makes_no_second_key(api: Api) -> None:
    async with client_of(replace(api.deps, pass_key=b"of the store")) as http:
        once = replace(api, http=http)
        old = await made(api)
        new = await asked(once, f"keys/{old['id']}/rotate", {"overlap_s": 60}, "w")
        assert await asked(once, f"keys/{old['id']}/rotate", {"overlap_s": 60}, "w") == new
        assert len(await api.get("keys")) == 2
        await api.post(f"keys/{new['id']}/revoke", None, 200)
        api.clock.at_s += 1
        await asked(once, f"keys/{old['id']}/rotate", {"overlap_s": 60}, "w", 409)


class AheadClock(TestClock):
    """Its clock on the wall may be wrong."""

    ahead_s = 0.0

    def now_s(self) -> float:
        return self.at_s + self.ahead_s


def changes_kept(api: Api) -> int:
    assert api.deps.audit is not None
    assert {one.wrong for one in api.deps.audit.verify()} == {""}
    return sum(row.types != "AuditTrimmed" for row in api.deps.audit.rows(100))


async def makes_a_key_a_day(keyring: Keyring, clock: TestClock, days: int) -> None:
    for day in range(days):
        cause = asked_cause("token", "POST /keys", f"c{day}")
        await keyring.make("ann", [Role.VIEWER], DAY_S, Wish("token", cause))
        clock.at_s += DAY_S


async def test_who_changed_keys_is_kept_for_as_many_days_as_are_set(api: Api) -> None:
    clock = AheadClock()
    keyring = Keyring(api.deps.keys, clock, 3 * DAY_S)
    await makes_a_key_a_day(keyring, clock, 5)
    await keyring.all()
    assert changes_kept(api) == 3
    clock.at_s += 0.9 * DAY_S
    await keyring.all()
    assert changes_kept(api) == 3, "it is looked after once a day"
    clock.at_s += 0.2 * DAY_S
    await keyring.all()
    assert changes_kept(api) == 1
    forever = Keyring(api.deps.keys, clock)
    clock.at_s += 9 * DAY_S
    await forever.all()
    assert changes_kept(api) == 1


async def test_a_clock_that_is_ahead_makes_no_change_of_keys_old(api: Api) -> None:
    clock = AheadClock()
    await makes_a_key_a_day(Keyring(api.deps.keys, clock), clock, 3)
    clock.ahead_s = 400 * DAY_S
    again = Keyring(api.deps.keys, clock, 3 * DAY_S)
    await makes_a_key_a_day(again, clock, 1)
    await again.all()
    assert changes_kept(api) == 4


async def test_an_unknown_key_cannot_be_changed(api: Api) -> None:
    assert "no key nobody" in (await api.post("keys/nobody/revoke", None, 404))["detail"]
    assert "no key nobody" in (await api.post("keys/nobody/rotate", {}, 404))["detail"]


async def test_a_full_disk_shuts_nobody_out(api: Api) -> None:
    key = await made(api)
    files = sqlite3.connect(api.settings.state_dir / "streams" / "keys.db")
    files.execute(
        "CREATE TRIGGER full BEFORE UPDATE ON swarm_keys BEGIN SELECT RAISE(ABORT, 'full'); END"
    )
    files.commit()
    for _ in range(2):
        api.clock.at_s += 100
        assert (await asks(api, key["key"]))[0] == 200
