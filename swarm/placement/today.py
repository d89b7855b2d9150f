"""How long all takes today beside usual: more data makes most tasks longer at once.

The factor is the median of how many times as long as usual the last runs took, whatever they were
(a ratio correction, as for seasonal forecasts). A median does not heed the few that are stuck, and
where tasks have nothing in common it stays at 1.
"""

from collections import deque
from statistics import median

_RUNS = 60
_LEAST = 15  # runs, before one day is told from another
_MOST = 3.0  # times as long, or as short: beyond that it is another kind of work


class Today:
    def __init__(self) -> None:
        self._times: deque[float] = deque(maxlen=_RUNS)
        self.factor = 1.0

    def add(self, times: float) -> None:
        """A run took so many times what is usual."""
        self._times.append(times)
        if len(self._times) >= _LEAST:
            self.factor = min(_MOST, max(1 / _MOST, median(self._times)))
