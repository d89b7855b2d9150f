"""Which run of a writer does a start of its reader need, and is it there?

Rules
1. By habit a start reads what the writer's last good run before it made. How long before it that
   run begins and ends is the median over the reader's starts at the same time of day or, where one
   of both runs less than daily, of the week: so each hour of an hourly reader, and each day of a
   daily one, is compared with its own kind. Of who runs so often that too few days are kept for
   that, it is over the last starts.
2. So who begins before its writer, or while it runs, needs the run before, as it always does.
3. A run is expected only if the writer began about then a week before: on days on which it never
   runs, nobody waits for it. Of who runs so often that less is kept, it is the day before, or two
   hours. Of who is not known for so long, its orchestrator's plan tells whether it runs then; where
   that tells nothing, nobody waits.
4. Before there is a habit, a start that the reader's orchestrator tells needs the last run of its
   writer that is planned to be done by then, as long as its runs usually take. Who never ran, or is
   paused, is not waited for.
5. The run is there as soon as a good one has ended that began (or was planned, where that is told)
   within half a cadence before the expected start, or later.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median

from swarm.model.keys import PipelineKey
from swarm.model.runs import Ran
from swarm.model.weekdays import DAY_S
from swarm.sequencing.between import OTHER_CADENCE
from swarm.sequencing.history import RUNS_KEPT, History, cadence_s
from swarm.sequencing.order import HABIT_RUNS, SAME_HOUR_S, WEEK_S
from swarm.sequencing.planned import begun_s, plan_of, starts_between, usually_behind_s
from swarm.sequencing.world import World

STARTS = 20  # so many starts of the reader are looked at
# Starts that show a habit, of one day of the week.
HABIT_WEEKS = 3


@dataclass(frozen=True, slots=True)
class Need:
    """A run of `writer` that began at `from_s` or later; it is usually done at `done_s`."""

    writer: PipelineKey
    from_s: float
    done_s: float


def need_of(world: World, writer: PipelineKey, reader: PipelineKey, start_s: float) -> Need | None:
    """What a start of the reader needs of the writer; None where nothing is due, or nothing tells
    what."""
    habit = _habit(world.history, writer, reader, start_s)
    if habit is None:
        plan = plan_of(world, reader, start_s)
        return _by_plan(world, writer, start_s) if plan is not None and plan.told else None
    needed = _by_habit(writer, habit, start_s)
    due = _was_due(habit, needed)
    if due is None:
        due = _is_planned(world, writer, needed.from_s, needed.from_s + habit.writes_s)
    return needed if due else None


def need(history: History, writer: PipelineKey, reader: PipelineKey, start_s: float) -> Need | None:
    """The same as far as habit tells."""
    habit = _habit(history, writer, reader, start_s)
    if habit is None:
        return None
    needed = _by_habit(writer, habit, start_s)
    return needed if _was_due(habit, needed) else None


def is_there(history: History, needed: Need) -> bool:
    """Has the run that is needed ended well?"""
    behind_s = usually_behind_s(history.ended(needed.writer))
    known = reversed(history.known(needed.writer))
    return any(not ran.failed and begun_s(ran, behind_s) >= needed.from_s for ran in known)


@dataclass(frozen=True, slots=True)
class _Habit:
    """When the writer began, how often it does, and from the begin and the end of its last good
    run before each start of the reader to that start."""

    began: Sequence[float]
    writes_s: float
    before: Sequence[tuple[float, float]]


def _habit(
    history: History, writer: PipelineKey, reader: PipelineKey, start_s: float
) -> _Habit | None:
    ended, starts = history.ended(writer), history.starts(reader)
    began = [ran.started_at_s for ran in ended]
    writes_s, reads_s = cadence_s(began), cadence_s(starts)
    if writes_s is None or reads_s is None:
        return None
    is_daily = max(writes_s, reads_s) < OTHER_CADENCE * DAY_S
    is_often = RUNS_KEPT * min(writes_s, reads_s) < (HABIT_RUNS + 1) * DAY_S
    period_s = reads_s if is_often else DAY_S if is_daily else WEEK_S
    before = _before(ended, _like(starts, start_s, reads_s, period_s))
    is_habit = len(before) >= (HABIT_RUNS if is_daily else HABIT_WEEKS)
    return _Habit(began, writes_s, before) if is_habit else None


def _by_habit(writer: PipelineKey, habit: _Habit, start_s: float) -> Need:
    done_s = start_s - median(slack_s for _, slack_s in habit.before)
    begins_s = start_s - median(ahead_s for ahead_s, _ in habit.before)
    return Need(writer, begins_s - habit.writes_s / 2, done_s)


def _by_plan(world: World, writer: PipelineKey, start_s: float) -> Need | None:
    listed, plan = world.graph.pipelines.get(writer), plan_of(world, writer, start_s)
    took = world.history.good_durations_s(writer)
    if plan is None or not took or listed is None or listed.paused:
        return None
    by_s = start_s - median(took)
    planned = starts_between(world, writer, by_s - 2 * plan.every_s, by_s)
    if not planned:
        return None
    return Need(writer, planned[-1] - plan.every_s / 2, planned[-1] + median(took))


def _like(starts: Sequence[float], start_s: float, every_s: float, period_s: float) -> list[float]:
    """The newest starts at this time of a day or week: of each the one that is closest to it."""
    like: dict[float, tuple[float, float]] = {}
    half_s = period_s / 2
    for at_s in reversed(starts):
        since_s = start_s - at_s + half_s
        off_s = abs(since_s % period_s - half_s)
        if off_s > every_s / 2:
            continue
        back = since_s // period_s
        if back not in like and len(like) == STARTS:
            break
        if back not in like or off_s < like[back][0]:
            like[back] = off_s, at_s
    return [at_s for _, at_s in like.values()]


def _before(ended: Sequence[Ran], starts: Sequence[float]) -> list[tuple[float, float]]:
    """From the begin and the end of the last good run before each start to that start."""
    good = sorted((ran for ran in ended if not ran.failed), key=lambda ran: ran.ended_at_s)
    ends = [ran.ended_at_s for ran in good]
    found = []
    for start_s in starts:
        at = bisect_right(ends, start_s) - 1
        if at >= 0:
            found.append((start_s - good[at].started_at_s, start_s - good[at].ended_at_s))
    return found


def _was_due(habit: _Habit, needed: Need) -> bool | None:
    """Did the writer begin about then a week before, or as long as is kept? None where it is not
    known for so long."""
    reach_s = max(habit.writes_s / 2, SAME_HOUR_S)
    kept_s = RUNS_KEPT * habit.writes_s
    ago_s = next((ago_s for ago_s in (WEEK_S, DAY_S) if ago_s + reach_s < kept_s), 2 * reach_s)
    then_s = needed.from_s + habit.writes_s / 2 - ago_s
    at = bisect_left(habit.began, then_s - reach_s)
    if at < len(habit.began) and habit.began[at] <= then_s + reach_s:
        return True
    return None if at == 0 else False


def _is_planned(world: World, writer: PipelineKey, from_s: float, until_s: float) -> bool:
    listed, plan = world.graph.pipelines.get(writer), plan_of(world, writer, from_s)
    if listed is None or listed.paused or plan is None or not plan.told:
        return False
    return bool(starts_between(world, writer, from_s, until_s))
