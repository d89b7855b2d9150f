"""Processes of an orchestrator that swarm did not start and still watches: foreign workers."""

from dataclasses import dataclass
from enum import StrEnum

from swarm.model.keys import PipelineKey


class Role(StrEnum):
    """What a foreign worker is to its orchestrator."""

    SCHEDULER = "scheduler"
    DAG_PROCESSOR = "dag_processor"
    TRIGGERER = "triggerer"
    DAEMON = "daemon"
    WORKER = "worker"  # takes runs from a pool or a queue
    ATTEMPT = "attempt"  # the process around one try of a task, or around one flow run


class Presence(StrEnum):
    """Whether it is there."""

    ALIVE = "alive"
    SILENT = "silent"  # no sign of life for longer than its orchestrator's own interval
    DEAD = "dead"  # proven: its process ended, or its orchestrator says so
    STOPPED = "stopped"  # ended as it should, or nobody knows of it any more


class SeenBy(StrEnum):
    """Who tells of it."""

    SERVER = "server"  # the orchestrator's own API
    BEAT = "beat"  # the beat process on its node


@dataclass(frozen=True, slots=True)
class RanOn:
    """What a worker was running: a run, or one task of it (empty: the run as a whole)."""

    pipeline: PipelineKey
    run_id: str
    task: str = ""


@dataclass(frozen=True, slots=True)
class ForeignWorker:
    """One process as `seen_by` tells of it; `(orchestrator, name)` is the same for all who do.

    Workers of one `group` can stand in for each other. `heard_s` is its last sign of life and
    `started_s` when it began, `every_s` how often one is due and `silent_after_s` how long there
    may be none, by the orchestrator's own rule. `processes` are those known to run below it and to
    be dead with it, named as in `Run`; `runs` what the teller knows it was running.
    """

    orchestrator: str
    name: str
    role: Role
    seen_by: SeenBy
    presence: Presence
    heard_s: float
    started_s: float = 0.0
    every_s: float = 0.0
    silent_after_s: float = 0.0
    group: str = ""
    host: str = ""
    detail: str = ""
    processes: tuple[str, ...] = ()
    runs: tuple[RanOn, ...] = ()

    def __str__(self) -> str:
        return f"{self.orchestrator}/{self.name}"

    @property
    def is_missed(self) -> bool:
        """Whether it ought to be there and is not."""
        return self.presence in (Presence.SILENT, Presence.DEAD)
