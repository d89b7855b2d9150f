"""Tokens of an issuer: each thing about them that has to be right is wrong once."""

import asyncio
import base64
import hmac
import json
from dataclasses import replace
from typing import Any

import httpx2 as httpx
import pytest
from joserfc import jwt
from joserfc.jwk import ECKey, KeySet, RSAKey

from swarm.api.app import create_app
from swarm.api.oidc import Issuer
from swarm.config import Oidc, Settings
from swarm.errors import Unavailable
from tests.unit.api.conftest import Api

ISSUER = "https://login.example.com/data"
RSA = RSAKey.generate_key(2048, {"kid": "r1"}, private=True)
EC = ECKey.generate_key("P-256", {"kid": "e1"}, private=True)
STRANGER = RSAKey.generate_key(2048, {"kid": "r1"}, private=True)
OIDC = Oidc(issuer=ISSUER, audience="swarm", roles={"oncall": "operator", "all-staff": "viewer"})


class Published:
    """What the issuer has at its URLs, and how often it was asked for keys."""

    def __init__(self, *keys: Any) -> None:
        self.keys, self.asked, self.more = list(keys), 0, {}

    async def __call__(self, url: str) -> bytes:
        if url.endswith("/.well-known/openid-configuration"):
            document = {"issuer": ISSUER, "jwks_uri": f"{ISSUER}/keys"}
            return json.dumps(document | self.more).encode()
        assert url == f"{ISSUER}/keys"
        self.asked += 1
        return json.dumps(KeySet(self.keys).as_dict(private=False)).encode()


def claims(**more: Any) -> dict[str, Any]:
    usual = {"iss": ISSUER, "aud": "swarm", "sub": "ann", "exp": 2_000, "roles": ["oncall"]}
    return {name: value for name, value in (usual | more).items() if value is not None}


def signed(key: Any = RSA, alg: str = "RS256", **more: Any) -> str:
    return jwt.encode({"alg": alg, "kid": key.kid}, claims(**more), key, algorithms=[alg])


@pytest.fixture
def published() -> Published:
    return Published(RSA, EC)


async def asks(
    api: Api, published: Any, token: str, path: str = "decisions/release"
) -> tuple[int, dict[str, Any]]:
    deps = api.deps
    if deps.issuer is None:
        deps = api.deps = replace(deps, issuer=Issuer(OIDC, api.clock, published))
    transport = httpx.ASGITransport(create_app(deps))
    async with httpx.AsyncClient(transport=transport, base_url="http://x/api/v1/") as http:
        header = {"Authorization": f"Bearer {token}".encode("latin-1")}
        answer = await http.post(path, json={"pipeline": "nobody", "by": "ann"}, headers=header)
    return answer.status_code, answer.json()


async def admitted(api: Api, published: Any, token: str) -> bool:
    status, body = await asks(api, published, token)
    assert (status, body["code"]) in {
        (404, "unknown-key"),
        (401, "token-refused"),
        (401, "token-expired"),
        (401, "unauthorized"),
    }
    return status == 404


@pytest.mark.parametrize(
    "token",
    [
        signed(),
        signed(EC, "ES256"),
        signed(RSA, "PS256"),
        signed(aud=["other", "swarm"]),
        signed(roles="all-staff oncall"),
        signed(exp=1_000 - 59),
        signed(nbf=1_000 + 59),
    ],
)
async def test_a_good_token_opens(api: Api, published: Published, token: str) -> None:
    assert await admitted(api, published, token)


def packed(part: Any) -> bytes:
    return base64.urlsafe_b64encode(json.dumps(part).encode()).rstrip(b"=")


def unsigned(**header: Any) -> str:
    return b".".join([packed({"alg": "none", **header}), packed(claims()), b""]).decode()


def with_public_key_as_secret() -> str:
    """Whoever has the public key has this secret: the oldest of the tricks."""
    text = packed({"alg": "HS256", "kid": "r1"}) + b"." + packed(claims())
    sign = hmac.digest(RSA.as_pem(private=False), text, "sha256")
    return f"{text.decode()}.{base64.urlsafe_b64encode(sign).decode().rstrip('=')}"


def bent(token: str) -> str:
    head, _, sign = token.split(".")
    return f"{head}.{packed(claims(sub='root')).decode()}.{sign}"


