"""Everything that is ever written to a journal: outcomes, never requests.

A record tells what was decided, so replay only applies and never decides again. The records of a
stream are beside this: `graph.py`, `sequencing.py`, `dispatch.py`, `scaling.py` (of placement),
`connectors.py`, `alerts.py`. Here are the only one of the publisher, and one that any may hold.
"""

from dataclasses import dataclass

from swarm.model.alerts import AlertsRecord
from swarm.model.connectors import ConnectorRecord
from swarm.model.dispatch import DispatchRecord
from swarm.model.graph import GraphRecord
from swarm.model.keys import TaskKey
from swarm.model.scaling import PlacementRecord
from swarm.model.sequencing import SequencingRecord

# Rises when a record's fields change in a way an older reader could not skip.
RECORD_VERSION = 1


@dataclass(frozen=True, slots=True)
class LineageTold:
    """A catalogue was told what a task reads and writes, of which `digest` is one (empty: nothing
    any more). `refused` says why, where it did not want to know."""

    task: TaskKey
    digest: str
    refused: str = ""


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
