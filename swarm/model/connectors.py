"""What a connector tells: the batch that it hands to the graph, and the records of its own journal
stream.
"""

from dataclasses import dataclass
from enum import StrEnum

from swarm.model.columns import ColumnLineage
from swarm.model.facets import Facet
from swarm.model.foreign import ForeignWorker
from swarm.model.intents import Carried, Intent
from swarm.model.lineage import Coverage, Evidence, Unresolved, View, ViewInventory
from swarm.model.pipelines import Backfill, Inventory, JobOrder, Pipeline, Pool
from swarm.model.recovery import Recovered, Recovery
from swarm.model.runs import Run, TaskRun

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


ConnectorRecord = CursorMoved | ConnectorChanged | RecoveryEnded | IntentEnded
