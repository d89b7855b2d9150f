"""Does one pipeline move when another is late?

Timing only confirms. What counts are innovations: how far a run is off its own habit, never which
of two runs came first. And a dependency may be real though nothing moves: who reads stale data
does not wait. So an unmoved downstream says nothing, and there is no negative weight.

Rules
1. Habit: median and median absolute deviation of the start and the end behind the planned time;
   without a plan, behind a cut of the day that no run is near. Working days and weekends apart.
2. An upstream is late on a day when it started as usual and ended late: it found the reason itself.
   A late start may have come from a scheduler, a queue or an upstream that the other one shares;
   such a day, and one on which it failed, tells nothing.
3. The downstream moved if it failed after the upstream's usual end, or was late and not before the
   upstream's end: it started behind it, or was under way then and ended late.
4. Pipelines that usually start at the same time of day tell nothing of each other. A day on which a
   pipeline that feeds both was late too is explained by that one.
5. At least three late days; the share of them on which the downstream moved is compared with its
   share on all other days.

The weight is a likelihood ratio: beta-binomial marginal likelihoods (Kass and Raftery, Bayes
Factors, JASA 90, 1995) of "late days have a rate of their own" and of "they have the usual one",
mixed with how often either is so for a dependency that is real and for one that is not.
"""

from bisect import bisect_left
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from math import exp, floor, lgamma, log
from statistics import median

from swarm.model.lineage import SHOW_FROM
from swarm.model.runs import Ran
from swarm.model.weekdays import DAY_S, is_weekend

# A habit shows on so many days; on so many of them in a class (working days, weekends) of its own.
HABIT_DAYS, CLASS_DAYS = 10, 5
# Late is four deviations behind the habit, and ten minutes at least: polls and queues take some.
LATE_DEVIATIONS, STEADY_S = 4.0, 150.0
MAD_TO_DEVIATION = 1.4826  # for a normal distribution
# Further off its habit than this a run is a repair or a back-fill.
SAME_RUN_S = DAY_S / 2
SAME_SLOT_S = 300.0

LATE_DAYS, OTHER_DAYS = 3, 5
# What is assumed of a downstream's usual share of moved days before any is seen: one in ten.
USUAL_YES, USUAL_NO = 1.0, 9.0
# Half of the real dependencies keep their distance by a time buffer, so lateness does not show; of
# pairs without one, one in twenty share a cause that nobody sees (a slow warehouse).
MOVES, SHARES = 0.5, 0.05
STEP = 0.5  # of log-odds: what changes the weight less is no news

# A dependency that is hidden without timing stays hidden with it.
STILL_HIDDEN = SHOW_FROM - 1e-6


@dataclass(frozen=True, slots=True)
class RunDay:
    """The run of one day beside the pipeline's habit; times are seconds since the epoch."""

    due_start_s: float
    due_end_s: float
    started_at_s: float
    ended_at_s: float
    late_start: bool
    late_end: bool
    failed: bool

    @property
    def late(self) -> bool:
        """Late for a reason of its own."""
        return self.late_end and not self.late_start and not self.failed

    @property
    def unusual(self) -> bool:
        return self.late_start or self.late_end or self.failed


Rhythm = tuple[RunDay, ...]


@dataclass(frozen=True, slots=True)
class Together:
    """How often the downstream moved on the upstream's late days, and on its other days."""

    late: int
    moved: int
    others: int
    moved_else: int
    newest_s: float

    @property
    def weight(self) -> float:
        """Log-odds that it adds, in steps; 0 where it tells nothing."""
        if self.late < LATE_DAYS or self.others < OTHER_DAYS:
            return 0.0
        if self.moved * self.others <= self.moved_else * self.late:
            return 0.0
        yes, no = USUAL_YES + self.moved_else, USUAL_NO + self.others - self.moved_else
        still = self.late - self.moved
        own = _log_beta(1 + self.moved, 1 + still)
        usual = _log_beta(yes + self.moved, no + still) - _log_beta(yes, no)
        factor = exp(own - usual)
        ratio = (MOVES * factor + 1 - MOVES) / (SHARES * factor + 1 - SHARES)
        return max(STEP * floor(log(ratio) / STEP), 0.0)


