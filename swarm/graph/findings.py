"""Which findings hold, as the graph moves.

`apply` follows the records of the graph stream; `decide` answers with the findings that opened,
changed or closed since it was last asked. It compares what holds with what is open, so a crash
between the two loses nothing: the next `decide` says it.

Rules
1. An undeclared dependency is a finding as long as its confidence is `min_confidence` or more and
   no orchestrator keeps the order. What a person rejected has confidence 0.
2. A ring of pipelines is a finding as long as the same pipelines form it: one more of them, and it
   is another ring.
3. The level of a ring is the highest one at which its pipelines still form it.
"""

from collections.abc import Iterator

from swarm.graph.cycles import Cycle, cycles, on_ring_with
from swarm.graph.index import DependencyGraph
from swarm.graph.query import MIN_CONFIDENCE
from swarm.model.findings import Finding, FindingKind, finding_id, told
from swarm.model.graph import (
    DependencyChanged,
    DependencyGone,
    FindingChanged,
    GraphRecord,
    PipelineGone,
    PipelineSeen,
)
from swarm.model.keys import DatasetKey, PipelineKey, TaskKey
from swarm.model.lineage import GATE_FROM, WARN_FROM, DependencyKey, Level, level_of
from swarm.model.pipelines import Pipeline

Pair = tuple[PipelineKey, PipelineKey]

# Of more steps that moved at once all rings are found anew: that costs as much as so many searches.
PAIRS_ALONE = 16


