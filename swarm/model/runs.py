"""Executions as their orchestrator reports them; times are seconds since the epoch."""

from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple

from swarm.model.keys import PipelineKey, TaskKey


class RunState(StrEnum):
    """The states of all orchestrators, folded into one set."""

    QUEUED = "queued"
    RUNNING = "running"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    CANCELLED = "cancelled"
    SKIPPED = "skipped"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Run:
    """One execution of a pipeline. `process` is what runs it, where that is told: `host:pid`, or
    `run_id@pid` where a server knows no host."""

    pipeline: PipelineKey
    run_id: str
    state: RunState
    scheduled_for_s: float | None = None
    started_at_s: float | None = None
    ended_at_s: float | None = None
    process: str = ""
    exit_code: int | None = None  # of a program


@dataclass(frozen=True, slots=True)
class TaskRun:
    """One try of a task, as the orchestrator counts tries; `process` as in `Run`."""

    task: TaskKey
    run_id: str
    attempt: int
    state: RunState
    started_at_s: float | None = None
    ended_at_s: float | None = None
    process: str = ""


class Ran(NamedTuple):
    """One ended run, without its name: a snapshot holds 60 of every pipeline, so it is short."""

    scheduled_for_s: float | None
    started_at_s: float
    ended_at_s: float
    failed: bool