def rhythm(runs: Sequence[Ran]) -> Rhythm:
    """The days of a pipeline, oldest first; none where it has no daily habit."""
    if len(runs) < HABIT_DAYS:
        return ()
    anchored = _anchored(runs)
    days: dict[int, RunDay] = {}
    for weekend in (False, True):
        part = [(at_s, ran) for at_s, ran in anchored if is_weekend(at_s) is weekend]
        habit = part if len(part) >= CLASS_DAYS else anchored
        if not part:
            continue
        starts = _habit([ran.started_at_s - at_s for at_s, ran in habit])
        ends = _habit([ran.ended_at_s - at_s for at_s, ran in habit])
        for at_s, ran in part:
            day = _day(at_s, ran, starts, ends)
            off_s = abs(day.started_at_s - day.due_start_s)
            number = int(day.due_start_s // DAY_S)
            known = days.get(number)
            nearer = known is None or off_s < abs(known.started_at_s - known.due_start_s)
            if off_s <= SAME_RUN_S and nearer:
                days[number] = day
    if len(days) < HABIT_DAYS:
        return ()
    return tuple(sorted(days.values(), key=lambda day: day.due_end_s))


def together(upstream: Rhythm, downstream: Rhythm, shared: Iterable[Rhythm] = ()) -> Together:
    """Compare the days of two pipelines; `shared` are those of pipelines that feed both."""
    found = [0, 0, 0, 0]
    newest_s = 0.0
    if _same_slot(upstream, downstream):
        upstream = ()
    ends = [day.due_end_s for day in downstream]
    feeding = [(feed, [day.due_end_s for day in feed]) for feed in shared]
    for day in upstream:
        at = bisect_left(ends, day.due_end_s)
        if day.late_start or day.failed or at == len(ends) or ends[at] >= day.due_end_s + DAY_S:
            continue
        if any(_was_late(feed, due, day) for feed, due in feeding):
            continue
        then = downstream[at]
        if day.late:
            found[0] += 1
            found[1] += _moved(day, then)
            newest_s = max(newest_s, then.ended_at_s)
        else:
            found[2] += 1
            found[3] += then.unusual
    return Together(found[0], found[1], found[2], found[3], newest_s)


def may_confirm(upstream: Rhythm) -> bool:
    """Has it been late often enough to tell anything at all?"""
    return sum(day.late for day in upstream) >= LATE_DAYS


def confirmed(confidence: float, weight: float) -> float:
    """`confidence` with the log-odds of timing; below `SHOW_FROM` it stays below."""
    if not 0 < confidence < 1:
        return confidence
    lifted = 1 / (1 + exp(-log(confidence / (1 - confidence)) - weight))
    return round(lifted if confidence >= SHOW_FROM else min(lifted, STILL_HIDDEN), 6)


def _moved(late: RunDay, then: RunDay) -> bool:
    if then.failed and then.ended_at_s >= late.due_end_s:
        return True
    if then.late_start:
        return then.started_at_s >= late.ended_at_s
    return then.late_end and then.started_at_s <= late.ended_at_s <= then.ended_at_s


def _was_late(feed: Rhythm, due: list[float], day: RunDay) -> bool:
    """Was the run that usually ends last before `day` does late, or did it fail?"""
    at = bisect_left(due, day.due_end_s) - 1
    return at >= 0 and due[at] > day.due_end_s - DAY_S and feed[at].unusual


def _same_slot(one: Rhythm, other: Rhythm) -> bool:
    if not one or not other:
        return False
    apart_s = (one[-1].due_start_s - other[-1].due_start_s) % DAY_S
    return min(apart_s, DAY_S - apart_s) <= SAME_SLOT_S


def _anchored(runs: Sequence[Ran]) -> list[tuple[float, Ran]]:
    """Each run with the time that its start and end are measured from."""
    planned = [(r.scheduled_for_s, r) for r in runs if r.scheduled_for_s is not None]
    if 2 * len(planned) > len(runs):
        return planned
    cut_s = _quiet_s([ran.started_at_s % DAY_S for ran in runs])
    return [((ran.started_at_s - cut_s) // DAY_S * DAY_S + cut_s, ran) for ran in runs]


def _quiet_s(times: list[float]) -> float:
    """The middle of the widest gap between times of the day."""
    ordered = sorted(times)
    after = [*ordered[1:], ordered[0] + DAY_S] if ordered else []
    gaps = [(b - a, a) for a, b in zip(ordered, after, strict=True)]
    width_s, from_s = max(gaps, default=(0.0, 0.0))
    return (from_s + width_s / 2) % DAY_S


def _habit(offsets: list[float]) -> tuple[float, float]:
    """The usual offset, and the one from which on a run is late."""
    usual = median(offsets)
    deviation = MAD_TO_DEVIATION * median(abs(offset - usual) for offset in offsets)
    return usual, usual + LATE_DEVIATIONS * max(deviation, STEADY_S)


def _day(at_s: float, ran: Ran, starts: tuple[float, float], ends: tuple[float, float]) -> RunDay:
    return RunDay(
        due_start_s=at_s + starts[0],
        due_end_s=at_s + ends[0],
        started_at_s=ran.started_at_s,
        ended_at_s=ran.ended_at_s,
        late_start=ran.started_at_s - at_s > starts[1],
        late_end=ran.ended_at_s - at_s > ends[1],
        failed=ran.failed,
    )


def _log_beta(a: float, b: float) -> float:
    return lgamma(a) + lgamma(b) - lgamma(a + b)
