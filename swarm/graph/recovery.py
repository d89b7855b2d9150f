"""Which runs that died with a worker are to go on: intents, which a connector carries out.

Rules
1. Only a proof counts: the process that a run was in has ended, its worker has too, and who tells
   it held a handle on both. A silent worker never leads to anything but a finding.
2. Only runs of the orchestrators that were given by the settings, one intent for one loss.
3. An intent that nobody carried out by `valid_until_s` is forgotten. The finding stays.
"""

import hashlib
import json
from collections.abc import Iterable, Iterator

from swarm.model.findings import Finding
from swarm.model.foreign import Presence, RanOn, SeenBy
from swarm.model.graph import FindingChanged, GraphRecord, RecoveryIntended
from swarm.model.recovery import Recovery

VALID_S = 300.0
_REMEMBERED = 10_000


class Recoveries:
    """The newest intents."""

    def __init__(self, orchestrators: Iterable[str]) -> None:
        self._orchestrators = frozenset(orchestrators)
        self._known: dict[str, Recovery] = {}

    def apply(self, record: GraphRecord) -> None:
        if isinstance(record, RecoveryIntended):
            self._known[record.recovery.id] = record.recovery
            if len(self._known) > _REMEMBERED:
                del self._known[next(iter(self._known))]

    def decide(
        self, findings: Iterable[FindingChanged], process_of: dict[RanOn, str], now_s: float
    ) -> list[RecoveryIntended]:
        """The intents that follow from findings as they are told; `process_of` is where runs that
        go on, as far as their orchestrator knows, are run."""
        wanted = {
            recovery.id: recovery
            for told in findings
            for recovery in self._of(told.finding, process_of, now_s)
        }
        return [RecoveryIntended(one) for id_, one in wanted.items() if id_ not in self._known]

    def open(self, orchestrator: str, now_s: float) -> list[Recovery]:
        """What the connector of an orchestrator is to do now."""
        return [
            one
            for one in self._known.values()
            if one.pipeline.orchestrator == orchestrator and one.valid_until_s > now_s
        ]

    def records(self) -> Iterator[GraphRecord]:
        """A snapshot."""
        yield from map(RecoveryIntended, self._known.values())

    def _of(
        self, finding: Finding, process_of: dict[RanOn, str], now_s: float
    ) -> Iterator[Recovery]:
        worker = finding.worker
        if worker is None or finding.closed_at_s is not None:
            return
        proven = worker.presence is Presence.DEAD and worker.seen_by is SeenBy.BEAT
        for ran in worker.runs if proven else ():
            process = process_of.get(ran, "")
            mine = ran.pipeline.orchestrator in self._orchestrators and not ran.task
            if mine and process in worker.processes:
                id_ = _id_of(ran, process)
                yield Recovery(id_, ran.pipeline, ran.run_id, process, now_s + VALID_S)


def _id_of(ran: RanOn, process: str) -> str:
    parts = json.dumps([ran.pipeline.orchestrator, ran.pipeline.name, ran.run_id, process])
    return hashlib.blake2b(parts.encode(), digest_size=8).hexdigest()
