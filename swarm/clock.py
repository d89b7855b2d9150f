"""The only place that reads a clock; everything else takes `now_s` or a `Clock`."""

import time
from typing import Protocol

STEP_S = 1.0  # what is less is drift


class Clock(Protocol):
    """Wall time for schedules and records, monotonic time for intervals; both in seconds."""

    def now_s(self) -> float: ...

    def monotonic_s(self) -> float: ...


class SystemClock:
    """The machine's own clocks."""

    def now_s(self) -> float:
        return time.time()

    def monotonic_s(self) -> float:
        return time.monotonic()


class Steps:
    """Notices that the wall clock was set: asked often, it sees steps of over `STEP_S`."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._ahead_s = clock.now_s() - clock.monotonic_s()

    def by_s(self) -> float:
        """By how much it was set since the last question; 0: it was not."""
        ahead_s = self._clock.now_s() - self._clock.monotonic_s()
        step_s, self._ahead_s = ahead_s - self._ahead_s, ahead_s
        return step_s if abs(step_s) > STEP_S else 0.0


class Cautious:
    """Wall time for what is deleted by its age: a clock that is set forward makes nothing old.

    It begins at `last_s`, when something was last written down, and goes on as fast as time passes;
    so what a clock says that is ahead when this begins, or that jumps later, does not count. It is
    behind by as long as nothing ran; a clock that is set back is believed."""

    def __init__(self, clock: Clock, last_s: float | None) -> None:
        self._clock = clock
        now_s = clock.now_s()
        self._from_s = now_s if last_s is None else min(now_s, last_s)
        self._begun_s = clock.monotonic_s()

    def now_s(self) -> float:
        """At most what the clock says, and at most so much later as time has passed."""
        passed_s = self._clock.monotonic_s() - self._begun_s
        return min(self._clock.now_s(), self._from_s + passed_s)
