"""API keys as the API knows them: `swk_<id>_<secret>`, in memory for a second.

A key that another replica or a restored database changed is seen within `_FRESH_S`; what this one
changed counts at once. Where the store cannot be read nobody comes in by a key: what is revoked
must not open because a database is away. The tokens of files still do.

A key that is asked for under an `Idempotency-Key` is made from that, from what is asked, and from a
secret of the store (`seed`): the same wish is the same key in every replica, and its text can be
told again for a day without being kept anywhere. Who changed keys is kept for as long as the
settings say, and dropped here: nobody else changes any.
"""

import asyncio
import contextlib
import hashlib
import hmac
import json
import math
import secrets
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime

from swarm.clock import Cautious, Clock
from swarm.errors import DifferentBody, Rejected, StoreError, SwarmError, UnknownKey
from swarm.model.access import Caller, Key, Role
from swarm.store.keys import Keys

PREFIX = "swk_"
_FRESH_S = 1.0
_NOTED_S = 60.0
_TRIMMED_S = 86_400.0
_TOLD_S = 86_400.0
_ID_BYTES = 6
_SECRET_BYTES = 32


class NotAdmitted(SwarmError):
    """What was carried opens nothing; `code` is stable, the message says what to do."""

    def __init__(self, code: str, detail: str) -> None:
        super().__init__(detail)
        self.code = code


@dataclass(frozen=True, slots=True)
class Wish:
    """Who asks for a key, with the cause, and under which `Idempotency-Key`, or none."""

    by: str
    cause_id: str
    once: str | None = None


class Keyring:
    """The keys of `store`; without one there are none, and none can be made. Who changed them is
    kept for `audit_kept_s`; 0: for ever."""

    def __init__(
        self, store: Keys | None, clock: Clock, audit_kept_s: float = 0.0, seed: bytes = b""
    ) -> None:
        self._store = store
        self._clock = clock
        self._seed = seed
        self._making = asyncio.Lock()
        self._audit_kept_s = audit_kept_s
        self._aging: Cautious | None = None
        self._trimmed_s = -math.inf
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
        self, name: str, roles: Iterable[Role], life_s: float, wish: Wish
    ) -> tuple[Key, str]:
        """A new key, and its text, which is nowhere else. Raises `DifferentBody`."""
        of = frozenset(roles)
        id_, secret = self._named(wish, f"{name}\n{sorted(of)}\n{life_s!r}")
        async with self._making:
            if (known := await self._known_by(id_, secret, wish)) is not None:
                return known, _text(id_, secret)
            now_s = self._clock.now_s()
            key = Key(id_, name, of, _digest(secret), now_s, wish.by, now_s + life_s)
            await self._add(key, wish.cause_id, None)
        return key, _text(id_, secret)

    async def rotate(self, old_id: str, overlap_s: float, wish: Wish) -> tuple[Key, str]:
        """A key like `old_id` in its place; both open for `overlap_s`. Raises `UnknownKey` and
        `DifferentBody`."""
        id_, secret = self._named(wish, f"{old_id}\n{overlap_s!r}")
        async with self._making:
            if (known := await self._known_by(id_, secret, wish)) is not None:
                return known, _text(id_, secret)
            old = next((key for key in await self.all() if key.id == old_id), None)
            if old is None:
                raise UnknownKey(f"there is no key {old_id}; `swarm keys ls` lists them.")
            if old.revoked_at_s is not None:
                raise Rejected(f"key {old_id} was revoked: make another with `swarm keys create`.")
            now_s, digest = self._clock.now_s(), _digest(secret)
            until_s = now_s + old.expires_at_s - old.made_at_s
            about = (id_, old.name, old.roles, digest, now_s, wish.by, until_s)
            key = Key(*about, replaces=old_id)
            await self._add(key, wish.cause_id, now_s + overlap_s)
        return key, _text(id_, secret)

    async def revoke(self, id_: str, cause_id: str) -> None:
        """End a key at once. Raises `UnknownKey`."""
        store = self._kept()
        await self._change(lambda: store.revoke(id_, self._clock.now_s(), cause_id))

    async def _add(self, key: Key, cause_id: str, old_expires_at_s: float | None) -> None:
        store = self._kept()
        await self._change(lambda: store.add(key, cause_id, old_expires_at_s))

    async def _change(self, change: Callable[[], None]) -> None:
        def done() -> None:
            self._time(self._kept())  # by what was written before it
            change()

        await asyncio.to_thread(done)
        self._changes += 1
        self._fresh_until_s = -math.inf

    def _named(self, wish: Wish, what: str) -> tuple[str, str]:
        """The id and the secret of a key that is asked for; `what` is all that is asked of it."""
        if wish.once is None:
            return secrets.token_hex(_ID_BYTES), secrets.token_hex(_SECRET_BYTES)
        if not self._seed:
            raise Rejected("this API was started without a secret to make such a key from.")
        whose = json.dumps([wish.by, wish.once])
        id_ = hmac.digest(self._seed, f"key id {whose}".encode(), "sha256")[:_ID_BYTES]
        asked = f"key secret {whose} {json.dumps(what)}"
        return id_.hex(), hmac.digest(self._seed, asked.encode(), "sha256").hex()

    async def _known_by(self, id_: str, secret: str, wish: Wish) -> Key | None:
        """The key that this very wish has made before."""
        if wish.once is None:
            return None
        known = next((key for key in await self.all() if key.id == id_), None)
        if known is None:
            return None
        if not hmac.compare_digest(known.digest, _digest(secret)):
            raise DifferentBody(f"key {id_} was made under that Idempotency-Key, by another wish.")
        if known.revoked_at_s is not None or self._clock.now_s() > known.made_at_s + _TOLD_S:
            raise Rejected(
                f"key {id_} was made under that Idempotency-Key before; its text is told for a day "
                "at most: `swarm keys rotate` makes another in its place."
            )
        return known

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
            await asyncio.to_thread(self._trim, store)

    def _trim(self, store: Keys) -> None:
        passed_s = self._clock.monotonic_s()
        if not self._audit_kept_s or passed_s < self._trimmed_s + _TRIMMED_S:
            return
        now_s = self._time(store).now_s()
        store.trim_audit(now_s - self._audit_kept_s, now_s)
        self._trimmed_s = passed_s

    def _time(self, store: Keys) -> Cautious:
        """By which changes age."""
        if self._aging is None:
            self._aging = Cautious(self._clock, store.last_change_s())
        return self._aging


def _text(id_: str, secret: str) -> str:
    return f"{PREFIX}{id_}_{secret}"


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
