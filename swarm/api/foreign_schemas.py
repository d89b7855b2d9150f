"""Shapes of what is told about the workers of orchestrators."""

from typing import Self

from pydantic import BaseModel, Field

from swarm.graph.advice import advice
from swarm.model.foreign import ForeignWorker, Presence, RanOn, Role, SeenBy


class RanOnRow(BaseModel):
    """A run, or one task of it where `task` is not empty."""

    pipeline: str
    run_id: str
    task: str

    @classmethod
    def of(cls, ran: RanOn) -> Self:
        return cls(pipeline=str(ran.pipeline), run_id=ran.run_id, task=ran.task)


class ForeignWorkerRow(BaseModel):
    """A process of an orchestrator, as `seen_by` tells of it."""

    orchestrator: str
    name: str
    role: Role
    seen_by: SeenBy
    presence: Presence
    heard_s: float = Field(
        description="Its last sign of life that changed anything, seconds since the epoch."
    )
    started_s: float
    silent_after_s: float = Field(description="Seconds without a sign after which it is missed.")
    group: str
    host: str
    detail: str
    runs: list[RanOnRow] = Field(description="What ran on it when it went missing.")
    advice: str = Field(description="What to do about it; empty when nothing is.")

    @classmethod
    def of(cls, worker: ForeignWorker) -> Self:
        return cls(
            orchestrator=worker.orchestrator,
            name=worker.name,
            role=worker.role,
            seen_by=worker.seen_by,
            presence=worker.presence,
            heard_s=worker.heard_s,
            started_s=worker.started_s,
            silent_after_s=worker.silent_after_s,
            group=worker.group,
            host=worker.host,
            detail=worker.detail,
            runs=[RanOnRow.of(ran) for ran in worker.runs],
            advice=advice(worker),
        )
