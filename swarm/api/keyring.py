"""API keys as the API knows them: `swk_<id>_<secret>`, in memory for a second.

A key that another replica or a restored database changed is seen within `_FRESH_S`; what this one
changed counts at once. Where the store cannot be read nobody comes in by a key: what is revoked
must not open because a database is away. The tokens of files still do.
"""

import asyncio
import contextlib
import hashlib
import hmac
import math
import secrets
from collections.abc import Iterable
from datetime import UTC, datetime

from swarm.clock import Clock
from swarm.errors import Rejected, StoreError, SwarmError, UnknownKey
from swarm.model.access import Caller, Key, Role
from swarm.store.keys import Keys

PREFIX = "swk_"
_FRESH_S = 1.0
_NOTED_S = 60.0
_ID_BYTES = 6
_SECRET_BYTES = 32


class NotAdmitted(SwarmError):
    """What was carried opens nothing; `code` is stable, the message says what to do."""

    def __init__(self, code: str, detail: str) -> None:
        super().__init__(detail)
        self.code = code


class Keyring:
    """The keys of `store`; without one there are none, and none can be made."""

    def __init__(self, store: Keys | None, clock: Clock) -> None:
        self._store = store
        self._clock = clock
        self._known: dict[str, Key] = {}
        self._fresh_until_s = -math.inf
        self._changes = 0  # that were made here
        self._used: dict[str, float] = {}
        self._noted_s = 0.0
        self._reading = asyncio.Lock()

    async def caller(self, token: str) -> Caller:
        """Whose key that is. Raises `NotAdmitted`, and `StoreError` where nobody can tell."""
        id_, _, secret = token.removeprefix(PREFIX).partition("_")
        await self._refresh()
        key, now_s = self._known.get(id_), self._clock.now_s()
        if key is None or not hmac.compare_digest(key.digest, _digest(secret)):
            raise NotAdmitted("unauthorized", "This key is not known: look for a slip in copying.")
        if not key.is_open(now_s):
            raise _over(key)
        self._used[id_] = now_s
        return Caller(f"key:{key.id}", key.roles)

    async def all(self) -> list[Key]:
        """All that are kept, the oldest first, with the newest uses."""
        store = self._kept()
        await self._note(store)
        return await asyncio.to_thread(store.all)

    async def make(
        self, name: str, roles: Iterable[Role], life_s: float, by: str, cause_id: str
    ) -> tuple[Key, str]:
        """A new key, and its text, which is nowhere else."""
        key, text = self._made(name, frozenset(roles), life_s, by)
        await self._add(key, cause_id, None)
        return key, text

    async def rotate(self, id_: str, overlap_s: float, by: str, cause_id: str) -> tuple[Key, str]:
        """A key like `id_` in its place; both open for `overlap_s`. Raises `UnknownKey`."""
        old = next((key for key in await self.all() if key.id == id_), None)
        if old is None:
            raise UnknownKey(f"there is no key {id_}; `swarm keys ls` lists them.")
        if old.revoked_at_s is not None:
            raise Rejected(f"key {id_} was revoked: make another with `swarm keys create`.")
        life_s = old.expires_at_s - old.made_at_s
        key, text = self._made(old.name, old.roles, life_s, by, id_)
        await self._add(key, cause_id, self._clock.now_s() + overlap_s)
        return key, text

    async def revoke(self, id_: str, cause_id: str) -> None:
        """End a key at once. Raises `UnknownKey`."""
        await asyncio.to_thread(self._kept().revoke, id_, self._clock.now_s(), cause_id)
        self._change()

    async def _add(self, key: Key, cause_id: str, old_expires_at_s: float | None) -> None:
        await asyncio.to_thread(self._kept().add, key, cause_id, old_expires_at_s)
        self._change()

    def _change(self) -> None:
        self._changes += 1
        self._fresh_until_s = -math.inf

    def _made(
        self, name: str, roles: frozenset[Role], life_s: float, by: str, replaces: str = ""
    ) -> tuple[Key, str]:
        id_, secret = secrets.token_hex(_ID_BYTES), secrets.token_hex(_SECRET_BYTES)
        now_s = self._clock.now_s()
        digest = _digest(secret)
        key = Key(id_, name, roles, digest, now_s, by, now_s + life_s, replaces=replaces)
        return key, f"{PREFIX}{id_}_{secret}"

    def _kept(self) -> Keys:
        if self._store is None:
            raise Rejected("this API was started without a store for keys.")
        return self._store

    async def _refresh(self) -> None:
        async with self._reading:  # one reads, the others wait for what it finds
            begun_s = self._clock.monotonic_s()
            if self._store is None or begun_s < self._fresh_until_s:
                return
            changes = self._changes
            self._known = {key.id: key for key in await asyncio.to_thread(self._store.all)}
            if changes == self._changes:  # else it may be of before that change
                self._fresh_until_s = begun_s + _FRESH_S
            if begun_s >= self._noted_s + _NOTED_S:
                await self._note(self._store)

    async def _note(self, store: Keys) -> None:
        used, self._used = self._used, {}
        self._noted_s = self._clock.monotonic_s()
        with contextlib.suppress(StoreError):  # a full disk shuts nobody out
            await asyncio.to_thread(store.used, used)


def _digest(secret: str) -> bytes:
    return hashlib.sha256(secret.encode()).digest()


def _over(key: Key) -> NotAdmitted:
    if key.revoked_at_s is not None:
        when = _day(key.revoked_at_s)
        return NotAdmitted("key-revoked", f"Key {key.id} ({key.name}) was revoked on {when}.")
    detail = (
        f"Key {key.id} ({key.name}) expired on {_day(key.expires_at_s)}; "
        f"an admin makes another with `swarm keys rotate {key.id}`."
    )
    return NotAdmitted("key-expired", detail)


def _day(at_s: float) -> str:
    return datetime.fromtimestamp(at_s, UTC).strftime("%Y-%m-%d %H:%M UTC")