class Findings:
    """What is open, and the graph it is about."""

    def __init__(self, min_confidence: float = MIN_CONFIDENCE) -> None:
        self._least = min_confidence
        self._graph = DependencyGraph()
        self._open: dict[str, Finding] = {}
        self._rings: set[str] = set()
        # What moved since the last `decide`.
        self._moved: set[DependencyKey] = set()
        self._moved_pairs: set[Pair] = set()
        self._rings_known = False

    @property
    def graph(self) -> DependencyGraph:
        """The dependencies as they stand."""
        return self._graph

    def apply(self, record: GraphRecord) -> None:
        match record:
            case FindingChanged(finding) if finding.kind is not FindingKind.MISSING_WORKER:
                self._put(finding)
            case DependencyChanged(_, dependency):
                self._move(dependency.key, record)
            case DependencyGone(_, key):
                self._move(key, record)
            case PipelineSeen(pipeline):
                before = self._graph.pipelines.get(pipeline.key)
                self._moved_pairs |= _order(before) ^ _order(pipeline)
                self._graph.apply(record)
            case PipelineGone(key):
                self._moved_pairs |= _order(self._graph.pipelines.get(key))
                self._graph.apply(record)
            case _:
                pass

    def decide(self, now_s: float) -> list[FindingChanged]:
        """The findings that are not as they were last told."""
        moved, self._moved = sorted(self._moved), set()
        news = [self._told(_id_of(key), self._undeclared(key, now_s), now_s) for key in moved]
        news += self._ring_news(now_s)
        return [FindingChanged(finding) for finding in news if finding is not None]

    def find(self, name: str) -> Finding | None:
        """The finding of that id, where it is open here."""
        return self._open.get(name)

    def records(self) -> Iterator[FindingChanged]:
        """A snapshot of what is open."""
        yield from (FindingChanged(finding) for finding in self._open.values())

    def _put(self, finding: Finding) -> None:
        is_open = finding.closed_at_s is None
        if is_open:
            self._open[finding.id] = finding
        else:
            self._open.pop(finding.id, None)
        if finding.kind is FindingKind.CYCLE:
            (self._rings.add if is_open else self._rings.discard)(finding.id)
        else:
            self._moved |= set(finding.evidence)  # a snapshot may tell it before its dependency

    def _move(self, key: DependencyKey, record: DependencyChanged | DependencyGone) -> None:
        pair = key.upstream.pipeline_key, key.downstream.pipeline_key
        before = self._pair_level(pair), self._rests_on(pair, key)
        self._graph.apply(record)
        self._moved.add(key)
        if before != (self._pair_level(pair), self._rests_on(pair, key)):
            self._moved_pairs.add(pair)

    def _rests_on(self, pair: Pair, key: DependencyKey) -> bool:
        """Is it evidence of this step? What a person rejected is still known, but shows nothing."""
        level = self._graph.by_pipeline
        up, down = level.find(pair[0]), level.find(pair[1])
        return up is not None and down is not None and key in level.reasons(up, down)

    def _pair_level(self, pair: Pair) -> Level | None:
        level = self._graph.by_pipeline
        up, down = level.find(pair[0]), level.find(pair[1])
        if up is None or down is None:
            return None
        return self._level(level.adjacency.weight(up, down))

    def _level(self, confidence: float) -> Level | None:
        if confidence <= 0 or confidence < self._least:
            return None
        level = level_of(confidence)
        return Level.SHOW if level is Level.HIDDEN else level  # somebody asked for less sure ones

    def _undeclared(self, key: DependencyKey, now_s: float) -> Finding | None:
        dependency = self._graph.dependencies.get(key)
        level = self._level(dependency.confidence) if dependency else None
        if dependency is None or dependency.declared or level is None:
            return None
        pipelines = key.upstream.pipeline_key, key.downstream.pipeline_key
        kind = FindingKind.UNDECLARED_DEPENDENCY
        return Finding(_id_of(key), kind, pipelines, (key,), level, now_s, now_s)

    def _ring_news(self, now_s: float) -> list[Finding | None]:
        """A ring can only come, go or move with a step that both its ends are in a ring by."""
        pairs, self._moved_pairs = self._moved_pairs, set()
        near: set[PipelineKey] | None = None
        if self._rings_known and len(pairs) <= PAIRS_ALONE:
            near = set()
            for pair in pairs:
                near |= on_ring_with(self._graph, pair, self._least)
                for ring in (self._open[name].pipelines for name in self._rings):
                    near |= set(ring) if pair[0] in ring and pair[1] in ring else set()
        self._rings_known = True
        if near is not None and not near:
            return []
        known = {
            name
            for name in self._rings
            if near is None or not near.isdisjoint(self._open[name].pipelines)
        }
        rings = {ring.id: ring for ring in self._found_rings(near, now_s)}
        return [self._told(name, rings.get(name), now_s) for name in sorted(known | rings.keys())]

    def _found_rings(self, among: set[PipelineKey] | None, now_s: float) -> Iterator[Finding]:
        found = cycles(self._graph, self._least, among)
        inside = {pipeline for ring in found for pipeline in ring.pipelines}
        sure = {
            at: {ring.pipelines for ring in cycles(self._graph, at, inside)} if found else set()
            for at in (GATE_FROM, WARN_FROM)
        }
        for ring in found:
            level = Level.SHOW
            if ring.pipelines in sure[GATE_FROM]:
                level = Level.GATE
            elif ring.pipelines in sure[WARN_FROM]:
                level = Level.WARN
            yield _ring(ring, level, now_s)

    def _told(self, name: str, holds: Finding | None, now_s: float) -> Finding | None:
        return told(self._open.get(name), holds, now_s)


def _ring(cycle: Cycle, level: Level, now_s: float) -> Finding:
    evidence = sorted({key for edge in cycle.edges for key in edge.dependencies})
    name = finding_id(FindingKind.CYCLE, *map(str, cycle.pipelines))
    kind = FindingKind.CYCLE
    return Finding(name, kind, cycle.pipelines, tuple(evidence), level, now_s, now_s)


def _id_of(key: DependencyKey) -> str:
    parts = (*_parts(key.upstream), *_parts(key.downstream), *_parts(key.dataset))
    return finding_id(FindingKind.UNDECLARED_DEPENDENCY, *parts)


def _parts(key: TaskKey | DatasetKey) -> tuple[str, ...]:
    if isinstance(key, DatasetKey):
        return key.namespace, key.name
    return key.orchestrator, key.pipeline, key.task


def _order(pipeline: Pipeline | None) -> set[Pair]:
    """The steps between pipelines that one declares."""
    declared = pipeline.declared if pipeline else ()
    pairs = {(edge.upstream.pipeline_key, edge.downstream.pipeline_key) for edge in declared}
    return {pair for pair in pairs if pair[0] != pair[1]}
