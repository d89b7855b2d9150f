"""What people are told about: undeclared dependencies, rings of pipelines, missing workers."""

from dataclasses import dataclass
from enum import StrEnum

from swarm.model.foreign import ForeignWorker
from swarm.model.keys import PipelineKey
from swarm.model.lineage import DependencyKey, Level


class FindingKind(StrEnum):
    """What was found."""

    UNDECLARED_DEPENDENCY = "undeclared_dependency"
    CYCLE = "cycle"  # pipelines each of which is downstream of every other
    MISSING_WORKER = "missing_worker"  # a process of an orchestrator is dead or silent


@dataclass(frozen=True, slots=True)
class Finding:
    """Something that holds from `first_seen_s` to `closed_at_s` (None: it still does).

    `id` follows from the kind and the subject alone, so what is found again after it was closed
    has the same one and a new `first_seen_s`. `pipelines` are the writer's and the reader's, all
    of a ring, or what ran on the missing `worker`; `evidence` are the dependencies that show it.
    `changed_at_s` is when it was opened, closed, or had its level, evidence or worker changed.
    """

    id: str
    kind: FindingKind
    pipelines: tuple[PipelineKey, ...]
    evidence: tuple[DependencyKey, ...]
    level: Level
    first_seen_s: float
    changed_at_s: float
    closed_at_s: float | None = None
    worker: ForeignWorker | None = None

    def __str__(self) -> str:
        if self.worker is not None:
            count = len(self.worker.runs)
            ran = f", {count} run{'s' * (count != 1)} on it" if count else ""
            return f"{self.worker} is {self.worker.presence}{ran}"
        if self.kind is FindingKind.CYCLE:
            return ", ".join(map(str, self.pipelines))
        return ", ".join(
            f"{d.upstream} -> {d.downstream} through {d.dataset}" for d in self.evidence
        )
