"""How decisions about pipelines look outside."""

from typing import Self

from pydantic import Field

from swarm.api.schemas import Shape
from swarm.model.connectors import IntentEnded
from swarm.model.intents import Act, Carried, Intent, Mode
from swarm.sequencing.waited import Waited


class DecisionRow(Shape):
    """What is done about a pipeline. Times are seconds since the epoch."""

    pipeline: str
    number: int = Field(description="Of a pipeline the highest counts.")
    act: Act
    mode: Mode = Field(description="`gate` is carried out, `shadow` noted only.")
    reason: str
    waits_for: list[str] = Field(description="The pipelines it is held for.")
    due_s: list[float] = Field(
        description="The planned starts that fall into a hold, or are still to come after one."
    )
    until_s: float = Field(description="Until when it stands at the latest.")
    by: str = Field(description="`swarm`, or who wanted it.")
    outcome: Carried | None = Field(
        description="What came of it where the pipeline lives; null: not known yet."
    )
    detail: str = Field(description="Why, where it was not done.")

    @classmethod
    def of(cls, intent: Intent, ended: IntentEnded | None = None) -> Self:
        return cls(
            pipeline=str(intent.target),
            number=intent.number,
            act=intent.act,
            mode=intent.mode,
            reason=intent.reason,
            waits_for=[str(key) for key in intent.waits_for],
            due_s=list(intent.due_s),
            until_s=intent.valid_until_s,
            by=intent.by,
            outcome=ended.outcome if ended else None,
            detail=ended.detail if ended else "",
        )


class WaitedRow(Shape):
    """A planned start that swarm held, which had begun without it. Times are seconds since the
    epoch."""

    pipeline: str
    due_s: float = Field(description="When it was planned, from when on it waited.")
    until_s: float | None = Field(description="Until when it was held; null: it still is.")
    latest_s: float = Field(description="Until when at the latest.")
    left_out: bool = Field(description="It never began.")
    waits_for: list[str] = Field(description="The pipelines whose data was not there.")
    reason: str

    @classmethod
    def of(cls, one: Waited) -> Self:
        return cls(
            pipeline=str(one.pipeline),
            due_s=one.due_s,
            until_s=one.until_s,
            latest_s=one.latest_s,
            left_out=one.left_out,
            waits_for=[str(key) for key in one.waits_for],
            reason=one.reason,
        )


class HeldRow(Shape):
    """Whether a run is to wait. Ask again well before `for_s` is over."""

    for_s: float = Field(description="How many seconds more at most; 0: it is not held.")
    reason: str
    from_s: float = Field(
        0.0, description="A run that came before this, seconds since the epoch, does not wait."
    )
    left_out_in_s: float | None = Field(
        None, description="In so many seconds it is left out if it is held until then."
    )
    left_out: bool = Field(
        False, description="What was held was held until its latest start, and is left out."
    )


class ReleaseBody(Shape):
    """A person lets a pipeline go on."""

    pipeline: str = Field(min_length=1, max_length=2_000, description="Its name.")
    by: str = Field(min_length=1, max_length=200)


class HoldBody(ReleaseBody):
    """A person holds a pipeline."""

    for_s: float = Field(3_600.0, gt=0, le=7 * 86_400, description="For how long at most.")
