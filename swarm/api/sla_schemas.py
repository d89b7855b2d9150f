"""How SLAs look outside."""

from typing import Self

from pydantic import Field

from swarm.api.schemas import Shape
from swarm.model.sla import SlaState, Standing


class SlaRow(Shape):
    """How an SLA stands for its next deadline, or the one that has just passed. Times are seconds
    since the epoch."""

    name: str
    pipeline: str
    standing: Standing
    deadline_s: float
    chance: float = Field(description="The probability that it is missed.")
    expected_s: float | None = Field(description="When it is done as likely as not.")
    path: list[str] = Field(description="What decides that, in order; the pipeline itself last.")
    late: str | None = Field(
        description="The first of them that is not where it usually is by now."
    )

    @classmethod
    def of(cls, state: SlaState) -> Self:
        return cls(
            name=state.sla.name,
            pipeline=str(state.sla.pipeline),
            standing=state.standing,
            deadline_s=state.deadline_s,
            chance=state.chance,
            expected_s=state.expected_s or None,
            path=[str(key) for key in state.path],
            late=str(state.late) if state.late else None,
        )
