"""How often somebody may ask: a bucket for each key, which fills at a rate and holds a burst.

The buckets are in one replica of the API; with several each lets in so much. What nobody is let in
by counts for the address that it came from, so that guessing is slow and costs little.
"""

from collections.abc import Callable

BURST_S = 10.0  # how long a key may rest to save up for a burst
_STRANGER_PER_S = 10.0
_BUCKETS_MAX = 10_000


class Buckets:
    """A bucket by name, each full at first."""

    def __init__(self, per_s: float, monotonic_s: Callable[[], float]) -> None:
        self._per_s, self._most = per_s, max(1.0, per_s * BURST_S)
        self._monotonic_s = monotonic_s
        self._left: dict[str, tuple[float, float]] = {}  # what was left, and when

    def take(self, name: str) -> float:
        """Take one; 0.0 where there was one, else the seconds after which there will be."""
        now_s = self._monotonic_s()
        left = self._now(name, now_s)
        if left < 1.0:
            return (1.0 - left) / self._per_s
        self._left[name] = (left - 1.0, now_s)
        if len(self._left) > _BUCKETS_MAX:
            self._forget(now_s)
        return 0.0

    def _now(self, name: str, now_s: float) -> float:
        left, at_s = self._left.get(name, (self._most, now_s))
        return min(self._most, left + (now_s - at_s) * self._per_s)

    def _forget(self, now_s: float) -> None:
        """A full bucket is as good as none; of those that are not, half are given up."""
        left = {name: self._now(name, now_s) for name in self._left}
        emptiest = sorted(left, key=left.__getitem__)[: _BUCKETS_MAX // 2]
        self._left = {name: (left[name], now_s) for name in emptiest if left[name] < self._most}


class Limits:
    """Who is known may ask `per_s` times a second for long, an unknown address ten times."""

    def __init__(self, per_s: float, monotonic_s: Callable[[], float]) -> None:
        self.callers = Buckets(per_s, monotonic_s)
        self.strangers = Buckets(_STRANGER_PER_S, monotonic_s)
