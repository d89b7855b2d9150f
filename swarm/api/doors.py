"""Who somebody is by what they carry: a token of a file, a key of the store, the pass of a task's
grant, an issuer's token."""

import hmac
from collections.abc import Awaitable, Callable, Mapping

from swarm.api.keyring import PREFIX, Keyring, NotAdmitted
from swarm.api.oidc import Issuer
from swarm.model import passes
from swarm.model.access import Caller

_JWT_DOTS = 2
_NOTHING = "Send `Authorization: Bearer TOKEN`; `swarm up` printed where it is."


class Doors:
    """All ways in. `tokens` are those of files: they open also while the store is away; `passed`
    says whose a pass is."""

    def __init__(
        self,
        tokens: Mapping[str, Caller],
        keyring: Keyring,
        issuer: Issuer | None = None,
        passed: Callable[[str], Awaitable[Caller]] | None = None,
    ) -> None:
        self._tokens = tokens
        self._keyring = keyring
        self._issuer = issuer
        self._passed = passed

    async def caller(self, authorization: bytes) -> Caller:
        """Who sends that header. Raises `NotAdmitted`, and `StoreError` or `Unavailable`
        where nobody can tell."""
        scheme, _, credentials = authorization.partition(b" ")
        if scheme != b"Bearer":
            raise NotAdmitted("unauthorized", _NOTHING)
        found = self._of_file(credentials)
        if found is not None:
            return found
        text = credentials.decode("latin-1")
        if text.startswith(PREFIX):
            return await self._keyring.caller(text)
        if self._passed is not None and text.startswith(passes.PREFIX):
            return await self._passed(text)
        if self._issuer is not None and text.count(".") == _JWT_DOTS:
            return await self._issuer.caller(text)
        raise NotAdmitted("unauthorized", _NOTHING)

    def _of_file(self, credentials: bytes) -> Caller | None:
        found = None
        for token, caller in self._tokens.items():  # all of them: the time taken tells nothing
            if hmac.compare_digest(credentials, token.encode()):
                found = caller
        return found
