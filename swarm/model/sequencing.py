"""The records of the sequencing's journal stream: SLAs, hazards, what was decided about pipelines,
and which of them are linked.

Hazards open and close in it as the findings of the graph do in its stream (`FindingChanged`).
"""

from dataclasses import dataclass

from swarm.model.findings import Finding, FindingKind, RuleWeek
from swarm.model.graph import FindingChanged
from swarm.model.intents import Intent
from swarm.model.keys import PipelineKey
from swarm.model.links import Link
from swarm.model.sla import Sla, SlaState


@dataclass(frozen=True, slots=True)
class SlaChanged:
    """An SLA stands otherwise than before."""

    state: SlaState


@dataclass(frozen=True, slots=True)
class SlaAccepted:
    """Somebody promised an SLA, in place of the one of its pipeline that was accepted before."""

    sla: Sla
    by: str
    at_s: float


@dataclass(frozen=True, slots=True)
class SlaDeclined:
    """Somebody wants no SLA of a pipeline: one that was accepted ends, none is offered."""

    pipeline: PipelineKey
    by: str
    at_s: float


@dataclass(frozen=True, slots=True)
class FindingMuted:
    """As `FindingChanged`, of a kind that is mostly wrong: nobody is told."""

    finding: Finding


@dataclass(frozen=True, slots=True)
class FindingRated:
    """Somebody said whether it was right to tell of a hazard."""

    finding: str
    is_right: bool
    by: str


@dataclass(frozen=True, slots=True)
class RuleScored:
    """What became of the findings of a kind, by week, changed."""

    rule: FindingKind
    weeks: tuple[RuleWeek, ...]


@dataclass(frozen=True, slots=True)
class HistoryKept:
    """The runs of the graph stream up to `seq` are in the snapshot."""

    seq: int


@dataclass(frozen=True, slots=True)
class IntentMade:
    """Something was decided about a pipeline. That it goes on is not told: who carries it out asks
    for it again in time."""

    intent: Intent


@dataclass(frozen=True, slots=True)
class LinkMade:
    """Somebody linked a pipeline to others, in place of the link it may have had."""

    link: Link


@dataclass(frozen=True, slots=True)
class LinkGone:
    """Nothing links a pipeline to others any more."""

    downstream: PipelineKey
    by: str


@dataclass(frozen=True, slots=True)
class LinkFed:
    """An upstream of a link succeeded for the stretch that begins at `part_s`, of a longer one from
    `partition_s` on that still waits for others (seconds since the epoch)."""

    downstream: PipelineKey
    upstream: PipelineKey
    partition_s: float
    part_s: float


SequencingRecord = (
    SlaChanged
    | SlaAccepted
    | SlaDeclined
    | FindingChanged
    | FindingMuted
    | FindingRated
    | RuleScored
    | HistoryKept
    | IntentMade
    | LinkMade
    | LinkGone
    | LinkFed
)
