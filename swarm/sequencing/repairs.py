"""How soon something is run again that failed, or that read what was not new."""

from bisect import bisect_left, bisect_right, insort
from collections import deque
from collections.abc import Sequence
from math import inf
from random import Random

from swarm.model.runs import Ran

KEPT = 1_000


class Gaps:
    """Times from what made a run necessary to its start, the newest `KEPT`; `inf`: none came."""

    def __init__(self, gaps: Sequence[float] = ()) -> None:
        self._newest = deque(gaps[-KEPT:])
        self._sorted = sorted(self._newest)

    def see(self, gap_s: float) -> None:
        self._newest.append(gap_s)
        insort(self._sorted, gap_s)
        if len(self._newest) > KEPT:
            oldest = self._newest.popleft()
            del self._sorted[bisect_left(self._sorted, oldest)]

    def next_s(self, since_s: float, now_s: float, random: Random) -> float:
        """When the run comes that has been due since `since_s` and has not begun by `now_s`. Where
        nobody has waited that long yet, or nothing was seen: now."""
        at = bisect_right(self._sorted, now_s - since_s)
        if at == len(self._sorted):
            return max(since_s, now_s)
        return since_s + self._sorted[random.randrange(at, len(self._sorted))]


def repairs(writer: Sequence[Ran], reader: Sequence[Ran], every_s: float) -> tuple[float, ...]:
    """Of each time that the reader, which runs every `every_s`, began too early for what the writer
    made then: how long after both were done it began again; `inf` where it did not in half of that.

    What may still come is left out. Runs are in the order of their starts.
    """
    starts = [ran.started_at_s for ran in reader]
    found = []
    latest_s = max([*starts[-1:], *(ran.ended_at_s for ran in writer[-1:])], default=0.0)
    for ran in writer:
        at = bisect_left(starts, ran.ended_at_s) - 1
        if ran.failed or at < 0 or starts[at] < ran.ended_at_s - every_s / 2 or reader[at].failed:
            continue
        done_s = max(ran.ended_at_s, reader[at].ended_at_s)
        is_repaired = at + 1 < len(starts) and starts[at + 1] < ran.ended_at_s + every_s / 2
        if is_repaired:
            found.append(max(starts[at + 1] - done_s, 0.0))
        elif latest_s > ran.ended_at_s + every_s / 2:
            found.append(inf)
    return tuple(found)
