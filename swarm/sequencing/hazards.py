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
4. What becomes of each is judged (`outcomes.py`). The findings of a kind that is mostly wrong
   (`rules.py`) are followed in silence: as `FindingMuted`, and none of them is told.
"""

from collections.abc import Iterator, Mapping, Set
from dataclasses import replace
from itertools import combinations

from swarm.errors import Rejected, UnknownKey
from swarm.graph.query import MIN_CONFIDENCE, impact
from swarm.model.findings import Finding, FindingKind, Hazard, Outcome, finding_id, told
from swarm.model.graph import (
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
from swarm.model.lineage import WARN_FROM, Dependency, DependencyKey, Level, Verdict, level_of
from swarm.model.links import Link
from swarm.model.runs import Run
from swarm.model.sequencing import FindingMuted, FindingRated, LinkMade, RuleScored
from swarm.sequencing.between import of_reader, of_writers
from swarm.sequencing.outcomes import outcome_of
from swarm.sequencing.rules import Rules
from swarm.sequencing.world import World

Pair = tuple[PipelineKey, PipelineKey]
HazardRecord = FindingChanged | FindingMuted | FindingRated | RuleScored

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
        self.rules = Rules()
        self._silent: set[str] = set()  # the findings that are followed and not told
        self._rated: dict[str, FindingRated] = {}  # of those that are not judged yet
        # What moved since the last `decide`.
        self._moved: set[Pair] = set()
        self._accepted: set[DependencyKey] = set()
        self._is_new = True
        self._lost: dict[Pair, set[DependencyKey]] = {}

    def apply(self, record: GraphRecord | HazardRecord | LinkMade) -> None:
        """Follow a record; `world` follows it here too."""
        match record:
            case FindingMuted(finding):
                self._put(finding, silent=True)
            case FindingChanged(finding) if finding.hazard is not None:
                self._put(finding, silent=False)
            case RuleScored():
                self.rules.apply(record)
            case FindingRated(name):
                self._rated[name] = record
                self._moved |= {pair for pair, found in self._open.items() if name in found}
            case LinkMade(link):
                self._hear(link)
            case _:
                self._follow(record)

    def _follow(self, record: GraphRecord) -> None:
        """A record of the graph."""
        known = self._world.graph.dependencies
        match record:
            case DependencyChanged(_, Dependency(key=key, verdict=Verdict.ACCEPTED)):
                if key in known and known[key].verdict is not Verdict.ACCEPTED:
                    self._accepted.add(key)
            case _:
                pass
        self._touch_by(record)
        self._world.apply(record)
        self._touch_by(record)
        if isinstance(record, DependencyGone):
            self._lost.setdefault(_pair(record.key), set()).add(record.key)

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

    def decide(self, now_s: float) -> list[HazardRecord]:
        """The hazards that are not as they were last told, and how right those before were."""
        moved, self._moved = self._moved, set()
        moved |= {pair for pair, found in self._open.items() if _orphaned(found)}
        holds = {pair: {one.id: one for one in self._held(pair, now_s)} for pair in sorted(moved)}
        outcomes = self._outcomes(holds)
        scored = self.rules.judged(((told.kind, what) for told, what in outcomes), now_s)
        muted = self.rules.muted(scored)
        turned = muted ^ self.rules.muted()
        for pair, found in self._open.items() if turned else ():
            if pair not in holds and any(one.kind in turned for one in found.values()):
                holds[pair] = found
        became = {told.id: what for told, what in outcomes}
        changed: list[HazardRecord] = [*scored]
        for pair in sorted(holds):
            known, now = self._open.get(pair, {}), holds[pair]
            for name in sorted(known.keys() | now.keys()):
                before = known.get(name)
                outcome = before.outcome if before and before.outcome else became.get(name)
                changed += self._told(before, now.get(name), outcome, muted, now_s)
        self._lost.clear()
        return changed

    def _outcomes(
        self, holds: Mapping[Pair, Mapping[str, Finding]]
    ) -> list[tuple[Finding, Outcome]]:
        """What became of those that were told before, where that shows only now."""
        # What a process hears until it is where the one before it was is no news.
        accepted = frozenset() if self._is_new else frozenset(self._accepted)
        self._is_new, self._accepted = False, set()
        world = self._world
        return [
            (told, what)
            for pair, now in holds.items()
            for told in self._open.get(pair, {}).values()
            if told.outcome is None
            and (what := self._said(told) or outcome_of(told, tuple(now.values()), accepted, world))
        ]

    def _said(self, told: Finding) -> Outcome | None:
        """What a person said of it."""
        rated = self._rated.get(told.id)
        if rated is None:
            return None
        return Outcome.CONFIRMED if rated.is_right else Outcome.REJECTED

    def _told(
        self,
        known: Finding | None,
        holds: Finding | None,
        outcome: Outcome | None,
        muted: Set[FindingKind],
        now_s: float,
    ) -> list[HazardRecord]:
        """What to write of one finding; one whose kind was muted since, or is no longer, ends as
        what it was and begins as what it is."""
        finding = told(known, replace(holds, outcome=outcome) if holds else None, now_s)
        if known is None or holds is None:
            if finding is None:
                return []
            silent = finding.kind in muted if known is None else known.id in self._silent
            return [_record(replace(finding, outcome=outcome), silent=silent)]
        was, silent = known.id in self._silent, known.kind in muted
        if was == silent:
            return [_record(finding, silent=silent)] if finding else []
        ends = replace(known, changed_at_s=now_s, closed_at_s=now_s)
        begins = finding or replace(known, changed_at_s=now_s)
        return [_record(ends, silent=was), _record(begins, silent=silent)]

    def records(self) -> Iterator[HazardRecord]:
        """A snapshot of what is open."""
        yield from self.rules.records()
        for findings in self._open.values():
            for finding in findings.values():
                yield _record(finding, silent=finding.id in self._silent)
        yield from self._rated.values()

    def find(self, name: str) -> Finding | None:
        """The finding of that id, where it is open and told."""
        return None if name in self._silent else self._any(name)

    def rated(self, finding_id: str, by: str, *, is_right: bool) -> FindingRated | None:
        """What somebody says of a hazard; None where it was said before. Raises `UnknownKey` and
        `Rejected`."""
        said = FindingRated(finding_id, is_right, by)
        told = self._any(finding_id)
        if told is None:
            raise UnknownKey(f"no hazard {finding_id} is open; `swarm findings` lists what is")
        outcome = told.outcome or self._said(told)
        if outcome is None:
            return said
        if outcome is (Outcome.CONFIRMED if is_right else Outcome.REJECTED):
            return None
        word = outcome.replace("_", " ")
        raise Rejected(f"{finding_id} is judged already, once and for all: {word}")

    def _any(self, name: str) -> Finding | None:
        return next((of[name] for of in self._open.values() if name in of), None)

    def _put(self, finding: Finding, *, silent: bool) -> None:
        pair = finding.pipelines[0], finding.pipelines[1]
        found = self._open.setdefault(pair, {})
        self._silent.discard(finding.id)
        if finding.closed_at_s is not None or finding.outcome is not None:
            self._rated.pop(finding.id, None)
        if finding.closed_at_s is None:
            found[finding.id] = finding
            if silent:
                self._silent.add(finding.id)
            self._moved.add(pair)
        else:
            found.pop(finding.id, None)
        if not found:
            del self._open[pair]

    def _hear(self, link: Link) -> None:
        """Somebody had the reader start when the writer is done."""
        for upstream in link.upstreams:
            for finding in self._open.get((upstream, link.downstream), {}).values():
                self._accepted |= set(finding.evidence)
                self._moved.add((upstream, link.downstream))

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


def _record(finding: Finding, *, silent: bool) -> HazardRecord:
    return FindingMuted(finding) if silent else FindingChanged(finding)


def _pair(key: DependencyKey) -> Pair:
    return key.upstream.pipeline_key, key.downstream.pipeline_key


def _is_orphan(finding: Finding) -> bool:
    return finding.kind is FindingKind.GONE_WRITER


def _orphaned(found: dict[str, Finding]) -> bool:
    return any(map(_is_orphan, found.values()))
