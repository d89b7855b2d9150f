"""Which run a start needs, of who runs often and of who runs on some days alone."""

import pytest

from swarm.model.graph import PipelineSeen
from swarm.model.keys import PipelineKey
from swarm.model.pipelines import Cron, Pipeline
from swarm.sequencing.freshness import need, need_of
from swarm.sequencing.history import History
from swarm.sequencing.world import World
from tests.unit.sequencing.mornings import DAY_S, MIN_S, MONDAY, ran

WRITER, READER = PipelineKey("af", "events"), PipelineKey("dg", "counts")
START_S = (MONDAY + 20) * DAY_S + 6 * 3_600.0


def history_of(every_s: float, days: float, quiet_s: float = 0.0) -> History:
    """Both run so often until START_S, the reader soon after the writer; the day before neither did
    for so long, before and after that time."""
    history = History()
    for number in range(int(days * DAY_S / every_s), 0, -1):
        at_s = START_S - number * every_s
        if not DAY_S - quiet_s < START_S - at_s < DAY_S + quiet_s:
            for key, late_s in ((WRITER, 0.0), (READER, MIN_S)):
                history.see(ran(key, at_s + late_s, MIN_S / 2).run)
    return history


@pytest.mark.parametrize("every_min", [1, 5, 15, 20, 25, 60])
def test_a_run_is_due_however_few_days_are_kept(every_min: int) -> None:
    needed = need(history_of(every_min * MIN_S, 10), WRITER, READER, START_S + MIN_S)
    assert needed is not None
    assert needed.from_s == START_S - every_min * MIN_S / 2


def test_nothing_is_due_where_nothing_ran_at_that_time_the_day_before() -> None:
    history = history_of(15 * MIN_S, 10, quiet_s=3 * 3_600.0)
    assert need(history, WRITER, READER, START_S + MIN_S) is None


def test_the_day_before_says_nothing_of_who_runs_on_some_days_of_a_week() -> None:
    history = history_of(60 * MIN_S, 10, quiet_s=3 * 3_600.0)
    assert need(history, WRITER, READER, START_S + MIN_S) is not None


@pytest.mark.parametrize(
    ("every_min", "cron", "runs"),
    [(3, "*/3 * * * *", 6), (60, "0 * * * *", 140), (1_440, "0 6 * * *", 6)],
)
def test_who_is_new_is_due_when_its_plan_says_so(every_min: int, cron: str, runs: int) -> None:
    every_s = every_min * MIN_S
    told, untold = (World(history=history_of(every_s, runs * every_s / DAY_S)) for _ in range(2))
    told.apply(PipelineSeen(Pipeline(WRITER, crons=(Cron(cron, "UTC"),))))
    untold.apply(PipelineSeen(Pipeline(WRITER)))
    needed = need_of(told, WRITER, READER, START_S + MIN_S)
    assert needed is not None
    assert needed.from_s == START_S - every_s / 2
    assert need_of(untold, WRITER, READER, START_S + MIN_S) is None  # nothing tells


def test_who_is_new_is_not_due_on_a_day_its_plan_leaves_out() -> None:
    world = World(history=history_of(DAY_S, days=6))  # START_S is a Saturday
    world.apply(PipelineSeen(Pipeline(WRITER, crons=(Cron("0 6 * * 0-5", "UTC"),))))
    assert need_of(world, WRITER, READER, START_S + MIN_S) is None


def test_who_is_new_and_paused_is_not_due() -> None:
    world = World(history=history_of(DAY_S, days=6))
    world.apply(PipelineSeen(Pipeline(WRITER, crons=(Cron("0 6 * * *", "UTC"),), paused=True)))
    assert need_of(world, WRITER, READER, START_S + MIN_S) is None
