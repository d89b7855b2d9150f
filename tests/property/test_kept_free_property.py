"""Slots that are kept free of backfills: they are, and no backfill waits for ever."""

from random import Random

from hypothesis import given, settings
from hypothesis import strategies as st

from swarm.dispatch.events import Finish, Propose
from swarm.dispatch.queue import PATIENCE_S
from swarm.model.work import Outcome, SlaClass, Token
from tests.unit.dispatch.builders import Desk, a_task

PATIENT_S = PATIENCE_S[SlaClass.BACKFILL]


class _Day:
    """Three workers of three slots; tasks of one or two cores of which every other is a backfill's,
    and each ends when the dice say so."""

    def __init__(self, seed: int) -> None:
        self.dice, self.desk = Random(seed), Desk()
        for name in "uvw":
            self.desk.worker(name, slots=3, cpu=3.0)
        self.running: list[Token] = []
        fills = [f"fill{number}" for number in range(12)]
        for name in (*fills, *(f"task{number}" for number in range(12))):
            sla = SlaClass.BACKFILL if name in fills else SlaClass.STANDARD
            self.desk.submit(a_task(name, cpu=float(self.dice.randint(1, 2)), sla=sla))

    def free(self) -> int:
        tasks, floor = self.desk.dispatcher.floor.tasks, self.desk.dispatcher.floor
        held = (id_ for worker in floor.workers.values() for id_ in worker.held)
        return 9 - sum(int(tasks[id_].submission.needs.resources.cpu) for id_ in held)

    def step(self) -> list[Token]:
        """Some end, some worker asks; what it was granted."""
        for token in [one for one in self.running if self.dice.random() < 0.3]:
            self.desk.tell(Finish(token, Outcome.SUCCEEDED))
            self.running.remove(token)
        granted = self.desk.acquire_tokens(self.dice.choice("uvw"))
        self.running += granted
        return list(granted)


@settings(deadline=None)
@given(st.integers(0, 10_000), st.integers(1, 10))
def test_backfills_that_are_not_late_leave_free_what_is_kept(seed: int, kept: int) -> None:
    day = _Day(seed)
    for _ in range(60):
        day.desk.tell(Propose(kept_free=kept))
        granted = day.step()
        if any(token.task.startswith("fill") for token in granted):
            assert day.free() >= kept
        day.desk.now_s += 1.0


@settings(deadline=None)
@given(st.integers(0, 10_000), st.booleans())
def test_no_backfill_waits_for_ever(seed: int, said: bool) -> None:
    """Nor where placement keeps all free for good; where it falls silent not even for long."""
    day = _Day(seed)
    day.desk.tell(Propose(kept_free=99))
    day.desk.now_s = PATIENT_S if said else 60.0
    for _ in range(200):
        if said:
            day.desk.tell(Propose(kept_free=99))
        day.step()
    assert not len(day.desk.dispatcher.floor.queue)
