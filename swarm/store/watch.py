"""Waits for news of a place that others write, at the price of a glance at a time.

A writer is not burdened with telling anybody: the reader looks at a sign that every commit moves.
With SQLite that is a number in the memory which its processes share (`PRAGMA data_version`), with
PostgreSQL one row.
"""

import threading
import time
from collections.abc import Callable

from swarm.errors import StoreError

_GLANCE_S = 0.02  # how long a change may stay unseen
_ANYWAY_S = 1.0  # after so long the reader looks by itself, whatever the sign says


class Watch:
    """One reader's view of a place; `sign` differs from the last one when anything may have been
    committed. One call at a time."""

    def __init__(self, sign: Callable[[], object]) -> None:
        self._sign = sign
        self._seen: object = None
        self._told_s = -_ANYWAY_S
        self._closed = threading.Event()

    def moved(self, most_s: float) -> bool:
        """Wait until there may be something to read that was not when this last said so; False
        where nothing came within `most_s`. Blocks its thread."""
        until_s = time.monotonic() + most_s
        while not self._closed.is_set():
            if self._news():
                self._told_s = time.monotonic()
                return True
            left_s = until_s - time.monotonic()
            if left_s <= 0:
                break
            self._closed.wait(min(_GLANCE_S, left_s))
        return False

    def close(self) -> None:
        """Whoever waits goes on, and nothing is looked at any more."""
        self._closed.set()

    def _news(self) -> bool:
        try:
            sign = self._sign()
        except StoreError:  # who reads meets it too, and tells
            return time.monotonic() >= self._told_s + _ANYWAY_S
        moved = sign != self._seen or time.monotonic() >= self._told_s + _ANYWAY_S
        self._seen = sign
        return moved
