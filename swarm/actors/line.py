"""A worker's line to the dispatcher: questions with a deadline, and answers that count."""

import asyncio
from collections.abc import Awaitable, Sequence
from typing import TypeVar

import structlog

from swarm.actors.ports import Answer, Hearing
from swarm.dispatch.events import Event
from swarm.errors import Rejected, StoreError

T = TypeVar("T")

log = structlog.get_logger()


class Line:
    """Listens to no dispatcher older than the newest it has heard, which is that of `epoch`."""

    def __init__(self, dispatch: Hearing) -> None:
        self._dispatch = dispatch
        self.epoch = 0

    async def ask(self, event: Event, me: str, within_s: float) -> Answer | None:
        """The dispatcher's answer; None when there is none, or it is of one that is superseded."""
        answer = await _heard(self._dispatch.tell(event, me), type(event).__name__, within_s)
        return answer if answer is not None and self._counts(answer) else None

    async def ask_all(
        self, events: Sequence[Event], me: str, within_s: float
    ) -> Sequence[Answer | None]:
        """The same for each; nothing where there was no answer at all."""
        told = self._dispatch.tell_all(events, me)
        answers = await _heard(told, f"{len(events)} at once", within_s)
        return [
            answer if isinstance(answer, Answer) and self._counts(answer) else None
            for answer in answers or ()
        ]

    def _counts(self, answer: Answer) -> bool:
        if answer.epoch < self.epoch:
            return False
        self.epoch = answer.epoch
        return True


async def _heard(told: Awaitable[T], what: str, within_s: float) -> T | None:
    try:
        async with asyncio.timeout(within_s):
            return await told
    except (TimeoutError, StoreError, Rejected) as fault:
        log.warning("no answer", question=what, fault=repr(fault))
        return None
