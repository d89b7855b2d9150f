"""Tells how far the lab's runs are, and lets one failure end the waiting for all others."""

import threading
import time
from collections.abc import Callable

from swarm.demo.processes import LabError

_EVERY_S = 5.0


class Progress:
    """Shared by the threads that wait for the orchestrators."""

    def __init__(self, say: Callable[[str], None]) -> None:
        self._say = say
        self._lock = threading.Lock()
        self._done: dict[str, tuple[int, int]] = {}
        self._said_s = time.monotonic()
        self._cancelled = False

    def cancel(self) -> None:
        """Have every later `report` raise."""
        self._cancelled = True

    def report(self, orchestrator: str, done: int, wanted: int) -> None:
        """Note that `done` of `wanted` pipelines have run; says so now and then. Raises
        `LabError` when the waiting was cancelled."""
        if self._cancelled:
            raise LabError(f"{orchestrator}: given up because something else failed.")
        with self._lock:
            self._done[orchestrator] = (done, wanted)
            if time.monotonic() - self._said_s < _EVERY_S:
                return
            self._said_s = time.monotonic()
            parts = (f"{name} {n} of {of}" for name, (n, of) in sorted(self._done.items()))
            self._say(f"  {', '.join(parts)} have run")
