"""What orchestrators say about themselves: definitions, pools, backfills."""

from dataclasses import dataclass

from swarm.model.keys import PipelineKey, TaskKey
from swarm.model.sla import Sla


@dataclass(frozen=True, slots=True)
class Task:
    """A node of a pipeline; `kind` is the orchestrator's own word (operator, op, asset)."""

    key: TaskKey
    kind: str = ""


@dataclass(frozen=True, slots=True)
class DeclaredEdge:
    """The orchestrator runs `downstream` after `upstream`, and knows it.

    A `TaskKey` with an empty task means the pipeline as a whole: its end when it is upstream,
    its start when it is downstream. `how` says by what (task order, asset, sensor, trigger).
    """

    upstream: TaskKey
    downstream: TaskKey
    how: str


@dataclass(frozen=True, slots=True)
class Cron:
    """Starts by a clock: five cron fields in the time of `timezone`, by its IANA name or how far
    it is ahead of UTC (`+01:00`)."""

    fields: str
    timezone: str


@dataclass(frozen=True, slots=True)
class Pipeline:
    """A definition that is scheduled as a whole.

    `schedule` is cron text or the orchestrator's own words, `declared` every declared edge
    whose downstream lies in this pipeline. `slas` are those that it states in its orchestrator's
    own way; those of its tags are beside them. `crons` are all its starts by the clock; empty where
    the orchestrator does not tell them in full.
    """

    key: PipelineKey
    tasks: tuple[Task, ...] = ()
    declared: tuple[DeclaredEdge, ...] = ()
    schedule: str = ""
    owner: str = ""
    tags: tuple[str, ...] = ()
    paused: bool = False
    place: str = ""
    expected_duration_s: float | None = None
    slas: tuple[Sla, ...] = ()
    crons: tuple[Cron, ...] = ()


@dataclass(frozen=True, slots=True)
class Inventory:
    """All pipelines an orchestrator has now: what is missing here is gone."""

    orchestrator: str
    names: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Pool:
    """A limit on how much an orchestrator runs at once (pool, work queue, concurrency key)."""

    orchestrator: str
    name: str
    slots: int | None
    running: int = 0
    queued: int = 0
    paused: bool = False


@dataclass(frozen=True, slots=True)
class Backfill:
    """A re-run of past intervals; times are seconds since the epoch.

    `from_s` and `to_s` are the time it is of. Of one whose orchestrator knows its runs only, `left`
    have not ended, of those due from `since_s` on.
    """

    pipeline: PipelineKey
    backfill_id: str
    state: str
    from_s: float | None = None
    to_s: float | None = None
    since_s: float | None = None
    left: int | None = None


@dataclass(frozen=True, slots=True)
class JobOrder:
    """What the job `by` states of the order it is run in: edges that it is one end of."""

    by: TaskKey
    edges: tuple[DeclaredEdge, ...]
    observed_at_s: float
