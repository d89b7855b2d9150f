"""Everything that is ever written to a journal: outcomes, never requests.

A record tells what was decided, so replay only applies and never decides again. `RECORD_VERSION`
rises when a record's fields change in a way an older reader could not skip.
"""

from dataclasses import dataclass
from enum import StrEnum

from swarm.model.alerts import Alert, Delivery, Told
from swarm.model.columns import ColumnLineage
from swarm.model.dispatch import DispatchRecord
from swarm.model.facets import Facet, FacetOf
from swarm.model.findings import Finding, FindingKind, RuleWeek
from swarm.model.foreign import ForeignWorker
from swarm.model.intents import Carried, Intent
from swarm.model.keys import DatasetKey, PipelineKey, TaskKey
from swarm.model.lineage import (
    Access,
    Channel,
    Coverage,
    Dependency,
    DependencyKey,
    Evidence,
    Unresolved,
    Verdict,
    View,
    ViewInventory,
)
from swarm.model.links import Link
from swarm.model.pipelines import Backfill, Inventory, JobOrder, Pipeline, Pool
from swarm.model.recovery import Recovered, Recovery
from swarm.model.runs import Ran, Run, TaskRun
from swarm.model.scaling import PlacementRecord
from swarm.model.sla import Sla, SlaState

RECORD_VERSION = 1

Item = (
    Pipeline
    | Inventory
    | Evidence
    | Coverage
    | View
    | ViewInventory
    | Unresolved
    | Facet
    | ColumnLineage
    | JobOrder
    | Run
    | TaskRun
    | Pool
    | Backfill
    | ForeignWorker
)


@dataclass(frozen=True, slots=True)
class Batch:
    """What a source saw. `cursor` is where the source goes on; sending a batch twice is safe.

    `unattributed`: how many statements of a history were nobody's, since the batch before.
    """

    source: str
    cursor: str
    items: tuple[Item, ...]
    unattributed: int = 0


# --- records of the graph stream -----------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class VerdictRequest:
    """A person accepts or rejects a dependency; `None` takes the verdict back."""

    key: DependencyKey
    verdict: Verdict | None
    by: str


@dataclass(frozen=True, slots=True)
class PipelineSeen:
    """A pipeline is new or its definition changed."""

    pipeline: Pipeline


@dataclass(frozen=True, slots=True)
class PipelineGone:
    """A pipeline is no longer in its orchestrator's inventory."""

    pipeline: PipelineKey


@dataclass(frozen=True, slots=True)
class EvidenceSeen:
    """An observation is new, or its last sighting moved."""

    evidence: Evidence


@dataclass(frozen=True, slots=True)
class EvidenceGone:
    """A newer complete reading of the same channel no longer shows this access; `last_seen_s` is
    when an earlier one did (0: not known)."""

    task: TaskKey
    access: Access
    dataset: DatasetKey
    channel: Channel
    last_seen_s: float = 0.0


@dataclass(frozen=True, slots=True)
class CoverageSeen:
    """A channel now covers a task."""

    coverage: Coverage


@dataclass(frozen=True, slots=True)
class ViewSeen:
    """`source` states a view that is new or whose definition changed."""

    view: View
    source: str = ""


@dataclass(frozen=True, slots=True)
class ViewGone:
    """`source` no longer states a view; others may."""

    dataset: DatasetKey
    source: str


@dataclass(frozen=True, slots=True)
class UnresolvedSeen:
    """Something could not be understood."""

    unresolved: Unresolved


@dataclass(frozen=True, slots=True)
class UnresolvedGone:
    """Something that could not be understood now can be, or is no longer there."""

    unresolved: Unresolved


@dataclass(frozen=True, slots=True)
class FacetSeen:
    """A facet is new or its content changed, or its last sighting moved."""

    facet: Facet


@dataclass(frozen=True, slots=True)
class FacetGone:
    """What a facet was about is gone, or there are too many beside it."""

    subject: TaskKey | DatasetKey
    of: FacetOf
    job: str
    name: str


@dataclass(frozen=True, slots=True)
class ColumnsSeen:
    """What a writer makes the columns of a dataset from is new or changed."""

    lineage: ColumnLineage


@dataclass(frozen=True, slots=True)
class ColumnsGone:
    """A writer of a dataset is gone, or there are too many beside it."""

    dataset: DatasetKey
    task: TaskKey | None
    job: str


@dataclass(frozen=True, slots=True)
class OrderSeen:
    """A job states an order that is new or changed."""

    order: JobOrder


@dataclass(frozen=True, slots=True)
class OrderGone:
    """The job that stated an order is gone."""

    by: TaskKey


@dataclass(frozen=True, slots=True)
class DependencyChanged:
    """A dependency is new or its strength, proofs, verdict or declaration changed."""

    version: int
    dependency: Dependency


@dataclass(frozen=True, slots=True)
class DependencyGone:
    """Nothing supports a dependency any more."""

    version: int
    key: DependencyKey


@dataclass(frozen=True, slots=True)
class VerdictGiven:
    """A person accepted or rejected a dependency (`None` takes the verdict back)."""

    key: DependencyKey
    verdict: Verdict | None
    by: str


@dataclass(frozen=True, slots=True)
class CalibrationChanged:
    """From now on channels weigh differently.

    `reliability`: P(sees), P(errs) and P(sees in part) of those that are not as they are known to
    be, as the channels judge each other. `offsets`: a sure report of a channel weighs so much more
    than that (log-odds), which follows from `verdicts` verdicts of people.
    """

    offsets: tuple[tuple[Channel, float], ...]
    verdicts: int
    reliability: tuple[tuple[Channel, float, float, float], ...] = ()


