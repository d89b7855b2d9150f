"""What a client does, told as steps that it is given one by one: the same for both clients.

A step is an effect; whoever carries the steps out sends back what came of it. Nothing here opens a
connection, sleeps or reads a clock.

Rules of sending again, for `Patience.for_s` seconds in all:
1. A connection that could not be made has carried nothing: any call is tried again.
2. One that broke later, or a gateway's word that it did (500 that is not swarm's own, 502, 504),
   may have: only a call that is repeatable is tried again, as it was, under the same
   `Idempotency-Key`.
3. 429 means that nothing was done: any call is sent again, when `Retry-After` says.
4. 503 may be an actor that did not answer in time: as 2, when `Retry-After` says. A dispatcher in
   safe mode waits for a person and not for time.
"""

import random
from collections.abc import Callable, Generator
from dataclasses import dataclass
from typing import Any, Generic, TypeAlias, TypeVar

from swarm.client.call import NOT_SWARM, Answer, Call, Pages, Request
from swarm.client.errors import CallFailed, Unreachable

T = TypeVar("T")

_FIRST_WAIT_S = 0.1
_MOST_WAIT_S = 5.0
_SAFE_MODE = "safe-mode"
_LATER_PAGES = 1_000  # rows: who wants more than the first page wants many


@dataclass(frozen=True, slots=True)
class Broken:
    """No answer came; `was_sent`: the request may have arrived."""

    why: str
    was_sent: bool


@dataclass(frozen=True, slots=True)
class Pause:
    """Wait so long; nothing comes of it."""

    for_s: float


@dataclass(frozen=True, slots=True)
class Now:
    """The time by a clock that only goes forward, in seconds, comes of it."""


@dataclass(frozen=True, slots=True)
class Listen:
    """Open a stream in place of the one before; its head comes of it, with the content where it was
    refused, or `Broken`."""

    request: Request


@dataclass(frozen=True, slots=True)
class Take:
    """The next bytes of the stream come of it, none at its end, or `Broken`."""


@dataclass(frozen=True, slots=True)
class Given(Generic[T]):
    """Something for the caller."""

    item: T


Effect: TypeAlias = Request | Pause | Now | Listen | Take
Steps: TypeAlias = Generator[Effect, Any, T]
Parts: TypeAlias = Generator[Effect | Given[T], Any, None]


@dataclass(frozen=True, slots=True)
class Patience:
    """How long a call is tried where nothing answers or is asked to come later; `draw` gives
    numbers from 0 to 1, so that many clients do not come back at once."""

    for_s: float
    draw: Callable[[], float] = random.random

    def backoff_s(self, number: int) -> float:
        """How long to wait after failure `number`, counted from 0."""
        most_s = min(_MOST_WAIT_S, _FIRST_WAIT_S * 2.0 ** min(number, 16))
        return most_s * (0.5 + 0.5 * self.draw())


def sent(call: Call[T], patience: Patience) -> Steps[T]:
    """Send a call until it is answered; what the answer says. Raises `CallFailed`."""
    began_s: float = yield Now()
    number = 0
    while True:
        got: Answer | Broken = yield call.request
        if isinstance(got, Answer) and got.is_success:
            return call.read(got)
        if may_be_sent_again(call, got):
            wait_s = wait_after(got, patience.backoff_s(number))
            now_s: float = yield Now()
            if now_s - began_s + wait_s <= patience.for_s:
                yield Pause(wait_s)
                number += 1
                continue
        raise failure(got, call.idempotency_key)


def may_be_sent_again(call: Call[Any], got: Answer | Broken) -> bool:
    """Whether sending that call once more may help, and does nothing twice."""
    if not call.patient:
        return False
    if isinstance(got, Broken):
        return call.repeatable or not got.was_sent
    if got.status == 503 and got.refusal().code == _SAFE_MODE:
        return False
    gateways = got.status == 500 and got.refusal().code == NOT_SWARM
    return got.status == 429 or (call.repeatable and (gateways or got.status in (502, 503, 504)))


def wait_after(got: Answer | Broken, backoff_s: float) -> float:
    """When to try again: when the answer says, else after the backoff."""
    asked_s = got.retry_after_s if isinstance(got, Answer) else None
    return backoff_s if asked_s is None else asked_s


def failure(got: Answer | Broken, idempotency_key: str | None = None) -> CallFailed:
    """What is raised for an answer that is none."""
    error = got.refusal() if isinstance(got, Answer) else Unreachable(got.why)
    error.idempotency_key = idempotency_key
    return error


def walked(patience: Patience, pages: Pages[T]) -> Parts[T]:
    """All rows of all pages, each page asked for when it is wanted."""
    cursor: str | None = None
    limit: int | None = None
    while True:
        rows, cursor = yield from sent(pages.page(cursor, limit), patience)
        for row in rows:
            yield Given(row)
        if cursor is None:
            return
        limit = _LATER_PAGES
