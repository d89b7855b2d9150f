"""All that placement's journal rebuilds: what was ordered, and what was learned of work.

What is learned comes from the dispatcher's stream, which is trimmed. So it is kept here from time
to time, with the place in that stream up to which it was learned: what stands before that place is
not learned again.
"""

from collections.abc import Iterator, Sequence

from swarm.model.dispatch import DispatchRecord
from swarm.model.learned import DayBooked, Habit, Learned, Part
from swarm.model.scaling import ClockStepped, PlacementRecord
from swarm.placement.days import Days
from swarm.placement.orders import Orders
from swarm.placement.spot_pools import SpotPools
from swarm.placement.usual import Usual

_KEEP_S = 600.0
_AT_ONCE = 1_000  # habits in one record


class Memory:
    """`orders`, `usual`, `days` and `spot_pools` as they were; `seq` is how far the stream was
    learned from."""

    def __init__(self) -> None:
        self.orders, self.days = Orders(), Days()
        self.usual = Usual(self.days.came)
        self.spot_pools = SpotPools()
        self.seq = 0
        self._knows_spot = False  # as of `seq`
        self._kept_s: float | None = None

    def apply(self, record: PlacementRecord) -> None:
        if isinstance(record, Learned):
            self.seq = max(self.seq, record.seq)
            self.usual.recall(record.habits, record.parts)
            self.days.recall(record.days)
            if record.survival:
                self._knows_spot = True
                self.spot_pools.recall(record.pools)
                self.spot_pools.survival.recall(record.survival)
        elif isinstance(record, ClockStepped):
            self.orders.stepped(record.by_s)
            self.usual.stepped(record.by_s)
            self.spot_pools.stepped(record.by_s)
        else:
            self.orders.apply(record)

    def learn(self, record: DispatchRecord, seq: int, at_s: float) -> None:
        """A record of the dispatcher's stream; nothing is learned twice."""
        is_news = seq > self.seq
        self.usual.apply(record, at_s, learns=is_news)
        self.spot_pools.apply(record, at_s, learns=is_news or not self._knows_spot)
        self.seq = max(self.seq, seq)

    def records(self) -> Iterator[PlacementRecord]:
        """A snapshot."""
        yield from self.orders.records()
        yield from self._told(*self.usual.kept(), self.days.kept())

    def news(self, now_s: float) -> list[Learned]:
        """What was learned since the last time, where that is long ago."""
        if self._kept_s is None:
            self._kept_s = now_s
        if now_s < self._kept_s + _KEEP_S:
            return []
        self._kept_s = now_s
        habits, parts = self.usual.news()
        return list(self._told(habits, parts, self.days.open()))

    def _told(
        self, habits: Sequence[Habit], parts: tuple[Part, ...], days: tuple[DayBooked, ...]
    ) -> Iterator[Learned]:
        spot = self.spot_pools
        yield Learned(self.seq, (), parts, days, spot.kept(), spot.survival.kept())
        for at in range(0, len(habits), _AT_ONCE):
            yield Learned(self.seq, tuple(habits[at : at + _AT_ONCE]))
