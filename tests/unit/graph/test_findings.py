"""Which findings open, change and close as records come, and that replay gives the same ones."""

import pytest

from swarm.graph.findings import Findings
from swarm.model.findings import Finding, FindingKind
from swarm.model.graph import (
    DependencyChanged,
    DependencyGone,
    FindingChanged,
    GraphRecord,
    PipelineGone,
    PipelineSeen,
)
from swarm.model.keys import DatasetKey, PipelineKey, TaskKey
from swarm.model.lineage import Dependency, DependencyKey, Level
from swarm.model.pipelines import DeclaredEdge, Pipeline


def key(up: str, down: str, table: str = "t") -> DependencyKey:
    return DependencyKey(
        TaskKey("air", up, "x"), TaskKey("dag", down, "x"), DatasetKey("pg", table)
    )


def depends(of: DependencyKey, confidence: float = 0.9, *, declared: bool = False) -> GraphRecord:
    return DependencyChanged(1, Dependency(of, declared, confidence, ()))


def back(up: str, down: str) -> DependencyKey:
    """The other way round: from the second orchestrator to the first."""
    return DependencyKey(
        TaskKey("dag", up, "x"), TaskKey("air", down, "x"), DatasetKey("pg", "back")
    )


class Journal:
    """Records in their order, and findings as they follow from them."""

    def __init__(self) -> None:
        self.findings = Findings()
        self.written: list[GraphRecord] = []
        self.now_s = 0.0

    def __call__(self, *records: GraphRecord) -> list[Finding]:
        self.now_s += 1.0
        for record in records:
            self.findings.apply(record)
        news = self.findings.decide(self.now_s)
        for told in news:
            self.findings.apply(told)
        self.written += [*records, *news]
        assert self.findings.decide(self.now_s + 0.5) == []
        return [told.finding for told in news]


@pytest.fixture
def journal() -> Journal:
    return Journal()


@pytest.mark.parametrize(
    ("confidence", "level"),
    [
        (0.49, None),
        (0.5, Level.SHOW),
        (0.8, Level.WARN),
        (0.98, Level.WARN),
        (0.99, Level.GATE),
        (0.0, None),
    ],
)
def test_the_level_follows_confidence(
    journal: Journal, confidence: float, level: Level | None
) -> None:
    found = journal(depends(key("a", "b"), confidence))
    assert [finding.level for finding in found] == ([level] if level else [])


def test_a_finding_opens_moves_and_closes_under_one_id(journal: Journal) -> None:
    [opened] = journal(depends(key("a", "b"), 0.6))
    assert (opened.kind, opened.evidence) == (
        FindingKind.UNDECLARED_DEPENDENCY,
        (key("a", "b"),),
    )
    assert opened.pipelines == (PipelineKey("air", "a"), PipelineKey("dag", "b"))
    assert (opened.first_seen_s, opened.closed_at_s) == (1.0, None)
    assert journal(depends(key("a", "b"), 0.7)) == []  # surer, but for nothing else
    [surer] = journal(depends(key("a", "b"), 0.95))
    assert (surer.id, surer.first_seen_s, surer.changed_at_s) == (opened.id, 1.0, 3.0)
    [closed] = journal(depends(key("a", "b"), 0.95, declared=True))
    assert (closed.id, closed.first_seen_s, closed.closed_at_s) == (opened.id, 1.0, 4.0)
    [again] = journal(depends(key("a", "b"), 0.95))
    assert (again.id, again.first_seen_s, again.closed_at_s) == (opened.id, 5.0, None)
    [gone] = journal(DependencyGone(1, key("a", "b")))
    assert (gone.id, gone.closed_at_s) == (opened.id, 6.0)


def test_two_datasets_between_the_same_tasks_are_two_findings(journal: Journal) -> None:
    found = journal(depends(key("a", "b", "t")), depends(key("a", "b", "u")))
    assert len({finding.id for finding in found}) == 2


def rings(found: list[Finding]) -> list[Finding]:
    return [finding for finding in found if finding.kind is FindingKind.CYCLE]


