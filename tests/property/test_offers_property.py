"""A pipeline with a habit is offered it, whatever else happens; one without is offered nothing."""

from datetime import UTC, date, datetime, timedelta
from random import Random
from zoneinfo import ZoneInfo

from hypothesis import given, settings
from hypothesis import strategies as st

from swarm.model.graph import PipelineSeen, RunsKept
from swarm.model.keys import PipelineKey
from swarm.model.pipelines import Pipeline
from swarm.model.runs import Ran
from swarm.model.sla import Terms
from swarm.sequencing.deadlines import next_deadline_s
from swarm.sequencing.offers import KEPT, STEP_S, Offer, offers
from swarm.sequencing.world import World

SLOW_IS_FINE = settings(deadline=None)
CLOSE = PipelineKey("air", "close")
ZONES = ("UTC", "Europe/Berlin", "America/New_York", "Asia/Kolkata")
DAYS = 56
MIN_S, HOUR_S = 60.0, 3_600.0

zones = st.sampled_from(ZONES)
# Any time of the year: in most windows of eight weeks no clock is changed, in some one is.
first_days = st.dates(date(2025, 1, 1), date(2026, 12, 31))
minutes = st.lists(st.floats(-10, 10), min_size=DAYS, max_size=DAYS)


def told(zone: str, runs: list[Ran], until: datetime) -> list[Offer]:
    world = World()
    world.apply(PipelineSeen(Pipeline(CLOSE, schedule=f"40 6 * * 1-5 {zone}")))
    world.apply(RunsKept(CLOSE, tuple(runs)))
    return offers(world, Terms(), until.timestamp())


def run(began: datetime, took_s: float, *, failed: bool = False) -> Ran:
    return Ran(None, began.timestamp(), began.timestamp() + took_s, failed)


@SLOW_IS_FINE
@given(
    zones,
    first_days,
    st.integers(0, 23),
    minutes,
    st.sets(st.integers(0, DAYS - 15), max_size=5),
    st.sets(st.integers(0, DAYS - 1), max_size=5),
)
def test_a_habit_is_offered(
    zone: str, first: date, hour: int, around: list[float], gaps: set[int], again: set[int]
) -> None:
    """It ends at 40 minutes past the hour, 10 more or less, from Monday to Friday; on some days
    nothing ran, on others it was run again by hand."""
    there = ZoneInfo(zone)
    runs, kept = [], []
    for n in range(DAYS):
        day = first + timedelta(days=n)
        begins = datetime(day.year, day.month, day.day, hour, tzinfo=there)
        if day.weekday() >= 5 or n in gaps:
            continue
        runs.append(run(begins, 40 * MIN_S + around[n] * MIN_S))
        kept.append(runs[-1].ended_at_s)
        if n in again:
            runs.append(run(begins + timedelta(hours=5), 90 * MIN_S))
    until = datetime(first.year, first.month, first.day, tzinfo=there) + timedelta(days=DAYS)
    [found] = told(zone, runs, until)
    assert found.kept >= KEPT * found.days
    assert found.spare_s <= 20 * MIN_S + STEP_S + 1
    due = [next_deadline_s(found.sla, end_s - 6 * HOUR_S) for end_s in kept[-found.days :]]
    late = sum(at_s is None or end_s > at_s for at_s, end_s in zip(due, kept[-40:], strict=False))
    # The night in which the clock moves may put one run into another hour.
    assert late <= (1 - KEPT) * len(due) + 1


@SLOW_IS_FINE
@given(st.integers(0, 2**32))
def test_an_irregular_pipeline_is_offered_nothing(seed: int) -> None:
    random, first = Random(seed), datetime(2026, 2, 2, tzinfo=UTC)
    at = [first + timedelta(days=n, minutes=random.uniform(0, 24 * 60)) for n in range(DAYS)]
    assert told("UTC", [run(began, 60.0) for began in at], first + timedelta(days=DAYS)) == []
