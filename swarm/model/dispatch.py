"""The records of the dispatcher's journal stream: what was decided about tasks and workers.

Beats, renewals and suspicions are never recorded: they only matter while they are fresh.
"""

from dataclasses import dataclass, field

from swarm.model.keys import PipelineKey
from swarm.model.work import Loss, LossCause, Offer, Outcome, Submission, TaskId, Token, WorkerId


@dataclass(frozen=True, slots=True)
class Submitted:
    """A task is accepted and will reach exactly one outcome."""

    submission: Submission


@dataclass(frozen=True, slots=True)
class Granted:
    """A task is leased to a worker. `acquire_no` is the worker's request it answers; `alone`: no
    other task may run beside it."""

    token: Token
    worker: WorkerId
    acquire_no: int
    alone: bool = False


@dataclass(frozen=True, slots=True)
class Started:
    """The worker says that the task's process runs."""

    token: Token


@dataclass(frozen=True, slots=True)
class Lost:
    """A grant will not come to an end that counts, unless it still reports before the next one.
    Nothing had been heard of its worker for `unheard_s`; None: that does not matter, or was not
    noted."""

    token: Token
    cause: LossCause
    unheard_s: float | None = field(default=None, compare=False)  # a measurement


@dataclass(frozen=True, slots=True)
class Copied:
    """A second worker runs the same grant, on a node of its own: whichever ends first counts.
    `acquire_no` as in `Granted`; `why` is one line for a person."""

    token: Token
    worker: WorkerId
    acquire_no: int
    why: str = ""


@dataclass(frozen=True, slots=True)
class CopyGone:
    """`worker` had the second copy and will not end it; the first one runs on."""

    token: Token
    worker: WorkerId
    cause: LossCause


@dataclass(frozen=True, slots=True)
class CopyLeads:
    """Who held the grant was lost, and `worker`, which has the second copy, holds it alone now:
    nothing has to run again. `unheard_s` as in `Lost`."""

    token: Token
    worker: WorkerId
    cause: LossCause
    unheard_s: float | None = field(default=None, compare=False)  # a measurement


@dataclass(frozen=True, slots=True)
class Rearmed:
    """A lost task may run again."""

    token: Token


@dataclass(frozen=True, slots=True)
class CancelAsked:
    """Somebody wants a running task to end; its worker is told with its next renewal."""

    task: TaskId
    by: str


@dataclass(frozen=True, slots=True)
class Ended:
    """A task reached its outcome. `token.grant` 0: it never ran. `detail` is for people. `silent`:
    it printed nothing. `copied`: two workers had it until then, and the other has to end it."""

    token: Token
    outcome: Outcome
    detail: str = ""
    silent: bool = False
    copied: bool = False


@dataclass(frozen=True, slots=True)
class WorkerJoined:
    """A worker presented itself. What it offers stays: a worker that changes takes a new id."""

    offer: Offer


@dataclass(frozen=True, slots=True)
class WorkerGone:
    """A worker is gone for good; a process that returns under its id is refused."""

    worker: WorkerId
    cause: LossCause


@dataclass(frozen=True, slots=True)
class DrainAsked:
    """A worker gets no new tasks."""

    worker: WorkerId
    by: str


@dataclass(frozen=True, slots=True)
class CapacityWanted:
    """Slots of a capability went away with their worker: something has to replace them."""

    capability: str
    slots: int


@dataclass(frozen=True, slots=True)
class AgentsWanted:
    """So many agents of the class at `path` (`package.module:Class`, found from the folder `cwd`)
    have to live, each with so much memory (0: any). The last record of a path counts."""

    path: str
    count: int
    memory_bytes: int = 0
    cwd: str = ""


@dataclass(frozen=True, slots=True)
class WorkerKept:
    """A live worker in a snapshot. `interrupted`: it drains because its machine goes away."""

    offer: Offer
    draining: bool
    acquire_no: int
    interrupted: bool = False


@dataclass(frozen=True, slots=True)
class TaskKept:
    """A live task in a snapshot. `worker` is who holds `grant`, if anybody does; `copy` has its
    second copy. `copy_no`: by which request one had it, also if it is gone (0: none had)."""

    submission: Submission
    state: str
    grant: int
    worker: WorkerId | None
    acquire_no: int
    alone: bool
    cancelled_by: str
    losses: tuple[Loss, ...]
    copy: WorkerId | None = None
    copy_no: int = 0


@dataclass(frozen=True, slots=True)
class EndedKept:
    """A task that ended not long ago, in a snapshot: its id is not free yet. `part_of` is the run
    that it began, pipeline and id."""

    task: TaskId
    digest: str
    grant: int
    outcome: Outcome
    part_of: tuple[PipelineKey, str] | None = None


# About one grant of a task, which its token names.
GrantRecord = Granted | Started | Copied | CopyGone | CopyLeads | Lost | Rearmed | Ended
DispatchRecord = (
    Submitted
    | GrantRecord
    | CancelAsked
    | WorkerJoined
    | WorkerGone
    | DrainAsked
    | CapacityWanted
    | AgentsWanted
    | WorkerKept
    | TaskKept
    | EndedKept
)