def test_a_ring_is_as_sure_as_its_weakest_part(journal: Journal) -> None:
    assert rings(journal(depends(key("a", "b"), 1.0))) == []
    [ring] = rings(journal(depends(back("b", "a"), 0.6)))
    assert ring.pipelines == (PipelineKey("air", "a"), PipelineKey("dag", "b"))
    assert set(ring.evidence) == {key("a", "b"), back("b", "a")}
    assert ring.level is Level.SHOW
    [surer] = rings(journal(depends(back("b", "a"), 0.9)))
    assert (surer.id, surer.level) == (ring.id, Level.WARN)
    [surest] = rings(journal(depends(back("b", "a"), 1.0)))
    assert (surest.id, surest.level, surest.first_seen_s) == (ring.id, Level.GATE, 2.0)
    [closed] = rings(journal(DependencyGone(1, key("a", "b"))))
    assert (closed.id, closed.closed_at_s) == (ring.id, 5.0)


def test_a_ring_of_one_more_pipeline_is_another_ring(journal: Journal) -> None:
    [ring] = rings(journal(depends(key("a", "b")), depends(back("b", "a"))))
    closed, opened = sorted(
        rings(journal(depends(key("a", "c")), depends(back("c", "a")))),
        key=lambda finding: finding.closed_at_s is None,
    )
    assert closed.id == ring.id
    assert len(opened.pipelines) == 3


def test_a_declared_order_may_close_a_ring_and_end_it(journal: Journal) -> None:
    journal(depends(key("a", "b")))
    edge = DeclaredEdge(TaskKey("dag", "b", ""), TaskKey("air", "a", ""), "trigger")
    [ring] = rings(journal(PipelineSeen(Pipeline(PipelineKey("air", "a"), declared=(edge,)))))
    assert ring.level is Level.WARN
    [closed] = rings(journal(PipelineGone(PipelineKey("air", "a"))))
    assert closed.id == ring.id


HISTORY = [
    depends(key("a", "b")),
    depends(back("b", "a")),
    depends(key("c", "d"), 0.6),
    DependencyGone(2, key("a", "b")),
    depends(key("e", "f")),
]


@pytest.mark.parametrize("cut", range(len(HISTORY) + 1))
def test_what_a_crash_left_untold_is_told_at_the_next_start(journal: Journal, cut: int) -> None:
    for record in HISTORY[:cut]:
        journal(record)
    again = Findings()
    for record in journal.written:
        again.apply(record)
    assert again.decide(50.0) == []
    untold = [record for record in journal.written if not isinstance(record, FindingChanged)]
    fresh = Findings()
    for record in untold:
        fresh.apply(record)
    assert {told.finding.id for told in fresh.decide(60.0)} == {
        told.finding.id for told in again.records()
    }


@pytest.mark.parametrize("order", [(0, 1), (1, 0)])
def test_a_snapshot_may_tell_findings_before_what_they_are_about(
    journal: Journal, order: tuple[int, ...]
) -> None:
    journal(depends(key("a", "b")), depends(back("b", "a")))
    parts = [list(journal.findings.records()), [depends(key("a", "b")), depends(back("b", "a"))]]
    again = Findings()
    for number in order:
        for record in parts[number]:
            again.apply(record)
    assert again.decide(9.0) == []


def test_an_open_finding_that_nothing_supports_is_closed_at_the_next_start(
    journal: Journal,
) -> None:
    journal(depends(key("a", "b")), depends(back("b", "a")))
    again = Findings()
    for record in journal.findings.records():
        again.apply(record)
    closed = again.decide(9.0)
    assert {told.finding.closed_at_s for told in closed} == {9.0}
    assert len(closed) == 3


def test_what_a_person_rejects_is_no_evidence_of_a_ring_any_more(journal: Journal) -> None:
    weak = key("a", "b", "other")
    [ring] = rings(journal(*map(depends, (key("a", "b"), back("b", "a"), weak), (0.9, 0.9, 0.3))))
    assert weak in ring.evidence
    [less] = rings(journal(depends(weak, 0.0)))
    assert (less.id, set(less.evidence)) == (ring.id, {key("a", "b"), back("b", "a")})