@dataclass(frozen=True, slots=True)
class QuestionAsked:
    """A team was asked whether a dependency is real; `confidence` and `pipelines_behind` are as
    they were then."""

    key: DependencyKey
    team: str
    asked_at_s: float
    confidence: float
    pipelines_behind: int


@dataclass(frozen=True, slots=True)
class RunSeen:
    """A run or a try of a task changed state."""

    run: Run | TaskRun


@dataclass(frozen=True, slots=True)
class RunsKept:
    """In snapshots: the last runs of a pipeline."""

    pipeline: PipelineKey
    runs: tuple[Ran, ...]


@dataclass(frozen=True, slots=True)
class CapacitySeen:
    """A pool or a backfill of an orchestrator changed."""

    capacity: Pool | Backfill


@dataclass(frozen=True, slots=True)
class ForeignWorkerSeen:
    """A process of an orchestrator appeared, fell silent, died, came back or was stopped; that it
    still lives is not told."""

    worker: ForeignWorker


@dataclass(frozen=True, slots=True)
class FindingChanged:
    """A finding opened, changed or closed."""

    finding: Finding


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
class HistoryKept:
    """The runs of the graph stream up to `seq` are in the snapshot."""

    seq: int


@dataclass(frozen=True, slots=True)
class RuleScored:
    """What became of the findings of a kind, by week, changed."""

    rule: FindingKind
    weeks: tuple[RuleWeek, ...]


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
class RecoveryIntended:
    """A run that died with its worker is to go on; its orchestrator's connector sees to it."""

    recovery: Recovery


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


# --- records of a connector stream ---------------------------------------------------------------


class ConnectorState(StrEnum):
    """How a connector's last pass ended."""

    OK = "ok"
    UNAVAILABLE = "unavailable"
    UNAUTHORIZED = "unauthorized"
    MALFORMED = "malformed"


@dataclass(frozen=True, slots=True)
class CursorMoved:
    """Everything of `source` up to `cursor` is in the graph's journal.

    `unattributed`: of how many statements nobody could tell whose they are, all in all.
    """

    source: str
    cursor: str
    unattributed: int = 0


@dataclass(frozen=True, slots=True)
class ConnectorChanged:
    """A connector began or ceased to be able to read its orchestrator."""

    source: str
    kind: str
    state: ConnectorState
    message: str


@dataclass(frozen=True, slots=True)
class RecoveryEnded:
    """What became of an intent of the graph stream; `detail` says why where it was not done."""

    recovery: Recovery
    outcome: Recovered
    detail: str = ""


@dataclass(frozen=True, slots=True)
class IntentEnded:
    """What came of an intent of the sequencing stream; `detail` says why where it was not done."""

    intent: Intent
    outcome: Carried
    detail: str = ""


# --- records of the alerts stream ----------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class AlertHeard:
    """A finding that somebody may have to be told of opened, changed or closed; the log of all
    streams was read up to `seq`."""

    finding: Finding
    seq: int
    cause_id: str = ""


@dataclass(frozen=True, slots=True)
class AlertComposed:
    """An alert is to be sent."""

    alert: Alert


@dataclass(frozen=True, slots=True)
class AlertEnded:
    """What came of an alert; `detail` says why where it was not sent."""

    alert: str
    target: str
    outcome: Delivery
    detail: str = ""


@dataclass(frozen=True, slots=True)
class AlertsKept:
    """In snapshots: the log of all streams was read up to `seq`, and what targets were told of and
    is still open."""

    seq: int
    told: tuple[tuple[str, tuple[Told, ...]], ...]


# --- records of the publisher stream -------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class LineageTold:
    """A catalogue was told what a task reads and writes, of which `digest` is one (empty: nothing
    any more). `refused` says why, where it did not want to know."""

    task: TaskKey
    digest: str
    refused: str = ""


GraphRecord = (
    PipelineSeen
    | PipelineGone
    | EvidenceSeen
    | EvidenceGone
    | CoverageSeen
    | ViewSeen
    | ViewGone
    | UnresolvedSeen
    | UnresolvedGone
    | FacetSeen
    | FacetGone
    | ColumnsSeen
    | ColumnsGone
    | OrderSeen
    | OrderGone
    | DependencyChanged
    | DependencyGone
    | VerdictGiven
    | CalibrationChanged
    | QuestionAsked
    | RunSeen
    | RunsKept
    | CapacitySeen
    | ForeignWorkerSeen
    | RecoveryIntended
    | FindingChanged
)
AlertsRecord = AlertHeard | AlertComposed | AlertEnded | AlertsKept
ConnectorRecord = CursorMoved | ConnectorChanged | RecoveryEnded | IntentEnded
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


@dataclass(frozen=True, slots=True)
class Quarantined:
    """In the place of a record that stopped its stream: who set it aside, why, and as what it was
    kept. It changes nothing."""

    type: str
    version: int
    body: str
    by: str
    reason: str
    at_s: float


Record = (
    GraphRecord
    | ConnectorRecord
    | SequencingRecord
    | PlacementRecord
    | DispatchRecord
    | AlertsRecord
    | LineageTold
    | Quarantined
)


@dataclass(frozen=True, slots=True)
class Entry:
    """A record where it stands: `seq` counts from 1 within `stream`; `cause_id` names the
    outside event it follows from."""

    stream: str
    seq: int
    at_s: float
    cause_id: str
    record: Record
