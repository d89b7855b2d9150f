"""What the API speaks: the JSON shapes, made from the model's values at the edge and only there."""

from typing import Self

from pydantic import BaseModel, ConfigDict, Field

from swarm.graph.diff import Diff
from swarm.graph.query import Impact
from swarm.graph.spread import Hit
from swarm.model.graph import QuestionAsked
from swarm.model.keys import DatasetKey, PipelineKey, TaskKey
from swarm.model.lineage import (
    Access,
    Dependency,
    DependencyKey,
    Level,
    Proof,
    Recurrence,
    Unresolved,
    Verdict,
    level_of,
)
from swarm.model.pipelines import Pipeline


class Shape(BaseModel):
    model_config = ConfigDict(extra="forbid")


class TaskName(Shape):
    """A task; an empty `task` is the pipeline as a whole."""

    orchestrator: str
    pipeline: str
    task: str = ""

    @classmethod
    def of(cls, key: TaskKey | PipelineKey) -> Self:
        if isinstance(key, PipelineKey):
            return cls(orchestrator=key.orchestrator, pipeline=key.name)
        return cls(orchestrator=key.orchestrator, pipeline=key.pipeline, task=key.task)

    def key(self) -> TaskKey:
        return TaskKey(self.orchestrator, self.pipeline, self.task)


class EvidenceLine(Shape):
    """One line of a dependency's ledger; a negative weight speaks against it."""

    task: TaskName
    access: Access
    channel: str
    place: str
    excerpt: str
    weight: float
    last_seen_s: float
    still: float = Field(description="How likely what runs showed still happens.")
    via: list[str] = Field(description="Views between the task and the dataset.")

    @classmethod
    def of(cls, proof: Proof) -> Self:
        return cls(
            task=TaskName.of(proof.task),
            access=proof.access,
            channel=proof.channel,
            place=proof.place,
            excerpt=proof.excerpt,
            weight=round(proof.weight, 3),
            last_seen_s=proof.last_seen_s,
            still=proof.still,
            via=[str(view) for view in proof.via],
        )


class RecurrenceRow(Shape):
    """On how many days the reader was seen to read, of those on which somebody looked."""

    seen_days: int
    looked_days: int
    recurring: bool
    first_seen_s: float
    last_seen_s: float

    @classmethod
    def of(cls, often: Recurrence) -> Self:
        return cls(
            seen_days=often.seen,
            looked_days=often.looks,
            recurring=often.recurring,
            first_seen_s=often.first_seen_s,
            last_seen_s=often.last_seen_s,
        )


class Edge(Shape):
    """`downstream` reads what `upstream` writes. `recurrence` is unknown where no run was seen."""

    upstream: TaskName
    downstream: TaskName
    dataset: str
    declared: bool
    confidence: float
    level: Level
    verdict: Verdict | None = None
    recurrence: RecurrenceRow | None = None
    evidence: list[EvidenceLine]

    @classmethod
    def of(cls, dependency: Dependency) -> Self:
        return cls(
            upstream=TaskName.of(dependency.key.upstream),
            downstream=TaskName.of(dependency.key.downstream),
            dataset=str(dependency.key.dataset),
            declared=dependency.declared,
            confidence=round(dependency.confidence, 4),
            level=dependency.level,
            verdict=dependency.verdict,
            recurrence=RecurrenceRow.of(dependency.recurrence) if dependency.recurrence else None,
            evidence=[EvidenceLine.of(proof) for proof in dependency.proofs],
        )


class QuestionRow(Shape):
    """A dependency that an owner is asked about: accept or reject it. Confidence and pipelines
    behind are as they were when it was asked."""

    upstream: TaskName
    downstream: TaskName
    dataset: str
    team: str = Field(description="Owner of the reader, else of the writer; empty: nobody's.")
    confidence: float
    level: Level
    pipelines_behind: int
    asked_at_s: float

    @classmethod
    def of(cls, asked: QuestionAsked) -> Self:
        return cls(
            upstream=TaskName.of(asked.key.upstream),
            downstream=TaskName.of(asked.key.downstream),
            dataset=str(asked.key.dataset),
            team=asked.team,
            confidence=round(asked.confidence, 4),
            level=level_of(asked.confidence),
            pipelines_behind=asked.pipelines_behind,
            asked_at_s=asked.asked_at_s,
        )


