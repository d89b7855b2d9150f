"""When nobody is to be disturbed."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from swarm.model.sla import WEEK


@dataclass(frozen=True, slots=True)
class Quiet:
    """From `from_s` to `to_s` seconds after midnight by the clock of `timezone` (an IANA name), on
    the `days` of the week (0: Monday) on which it begins; past midnight where `to_s` is not later.
    """

    from_s: float
    to_s: float
    timezone: str = "UTC"
    days: tuple[int, ...] = WEEK

    def holds(self, now_s: float) -> bool:
        """Is it quiet now? Where the clock is put forward or back, its hands count."""
        now = datetime.fromtimestamp(now_s, ZoneInfo(self.timezone))
        hand_s = now.hour * 3600.0 + now.minute * 60.0 + now.second
        if self.from_s < self.to_s:
            return self.from_s <= hand_s < self.to_s and now.weekday() in self.days
        if hand_s >= self.from_s:
            return now.weekday() in self.days
        return hand_s < self.to_s and (now - timedelta(days=1)).weekday() in self.days
