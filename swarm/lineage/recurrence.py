"""On which days was an access seen, and does it still happen?

Days are a set, so that a batch which comes twice, late or in another order changes nothing; a
count of runs could not say that without remembering every run. The set holds the last 60 days.

`alive` is the beta-geometric/beta-Bernoulli model of Fader, Hardie and Shang (Customer-Base
Analysis in a Discrete-Time Noncontractual Setting, Marketing Science 29, 2010): an access happens
at each look with a rate of its own, until one day it ends. Its half-life so follows from its own
rhythm: some days of silence end what was seen daily, some weeks what was seen weekly. Time without
looks ages nothing.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from functools import reduce
from math import exp, lgamma, log, log1p
from operator import or_

from swarm.model.keys import TaskKey
from swarm.model.lineage import STATIC, Access, Channel, Coverage, Evidence, Recurrence

# A sighting that brings nothing but a newer time is recorded at most this often.
SIGHTING_S = 3600.0

DAY_S = 86_400.0
WINDOW = 60
_ALL = (1 << WINDOW) - 1

# Rates of accesses: most happen at every look, few rarely (a beta distribution, mean 0.8).
RATE_YES, RATE_NO = 1.0, 0.25
# A look misses what happened one time in twenty: events get lost, sessions lose their tag.
MISSED = 0.05
# Of accesses seen more than once, one in so many ends before the next look: a task drops a given
# access about once a quarter.
ENDS = 1 / 90
# Of accesses seen once, while the task was seen on other days too, so many never come again:
# repairs, back-fills, statements by hand. Such an access is to be shown, and warned of once it
# recurs.
ONE_OFF = 1 / 3

# Steps of the log-odds of "it still happens": each look between two steps is no news.
STEP = 0.5
# Beyond e^6 to one nothing changes any more.
MOST = 6.0

# A log knows a task on a server that it saw it use on so many days; once may be chance.
LOGS = (Channel.QUERY_LOG, Channel.ACCESS_LOG)
LOG_LOOKS = 3

# What these show of one server tells nothing of what the task does on others: SQL runs on one. A
# program, a list and run events speak of all that the task does.
OF_SERVER = frozenset({Channel.SQL_SOURCE, Channel.SQL_RUN, *LOGS})


@dataclass(frozen=True, slots=True)
class Days:
    """A set of days: bit `k` of `mask` is the day `newest - k`; `newest` counts from the epoch."""

    newest: int
    mask: int

    def __or__(self, other: "Days") -> "Days":
        newest = max(self.newest, other.newest)
        return Days(newest, self._aligned(newest) | other._aligned(newest))

    def _aligned(self, newest: int) -> int:
        age = newest - self.newest
        return self.mask << age & _ALL if age < WINDOW else 0

    @property
    def count(self) -> int:
        return self.mask.bit_count()

    def meets(self, other: "Days") -> bool:
        """Is there a day in both?"""
        newest = max(self.newest, other.newest)
        return self._aligned(newest) & other._aligned(newest) != 0

    def since(self, first: int) -> "Days":
        """Those from the day `first` on."""
        return Days(self.newest, self.mask & ((1 << max(self.newest - first + 1, 0)) - 1))


def days_of(seen: Evidence | Coverage) -> Days:
    return Days(int(seen.observed_at_s // DAY_S), seen.days)


def first_seen_of(seen: Evidence) -> float:
    return seen.observed_at_s if seen.first_seen_s is None else seen.first_seen_s


def with_sightings(kept: Evidence, other: Evidence) -> Evidence:
    """`kept` with the times and days of both, in whatever order they came."""
    newest_s = max(kept.observed_at_s, other.observed_at_s)
    first_s = min(first_seen_of(kept), first_seen_of(other))
    return replace(
        kept,
        observed_at_s=newest_s,
        first_seen_s=None if first_s == newest_s else first_s,
        days=(days_of(kept) | days_of(other)).mask,
    )


def with_looks(kept: Coverage, other: Coverage) -> Coverage:
    """The same of two coverages."""
    newest_s = max(kept.observed_at_s, other.observed_at_s)
    return replace(kept, observed_at_s=newest_s, days=(days_of(kept) | days_of(other)).mask)


class Looks:
    """What the channels know of one task, and on which days each run-time channel looked at it.

    A coverage is a look at all the task does. Another access that the channel showed is a look at
    what the task does on the same server: a log knows nothing of other servers.
    """

    def __init__(self, seen: Iterable[Evidence], coverage: Iterable[Coverage]) -> None:
        self._everywhere: dict[Channel, Days] = {}
        self._at: dict[tuple[Channel, str], Days] = {}
        self._kinds: dict[tuple[Access, str], dict[Channel, Days]] = {}
        self._shown: Counter[tuple[Channel, Access | None, str]] = Counter()
        for cover in coverage:
            if cover.channel not in STATIC:
                self._everywhere[cover.channel] = days_of(cover)
        for one in seen:
            days, server = days_of(one), one.dataset.namespace
            at_most = server if one.channel in OF_SERVER else ""
            kinds = self._kinds.setdefault((one.access, at_most), {})
            kinds[one.channel] = kinds.get(one.channel, days) | days
            self._shown[one.channel, None if one.channel in LOGS else one.access, at_most] += 1
            if one.channel not in STATIC:
                at = (one.channel, server)
                self._at[at] = self._at.get(at, days) | days

    def alive(self, runs: Sequence[Evidence]) -> float:
        """`alive` of one access, seen as `runs` say, by the channels that ever saw it."""
        return alive(_union(map(days_of, runs)), self._by(runs))

    def recurrence(self, runs: Sequence[Evidence]) -> Recurrence:
        """How often one access, seen as `runs` say, came again."""
        seen = _union(map(days_of, runs))
        looks = self._by(runs)
        first_day = seen.newest - seen.mask.bit_length() + 1
        return Recurrence(
            seen=seen.count,
            looks=looks.since(first_day).count,
            first_seen_s=min(map(first_seen_of, runs)),
            last_seen_s=max(one.observed_at_s for one in runs),
        )

    def knowing(self, task: TaskKey, access: Access, server: str) -> dict[Channel, Coverage]:
        """The channels that know such accesses of the task, SQL such accesses on `server`, and on
        which days they looked; of logs, those that know the task there for some days, whatever it
        did."""
        known = self._kinds.get((access, server), {}) | self._kinds.get((access, ""), {})
        for channel in LOGS:
            known.pop(channel, None)
            days = self._at.get((channel, server))
            if days and days.count >= LOG_LOOKS:
                known[channel] = days
        return {c: Coverage(task, c, d.newest * DAY_S, d.mask) for c, d in known.items()}

    def shown(self, channel: Channel, access: Access, server: str) -> int:
        """How many accesses of that kind the channel shows there; of logs, accesses whatever."""
        kind = None if channel in LOGS else access
        return self._shown[channel, kind, server if channel in OF_SERVER else ""]

    def _by(self, runs: Sequence[Evidence]) -> Days:
        looks = _union(map(days_of, runs))
        for one in runs:
            for days in (
                self._everywhere.get(one.channel),
                self._at.get((one.channel, one.dataset.namespace)),
            ):
                looks = looks | days if days else looks
        return looks


def _union(parts: Iterable[Days]) -> Days:
    return reduce(or_, parts)


def alive(seen: Days, looks: Days) -> float:
    """P(the access still happens), for what was seen on `seen` of the days `looks`.

    In steps of `STEP`, so that a day that changes little is no news; 1 where nothing speaks
    against it.
    """
    looks = looks | seen
    seen = Days(looks.newest, (seen | Days(looks.newest, 0)).mask)
    last = (seen.mask & -seen.mask).bit_length() - 1 if seen.mask else WINDOW
    tail = looks.since(looks.newest - last + 1).count
    again = max(seen.count - 1, 0)
    if again and not tail:
        return 1.0
    if not again and looks.count == 1:
        return 1.0
    first = looks.newest - seen.mask.bit_length() + 1 if seen.mask else looks.newest - WINDOW
    trials = max(looks.since(first).count - 1 - tail, 0)
    ends = ENDS if again else ONE_OFF
    yes, no = RATE_YES + again, RATE_NO + MISSED * trials + trials - again

    def silent(times: int) -> float:
        """Logarithm of P(so many more looks show nothing | it still happens)."""
        return _log_beta(yes, no + times) - _log_beta(yes, no)

    still = log1p(-ends) + max(tail - 1, 0) * log1p(-ENDS) + silent(tail)
    ended = [log(ends)]
    ended += [log1p(-ends) + (i - 1) * log1p(-ENDS) + log(ENDS) + silent(i) for i in range(1, tail)]
    top = max(ended)
    odds = still - top - log(sum(exp(value - top) for value in ended))
    stepped = STEP * round(max(min(odds, MOST), -MOST) / STEP)
    return 1 / (1 + exp(-stepped))


def never(looks: int) -> float:
    """P(an access that still happens came up at none of so many looks): one look may miss what is
    rare, thirty hardly do.

    Looks count by doublings, so that most of them are no news.
    """
    doubled = 1 << (looks.bit_length() - 1)
    return exp(_log_beta(RATE_YES, RATE_NO + doubled) - _log_beta(RATE_YES, RATE_NO))


def _log_beta(a: float, b: float) -> float:
    return lgamma(a) + lgamma(b) - lgamma(a + b)