class PipelineRow(Shape):
    """A pipeline as its orchestrator describes it. One that is not `listed` no orchestrator knows:
    only data tells of it."""

    orchestrator: str
    pipeline: str
    tasks: list[str]
    schedule: str
    owner: str
    tags: list[str]
    paused: bool
    place: str
    listed: bool

    @classmethod
    def of(cls, pipeline: Pipeline, listed: bool) -> Self:
        return cls(
            orchestrator=pipeline.key.orchestrator,
            pipeline=pipeline.key.name,
            tasks=[task.key.task for task in pipeline.tasks],
            schedule=pipeline.schedule,
            owner=pipeline.owner,
            tags=list(pipeline.tags),
            paused=pipeline.paused,
            place=pipeline.place,
            listed=listed,
        )


class UnresolvedRow(Shape):
    """Something that could not be understood, and where."""

    subject: str
    reason: str
    place: str
    detail: str

    @classmethod
    def of(cls, unresolved: Unresolved) -> Self:
        return cls(
            subject=unresolved.subject,
            reason=unresolved.reason,
            place=unresolved.place,
            detail=unresolved.detail,
        )


class DatasetRow(Shape):
    """A dataset and the tasks at its two ends."""

    dataset: str
    written_by: list[TaskName]
    read_by: list[TaskName]


class HitRow(Shape):
    """A pipeline or task that is reached, and the last step of the surest way to it."""

    task: TaskName
    distance: int
    confidence: float
    declared: bool
    datasets: list[str]

    @classmethod
    def of(cls, hit: Hit) -> Self:
        return cls(
            task=TaskName.of(hit.key),
            distance=hit.distance,
            confidence=round(hit.confidence, 4),
            declared=hit.cause.declared,
            datasets=sorted({str(key.dataset) for key in hit.cause.dependencies}),
        )


class Reach(Shape):
    """Everything that is reached from one pipeline or task."""

    graph_version: int
    total: int
    hits: list[HitRow]

    @classmethod
    def of(cls, impact: Impact) -> Self:
        hits = [HitRow.of(hit) for hit in impact.hits]
        return cls(graph_version=impact.version, total=impact.total, hits=hits)


class EdgeName(Shape):
    """A dependency without its evidence."""

    upstream: TaskName
    downstream: TaskName
    dataset: str

    @classmethod
    def of(cls, key: DependencyKey) -> Self:
        return cls(
            upstream=TaskName.of(key.upstream),
            downstream=TaskName.of(key.downstream),
            dataset=str(key.dataset),
        )


class Changes(Shape):
    """What is different now; `changed` in confidence, evidence, verdict or declaration."""

    new: list[Edge]
    changed: list[Edge]
    gone: list[EdgeName]

    @classmethod
    def of(cls, diff: Diff) -> Self:
        return cls(
            new=[Edge.of(dependency) for dependency in diff.dependencies_new],
            changed=[Edge.of(dependency) for dependency in diff.dependencies_changed],
            gone=[EdgeName.of(key) for key in diff.dependencies_gone],
        )


class VerdictBody(Shape):
    """A person's word on a dependency; `verdict: null` takes it back."""

    upstream: TaskName
    downstream: TaskName
    dataset: str
    verdict: Verdict | None
    by: str = Field(min_length=1, max_length=200)

    def dataset_key(self) -> DatasetKey:
        """The dataset, for a dependency that is not known (any more)."""
        namespace, _, name = self.dataset.rpartition("/")
        return DatasetKey(namespace, name)