REFUSED = {
    "another's key": signed(STRANGER),
    "changed": bent(signed()),
    "no signature": unsigned(),
    "no signature, with a key id": unsigned(kid="r1"),
    "public key as secret": with_public_key_as_secret(),
    "another algorithm": signed(RSA, "RS512"),
    "key of another kind": jwt.encode({"alg": "ES256", "kid": "r1"}, claims(), EC),
    "another audience": signed(aud="airflow"),
    "no audience": signed(aud=None),
    "audiences of others": signed(aud=["airflow", "dagster"]),
    "another issuer": signed(iss="https://login.example.com/"),
    "no issuer": signed(iss=None),
    "no subject": signed(sub=None),
    "a subject that is no text": signed(sub={"a": 1}),
    "no end": signed(exp=None),
    "an end that is no time": signed(exp="2000"),
    "too late": signed(exp=1_000 - 60),
    "too early": signed(nbf=1_000 + 61),
    "issued tomorrow": signed(iat=90_000),
    "dots": "..",
    "no base64": "\xff.\xfe.\xfd",
    "a list": ".".join(["W10"] * 3),
    "long": signed(name="x" * 20_000),
    "deep": base64.urlsafe_b64encode(b"[" * 5_000).decode().rstrip("=") + ".W10.W10",
}


@pytest.mark.parametrize("name", list(REFUSED))
async def test_a_token_with_one_thing_wrong_does_not(
    api: Api, published: Published, name: str
) -> None:
    assert not await admitted(api, published, REFUSED[name])


async def test_an_expired_token_is_told_so(api: Api, published: Published) -> None:
    assert (await asks(api, published, signed(exp=900)))[1]["code"] == "token-expired"


async def test_roles_are_those_that_the_settings_give(api: Api, published: Published) -> None:
    for told in (None, [], ["admin"], "Oncall", 7, {"oncall": True}, [["oncall"]]):
        status, body = await asks(api, published, signed(roles=told))
        assert status == 403, told
    assert "the role nobody gave" in body["detail"]
    assert (await asks(api, published, signed(roles=["all-staff"])))[0] == 403
    assert (await asks(api, published, signed(roles=["x", "oncall"])))[0] == 404


async def test_new_keys_are_asked_for_and_not_too_often(api: Api, published: Published) -> None:
    assert await admitted(api, published, signed())
    new = RSAKey.generate_key(2048, {"kid": "r2"}, private=True)
    published.keys = [new]
    for _ in range(3):  # within 30 s what is known stays
        assert not await admitted(api, published, signed(new))
        assert await admitted(api, published, signed())
    assert published.asked == 1
    api.clock.at_s += 31
    assert await admitted(api, published, signed(new))
    assert not await admitted(api, published, signed())
    assert published.asked == 2


async def test_a_withdrawn_key_opens_for_an_hour_at_most(api: Api, published: Published) -> None:
    assert await admitted(api, published, signed(exp=9_000))
    published.keys = [EC]
    api.clock.at_s += 3_601
    assert not await admitted(api, published, signed(exp=9_000))


async def test_without_the_issuer_its_tokens_wait_and_keys_still_open(api: Api) -> None:
    async def away(url: str) -> bytes:
        raise Unavailable(f"{url} does not answer")

    status, body = await asks(api, away, signed())
    assert (status, body["code"]) == (503, "issuer-unavailable")
    assert (await asks(api, away, "token"))[0] == 404


async def test_an_issuer_that_was_away_at_first_is_asked_again_soon(
    api: Api, published: Published
) -> None:
    published.more = {"issuer": "https://not.yet.example"}
    assert (await asks(api, published, signed()))[0] == 503
    published.more = {}
    assert (await asks(api, published, signed()))[0] == 503, "it was just asked"
    api.clock.at_s += 31
    assert await admitted(api, published, signed())
    assert published.asked == 1


async def test_who_comes_while_the_first_keys_are_fetched_waits_for_them(
    api: Api, published: Published
) -> None:
    async def slowly(url: str) -> bytes:
        await asyncio.sleep(0)  # the others come now
        return await published(url)

    issuer = Issuer(OIDC, api.clock, slowly)
    callers = await asyncio.gather(*(issuer.caller(signed()) for _ in range(3)))
    assert [caller.name for caller in callers] == ["oidc:ann"] * 3
    assert published.asked == 1


@pytest.mark.parametrize(
    "more", [{"issuer": "https://evil.example"}, {"jwks_uri": "http://login.example.com/keys"}]
)
async def test_a_document_of_another_is_not_believed(
    api: Api, published: Published, more: dict[str, str]
) -> None:
    published.more = more
    assert (await asks(api, published, signed()))[0] == 503


@pytest.mark.parametrize("issuer", ["http://login.example.com", "login.example.com", "ftp://x"])
def test_an_issuer_is_behind_https(issuer: str) -> None:
    with pytest.raises(ValueError, match="https"):
        Settings.model_validate({"api": {"oidc": {"issuer": issuer, "audience": "a"}}})
