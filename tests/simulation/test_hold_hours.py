"""Hours in which a reader runs more often than it may be held for: each start of it waits for its
own data until its own latest start, whatever falls into the same hold. Then it begins, or is left
out where the policy says so."""

import random
from collections.abc import Callable, Sequence
from dataclasses import replace

import pytest

from swarm.model.graph import GraphRecord, PipelineSeen, RunsKept
from swarm.model.intents import Act, Intent, Mode
from swarm.model.keys import PipelineKey
from swarm.model.pipelines import Cron, Pipeline
from swarm.model.policy import AtLatest, Policy
from swarm.model.runs import Ran
from swarm.model.sequencing import IntentMade
from swarm.sequencing.decisions import Decisions
from swarm.sequencing.holds import Holds
from swarm.sequencing.world import World
from tests.unit.sequencing.mornings import DAY_S, MIN_S, MONDAY, begun, depends, listed, ran

WRITER, READER = PipelineKey("air", "load"), PipelineKey("dag", "report")
STEP_S = 20.0
SLACK_S = 3 * STEP_S
HISTORY_DAYS = 8
TODAY_S = (MONDAY + HISTORY_DAYS) * DAY_S
SEEDS = range(60)


class Built(Decisions):
    """With holds that may have a bug."""

    def __init__(
        self, world: World, policy: Callable[[PipelineKey], Policy], holds: type[Holds]
    ) -> None:
        super().__init__(world, policy)
        self._holds = holds(world, policy, self._gates)


class Hours:
    """One seed: `run` raises AssertionError where a promise is broken."""

    def __init__(
        self, seed: int, bug: type[Holds] = Holds, at_latest: AtLatest = AtLatest.RUN
    ) -> None:
        self._at_latest = at_latest
        self._dice = dice = random.Random(seed)
        self._bug = bug
        self.every_s = dice.choice((30.0, 60.0)) * MIN_S
        self.writes_s = self.every_s * dice.choice((1, 1, 2))
        self.wait_max_s = dice.choice((0.4, 1.2, 2.0, 3.5)) * self.every_s
        self.ahead_s = 0.7 * self.every_s  # so long before its reader the writer begins
        self.took_s = 0.3 * self.every_s
        self.until_s = TODAY_S + 12 * self.every_s
        self._records: list[GraphRecord] = [
            listed(WRITER),
            PipelineSeen(Pipeline(READER, crons=(Cron(self._fields(), "UTC"),))),
            depends(WRITER, READER),
            *self._past(),
        ]
        self.began: dict[float, float] = {}
        self.left_out: list[float] = []
        self.held = 0
        self._start([])

    def _fields(self) -> str:
        minutes = round(self.every_s / MIN_S)
        return f"*/{minutes} * * * *" if minutes < 60 else "0 * * * *"

    def _past(self) -> list[GraphRecord]:
        steps = range(round((TODAY_S - MONDAY * DAY_S) / self.every_s))
        planned = [MONDAY * DAY_S + step * self.every_s for step in steps]
        writes = [at_s - self.ahead_s for at_s in planned if at_s % self.writes_s == 0]
        return [
            RunsKept(WRITER, tuple(Ran(None, at_s, at_s + self.took_s, False) for at_s in writes)),
            RunsKept(READER, tuple(Ran(None, at_s, at_s + MIN_S, False) for at_s in planned)),
        ]

    def _start(self, kept: Sequence[IntentMade]) -> None:
        """Swarm comes up with its snapshot."""
        self._world = World()
        policy = Policy(Mode.GATE, self.wait_max_s, self._at_latest)
        self._state = Built(self._world, lambda _: policy, self._bug)
        for made in kept:
            self._state.apply(made)
        for record in self._records:
            self._world.apply(record)
            self._state.apply(record)

    def _tell(self, record: GraphRecord) -> None:
        self._records.append(record)
        self._world.apply(record)
        self._state.apply(record)

    def run(self) -> None:
        steps = range(round((self.until_s - TODAY_S) / self.every_s))
        planned = [TODAY_S + step * self.every_s for step in steps]
        writes = [self._write(at_s) for at_s in planned if at_s % self.writes_s == 0]
        queued: list[float] = []
        now_s = TODAY_S - self.ahead_s - STEP_S
        while now_s < self.until_s + self.wait_max_s + 2 * SLACK_S:
            self._hear(writes, now_s)
            held = self._decide(now_s)
            queued += [at_s for at_s in planned if now_s - STEP_S < at_s <= now_s]
            for at_s in [at_s for at_s in queued if not _waits(held, at_s)]:
                queued.remove(at_s)
                if held is not None and held.leaves_out(at_s, now_s):
                    self._leave_out(at_s, now_s)
                else:
                    self._begin(at_s, now_s, writes)
            self.held += len(queued)
            for at_s in queued:
                assert now_s <= at_s + self.wait_max_s + SLACK_S, "held past its latest start"
            now_s += STEP_S
        assert sorted([*self.began, *self.left_out]) == planned, "each begins once"

    def _write(self, planned_s: float) -> tuple[float, float]:
        """From when to when the writer makes what a start needs."""
        late_s = self._dice.choice((0.0, 1.0)) * self._dice.uniform(0.5, 5.0) * self.every_s
        from_s = planned_s - self.ahead_s
        return from_s, from_s + self.took_s + late_s

    def _hear(self, writes: Sequence[tuple[float, float]], now_s: float) -> None:
        for from_s, end_s in writes:
            if now_s - STEP_S < from_s <= now_s:
                self._tell(begun(WRITER, from_s))
            if now_s - STEP_S < end_s <= now_s:
                self._tell(ran(WRITER, from_s, end_s - from_s))

    def _decide(self, now_s: float) -> Intent | None:
        """What the hand is told."""
        if self._dice.random() < 0.005:
            self._start([*self._state.records()])
        for made in self._state.decide(now_s):
            self._state.apply(made)
        return next(iter(self._state.intents("dag", now_s, 60.0)), None)

    def _leave_out(self, planned_s: float, now_s: float) -> None:
        assert self._at_latest is AtLatest.SKIP
        assert now_s - planned_s >= self.wait_max_s - SLACK_S, "left out before its latest start"
        self.left_out.append(planned_s)

    def _begin(self, planned_s: float, now_s: float, writes: Sequence[tuple[float, float]]) -> None:
        """A start of the reader. Before its latest it reads what its writer made for it."""
        assert planned_s not in self.began
        self.began[planned_s] = now_s
        self._tell(begun(READER, now_s))
        self._tell(ran(READER, now_s, MIN_S))
        needed_s = planned_s - planned_s % self.writes_s - self.ahead_s
        if needed_s < TODAY_S - self.ahead_s:
            return
        is_there = any(from_s >= needed_s and end_s <= now_s for from_s, end_s in writes)
        is_latest = now_s - planned_s >= self.wait_max_s - SLACK_S
        may_begin = is_latest and self._at_latest is not AtLatest.SKIP
        assert is_there or may_begin, "it read what was old"


