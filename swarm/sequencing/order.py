"""Did a reader begin after its writer was done, and how sure is that to go on?

Rules
1. A run of the reader stands beside the good end of the writer that is nearest to its start. The
   slack is from that end to that start.
2. It is stale when that end came after the start. Where the nearest good end is most of a cadence
   off, the run it waited for was very late, failed or never came: that is stale too, if the writer
   ran in that hour a week before.
3. Where the writer is usually done long before the reader begins, or usually begins after it, their
   order follows from no habit: nothing is said. Where the writer is usually under way when the
   reader begins, every such run is stale.
4. The chance of a stale read is the share of all pairs of a duration of the writer and a gap
   between both starts, of whatever days, in which the duration is the longer one: what the clock
   keeps apart does not follow from what it is kept apart from.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median

from swarm.model.runs import Ran

# So many runs of the reader show a habit.
HABIT_RUNS = 5
# In parts of a cadence: further ahead than this the writer's end belongs to no certain start of the
# reader; and so much later than usual, a run is missing.
NEAR, MISSING = 0.4, 0.6
# A miss is one of a run that came in the same hour, or half a cadence, of the week before.
WEEK_S, SAME_HOUR_S = 7 * 86_400.0, 3_600.0


@dataclass(frozen=True, slots=True)
class Order:
    """How `runs` runs of a reader lay to those of its writer. `stale` are the starts of those that
    read what was not new, in order; `chance` is how likely that is at a run; `slack_s` are the
    tightest twentieth and the middle of the slack where the order was kept."""

    runs: int
    stale: tuple[float, ...]
    chance: float
    slack_s: tuple[float, float] | None


@dataclass(frozen=True, slots=True)
class _Beside:
    """A start of the reader and the run of the writer that stands beside it."""

    started_s: float
    writer: Ran

    @property
    def slack_s(self) -> float:
        return self.started_s - self.writer.ended_at_s


def order(writer: Sequence[Ran], starts: Sequence[float], every_s: float) -> Order | None:
    """Compare the writer's ended runs (oldest first) with the starts of the reader (in order);
    both come about every `every_s` seconds. None where they have no order by habit."""
    good = [ran for ran in writer if not ran.failed]
    pairs = _beside(good, starts)
    if len(pairs) < HABIT_RUNS:
        return None
    usual_s = median(pair.slack_s for pair in pairs)
    if abs(usual_s) > NEAR * every_s or (usual_s < 0 and not _usually_under_way(pairs)):
        return None
    began = [ran.started_at_s for ran in writer]
    kept, late, missed = [], [], []
    for pair in pairs:
        if -NEAR * every_s <= pair.slack_s < 0:
            late.append(pair)
        elif 0 <= pair.slack_s <= max(usual_s, 0.0) + MISSING * every_s:
            kept.append(pair)
        elif _was_due(began, pair.started_s - usual_s, every_s):
            missed.append(pair)
    slack = sorted(pair.slack_s for pair in kept)
    stale = sorted(pair.started_s for pair in late + missed)
    return Order(
        runs=len(kept) + len(stale),
        stale=tuple(stale),
        chance=_chance(kept + late, len(missed)),
        slack_s=(slack[len(slack) // 20], median(slack)) if slack else None,
    )


def _beside(good: Sequence[Ran], starts: Sequence[float]) -> list[_Beside]:
    by_end = sorted(good, key=lambda ran: ran.ended_at_s)
    ends = [ran.ended_at_s for ran in by_end]
    found = []
    for started_s in starts:
        at = bisect_left(ends, started_s)
        if at == 0:
            continue  # what the writer did before that is not known
        nearest = min(by_end[at - 1 : at + 1], key=lambda ran: abs(ran.ended_at_s - started_s))
        found.append(_Beside(started_s, nearest))
    return found


def _usually_under_way(pairs: list[_Beside]) -> bool:
    return sum(p.writer.started_at_s <= p.started_s for p in pairs) > len(pairs) / 2


def _was_due(began: list[float], ended_s: float, every_s: float) -> bool:
    """Did the writer begin, a week before `ended_s`, within half a cadence of it?"""
    reach_s = max(every_s / 2, SAME_HOUR_S)
    at = bisect_left(began, ended_s - WEEK_S - reach_s)
    return at < len(began) and began[at] <= ended_s - WEEK_S + reach_s


def _chance(met: list[_Beside], missing: int) -> float:
    """`met` are the pairs whose runs belong together."""
    if not met:
        return 1.0 if missing else 0.0
    took = sorted(pair.writer.ended_at_s - pair.writer.started_at_s for pair in met)
    gaps = [pair.started_s - pair.writer.started_at_s for pair in met]
    longer = sum(len(took) - bisect_right(took, gap) for gap in gaps) / (len(took) * len(gaps))
    share = missing / (missing + len(met))
    return share + (1 - share) * longer
