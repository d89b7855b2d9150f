"""How long the runs go on that outlast their own: learned from all pipelines together.

A pipeline has seen few runs that took twice as long as usual; a fleet has seen many. So the scale
is a pipeline's own (its median), and the shape of what is beyond its own runs is everybody's.
Beyond whatever anybody has seen, a run goes on as long again as likely as not (a Pareto tail of
index 1): nothing is known of it but that it is like no other.
"""

from bisect import bisect_right, insort
from collections import deque
from collections.abc import Sequence
from random import Random
from statistics import median

# Ratios to the median that are kept, the newest; and from which on they are a tail.
KEPT, FROM = 5_000, 1.0
# So many longer runs of its own tell more than everybody's.
OWN = 5


class Tail:
    """Durations over the median of their own pipeline, of those that took longer than it."""

    def __init__(self) -> None:
        self._newest: deque[float] = deque()
        self._sorted: list[float] = []

    def see(self, took_s: float, usual_s: float) -> None:
        """Take in a run of a pipeline whose median is `usual_s`."""
        if usual_s <= 0 or took_s < FROM * usual_s:
            return
        ratio = took_s / usual_s
        self._newest.append(ratio)
        insort(self._sorted, ratio)
        if len(self._newest) > KEPT:
            oldest = self._newest.popleft()
            del self._sorted[bisect_right(self._sorted, oldest) - 1]

    def longer_s(self, durations: Sequence[float], elapsed_s: float, random: Random) -> float:
        """How long a run takes in all that goes on after `elapsed_s`; `durations` are those of its
        pipeline, sorted."""
        at = bisect_right(durations, elapsed_s)
        if at <= len(durations) - OWN:
            return random.choice(durations[at:])
        usual_s = median(durations)
        ratio_at = bisect_right(self._sorted, elapsed_s / usual_s) if usual_s > 0 else KEPT
        if ratio_at <= len(self._sorted) - OWN:
            return usual_s * random.choice(self._sorted[ratio_at:])
        return elapsed_s / (1.0 - random.random())
