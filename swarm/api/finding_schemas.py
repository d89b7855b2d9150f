"""How findings look outside."""

from collections.abc import Mapping
from dataclasses import asdict
from typing import Self

from pydantic import Field

from swarm.api.foreign_schemas import ForeignWorkerRow
from swarm.api.schemas import Edge, Shape, TaskName
from swarm.api.sla_schemas import SlaRow
from swarm.model.findings import Finding, FindingKind, Hazard, Outcome
from swarm.model.lineage import Dependency, DependencyKey, Level
from swarm.model.sequencing import RuleScored
from swarm.sequencing.scoring import rule_muted, rule_scored
from swarm.sequencing.telling import remedy, story


class HazardRow(Shape):
    """What the runs of two pipelines show, and what to do about it."""

    story: str
    remedy: str
    behind: int = Field(description="Pipelines that hang on the reader, itself counted.")
    seen: int
    of: int = Field(description="Runs that were looked at; on `seen` of them it was so.")
    last_s: float | None = Field(description="When the newest of them began.")
    chance: float = Field(description="How likely it is at a run.")
    slack_s: tuple[float, float] | None = Field(
        description="From the writer's end to the reader's start, where the order was kept: in the "
        "tightest twentieth, and in the middle."
    )
    every_s: tuple[float, float] | None = Field(
        description="How often the writer and the reader run, where that is the hazard."
    )

    @classmethod
    def of_finding(cls, finding: Finding, hazard: Hazard) -> Self:
        told = {"story": story(finding), "remedy": remedy(finding)}
        return cls(**told, **asdict(hazard))


class MuteRow(Shape):
    """A person's word that a finding is known: nobody is told of it."""

    by: str
    until_s: float | None = Field(description="Until then; null: as long as it is open.")
    note: str


class FindingRow(Shape):
    """A dependency that nobody declared, pipelines that wait for each other in a ring, a worker of
    an orchestrator that is missing, or a hazard between two pipelines.

    `evidence` holds the dependencies that show it, as far as they still exist.
    """

    id: str
    kind: FindingKind
    subject: str = Field(description="What it is about, for people.")
    level: Level
    orchestrators: list[str]
    pipelines: list[TaskName]
    evidence: list[Edge]
    first_seen_s: float
    changed_at_s: float
    closed_at_s: float | None
    worker: ForeignWorkerRow | None = Field(description="The worker that is missing, if it is one.")
    sla: SlaRow | None = Field(description="The SLA that is at risk, if it is one.")
    hazard: HazardRow | None = Field(description="What runs show, if it is a hazard.")
    outcome: Outcome | None = Field(description="What became of a hazard, once that is known.")
    mute: MuteRow | None = Field(description="Who muted it, if somebody has and it lasts.")

    @classmethod
    def of(cls, finding: Finding, known: Mapping[DependencyKey, Dependency], now_s: float) -> Self:
        muted = finding.mute if finding.is_muted(now_s) else None
        return cls(
            id=finding.id,
            kind=finding.kind,
            subject=str(finding),
            level=finding.level,
            orchestrators=_orchestrators(finding),
            pipelines=[TaskName.of(key) for key in finding.pipelines],
            evidence=[Edge.of(known[key]) for key in finding.evidence if key in known],
            first_seen_s=finding.first_seen_s,
            changed_at_s=finding.changed_at_s,
            closed_at_s=finding.closed_at_s,
            worker=None if finding.worker is None else ForeignWorkerRow.of(finding.worker),
            sla=finding.sla and SlaRow.of(finding.sla),
            hazard=finding.hazard and HazardRow.of_finding(finding, finding.hazard),
            outcome=finding.outcome,
            mute=muted and MuteRow(**asdict(muted)),
        )


class FeedbackBody(Shape):
    """A thumb up or down."""

    right: bool = Field(description="Was it right to tell?")
    by: str = Field(min_length=1, max_length=200)


class UnmuteBody(Shape):
    """Who wants to be told again."""

    by: str = Field(min_length=1, max_length=200)


class MuteBody(UnmuteBody):
    """Who wants nobody to be told, for how long and why."""

    for_s: float | None = Field(
        None, gt=0, le=366 * 86_400, description="None: as long as it is open."
    )
    note: str = Field("", max_length=1_000)


class KindScoreRow(Shape):
    """What became of the findings of one kind of hazard, each judged once, over twelve weeks."""

    kind: FindingKind
    came_true: int
    acted_on: int
    rejected: int = Field(
        description="A person said that it is wrong, or that there is no such dependency."
    )
    refuted: int = Field(description="What was expected three times since and never came.")
    confirmed: int = Field(description="A person said that it was right to tell.")
    precision: float | None = Field(
        description="The share that came true, was acted on or confirmed."
    )
    muted: str = Field(description="Why findings of this kind are not told; empty: they are.")

    @classmethod
    def of(cls, told: RuleScored) -> Self:
        score = rule_scored(told.weeks)
        counts = asdict(score)
        muted = rule_muted(told.weeks)
        return cls(kind=told.rule, **counts, precision=score.precision, muted=muted)


def _orchestrators(finding: Finding) -> list[str]:
    found = {key.orchestrator for key in finding.pipelines}
    return sorted(found | ({finding.worker.orchestrator} if finding.worker else set()))
