"""Work that swarm runs itself: what is submitted, who can run it, how it ends.

`attempt` is the orchestrator's try; losing a worker never changes it. `grant` counts the leases
of one task. The fencing token of everything a task does is `(task, grant)`.
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import NewType

from swarm.model.keys import PipelineKey

TaskId = NewType("TaskId", str)
WorkerId = NewType("WorkerId", str)


class Effects(StrEnum):
    """What happens outside when a task runs twice; it decides how soon silence moves it."""

    FENCED = "fenced"  # its sink takes one commit of a task, of no older grant than it knows
    IDEMPOTENT = "idempotent"  # running it again gives the same
    UNSAFE = "unsafe"  # not known: it moves only when the other copy cannot run any more


class Rearm(StrEnum):
    """Who says that a lost task may run again."""

    SELF = "self"  # swarm, at once
    OWNER = "owner"  # the submitter, after it has checked and changed its own state


class SlaClass(StrEnum):
    """How long a task without a deadline may wait before it counts as late."""

    CRITICAL = "critical"
    STANDARD = "standard"
    BACKFILL = "backfill"


MARKET_LABEL = "ray.io/market-type"
OFFERING_LABEL = "swarm/offering"  # of a node: which kind of worker it is, by name
KEEP_OFF_LABEL = "swarm/keep-off"  # of a node: it is for other jobs, and swarm's work stays off it


class CapacityClass(StrEnum):
    """What kind of machine it is; the values are those of the label `ray.io/market-type`."""

    SPOT = "spot"
    DEDICATED = "on-demand"


class Outcome(StrEnum):
    """How a task ended, for good."""

    SUCCEEDED = "succeeded"
    FAILED = "failed"
    CANCELLED = "cancelled"
    PARKED = "parked"  # it takes its workers down with it; a person has to look
    SKIPPED = "skipped"  # its run was held until its latest start and is left out


class LossCause(StrEnum):
    """Why a grant did not come to an end."""

    PROCESS_EXIT = "process_exit"  # the worker's process ended
    OUT_OF_MEMORY = "out_of_memory"  # the worker was killed for memory
    NODE_GONE = "node_gone"  # the machine under it went away
    SILENT = "silent"  # no sign of the worker; it may still be alive
    SELF_FENCED = "self_fenced"  # silent for so long that it must have ended its tasks itself
    NOT_HELD = "not_held"  # the worker lives and does not know of the grant
    INTERRUPTED = "interrupted"  # its machine was about to go away, and said so


# Who drains a worker whose machine goes away, or may go.
NOTICE, ADVICE = "interruption notice", "rebalance recommendation"

# A loss of these speaks against what ran, not against the machine it ran on.
TIED_TO_TASK = frozenset({LossCause.PROCESS_EXIT, LossCause.OUT_OF_MEMORY})


@dataclass(frozen=True, slots=True)
class Resources:
    """An amount of what machines have. `cpu` in cores, `gpu` in devices."""

    cpu: float = 0.0
    memory_bytes: int = 0
    gpu: float = 0.0

    def __add__(self, other: "Resources") -> "Resources":
        return Resources(
            self.cpu + other.cpu, self.memory_bytes + other.memory_bytes, self.gpu + other.gpu
        )

    def __sub__(self, other: "Resources") -> "Resources":
        return Resources(
            self.cpu - other.cpu, self.memory_bytes - other.memory_bytes, self.gpu - other.gpu
        )

    def times(self, count: int) -> "Resources":
        return Resources(self.cpu * count, self.memory_bytes * count, self.gpu * count)

    def fits(self, room: "Resources") -> bool:
        """Is there room for it? Sums of fractions of a core may be off by a hair."""
        return (
            self.cpu <= room.cpu + 1e-9
            and self.memory_bytes <= room.memory_bytes
            and self.gpu <= room.gpu + 1e-9
        )

    def share_of(self, total: "Resources") -> float:
        """The dominant share: the largest part of any one resource (Ghodsi et al., DRF, 2011)."""
        parts = (
            (self.cpu, total.cpu),
            (self.memory_bytes, total.memory_bytes),
            (self.gpu, total.gpu),
        )
        return max((have / of for have, of in parts if of), default=0.0)


@dataclass(frozen=True, slots=True)
class Needs:
    """What a worker must have to run a task. Tasks of equal needs queue together."""

    capability: str = ""
    capacity: CapacityClass | None = None
    pool: str = ""
    resources: Resources = Resources(cpu=1.0)

    @property
    def is_free(self) -> bool:
        """Do they leave to others on which capacity it runs?"""
        return self.capacity is None and not self.pool and not self.capability


@dataclass(frozen=True, slots=True)
class Submission:
    """A task as it was handed in. What it runs is kept elsewhere under the same id, encrypted;
    `digest` tells two bodies of one id apart. `owner` is the plug-in that follows it, `attempt`
    and `subject` are the orchestrator's own words. Times are seconds since the epoch.

    `pipeline` and `run` are what it is a part of, where its orchestrator has that; after
    `queue_wait_max_s` without a word of its owner that orchestrator would give it up (0: never).
    `cause_id` is that of its grants and its end, too."""

    task: TaskId
    team: str
    digest: str
    submitted_at_s: float
    needs: Needs = Needs()
    effects: Effects = Effects.UNSAFE
    rearm: Rearm = Rearm.SELF
    sla: SlaClass = SlaClass.STANDARD
    deadline_s: float | None = None
    expected_duration_s: float = 0.0
    attempt: int = 1
    wait_for_capacity: bool = True  # else it is refused where no worker there ever was can run it
    subject: str = ""
    owner: str = ""
    pipeline: PipelineKey | None = None
    run: str = ""
    queue_wait_max_s: float = 0.0
    cause_id: str = ""

    @property
    def part_of(self) -> tuple[PipelineKey, str] | None:
        """The run it is a part of; None where that is not known."""
        return (self.pipeline, self.run) if self.pipeline and self.run else None

    @property
    def part(self) -> str:
        """The task of its pipeline that it is, where `subject` is `PIPELINE.TASK RUN`, or
        `PIPELINE.TASK[3] RUN` of a mapped one; else empty."""
        if self.part_of is None:
            return ""
        head, tail = f"{self.part_of[0].name}.", f" {self.run}"
        if not (self.subject.startswith(head) and self.subject.endswith(tail)):
            return ""
        name = self.subject[len(head) : -len(tail)]
        return name.rpartition("[")[0] if name.endswith("]") else name

    @property
    def may_run_twice(self) -> bool:
        """May it run on two workers at once? What an owner follows may not: it expects one."""
        return self.effects is not Effects.UNSAFE and self.rearm is Rearm.SELF

    @property
    def fills(self) -> PipelineKey | None:
        """The pipeline that it makes good for, where it is of a backfill."""
        return self.pipeline if self.sla is SlaClass.BACKFILL else None


@dataclass(frozen=True, slots=True)
class Offer:
    """A worker as it presents itself: one process on one node, one task at a time in each slot.

    `capabilities` are what it can do; the empty one is running programs. It renews every `renew_s`
    and ends what it runs after `fence_s` without contact; 0: as the settings say.
    """

    worker: WorkerId
    node: str
    slots: int
    resources: Resources
    capabilities: tuple[str, ...] = ("",)
    capacity: CapacityClass = CapacityClass.DEDICATED
    pool: str = ""
    renew_s: float = 1.0
    fence_s: float = 0.0


@dataclass(frozen=True, slots=True, order=True)
class Token:
    """The fencing token: a newer grant of the same task is larger."""

    task: TaskId
    grant: int


@dataclass(frozen=True, slots=True)
class Loss:
    """One grant that did not come to an end: a line of the task's story."""

    grant: int
    worker: WorkerId
    cause: LossCause
    started: bool
