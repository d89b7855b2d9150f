"""What verdicts on some edges do to the others."""

from collections.abc import Iterable

from swarm.lineage.calibration import Judged, fit
from swarm.lineage.fusion import Belief, Looked, Sighting, believe
from swarm.lineage.ledger import SETTLE, Ledger
from swarm.lineage.naming import Naming
from swarm.model.connectors import Batch
from swarm.model.graph import CalibrationChanged, GraphRecord
from swarm.model.keys import DatasetKey, TaskKey
from swarm.model.lineage import (
    Access,
    Channel,
    Dependency,
    DependencyKey,
    Evidence,
    Verdict,
    VerdictRequest,
)

EDGES = 60


def edge(number: int) -> DependencyKey:
    name = str(number)
    table = DatasetKey("pg://w", f"s.t{name}")
    return DependencyKey(TaskKey("a", "p", name), TaskKey("b", name, ""), table)


def items(number: int) -> Iterable[Evidence]:
    """Written as a run event says, read as a program's text says."""
    key = edge(number)
    yield Evidence(key.upstream, Access.WRITE, key.dataset, Channel.OPENLINEAGE, 1.0, "w")
    yield Evidence(key.downstream, Access.READ, key.dataset, Channel.CODE, 1.0, "r")


class World:
    """A ledger with `EDGES` edges alike, and what it recorded of verdicts."""

    def __init__(self) -> None:
        self.ledger, self.records = Ledger(Naming()), list[GraphRecord]()
        self._take(Batch("s", "", tuple(i for n in range(EDGES) for i in items(n))))

    def judge(self, verdict: Verdict | None, numbers: Iterable[int]) -> None:
        for number in numbers:
            self._take(VerdictRequest(edge(number), verdict, "ann"))

    def sure(self) -> float:
        """The confidence of an edge that nobody judged."""
        return self.found(EDGES - 1).confidence

    def found(self, number: int) -> Dependency:
        return self.ledger.dependencies[edge(number)]

    def offset(self, channel: Channel) -> float:
        told = [r for r in self.records if isinstance(r, CalibrationChanged)]
        return dict(told[-1].offsets).get(channel, 0.0) if told else 0.0

    def _take(self, event: Batch | VerdictRequest) -> None:
        for record in self.ledger.decide(event, 0.0):
            self.ledger.apply(record)
            self.records.append(record)
        self.ledger.check()
        if not self.ledger.settled:
            self._take(SETTLE)


def test_a_channel_that_was_wrong_ten_times_loses_weight() -> None:
    world = World()
    before = world.sure()
    world.judge(Verdict.REJECTED, range(10))
    assert world.sure() < before - 0.05
    assert world.offset(Channel.CODE) < -0.6
    assert world.offset(Channel.CODE) < 3 * world.offset(Channel.OPENLINEAGE)


def test_three_clicks_do_not_flip_the_world() -> None:
    world = World()
    before = world.sure()
    world.judge(Verdict.REJECTED, range(3))
    assert before - 0.06 < world.sure() <= before


def test_some_rejections_after_many_acceptances_hardly_matter() -> None:
    world = World()
    before = world.sure()
    world.judge(Verdict.ACCEPTED, range(40))
    assert world.sure() >= before
    world.judge(Verdict.REJECTED, range(40, 43))
    assert abs(world.sure() - before) < 0.03


def test_a_verdict_leaves_the_evidence_of_its_own_edge_as_it_was() -> None:
    world = World()
    before = world.found(0).proofs
    world.judge(Verdict.REJECTED, range(10))
    assert world.found(0).proofs == before
    assert world.found(EDGES - 1).proofs != before


def test_verdicts_that_are_taken_back_leave_nothing() -> None:
    world = World()
    before = world.found(EDGES - 1)
    world.judge(Verdict.REJECTED, range(10))
    world.judge(None, range(10))
    world.judge(Verdict.REJECTED, range(1))
    assert abs(world.sure() - before.confidence) < 0.03


def test_replay_and_snapshot_give_the_same_weights() -> None:
    world = World()
    world.judge(Verdict.REJECTED, range(10))
    replayed, restored = Ledger(Naming()), Ledger(Naming())
    for record in world.records:
        replayed.apply(record)
    for record in world.ledger.records():
        restored.apply(record)
    for other in (replayed, restored):
        other.check()
        assert set(other.records()) == set(world.ledger.records())


def test_what_ended_tells_nothing_of_the_channels() -> None:
    """A person rejects what was real and is no more: no channel was wrong."""
    task, table = TaskKey("a", "p", "t"), DatasetKey("pg://w", "s.t")

    def belief(access: Access, still: float) -> Belief:
        seen = Evidence(task, access, table, Channel.OPENLINEAGE, 1.0, "r")
        return believe(task, access, [Sighting(seen)], {}, Looked(still))

    write = belief(Access.WRITE, 1.0)
    assert fit([Judged(write, belief(Access.READ, 0.5), False)] * 20) == {}
    assert fit([Judged(write, belief(Access.READ, 1.0), False)] * 20)[Channel.OPENLINEAGE] < -0.5
