"""The report of a scan: what a platform engineer would forward. Pure: values in, values out.

Undeclared dependencies come first, those on which most hangs on top: how many pipelines come after
it, directly or further down.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime

from swarm.cli.trust import Trust, counted, trust_in
from swarm.graph.index import DependencyGraph
from swarm.graph.query import rank
from swarm.model.findings import Finding
from swarm.model.graph import DependencyChanged, GraphRecord, PipelineSeen
from swarm.model.keys import TaskKey
from swarm.model.lineage import Dependency, Level, Proof, Recurrence, Tier, Unresolved, level_of
from swarm.model.pipelines import Pipeline
from swarm.sequencing.telling import remedy, story

SCHEMA_VERSION = 1

Json = None | bool | int | float | str | list["Json"] | dict[str, "Json"]


@dataclass(frozen=True, slots=True)
class Edge:
    """A dependency as it is reported.

    `dataset` is empty where tasks are only ordered and share no known data. `pipelines_behind`
    counts the pipelines that hang on an undeclared dependency between two pipelines.
    """

    upstream: TaskKey
    downstream: TaskKey
    dataset: str
    declared: bool
    confidence: float
    pipelines_behind: int | None = None
    proofs: tuple[Proof, ...] = ()
    how: str = ""
    recurrence: Recurrence | None = None

    @property
    def level(self) -> Level:
        return level_of(self.confidence)

    @property
    def crosses(self) -> bool:
        """Whether it leads from one pipeline to another."""
        return self.upstream.pipeline_key != self.downstream.pipeline_key


@dataclass(frozen=True, slots=True)
class Reading:
    """How the SQL text at `place` was read, of `task` where that is known; see `Extraction`.
    `unresolved` counts what of it is not understood, names in statements that are, too."""

    place: str
    dialect: str
    tier: Tier
    confidence: float
    abstained: str
    task: str = ""
    unresolved: int = 0


@dataclass(frozen=True, slots=True)
class Report:
    """Everything a reader gets, in the order to read it in."""

    generated_at: str
    pipelines: tuple[Pipeline, ...]
    edges: tuple[Edge, ...]
    unresolved: tuple[Unresolved, ...]
    unattributed: Mapping[str, int] = field(default_factory=dict)
    texts: tuple[Reading, ...] = ()
    hazards: tuple[Finding, ...] = ()

    @property
    def trust(self) -> tuple[Trust, ...]:
        """How far each pipeline is understood, the blindest first."""
        return tuple(trust_in(self.pipelines, self.unresolved))

    @property
    def by_tier(self) -> Mapping[str, int]:
        """SQL texts by the tier that read them, most first."""
        return counted(text.tier.value for text in self.texts)

    @property
    def by_dialect(self) -> Mapping[str, int]:
        """SQL texts by their dialect, most first; `generic` where none is known."""
        return counted(text.dialect or "generic" for text in self.texts)

    @property
    def partly_read(self) -> int:
        """SQL texts of which something was not understood."""
        return sum(text.confidence < 1 or text.unresolved > 0 for text in self.texts)

    @property
    def undeclared(self) -> tuple[Edge, ...]:
        return tuple(edge for edge in self.edges if not edge.declared)

    @property
    def by_orchestrator(self) -> Mapping[str, int]:
        """Pipelines seen, by orchestrator instance."""
        return Counter(pipeline.key.orchestrator for pipeline in self.pipelines)


def build(
    pipelines: Iterable[Pipeline],
    dependencies: Iterable[Dependency],
    unresolved: Iterable[Unresolved],
    *,
    min_confidence: float,
    generated_at_s: float,
    unattributed: Mapping[str, int] | None = None,
) -> Report:
    """Choose what is shown (dependencies of at least `min_confidence`) and put it in order."""
    known = tuple(sorted(pipelines, key=lambda pipeline: pipeline.key))
    shown = [found for found in dependencies if found.confidence >= min_confidence]
    records: list[GraphRecord] = [PipelineSeen(pipeline) for pipeline in known]
    records += [DependencyChanged(0, found) for found in shown]
    ranked = rank(DependencyGraph(records), min_confidence)
    behind = {one.dependency: one.pipelines_behind for one in ranked}
    edges = [
        *(_edge(found, behind.get(found.key)) for found in shown),
        *_ordered_only(known, shown),
    ]
    return Report(
        generated_at=datetime.fromtimestamp(generated_at_s, UTC).isoformat(timespec="seconds"),
        pipelines=known,
        edges=tuple(sorted(edges, key=_reading_order)),
        unresolved=tuple(sorted(unresolved, key=lambda u: (u.subject, u.place, u.detail))),
        unattributed=unattributed or {},
    )


def _edge(found: Dependency, pipelines_behind: int | None) -> Edge:
    return Edge(
        upstream=found.key.upstream,
        downstream=found.key.downstream,
        dataset=str(found.key.dataset),
        declared=found.declared,
        confidence=found.confidence,
        pipelines_behind=pipelines_behind,
        proofs=found.proofs,
        recurrence=found.recurrence,
    )


def _ordered_only(pipelines: Iterable[Pipeline], shown: Iterable[Dependency]) -> Iterator[Edge]:
    """Declared edges between tasks that share no known data."""
    through_data = {(found.key.upstream, found.key.downstream) for found in shown}
    for pipeline in pipelines:
        for edge in pipeline.declared:
            if (edge.upstream, edge.downstream) not in through_data:
                yield Edge(edge.upstream, edge.downstream, "", True, 1.0, how=edge.how)


def _reading_order(edge: Edge) -> tuple[bool, int, float, TaskKey, TaskKey, str]:
    return (
        edge.declared,
        -(edge.pipelines_behind or 0),
        -edge.confidence,
        edge.upstream,
        edge.downstream,
        edge.dataset,
    )


def as_json(report: Report) -> dict[str, Json]:
    """The report as a JSON tree; its shape changes only with `SCHEMA_VERSION`."""
    return {
        "schema_version": SCHEMA_VERSION,
        "generated_at": report.generated_at,
        "pipelines": [_pipeline_json(pipeline) for pipeline in report.pipelines],
        "understood": {
            "pipelines": [
                {
                    "orchestrator": one.pipeline.orchestrator,
                    "pipeline": one.pipeline.name,
                    "tasks": one.tasks,
                    "tasks_not_understood": list(one.blind),
                    "not_understood": round(one.share, 4),
                }
                for one in report.trust
            ],
            "texts_by_tier": dict(report.by_tier),
            "texts_by_dialect": dict(report.by_dialect),
            "texts_in_part": report.partly_read,
        },
        "edges": [_edge_json(edge) for edge in report.edges],
        "hazards": [_hazard_json(finding) for finding in report.hazards],
        "unattributed": dict(report.unattributed),
        "texts": [
            {
                "task": text.task,
                "place": text.place,
                "dialect": text.dialect,
                "tier": text.tier.value,
                "confidence": round(text.confidence, 4),
                "abstained": text.abstained,
                "unresolved": text.unresolved,
            }
            for text in report.texts
        ],
        "unresolved": [
            {"subject": u.subject, "reason": u.reason.value, "place": u.place, "detail": u.detail}
            for u in report.unresolved
        ],
    }


def _pipeline_json(pipeline: Pipeline) -> Json:
    return {
        "orchestrator": pipeline.key.orchestrator,
        "pipeline": pipeline.key.name,
        "tasks": [task.key.task for task in pipeline.tasks],
        "schedule": pipeline.schedule,
        "owner": pipeline.owner,
        "paused": pipeline.paused,
        "place": pipeline.place,
    }


def _edge_json(edge: Edge) -> Json:
    return {
        "upstream": _task_json(edge.upstream),
        "downstream": _task_json(edge.downstream),
        "dataset": edge.dataset,
        "declared": edge.declared,
        "confidence": round(edge.confidence, 4),
        "level": edge.level.value,
        "recurrence": _recurrence_json(edge.recurrence),
        "pipelines_behind": edge.pipelines_behind,
        "evidence": [_proof_json(proof) for proof in edge.proofs] or _order_json(edge),
    }


def _recurrence_json(often: Recurrence | None) -> Json:
    if often is None:
        return None
    return {
        "seen_days": often.seen,
        "looked_days": often.looks,
        "recurring": often.recurring,
        "first_seen_s": often.first_seen_s,
        "last_seen_s": often.last_seen_s,
    }


def _proof_json(proof: Proof) -> Json:
    return {
        "task": _task_json(proof.task),
        "access": proof.access.value,
        "channel": proof.channel.value,
        "place": proof.place,
        "excerpt": proof.excerpt,
        "weight": proof.weight,
        "still": proof.still,
        "via": [str(dataset) for dataset in proof.via],
    }


def words_of(finding: Finding) -> tuple[str, str]:
    """What is wrong, with what hangs on it, and what to do about it."""
    behind = finding.hazard.behind if finding.hazard is not None else 1
    hangs = f"{behind:,} pipeline{'s' * (behind != 1)}"
    return f"{story(finding)}; {hangs} behind it", remedy(finding)


def _hazard_json(finding: Finding) -> Json:
    hazard = finding.hazard
    assert hazard is not None
    return {
        "kind": finding.kind.value,
        "pipelines": [
            {"orchestrator": key.orchestrator, "pipeline": key.name} for key in finding.pipelines
        ],
        "level": finding.level.value,
        "pipelines_behind": hazard.behind,
        "seen": hazard.seen,
        "of": hazard.of,
        "chance": round(hazard.chance, 4),
        "story": story(finding),
        "remedy": remedy(finding),
    }


def _order_json(edge: Edge) -> list[Json]:
    """The evidence of an edge that is only declared: what declares it."""
    return [
        {
            "task": _task_json(edge.downstream),
            "access": "",
            "channel": "declared",
            "place": "",
            "excerpt": edge.how,
            "weight": 0.0,
            "still": 1.0,
            "via": [],
        }
    ]


def _task_json(task: TaskKey) -> Json:
    return {"orchestrator": task.orchestrator, "pipeline": task.pipeline, "task": task.task}
