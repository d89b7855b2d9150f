"""The shapes of what home-made schedulers push."""

from pydantic import Field

from swarm.api.schemas import Shape
from swarm.model.lineage import Access
from swarm.model.runs import RunState


class EvidenceBody(Shape):
    """An access that a home-made scheduler reports."""

    pipeline: str = Field(min_length=1, max_length=500)
    task: str = Field("", max_length=500)
    access: Access
    dataset: str = Field(min_length=1, max_length=2_000, description="URL or dotted table name.")
    place: str = Field("", max_length=2_000)
    excerpt: str = Field("", max_length=2_000)


class RunBody(Shape):
    """A run of a home-made scheduler's pipeline; times are seconds since the epoch."""

    pipeline: str = Field(min_length=1, max_length=500)
    run_id: str = Field(min_length=1, max_length=500)
    state: RunState
    scheduled_for_s: float | None = None
    started_at_s: float | None = None
    ended_at_s: float | None = None
    exit_code: int | None = None


class PushBody(Shape):
    """What a home-made scheduler pushes: runs and evidence, in any order, again if in doubt."""

    orchestrator: str = Field(min_length=1, max_length=100)
    runs: list[RunBody] = Field(default_factory=list, max_length=10_000)
    evidence: list[EvidenceBody] = Field(default_factory=list, max_length=10_000)
