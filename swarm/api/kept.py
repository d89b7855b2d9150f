"""Answers that take long to find are kept for a while, in each replica."""

import asyncio
from collections import defaultdict
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any, TypeVar

from swarm.clock import Clock

# An answer is good for as many times as long as it took: at most so small a part is spent on it.
_REST = 20

T = TypeVar("T")


class Kept:
    """Finds each answer once at a time, whoever asks, and the less often the longer it took. An
    answer may be `_REST` times as old as its making took, and must bear that."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._answers: dict[str, _Answer] = defaultdict(_Answer)

    async def get(self, name: str, find: Callable[[], Awaitable[T]]) -> T:
        """The answer called `name`, found anew where the last one is too old. Raises what `find`
        does, which is asked again then."""
        kept = self._answers[name]
        async with kept.turn:
            begun_s = self._clock.monotonic_s()
            if begun_s >= kept.until_s:
                kept.value = await find()
                ended_s = self._clock.monotonic_s()
                kept.until_s = ended_s + _REST * (ended_s - begun_s)
            found: T = kept.value
            return found


@dataclass(slots=True)
class _Answer:
    value: Any = None
    until_s: float = float("-inf")
    turn: asyncio.Lock = field(default_factory=asyncio.Lock)
