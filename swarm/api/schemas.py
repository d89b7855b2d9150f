"""What the API speaks: the JSON shapes, made from the model's values at the edge and only there."""

from typing import Self

from pydantic import BaseModel, ConfigDict, Field

from swarm.model.keys import PipelineKey, TaskKey
from swarm.model.lineage import Access, Dependency, Proof, Unresolved, Verdict
from swarm.model.pipelines import Pipeline
from swarm.model.runs import RunState


class _Shape(BaseModel):
    model_config = ConfigDict(extra="forbid")


class TaskName(_Shape):
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


class EvidenceLine(_Shape):
    """One line of a dependency's ledger; a negative weight speaks against it."""

    task: TaskName
    access: Access
    channel: str
    place: str
    excerpt: str
    weight: float
    last_seen_s: float
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
            via=[str(view) for view in proof.via],
        )


class Edge(_Shape):
    """`downstream` reads what `upstream` writes."""

    upstream: TaskName
    downstream: TaskName
    dataset: str
    declared: bool
    confidence: float
    verdict: Verdict | None = None
    evidence: list[EvidenceLine]

    @classmethod
    def of(cls, dependency: Dependency) -> Self:
        return cls(
            upstream=TaskName.of(dependency.key.upstream),
            downstream=TaskName.of(dependency.key.downstream),
            dataset=str(dependency.key.dataset),
            declared=dependency.declared,
            confidence=round(dependency.confidence, 4),
            verdict=dependency.verdict,
            evidence=[EvidenceLine.of(proof) for proof in dependency.proofs],
        )


class PipelineRow(_Shape):
    """A pipeline as its orchestrator describes it."""

    orchestrator: str
    pipeline: str
    tasks: list[str]
    schedule: str
    owner: str
    tags: list[str]
    paused: bool
    place: str

    @classmethod
    def of(cls, pipeline: Pipeline) -> Self:
        return cls(
            orchestrator=pipeline.key.orchestrator,
            pipeline=pipeline.key.name,
            tasks=[task.key.task for task in pipeline.tasks],
            schedule=pipeline.schedule,
            owner=pipeline.owner,
            tags=list(pipeline.tags),
            paused=pipeline.paused,
            place=pipeline.place,
        )


class UnresolvedRow(_Shape):
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


class DatasetRow(_Shape):
    """A dataset and the tasks at its two ends."""

    dataset: str
    written_by: list[TaskName]
    read_by: list[TaskName]


class VerdictBody(_Shape):
    """A person's word on a dependency; `verdict: null` takes it back."""

    upstream: TaskName
    downstream: TaskName
    dataset: str
    verdict: Verdict | None
    by: str = Field(min_length=1, max_length=200)


class EvidenceBody(_Shape):
    """An access that a home-made scheduler reports."""

    pipeline: str = Field(min_length=1, max_length=500)
    task: str = Field("", max_length=500)
    access: Access
    dataset: str = Field(min_length=1, max_length=2_000, description="URL or dotted table name.")
    place: str = Field("", max_length=2_000)
    excerpt: str = Field("", max_length=2_000)


class RunBody(_Shape):
    """A run of a home-made scheduler's pipeline; times are seconds since the epoch."""

    pipeline: str = Field(min_length=1, max_length=500)
    run_id: str = Field(min_length=1, max_length=500)
    state: RunState
    started_at_s: float | None = None
    ended_at_s: float | None = None


class PushBody(_Shape):
    """What a home-made scheduler pushes: runs and evidence, in any order, again if in doubt."""

    orchestrator: str = Field(min_length=1, max_length=100)
    runs: list[RunBody] = Field(default_factory=list, max_length=10_000)
    evidence: list[EvidenceBody] = Field(default_factory=list, max_length=10_000)
