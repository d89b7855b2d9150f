"""How a what-if is asked, and how its answer looks outside. Times of day are UTC."""

from collections.abc import Callable
from math import isfinite
from typing import Annotated, Self

from pydantic import Field, StringConstraints

from swarm.api.schemas import Shape
from swarm.errors import InputError
from swarm.model.keys import PipelineKey, TaskKey
from swarm.sequencing.profile import Spread
from swarm.sequencing.whatif import (
    DRAWS,
    Added,
    Changes,
    Ends,
    Filling,
    Loss,
    Outlook,
    PipelineOutlook,
)

Name = Annotated[str, Field(min_length=1, max_length=2_000)]
TimeOfDay = Annotated[str, StringConstraints(pattern=r"^([01]\d|2[0-3]):[0-5]\d$")]
Find = Callable[[str], PipelineKey | TaskKey]


class LateBody(Shape):
    """A pipeline begins so much later."""

    pipeline: Name
    by_s: float = Field(gt=0, le=7 * 86_400)


class LossBody(Shape):
    """A share of the slots of an orchestrator, or of each where none is named, is gone."""

    orchestrator: str = Field("", max_length=100)
    share: float = Field(gt=0, le=1)
    at: TimeOfDay
    for_s: float = Field(gt=0, le=7 * 86_400)


class BackfillBody(Shape):
    """More runs of a pipeline, so many at once, from a time on or all day."""

    pipeline: Name
    runs: int = Field(ge=1, le=10_000)
    at_once: int = Field(1, ge=1, le=1_000)
    at: TimeOfDay | None = None


class AddedBody(Shape):
    """A new pipeline (`orchestrator/name`), and those it stands behind and before."""

    pipeline: str = Field(pattern=r"^[^/]+/.+$", max_length=2_000)
    takes_s: float = Field(ge=0, le=30 * 86_400)
    at: TimeOfDay | None = None
    after: list[Name] = Field(default_factory=list, max_length=1_000)
    before: list[Name] = Field(default_factory=list, max_length=1_000)

    def added(self, find: Find, new: set[PipelineKey]) -> Added:
        """Those beside it are known to `find`, or `new` too."""

        def key(name: str) -> PipelineKey:
            return next((one for one in new if str(one) == name), None) or _pipeline(find, name)

        at_s = None if self.at is None else _second(self.at)
        after, before = (tuple(map(key, names)) for names in (self.after, self.before))
        return Added(_named(self.pipeline), self.takes_s, at_s, after, before)


class WhatIfBody(Shape):
    """What is otherwise on the day ahead. `slots` are so many more or fewer runs at once, `room` is
    how many there may be now where runs do not show it; both by orchestrator, `""`: each."""

    late: list[LateBody] = Field(default_factory=list, max_length=1_000)
    slots: dict[str, int] = Field(default_factory=dict, max_length=100)
    room: dict[str, Annotated[int, Field(ge=0, le=100_000)]] = Field(
        default_factory=dict, max_length=100
    )
    losses: list[LossBody] = Field(default_factory=list, max_length=100)
    backfills: list[BackfillBody] = Field(default_factory=list, max_length=100)
    added: list[AddedBody] = Field(default_factory=list, max_length=1_000)
    draws: int = Field(DRAWS, ge=10, le=10_000)
    seed: int = 1

    def changes(self, find: Find) -> Changes:
        """With the pipelines that `find` knows by these names. Raises `UnknownKey`."""
        new = {_named(one.pipeline) for one in self.added}
        return Changes(
            late_s={_pipeline(find, one.pipeline): one.by_s for one in self.late},
            slots=self.slots,
            room=self.room,
            losses=tuple(
                Loss(one.share, _second(one.at), one.for_s, one.orchestrator) for one in self.losses
            ),
            fillings=tuple(
                Filling(
                    _pipeline(find, one.pipeline),
                    one.runs,
                    one.at_once,
                    None if one.at is None else _second(one.at),
                )
                for one in self.backfills
            ),
            added=tuple(one.added(find, new) for one in self.added),
        )


class EndsRow(Shape):
    """When a pipeline is done; null: never."""

    p50_s: float | None = Field(description="As likely as not by then; seconds since the epoch.")
    p90_s: float | None = Field(description="On nine of ten days by then.")

    @classmethod
    def of(cls, ends: Ends) -> Self:
        return cls(p50_s=_finite(ends.p50_s), p90_s=_finite(ends.p90_s))


class AheadRow(EndsRow):
    """When a pipeline is done on a day that is not over."""

    pipeline: str

    @classmethod
    def named(cls, key: PipelineKey, ends: Ends) -> Self:
        return cls(pipeline=str(key), p50_s=_finite(ends.p50_s), p90_s=_finite(ends.p90_s))


class PipelineOutlookRow(Shape):
    """A pipeline without (null: it is new) and with the change."""

    pipeline: str
    before: EndsRow | None
    after: EndsRow
    later_share: float = Field(description="Share of the days on which it is done over 60 s later.")
    moved_s: float | None = Field(description="The middle difference; null: it is never done.")

    @classmethod
    def of(cls, one: PipelineOutlook) -> Self:
        return cls(
            pipeline=str(one.key),
            before=EndsRow.of(one.before) if one.before else None,
            after=EndsRow.of(one.after),
            later_share=one.later,
            moved_s=_finite(one.moved_s),
        )


class SlaOutlookRow(Shape):
    """The probability that an SLA is missed, without and with the change; null: not known."""

    name: str
    pipeline: str
    deadline_s: float
    before: float | None
    after: float | None


class OutlookRow(Shape):
    """The day ahead, as it usually goes and with the change; most moved first."""

    begins_s: float
    days: int = Field(description="On how many days like it that rests.")
    draws: int
    slots: dict[str, int] = Field(description="Runs at once there is room for, by orchestrator.")
    slas: list[SlaOutlookRow]
    pipelines: list[PipelineOutlookRow]
    unknown: list[str] = Field(description="Pipelines whose runs do not tell.")

    @classmethod
    def of(cls, found: Outlook) -> Self:
        return cls(
            begins_s=found.begins_s,
            days=found.days,
            draws=found.draws,
            slots=dict(found.slots),
            slas=[
                SlaOutlookRow(
                    name=one.sla.name,
                    pipeline=str(one.sla.pipeline),
                    deadline_s=one.deadline_s,
                    before=one.before,
                    after=one.after,
                )
                for one in found.slas
            ],
            pipelines=[PipelineOutlookRow.of(one) for one in found.pipelines],
            unknown=[str(key) for key in found.unknown],
        )


class DurationRow(Shape):
    """How long the good runs of a pipeline took."""

    pipeline: str
    runs: int
    p50_s: float
    p90_s: float

    @classmethod
    def of(cls, key: PipelineKey, seconds: list[float]) -> Self:
        """`seconds` is not empty."""
        took = Spread.over(seconds)
        return cls(pipeline=str(key), runs=len(seconds), p50_s=took.p50_s, p90_s=took.p90_s)


def _pipeline(find: Find, name: str) -> PipelineKey:
    found = find(name)
    return found.pipeline_key if isinstance(found, TaskKey) else found


def _named(name: str) -> PipelineKey:
    orchestrator, _, rest = name.partition("/")
    if not rest:
        raise InputError(f"`{name}` names no pipeline; write orchestrator/name")
    return PipelineKey(orchestrator, rest)


def _second(at: str) -> float:
    hours, minutes = at.split(":")
    return 3_600.0 * int(hours) + 60.0 * int(minutes)


def _finite(at_s: float) -> float | None:
    return at_s if isfinite(at_s) else None