def _waits(held: Intent | None, planned_s: float) -> bool:
    return held is not None and held.act is Act.HOLD and planned_s >= held.from_s


@pytest.mark.parametrize("seed", SEEDS)
def test_each_start_waits_for_its_own_data_until_its_own_latest_start(seed: int) -> None:
    Hours(seed).run()


def test_each_start_is_left_out_at_its_own_latest_start_or_reads_its_own_data() -> None:
    every = [Hours(seed, at_latest=AtLatest.SKIP) for seed in SEEDS]
    for hours in every:
        hours.run()
    assert sum(len(hours.left_out) > 1 for hours in every) > len(every) / 4


def test_there_is_something_to_hold() -> None:
    every = [Hours(seed) for seed in SEEDS]
    for hours in every:
        hours.run()
    assert sum(hours.held > 0 for hours in every) > len(every) / 3


class AllAtOnce(Holds):
    """A planted bug: all starts of a hold go with the first."""

    def _free(self, held: Intent, now_s: float) -> tuple[int, str]:
        free, why = super()._free(held, now_s)
        return (len(held.due_s), why) if free else (0, "")


class NeverSplits(Holds):
    """A planted bug: a hold stands until the last of its starts may go."""

    def _free(self, held: Intent, now_s: float) -> tuple[int, str]:
        free, why = super()._free(held, now_s)
        return (free, why) if free == len(held.due_s) else (0, "")


class LeavesAllOut(Holds):
    """A planted bug: all starts of a hold are left out with the first."""

    def _goes_on(self, held: Intent, free: int, new: tuple[float, ...], now_s: float) -> Intent:
        goes_on = super()._goes_on(held, free, new, now_s)
        if goes_on.left_out_s == held.left_out_s:
            return goes_on
        all_s = (*goes_on.left_out_s, *goes_on.due_s)
        return replace(goes_on, act=Act.RELEASE, due_s=(), left_out_s=all_s)


class LeavesNoneOut(Holds):
    """A planted bug: what is late is let go while a hold goes on."""

    def _goes_on(self, held: Intent, free: int, new: tuple[float, ...], now_s: float) -> Intent:
        goes_on = super()._goes_on(held, free, new, now_s)
        return replace(goes_on, left_out_s=())


@pytest.mark.parametrize(
    ("bug", "at_latest"),
    [
        (AllAtOnce, AtLatest.RUN),
        (NeverSplits, AtLatest.RUN),
        (LeavesAllOut, AtLatest.SKIP),
        (LeavesNoneOut, AtLatest.SKIP),
    ],
)
def test_planted_bugs_are_seen(bug: type[Holds], at_latest: AtLatest) -> None:
    assert any(_is_seen(seed, bug, at_latest) for seed in SEEDS)


def _is_seen(seed: int, bug: type[Holds], at_latest: AtLatest) -> bool:
    try:
        Hours(seed, bug, at_latest).run()
    except AssertionError:
        return True
    return False
