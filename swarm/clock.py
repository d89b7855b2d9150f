"""The only place that reads a clock; everything else takes `now_s` or a `Clock`."""

import time
from typing import Protocol


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
