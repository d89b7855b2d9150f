"""What was found in texts before, kept within bounds."""

from collections.abc import Hashable
from typing import Generic, TypeVar

V = TypeVar("V")

MAX_ENTRIES = 50_000
MAX_CHARACTERS = 50_000_000


class Answers(Generic[V]):
    """Two generations: when the young one is full the old one goes. What is asked for stays.

    Holds at most `2 * entries` values of `2 * characters` together. No lock: a race between
    threads loses an entry or counts it twice, and the next generation starts from nothing.
    """

    def __init__(self, entries: int = MAX_ENTRIES, characters: int = MAX_CHARACTERS) -> None:
        self._entries, self._characters = entries, characters
        self._young: dict[Hashable, tuple[V, int]] = {}
        self._old: dict[Hashable, tuple[V, int]] = {}
        self._size = 0

    def __len__(self) -> int:
        return len(self._young.keys() | self._old.keys())

    def get(self, key: Hashable) -> V | None:
        found = self._young.get(key)
        if found is None:
            found = self._old.get(key)
            if found is None:
                return None
            self.put(key, *found)
        return found[0]

    def put(self, key: Hashable, value: V, characters: int) -> None:
        """Remember `value`, which holds about that many characters; too large ones are not."""
        if characters > self._characters:
            return
        if len(self._young) >= self._entries or self._size + characters > self._characters:
            self._old, self._young, self._size = self._young, {}, 0
        self._young[key] = (value, characters)
        self._size += characters

    def clear(self) -> None:
        self._young, self._old, self._size = {}, {}, 0
