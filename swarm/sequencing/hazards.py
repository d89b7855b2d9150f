"""Which hazards hold, as pipelines run and the graph moves.

`apply` follows the records of the graph stream and the hazards that were told; `decide` answers
with those that opened, changed or closed since it was last asked. It compares what holds with what
is open, so a crash between the two loses nothing.

Rules
1. A hazard is between two pipelines that data flow between and whose order no orchestrator keeps.
   It is as sure as the dependency.
2. What only may matter (another cadence, two writers) is never surer than `Level.SHOW`, a race
   never surer than `Level.WARN`.
3. A pipeline that is gone leaves a hazard with each reader that nobody else writes for, until
   somebody does or the reader is gone too.
"""

from collections.abc import Iterator
from itertools import combinations

from swarm.graph.query import MIN_CONFIDENCE, impact
from swarm.model.findings import Finding, FindingKind, Hazard, finding_id, told
from swarm.model.journal import (
    DependencyChanged,
    DependencyGone,
    FindingChanged,
    GraphRecord,
    PipelineGone,
    PipelineSeen,
    RunSeen,
    RunsKept,
)
from swarm.model.keys import DatasetKey, PipelineKey
from swarm.model.lineage import WARN_FROM, Dependency, DependencyKey, Level, level_of
from swarm.model.runs import Run
from swarm.sequencing.between import of_reader, of_writers
from swarm.sequencing.world import World

Pair = tuple[PipelineKey, PipelineKey]

_AT_MOST = {
    FindingKind.RACE: Level.WARN,
    FindingKind.CADENCE_MISMATCH: Level.SHOW,
    FindingKind.TWO_WRITERS: Level.SHOW,
}
_SURER = (Level.SHOW, Level.WARN, Level.GATE)


