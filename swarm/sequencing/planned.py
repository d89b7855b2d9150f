"""When will a pipeline begin next, as its orchestrator tells or, where it does not, its past?

What is declared (`crons.py`) counts from the first day on, also where a clock is changed. Else its
days and hours are those of the last weeks. Of the time of day the newest three days decide, so that
a schedule that was moved, or that follows a clock that was changed, is known two days later; until
then a hold comes too late to do anything, or too early to matter.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from statistics import median, median_low

from swarm.model.keys import PipelineKey
from swarm.model.runs import Ran
from swarm.model.weekdays import DAY_S
from swarm.sequencing.crons import closest_s, next_of
from swarm.sequencing.history import History, cadence_s
from swarm.sequencing.order import WEEK_S
from swarm.sequencing.world import World

WEEKS, DAYS, NEWEST = 4, 10, 3
# The same start on another day is no further off than this, or a third of a cadence.
REACH_S = 5_400.0
# A start belongs to a planned one that is no more ahead of it than this, or a quarter of a cadence.
_EARLY_S = 1_800.0
# So long after a release what was let go may begin.
_LET_GO_S = 600.0
_TRIES = 4
_MOST = 100  # half-hourly starts of two days
_LOOKED_AT = 60  # runs that tell how far behind its planned time a pipeline begins


@dataclass(frozen=True, slots=True)
class Plan:
    """The planned starts of a pipeline: they come about every `every_s` seconds, and `after` tells
    the first one after a time. `told`: its orchestrator says so."""

    every_s: float
    after: Callable[[float], float | None]
    told: bool


@dataclass(frozen=True, slots=True)
class Settled:
    """The newest planned start that was held and let go is `start_s`; `runs` of them were let go at
    `at_s`, and begin from then on."""

    start_s: float = 0.0
    at_s: float = 0.0
    runs: int = 0


def plan_of(world: World, pipeline: PipelineKey, now_s: float) -> Plan | None:
    """None where neither its orchestrator tells nor enough runs do."""
    listed = world.graph.pipelines.get(pipeline)
    crons = listed.crons if listed is not None else ()
    told_s = closest_s(crons, now_s)
    if told_s is not None:
        return Plan(told_s, lambda after_s: next_of(crons, after_s), told=True)
    starts = ticks(world.history, pipeline)
    every_s = cadence_s(starts)
    if not every_s:
        return None
    return Plan(every_s, lambda after_s: next_start_s(starts, after_s, every_s), told=False)


def ticks(history: History, pipeline: PipelineKey) -> list[float]:
    """When its runs began or, where their planned time is told, would have begun as usual: what was
    held, or waited for something, began later than that."""
    ended = history.ended(pipeline)
    behind_s = usually_behind_s(ended)
    found = {begun_s(ran, behind_s) for ran in ended}
    live_s = history.live(pipeline)
    return sorted(found if live_s is None else {*found, live_s})


def usually_behind_s(ended: Sequence[Ran]) -> float | None:
    """From a planned time to a start; None where no run tells its planned time."""
    behind = [
        ran.started_at_s - ran.scheduled_for_s
        for ran in ended[-_LOOKED_AT:]
        if ran.scheduled_for_s is not None
    ]
    return median(behind) if behind else None


def begun_s(ran: Ran, behind_s: float | None) -> float:
    """When a run began or would have."""
    if ran.scheduled_for_s is None or behind_s is None:
        return ran.started_at_s
    return ran.scheduled_for_s + behind_s


def next_start_s(starts: Sequence[float], after_s: float, every_s: float) -> float | None:
    """The first start to expect after `after_s`; `starts` are those known, in order, which come
    about every `every_s` seconds. None where there are none."""
    if not starts:
        return None
    firsts = []
    for back_s in (week * WEEK_S for week in range(1, WEEKS + 1)):
        if after_s - back_s < starts[0]:
            break
        at = bisect_right(starts, after_s - back_s)
        if at < len(starts):
            firsts.append(starts[at] + back_s)
    if not firsts:
        missed = max(0.0, (after_s - starts[-1]) // every_s)
        return starts[-1] + (missed + 1) * every_s
    return _by_newest(starts, median_low(firsts), min(REACH_S, every_s / 3))


def planned_start(
    world: World, pipeline: PipelineKey, now_s: float, wait_max_s: float, settled: Settled
) -> float | None:
    """The next planned start that has not begun, later than what is settled and no further back
    than `wait_max_s`; None where nothing tells. One that never ran was not there in the past, and
    what was let go shortly before a start is not the run of that start."""
    history, plan = world.history, plan_of(world, pipeline, now_s)
    if plan is None:
        return None
    early_s = min(_EARLY_S, plan.every_s / 4)
    back_s = min(plan.every_s / 2, wait_max_s) if history.starts(pipeline) else 0.0
    after_s = max(now_s - back_s, settled.start_s + plan.every_s / 2)
    for _ in range(_TRIES):
        start_s = plan.after(after_s)
        if start_s is None:
            return None
        if not began(history, pipeline, start_s - early_s, settled):
            return start_s
        after_s = max(start_s, after_s) + early_s
    return None


def starts_between(
    world: World, pipeline: PipelineKey, from_s: float, until_s: float
) -> tuple[float, ...]:
    """The planned starts in a span, the first `_MOST` of them."""
    plan = plan_of(world, pipeline, from_s)
    found: list[float] = []
    while plan is not None and len(found) < _MOST:
        after_s = max([from_s, *(start_s + plan.every_s / 2 for start_s in found[-1:])])
        start_s = plan.after(after_s)
        if start_s is None or not after_s < start_s <= until_s:
            break
        found.append(start_s)
    return tuple(found)


def began(
    history: History, pipeline: PipelineKey, since_s: float, settled: Settled, beside: int = 0
) -> bool:
    """Has a run begun at `since_s` or later, `beside` so many others and what is settled?"""
    starts = history.starts(pipeline)
    first = bisect_left(starts, since_s)
    if settled.at_s >= since_s - _LET_GO_S:
        come = first - bisect_left(starts, min(settled.at_s, since_s))
        beside += max(0, settled.runs - come)
    return len(starts) - first > beside


def _by_newest(starts: Sequence[float], at_s: float, reach_s: float) -> float:
    """`at_s` moved to where the same start was on the newest days."""
    near: list[float] = []
    for back_s in (day * DAY_S for day in range(1, DAYS + 1)):
        at = bisect_left(starts, at_s - back_s)
        close = min(starts[max(0, at - 1) : at + 1], key=lambda s: abs(s - at_s + back_s))
        if abs(close + back_s - at_s) <= reach_s:
            near.append(close + back_s)
        if len(near) == NEWEST:
            break
    return median_low(near) if near else at_s
