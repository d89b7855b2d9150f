"""Deadlines that pipelines keep without having promised them, to be offered as SLAs.

That people expect what has always been so is the idea of Morpheus (Jyothi et al., OSDI 2016), as is
that a person signs it or names another time.

Rules
1. The deadline is the first five minutes of the clock by which `KEPT` of the good days were done
   (`clock_habit.py`), if there are `DAYS_LEAST` of them. Where it lies more than `LOOSE_S` after
   the middle day's end there is no habit, and where two of the newest ten days missed it, no more.
2. `confidence` is how sure it is that nine of ten days keep it, if days go on as those did: the
   one-sided tolerance limit of Wilks (1941), which asks for no distribution. The day that the
   deadline was taken from counts as its index alone, so that it is not judged by itself.
3. The clock is that of the time zone in which the ends lie closest together. Another than the
   schedule's own, or UTC, needs a quarter of an hour of reason: a change of the clock in the days.
4. Nothing is offered for what is promised, and of what somebody declined. What most hangs on comes
   first.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from math import ceil, comb
from statistics import median
from zoneinfo import ZoneInfo

from swarm.graph.query import MIN_CONFIDENCE, impact, least_weight
from swarm.model.keys import PipelineKey
from swarm.model.sla import Sla, Terms
from swarm.model.weekdays import DAY_S
from swarm.sequencing.clock_habit import Habit, habit_of, is_daily, usually_at_s
from swarm.sequencing.stated import is_zone
from swarm.sequencing.world import World

KEPT, DAYS_LEAST = 0.95, 10
STEP_S = 300.0
LOOSE_S = 2 * 3_600.0
_NEWEST, _NEWEST_MISSED = 10, 1
_SURE_OF = 0.9
_CLOSER_S = 900.0
_NAMED = 3  # of those that hang on it


@dataclass(frozen=True, slots=True)
class Offer:
    """An SLA that was kept on `kept` of the newest `days` good days. It is usually done `spare_s`
    before its deadline. `behind` pipelines hang on it, of which `nearest` are some; the first of
    its readers that runs daily begins `read_after_s` after the usual end, None where none does."""

    sla: Sla
    kept: int
    days: int
    spare_s: float
    confidence: float
    behind: int
    nearest: tuple[PipelineKey, ...]
    read_after_s: float | None


def offers(world: World, terms: Terms, now_s: float) -> list[Offer]:
    """All that may be offered, best first."""
    taken = {sla.pipeline for sla in terms.slas} | terms.declined
    zones = _zones(world, terms)
    asked = (key for key in world.graph.pipelines if key not in taken)
    found = [one for key in asked if (one := _offer(world, key, zones, now_s)) is not None]
    return sorted(found, key=lambda one: (-one.behind, -one.confidence, one.sla.pipeline))


def offer(world: World, pipeline: PipelineKey, terms: Terms, now_s: float) -> Offer | None:
    """What a pipeline's runs would promise, whatever is promised already; None: nothing."""
    return _offer(world, pipeline, _zones(world, terms), now_s)


def _offer(world: World, pipeline: PipelineKey, zones: Iterable[str], now_s: float) -> Offer | None:
    ended = world.history.ended(pipeline)
    own = _zone_of(world.graph.pipelines[pipeline].schedule)
    habits = [
        habit
        for zone in dict.fromkeys([*own, *zones])
        if (habit := habit_of(ended, zone, now_s)) and len(habit.ends_s) >= DAYS_LEAST
    ]
    if not habits:
        return None
    closest_s = min(map(_loose_s, habits))
    habit = next(one for one in habits if _loose_s(one) <= closest_s + _CLOSER_S)
    usual_s, by_s = median(habit.ends_s), _by_s(habit)
    missed = sum(end_s > by_s for end_s in habit.ends_s[-_NEWEST:])
    if by_s - usual_s > LOOSE_S or missed > _NEWEST_MISSED:
        return None
    later, of_day_s = divmod(by_s, DAY_S)
    weekdays = tuple(sorted((weekday + int(later)) % 7 for weekday in habit.weekdays))
    hangs = impact(world.graph, pipeline, limit=_NAMED)
    nearest = tuple(hit.key for hit in hangs.hits if isinstance(hit.key, PipelineKey))
    return Offer(
        Sla(pipeline, of_day_s, habit.timezone, weekdays),
        kept=sum(end_s <= by_s for end_s in habit.ends_s),
        days=len(habit.ends_s),
        spare_s=by_s - usual_s,
        confidence=_confidence(len(habit.ends_s)),
        behind=hangs.total,
        nearest=nearest,
        read_after_s=_read_after_s(world, pipeline, habit.timezone, usual_s),
    )


def _by_s(habit: Habit) -> float:
    return ceil(_limit_s(habit) / STEP_S) * STEP_S


def _limit_s(habit: Habit) -> float:
    """The end of the last day that has to keep the deadline."""
    return sorted(habit.ends_s)[_needed(len(habit.ends_s)) - 1]


def _loose_s(habit: Habit) -> float:
    return _limit_s(habit) - median(habit.ends_s)


def _needed(days: int) -> int:
    """So many of the days have to keep it."""
    return ceil(KEPT * days)


def _confidence(days: int) -> float:
    below = range(_needed(days))
    return sum(comb(days, n) * _SURE_OF**n * (1 - _SURE_OF) ** (days - n) for n in below)


def _read_after_s(
    world: World, pipeline: PipelineKey, timezone: str, usual_s: float
) -> float | None:
    level = world.graph.by_pipeline
    node = level.find(pipeline)
    if node is None:
        return None
    readers = level.adjacency.view(least_weight(MIN_CONFIDENCE)).out[node]
    ended = [world.history.ended(level.nodes[reader]) for reader in readers]
    begin = [usually_at_s(runs, ZoneInfo(timezone)) for runs in ended if is_daily(runs)]
    return min(((at_s - usual_s) % DAY_S for at_s in begin), default=None)


def _zones(world: World, terms: Terms) -> Sequence[str]:
    """The clocks that schedules and SLAs here go by, after UTC, the most used first."""
    used = Counter(sla.timezone for sla in terms.slas)
    for pipeline in world.graph.pipelines.values():
        used.update(_zone_of(pipeline.schedule))
    return ["UTC", *(zone for zone, _ in used.most_common() if zone != "UTC")]


def _zone_of(schedule: str) -> list[str]:
    """The time zone that a schedule's text names, as Prefect's do."""
    words = (word.strip(",;()") for word in schedule.split())
    return [word for word in words if "/" in word and is_zone(word)][:1]