class Hazards:
    """What is open, of a world that moves only here."""

    def __init__(self, world: World, min_confidence: float = MIN_CONFIDENCE) -> None:
        self._least = min_confidence
        self._world = world
        self._open: dict[Pair, dict[str, Finding]] = {}
        # What moved since the last `decide`.
        self._moved: set[Pair] = set()
        self._lost: dict[Pair, set[DependencyKey]] = {}

    def apply(self, record: GraphRecord) -> None:
        """Follow a record; `world` follows it here too."""
        self._touch_by(record)
        self._world.apply(record)
        self._touch_by(record)
        match record:
            case FindingChanged(finding) if finding.hazard is not None:
                self._put(finding)
            case DependencyGone(_, key):
                self._lost.setdefault(_pair(key), set()).add(key)
            case _:
                pass

    def _touch_by(self, record: GraphRecord) -> None:
        match record:
            case RunSeen(Run(pipeline=key)) | RunsKept(key) | PipelineGone(key):
                self._touch(key)
            case PipelineSeen(pipeline):
                self._touch(pipeline.key)
            case DependencyChanged(_, Dependency(key=of)) | DependencyGone(_, of):
                self._moved.add(_pair(of))
                self._move_writers(of.dataset)
            case _:
                pass

    def decide(self, now_s: float) -> list[FindingChanged]:
        """The hazards that are not as they were last told."""
        moved, self._moved = self._moved, set()
        moved |= {pair for pair, found in self._open.items() if _orphaned(found)}
        changed = []
        for pair in sorted(moved):
            holds = {finding.id: finding for finding in self._held(pair, now_s)}
            known = self._open.get(pair, {})
            for name in sorted(known.keys() | holds.keys()):
                finding = told(known.get(name), holds.get(name), now_s)
                if finding is not None:
                    changed.append(FindingChanged(finding))
        self._lost.clear()
        return changed

    def records(self) -> Iterator[FindingChanged]:
        """A snapshot of what is open."""
        for findings in self._open.values():
            yield from map(FindingChanged, findings.values())

    def _put(self, finding: Finding) -> None:
        pair = finding.pipelines[0], finding.pipelines[1]
        found = self._open.setdefault(pair, {})
        if finding.closed_at_s is None:
            found[finding.id] = finding
            self._moved.add(pair)
        else:
            found.pop(finding.id, None)
        if not found:
            del self._open[pair]

    def _touch(self, pipeline: PipelineKey) -> None:
        """Look again at whatever this pipeline is one end of."""
        for near in self._near(pipeline, backwards=True):
            self._moved.add((near, pipeline))
        for near in self._near(pipeline, backwards=False):
            self._moved.add((pipeline, near))
            for dataset in self._between(pipeline, near):
                self._move_writers(dataset)

    def _move_writers(self, dataset: DatasetKey) -> None:
        self._moved |= set(combinations(sorted(self._writers(dataset)), 2))

    def _writers(self, dataset: DatasetKey) -> set[PipelineKey]:
        return {
            dependency.key.upstream.pipeline_key
            for dependency in self._world.graph.through(dataset)
            if dependency.confidence >= WARN_FROM
        }

    def _near(self, pipeline: PipelineKey, *, backwards: bool) -> list[PipelineKey]:
        level = self._world.graph.by_pipeline
        node = level.find(pipeline)
        if node is None:
            return []
        return [level.nodes[near] for near in level.adjacency.neighbours(node, backwards)]

    def _between(self, up: PipelineKey, down: PipelineKey) -> list[DatasetKey]:
        edge = self._world.graph.edge(up, down)
        return sorted({key.dataset for key in edge.dependencies})

    def _held(self, pair: Pair, now_s: float) -> Iterator[Finding]:
        """The hazards between the two, whichever way data flow."""
        one, other = pair
        keeps_order = other in self._near(one, backwards=False)
        edge = self._world.graph.edge(one, other) if keeps_order else None
        if edge is not None and not edge.declared and edge.confidence >= self._least:
            for kind, hazard in of_reader(self._world, edge, self._behind(other)):
                yield _finding(kind, pair, edge.dependencies, edge.confidence, hazard, now_s)
        if edge is None or not edge.declared:
            yield from self._shared(pair, now_s)
        yield from self._orphans(pair, now_s)

    def _shared(self, pair: Pair, now_s: float) -> Iterator[Finding]:
        """Those of two writers of one dataset."""
        one, other = pair
        if one > other or one in self._near(other, backwards=False):
            return  # told once, and not where data flow between them
        shared = [
            key
            for near in self._near(one, backwards=False)
            for key in self._world.graph.edge(one, near).dependencies
            if other in self._writers(key.dataset)
        ]
        if shared:
            behind = max(self._behind(key.downstream.pipeline_key) for key in shared)
            for kind, hazard in of_writers(self._world.history, one, other, behind):
                yield _finding(kind, pair, tuple(shared), WARN_FROM, hazard, now_s)

    def _orphans(self, pair: Pair, now_s: float) -> Iterator[Finding]:
        """That of a reader whose writer is gone."""
        gone, reader = pair
        if gone in self._world.graph.pipelines or reader not in self._world.graph.pipelines:
            return
        known = next(filter(_is_orphan, self._open.get(pair, {}).values()), None)
        keys = self._lost.get(pair, set()) | set(known.evidence if known else ())
        left = sorted(key for key in keys if not self._is_fed(key))
        if left:
            kind, hazard = FindingKind.GONE_WRITER, Hazard(self._behind(reader))
            yield _finding(kind, pair, tuple(left), WARN_FROM, hazard, now_s)

    def _is_fed(self, key: DependencyKey) -> bool:
        """Does somebody write the dataset for this reader?"""
        through = self._world.graph.through(key.dataset)
        return any(dependency.key.downstream == key.downstream for dependency in through)

    def _behind(self, reader: PipelineKey) -> int:
        known = self._world.graph.by_pipeline.find(reader) is not None
        return 1 + (impact(self._world.graph, reader, self._least, limit=0).total if known else 0)


def _finding(
    kind: FindingKind,
    pair: Pair,
    evidence: tuple[DependencyKey, ...],
    confidence: float,
    hazard: Hazard,
    now_s: float,
) -> Finding:
    name = finding_id(kind, *map(str, pair))
    level = level_of(confidence)
    at_most = _AT_MOST.get(kind, Level.GATE)
    shown = min((level, at_most), key=_SURER.index) if level in _SURER else Level.SHOW
    return Finding(name, kind, pair, evidence, shown, now_s, now_s, hazard=hazard)


def _pair(key: DependencyKey) -> Pair:
    return key.upstream.pipeline_key, key.downstream.pipeline_key


def _is_orphan(finding: Finding) -> bool:
    return finding.kind is FindingKind.GONE_WRITER


def _orphaned(found: dict[str, Finding]) -> bool:
    return any(map(_is_orphan, found.values()))
