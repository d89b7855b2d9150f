"""Shapes of what is told about the workers of orchestrators."""

from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field

from swarm.graph.advice import advice
from swarm.graph.beats import Beat, EndedProcess, HostBeat
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


_Word = Annotated[str, Field(min_length=1, max_length=500)]
_Seconds = Annotated[float, Field(ge=0, lt=1e11)]


class _Body(BaseModel):
    model_config = ConfigDict(extra="ignore")  # a newer beat may tell more


class EndedBody(_Body):
    """A process that has ended, and the run it was for, where it says."""

    pid: int = Field(ge=1)
    run_id: str = Field("", max_length=500)


class BeatBody(_Body):
    """One worker of an orchestrator, as the beat process on its node sees it."""

    orchestrator: _Word
    role: Role
    name: _Word = Field(description="As its server calls it; in Prefect `pool/worker`.")
    started_s: _Seconds = Field(description="Tells two processes of one name apart.")
    presence: Literal[Presence.ALIVE, Presence.DEAD, Presence.STOPPED]
    detail: str = Field("", max_length=500)
    ended: list[EndedBody] = Field(
        default=[], max_length=5_000, description="Its processes that have ended."
    )


class HostBeatBody(_Body):
    """All that is watched on a host; sending it again is safe."""

    host: _Word = Field(description="As the orchestrators call it.")
    every_s: float = Field(ge=0.1, le=60, description="Seconds until the next one.")
    workers: list[BeatBody] = Field(max_length=1_000)

    def told(self) -> HostBeat:
        """The values of it."""
        return HostBeat(
            self.host,
            self.every_s,
            tuple(
                Beat(
                    one.orchestrator,
                    one.name,
                    one.role,
                    one.presence,
                    one.started_s,
                    one.detail,
                    tuple(EndedProcess(ended.pid, ended.run_id) for ended in one.ended),
                )
                for one in self.workers
            ),
        )
