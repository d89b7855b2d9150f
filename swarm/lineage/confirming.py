"""Which dependencies timing confirms, and which it has to be asked for anew.

Only a dependency that other channels show is ever asked for, so timing makes none. What a person
judged keeps the evidence it was judged on. The pipelines that feed both ends are those of known
dependencies and of declared edges; whether a dependency exists does not hang on timing, so neither
does what explains lateness away.
"""

from collections.abc import Iterable, Mapping, Set
from dataclasses import replace

from swarm.lineage.facts import Change, Facts
from swarm.lineage.timing import Rhythm, confirmed, may_confirm, together
from swarm.lineage.weighing import SMALLEST
from swarm.model.keys import PipelineKey, TaskKey
from swarm.model.lineage import Access, Channel, Dependency, DependencyKey, Proof
from swarm.model.weekdays import DAY_S

Filed = Mapping[TaskKey | PipelineKey, Set[DependencyKey]]


class Confirming:
    """Answers for one decision: `weighed` are the dependencies it has weighed anew (`None`: there
    is none), over the `known` ones, which `filed` finds by task and pipeline."""

    def __init__(
        self,
        facts: Facts,
        known: Mapping[DependencyKey, Dependency],
        filed: Filed,
        weighed: Mapping[DependencyKey, Dependency | None],
    ) -> None:
        self._facts = facts
        self._known = known
        self._filed = filed
        self._weighed = weighed
        self._rhythms: dict[PipelineKey, Rhythm] = {}
        self._feeding: dict[PipelineKey, set[PipelineKey]] = {}
        self._arisen: dict[PipelineKey, set[PipelineKey]] = {}
        for key, dependency in weighed.items():
            if dependency is not None:
                _, down = _pipelines(key)
                self._arisen.setdefault(down, set()).add(key.upstream.pipeline_key)

    def with_timing(self, dependency: Dependency) -> Dependency:
        """`dependency`, which has no timing in it yet, with what timing adds."""
        asked = dependency.verdict is None and dependency.confidence >= SMALLEST
        proof = self._proof(dependency.key) if asked else None
        if proof is None:
            return dependency
        return replace(
            dependency,
            confidence=confirmed(dependency.confidence, proof.weight),
            proofs=(*dependency.proofs, proof),
        )

    def moved(self, change: Change) -> set[DependencyKey]:
        """The dependencies not weighed anew of which timing says something else now."""
        ends = change.ran | change.pipelines
        ends |= {
            _pipelines(key)[1]
            for key, now in self._weighed.items()
            if (now is None) != (key not in self._known)
        }
        keys = {key for end in ends for key in self._filed.get(end, ())} - self._weighed.keys()
        return {key for key in keys if self._says_else(self._known[key])}

    def _says_else(self, known: Dependency) -> bool:
        if known.verdict is not None:
            return False
        before = next((p for p in known.proofs if p.channel is Channel.TIMING), None)
        now = self._proof(known.key)
        if before is None or now is None:
            return before is not now
        return now.weight != before.weight or now.last_seen_s >= before.last_seen_s + DAY_S

    def _proof(self, key: DependencyKey) -> Proof | None:
        up, down = _pipelines(key)
        if up == down or not may_confirm(self._rhythm(up)):
            return None
        shared = (self._feeds(up) & self._feeds(down)) - {up, down}
        found = together(
            self._rhythm(up), self._rhythm(down), [self._rhythm(one) for one in sorted(shared)]
        )
        if not found.weight:
            return None
        days = found.late + found.others
        return Proof(
            task=key.downstream,
            access=Access.READ,
            channel=Channel.TIMING,
            place=f"runs of {up} and {down}",
            excerpt=f"late on {found.late} of {days} days; the reader moved on {found.moved} of "
            f"them, on {found.moved_else} of {found.others} otherwise",
            last_seen_s=found.newest_s,
            weight=found.weight,
        )

    def _rhythm(self, pipeline: PipelineKey) -> Rhythm:
        if pipeline not in self._rhythms:
            self._rhythms[pipeline] = self._facts.runs.rhythm(pipeline)
        return self._rhythms[pipeline]

    def _feeds(self, pipeline: PipelineKey) -> set[PipelineKey]:
        """The pipelines right before `pipeline`."""
        if pipeline not in self._feeding:
            keys: Iterable[DependencyKey] = self._filed.get(pipeline, ())
            feeds = {
                key.upstream.pipeline_key
                for key in keys
                if _pipelines(key)[1] == pipeline
                and not (key in self._weighed and self._weighed[key] is None)
            }
            listed = self._facts.pipelines.get(pipeline)
            feeds |= {edge.upstream.pipeline_key for edge in listed.declared} if listed else set()
            self._feeding[pipeline] = feeds | self._arisen.get(pipeline, set())
        return self._feeding[pipeline]


def _pipelines(key: DependencyKey) -> tuple[PipelineKey, PipelineKey]:
    return key.upstream.pipeline_key, key.downstream.pipeline_key
