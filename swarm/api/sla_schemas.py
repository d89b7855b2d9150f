"""How SLAs look outside."""

from collections.abc import Iterable
from dataclasses import asdict
from typing import Any, Self

from pydantic import Field

from swarm.api.schemas import Shape
from swarm.model.sla import Origin, SlaState, Standing, Week
from swarm.sequencing.scoring import by_week, muted, scored


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
    warned_at_s: float | None = Field(
        description="When it was first at risk of missing this deadline."
    )
    muted: str = Field(description="Why its warnings are not told; empty: they are.")
    origin: Origin = Field(description="Who says that it is one: the settings or the pipeline.")

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
            warned_at_s=state.warned_at_s,
            muted=muted(state.weeks),
            origin=state.origin,
        )


class ScoreRow(Shape):
    """How right the warnings were, of deadlines that have passed. What there is nothing to divide
    by is null."""

    deadlines: int
    warned: int
    right: int = Field(description="Those that were warned of and missed.")
    missed: int
    precision: float | None = Field(description="Of those warned of, the share that was missed.")
    recall: float | None = Field(description="Of those missed, the share that was warned of.")
    lead_s: float | None = Field(description="Median time from a right warning to its deadline.")


class WeekRow(ScoreRow):
    """The deadlines of all SLAs in the week that begins at `starts_s`, a Monday of UTC."""

    starts_s: float


class RuleRow(ScoreRow):
    """The warnings of one SLA, over the weeks that are kept."""

    name: str
    muted: str = Field(description="Why its warnings are not told; empty: they are.")


class SlaScores(Shape):
    """How right warnings of SLAs were, by week (the newest last) and by SLA."""

    weeks: list[WeekRow]
    rules: list[RuleRow]

    @classmethod
    def of(cls, states: Iterable[SlaState]) -> Self:
        weeks = {state.sla.name: state.weeks for state in states}
        return cls(
            weeks=[
                WeekRow(starts_s=week.starts_s, **_score([week]))
                for week in by_week(week for one in weeks.values() for week in one)
            ],
            rules=[
                RuleRow(name=name, muted=muted(weeks[name]), **_score(weeks[name]))
                for name in sorted(weeks)
            ],
        )


def _score(weeks: Iterable[Week]) -> dict[str, Any]:
    return asdict(scored(weeks))
