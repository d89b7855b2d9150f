"""How long the gaps between two beats of a worker lately were, as shares of them.

A histogram with bounds that grow by a tenth, over the current window of time and the one before:
each gap costs the same however many workers beat, and what was long ago is forgotten.
"""

from bisect import bisect_left

_WINDOW_S = 60.0
_SHORTEST_S, _GROWTH, _BOUNDS = 0.01, 1.1, 100  # up to two minutes
BOUNDS_S = tuple(_SHORTEST_S * _GROWTH**n for n in range(_BOUNDS))


class Gaps:
    """Times are of one steady clock, in seconds."""

    def __init__(self) -> None:
        self._now = [0] * (_BOUNDS + 1)
        self._before = [0] * (_BOUNDS + 1)
        self._since_s: float | None = None

    def add(self, gap_s: float, now_s: float) -> None:
        if self._since_s is None:
            self._since_s = now_s
        elif now_s - self._since_s > _WINDOW_S:
            self._before, self._now = self._now, [0] * (_BOUNDS + 1)
            self._since_s = now_s
        self._now[bisect_left(BOUNDS_S, gap_s)] += 1

    def share_s(self, share: float, without: int = 0) -> float:
        """The gap that `share` of all do not exceed, up to a tenth more; the longest `without` are
        not counted. 0 where there is none."""
        counts = [a + b for a, b in zip(self._now, self._before, strict=True)]
        last = sum(counts) - 1
        if last < 0:
            return 0.0
        rank = max(0, min(int(share * last), last - without))
        seen = 0
        for bound_s, count in zip(BOUNDS_S, counts, strict=False):
            seen += count
            if seen > rank:
                return bound_s
        return BOUNDS_S[-1]
