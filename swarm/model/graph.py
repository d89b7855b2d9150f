"""The records of the graph's journal stream: what became known of pipelines, what they depend on,
where they run, and what was found there.
"""

from dataclasses import dataclass

from swarm.model.columns import ColumnLineage
from swarm.model.facets import Facet, FacetOf
from swarm.model.findings import Finding
from swarm.model.foreign import ForeignWorker
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
)
from swarm.model.pipelines import Backfill, JobOrder, Pipeline, Pool
from swarm.model.recovery import Recovery
from swarm.model.runs import Ran, Run, TaskRun


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
class RecoveryIntended:
    """A run that died with its worker is to go on; its orchestrator's connector sees to it."""

    recovery: Recovery


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
