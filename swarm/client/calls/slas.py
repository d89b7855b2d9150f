"""By when pipelines have to be done: promised, offered, and how that stands."""

from collections.abc import Sequence
from typing import TypedDict

from swarm.client.call import Call, get, nothing, post, said


class Sla(TypedDict):
    """How an SLA stands for its next deadline, or the one that has just passed."""

    name: str
    pipeline: str
    standing: str
    deadline_s: float
    chance: float
    expected_s: float | None
    path: list[str]
    late: str | None
    warned_at_s: float | None
    muted: str
    origin: str


class SlaTerms(TypedDict):
    """By when a pipeline is to be done."""

    name: str
    pipeline: str
    at: str
    timezone: str
    days: list[str]
    value: float


class Offer(TypedDict):
    """A deadline that a pipeline has kept without having promised it."""

    sla: SlaTerms
    kept: int
    days: int
    confidence: float
    spare_s: float
    behind: int
    nearest: list[str]
    read_after_s: float | None


class Score(TypedDict):
    """How right the warnings were, of deadlines that have passed."""

    deadlines: int
    warned: int
    right: int
    missed: int
    precision: float | None
    recall: float | None
    lead_s: float | None


class WeekScore(Score):
    """The deadlines of all SLAs in the week that begins at `starts_s`."""

    starts_s: float


class SlaScore(Score):
    """The warnings of one SLA."""

    name: str
    muted: str


class SlaScores(TypedDict):
    """How right warnings of SLAs were, by week (the newest last) and by SLA."""

    weeks: list[WeekScore]
    rules: list[SlaScore]


def slas() -> Call[list[Sla]]:
    """How the SLAs stand, with the probability that each is missed and what decides that."""
    return get("slas")


def sla_score() -> Call[SlaScores]:
    """How right the warnings of SLAs were, by week and by SLA."""
    return get("slas/score")


def offered_slas() -> Call[list[Offer]]:
    """Deadlines that pipelines keep without having promised them, best first."""
    return get("slas/offered")


def accept_sla(
    pipeline: str,
    *,
    by: str,
    at: str | None = None,
    timezone: str | None = None,
    days: Sequence[str] | None = None,
    value: float | None = None,
) -> Call[SlaTerms]:
    """Promise what is offered of a pipeline or, with `at` ("07:30"), another time of day; the
    others as in the settings. Returns the SLA."""
    terms = said(at=at, timezone=timezone, days=days and list(days), value=value)
    return post("slas", {"pipeline": pipeline, "by": by, **terms})


def decline_sla(pipeline: str, *, by: str) -> Call[None]:
    """Have no SLA of a pipeline offered, and end the one that was accepted."""
    return post("slas/decline", {"pipeline": pipeline, "by": by}, nothing)
