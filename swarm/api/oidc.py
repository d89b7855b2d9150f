"""Bearer tokens of an OpenID Connect issuer: signed JWTs (RFC 7519), checked by its published keys.

The algorithms are these, whatever a token says of itself: asymmetric ones alone, so that nobody
signs with a public key as if it were a shared secret, and nobody leaves the signature out. Issuer,
audience, subject and end have to be there and right; clocks may differ by `leeway_s`.
"""

import asyncio
import json
import math
from collections.abc import Awaitable, Callable, Iterable
from typing import Any

import httpx2 as httpx
from joserfc import jwt
from joserfc.errors import ExpiredTokenError, InvalidKeyIdError, JoseError
from joserfc.jwk import KeySet

from swarm.api.keyring import NotAdmitted
from swarm.clock import Clock
from swarm.config import Oidc
from swarm.errors import ConfigError, Unavailable
from swarm.model.access import Caller, Role
from swarm.outbound import check_reached

ALGORITHMS = ("RS256", "PS256", "ES256")
_KEPT_S = 3_600.0  # how long keys are believed without being asked for again
_AGAIN_S = 30.0  # at least between two times of asking
_ANSWER_S = 5.0
_ANSWER_MAX_BYTES = 1_000_000
_TOKEN_MAX = 16_000
_NAME_MAX = 200
# What a token or a document that is none makes of the code that reads it.
_NONSENSE = (JoseError, ValueError, TypeError, LookupError, AttributeError, RecursionError)

Fetch = Callable[[str], Awaitable[bytes]]


class Issuer:
    """One issuer; its keys are fetched when they are first needed."""

    def __init__(self, settings: Oidc, clock: Clock, fetch: Fetch | None = None) -> None:
        self._settings = settings
        self._clock = clock
        self._fetch = fetch or fetched
        self._keys: KeySet | None = None
        self._asked_s = -math.inf
        self._asking = asyncio.Lock()

    async def caller(self, token: str) -> Caller:
        """Whose token that is. Raises `NotAdmitted`, and `Unavailable` while there are no keys."""
        if len(token) > _TOKEN_MAX:
            raise NotAdmitted("token-refused", f"A token has {_TOKEN_MAX} characters at most.")
        if self._keys is None or self._clock.monotonic_s() - self._asked_s > _KEPT_S:
            await self._ask()
        try:
            claims = self._claims(token)
        except InvalidKeyIdError:  # the issuer may have new keys
            await self._ask()
            claims = self._claims_now(token)
        except _NONSENSE as error:
            raise _refused(error) from None
        name = f"oidc:{claims['sub']}"[:_NAME_MAX]
        return Caller(name, self._roles(claims.get(self._settings.roles_claim)))

    def _claims_now(self, token: str) -> dict[str, Any]:
        try:
            return self._claims(token)
        except _NONSENSE as error:
            raise _refused(error) from None

    def _claims(self, token: str) -> dict[str, Any]:
        if self._keys is None:
            raise Unavailable(
                f"{self._settings.issuer}: its keys are not known yet; send it again."
            )
        read = jwt.decode(token, self._keys, algorithms=ALGORITHMS)
        wanted = jwt.JWTClaimsRegistry(
            now=int(self._clock.now_s()),
            leeway=int(self._settings.leeway_s),
            iss={"essential": True, "value": self._settings.issuer},
            aud={"essential": True, "value": self._settings.audience},
            sub={"essential": True},
            exp={"essential": True},
        )
        wanted.validate(read.claims)
        return read.claims

    def _roles(self, told: object) -> frozenset[Role]:
        names: Iterable[object] = told.split() if isinstance(told, str) else ()
        if isinstance(told, list):
            names = told
        known = self._settings.roles
        return frozenset(
            Role(known[name]) for name in names if isinstance(name, str) and name in known
        )

    async def _ask(self) -> None:
        """Ask the issuer for its keys, unless that was just done. What is known stays where it
        does not answer."""
        async with self._asking:
            now_s = self._clock.monotonic_s()
            if now_s - self._asked_s < _AGAIN_S:
                return
            self._asked_s = now_s
            try:
                self._keys = await self._published()
            except (Unavailable, ConfigError, *_NONSENSE) as error:
                if self._keys is None:
                    raise Unavailable(f"{self._settings.issuer}: no keys: {error}") from None

    async def _published(self) -> KeySet:
        issuer = self._settings.issuer
        where = f"{issuer.rstrip('/')}/.well-known/openid-configuration"
        document = json.loads(await self._fetch(where))
        if document["issuer"] != issuer:
            raise Unavailable(f"{where} is of the issuer {document['issuer']!r}")
        if issuer.startswith("https:") and not document["jwks_uri"].startswith("https:"):
            raise Unavailable(f"{where} names keys that are not behind https")
        return KeySet.import_key_set(json.loads(await self._fetch(document["jwks_uri"])))


async def fetched(url: str) -> bytes:
    """What is at a URL. Raises `Unavailable`, and `ConfigError` for where nothing may be asked."""
    await asyncio.to_thread(check_reached, url, "`api.oidc.issuer`")
    body = bytearray()
    try:
        async with (
            asyncio.timeout(_ANSWER_S),
            httpx.AsyncClient() as client,
            client.stream("GET", url) as answer,
        ):
            async for chunk in answer.aiter_bytes():
                body += chunk
                if len(body) > _ANSWER_MAX_BYTES:
                    raise Unavailable(f"{url} answered more than {_ANSWER_MAX_BYTES} bytes")
    except TimeoutError:
        raise Unavailable(f"{url} did not answer within {_ANSWER_S:g} s") from None
    except httpx.HTTPError as error:
        raise Unavailable(f"{url}: {error or type(error).__name__}") from None
    if answer.status_code != 200:
        raise Unavailable(f"{url} answered {answer.status_code}")
    return bytes(body)


def _refused(error: Exception) -> NotAdmitted:
    if isinstance(error, ExpiredTokenError):
        return NotAdmitted("token-expired", "This token has expired: get a new one.")
    # Only what our own library says of it: a token's own words stay out of the answer.
    why = str(error) if isinstance(error, JoseError) else "it is no token"
    return NotAdmitted("token-refused", f"This token is not taken: {why[:200]}.")
