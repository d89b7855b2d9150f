"""A change that is asked for again under the same `Idempotency-Key` is not made again.

Rules
1. A key is its sender's own and is good for one path: the same text elsewhere is another key.
2. What was answered under it is answered again for a day, with `Idempotent-Replayed: true`; to
   another body the answer is 409. Who comes while the first is under way waits for it.
3. Only what was done is kept. A refusal changed nothing, and the next time it may be otherwise.
   There is a bound on how many answers are kept, and on their bytes: the oldest go first.
4. This is of one replica, and gone with it. What must not be made twice even then, a task or an API
   key, has its identity from the key (`OF_ITS_OWN`) and passes here; all else that may be asked for
   leaves things as they are when it is asked for again.
"""

import asyncio
import hashlib
from collections.abc import Callable
from dataclasses import dataclass, field

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from swarm.api.guard import CALLER, Replay
from swarm.api.problems import problem
from swarm.api.roles import route_of

HEADER = "Idempotency-Key"
KEY_MAX = 200
AGAIN_S = 86_400.0  # for so long a key is good
_KEPT_MAX = 10_000
_KEPT_MAX_BYTES = 20_000_000
_ANSWER_MAX_BYTES = 100_000
OF_ITS_OWN = frozenset({"POST /tasks", "POST /keys", "POST /keys/{key}/rotate"})


@dataclass(slots=True)
class _Kept:
    """What was answered under a key; no messages before that. `asking` are under way."""

    digest: bytes = b""
    messages: list[Message] = field(default_factory=list)
    until_s: float = 0.0
    asking: int = 0
    turn: asyncio.Lock = field(default_factory=asyncio.Lock)


class Repeats:
    """Stands behind the guard, which knows who asks and has read the body."""

    def __init__(
        self,
        app: ASGIApp,
        monotonic_s: Callable[[], float],
        kept_max: int = _KEPT_MAX,
        kept_max_bytes: int = _KEPT_MAX_BYTES,
    ) -> None:
        self._app = app
        self._monotonic_s = monotonic_s
        self._kept_max = kept_max
        self._kept_max_bytes = kept_max_bytes
        self._kept: dict[tuple[str, str, str], _Kept] = {}
        self._kept_bytes = 0  # of the bodies in `_kept`

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        key = Headers(scope=scope).get(HEADER) if _changes(scope) else None
        if key is None:
            await self._app(scope, receive, send)
        elif len(key) > KEY_MAX:
            detail = f"An {HEADER} has {KEY_MAX} characters at most."
            await problem(400, "bad-input", detail)(scope, receive, send)
        else:
            await self._once((scope[CALLER].name, scope["path"], key), scope, receive, send)

    async def _once(
        self, name: tuple[str, str, str], scope: Scope, receive: Receive, send: Send
    ) -> None:
        body: bytes = (await receive())["body"]
        digest = hashlib.blake2b(body).digest()
        kept = self._kept.setdefault(name, _Kept())
        kept.asking += 1
        try:
            async with kept.turn:
                if not kept.messages or self._monotonic_s() >= kept.until_s:
                    kept.digest = digest
                    self._keep(name, kept, [])
                    answered = await self._done(scope, Replay(body, receive), send)
                    self._keep(name, kept, answered)
                    kept.until_s = self._monotonic_s() + AGAIN_S
                elif kept.digest == digest:
                    await _send_again(kept.messages, send)
                else:
                    await _other_body(name[2])(scope, receive, send)
        finally:
            kept.asking -= 1
            self._forget(name, kept)

    async def _done(self, scope: Scope, receive: Receive, send: Send) -> list[Message]:
        """Pass it on; the answer, where it is to be kept."""
        answered: list[Message] = []

        async def heard(message: Message) -> None:
            answered.append(message)
            await send(message)

        await self._app(scope, receive, heard)
        return answered if _is_done(answered) else []

    def _keep(self, name: tuple[str, str, str], kept: _Kept, answered: list[Message]) -> None:
        if self._kept.get(name) is kept:  # else it was given up for others meanwhile
            self._kept_bytes += _size(answered) - _size(kept.messages)
        kept.messages = answered

    def _forget(self, name: tuple[str, str, str], kept: _Kept) -> None:
        """What was refused, and the oldest where there are too many."""
        if not kept.messages and not kept.asking and self._kept.get(name) is kept:
            del self._kept[name]
        while len(self._kept) > self._kept_max or self._kept_bytes > self._kept_max_bytes:
            oldest = self._kept.pop(next(iter(self._kept)))
            self._kept_bytes -= _size(oldest.messages)


def _changes(scope: Scope) -> bool:
    if scope["type"] != "http" or scope["method"] != "POST":
        return False
    return route_of("POST", scope["path"]) not in OF_ITS_OWN


def _is_done(answered: list[Message]) -> bool:
    if not answered or not 200 <= answered[0]["status"] < 300:
        return False
    return _size(answered) <= _ANSWER_MAX_BYTES


def _size(answered: list[Message]) -> int:
    return sum(len(message.get("body", b"")) for message in answered)


async def _send_again(messages: list[Message], send: Send) -> None:
    head = {**messages[0], "headers": list(messages[0]["headers"])}
    MutableHeaders(raw=head["headers"])["Idempotent-Replayed"] = "true"
    for message in (head, *messages[1:]):
        await send(message)


def _other_body(key: str) -> JSONResponse:
    detail = f"Under the {HEADER} {key!r} another body was sent to this route."
    return problem(409, "different-body", detail)
