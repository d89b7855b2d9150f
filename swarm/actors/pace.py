"""How quickly the calls of a worker end, and so how many it may hold that wait for a slot."""

import math
from collections import deque

AHEAD_S = 0.05  # of work for all slots
AHEAD_MAX = 64  # tasks
_ENDS = 16


class Pace:
    """Remembers the last ends. Whatever is no call counts as endless: to know its length helps
    nobody while it runs."""

    def __init__(self) -> None:
        self._took_s = deque([math.inf] * _ENDS, maxlen=_ENDS)

    def note(self, took_s: float) -> None:
        """A task has ended that took so long in its slot."""
        self._took_s.append(took_s)

    def ahead(self, slots: int) -> int:
        """So many tasks are begun within `AHEAD_S`, if they are like the last ones; 0 where even
        one of them was endless."""
        mean_s = sum(self._took_s) / _ENDS
        return min(AHEAD_MAX, int(slots * AHEAD_S / max(mean_s, AHEAD_S / AHEAD_MAX)))
