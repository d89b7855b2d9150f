"""What the dispatcher is told, and what it answers. All of it may be sent again."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from swarm.model.dispatch import AgentsWanted
from swarm.model.keys import PipelineKey
from swarm.model.sides import Sided
from swarm.model.work import LossCause, Offer, Outcome, Submission, TaskId, Token, WorkerId


@dataclass(frozen=True, slots=True)
class Now:
    """The dispatcher's two clocks: `steady_s` never jumps and measures silence, `wall_s` is the
    time of day and orders the queue."""

    steady_s: float
    wall_s: float


@dataclass(frozen=True, slots=True)
class Submit:
    """Somebody hands in tasks: all are taken, or none."""

    submissions: tuple[Submission, ...]


@dataclass(frozen=True, slots=True)
class Register:
    """A worker presents itself, at its start and whenever it is not known."""

    offer: Offer


@dataclass(frozen=True, slots=True)
class Acquire:
    """A worker asks for work for its free slots, and for so many tasks more that wait in it until
    a slot is free (`ahead`; for work of which many end within a blink). It repeats `number` until
    it has the answer and then counts on, so that a grant whose answer was lost is given once more
    and not twice."""

    worker: WorkerId
    number: int
    ahead: int = 0


@dataclass(frozen=True, slots=True)
class Renew:
    """A worker is alive. `held` are its grants whose end is not acknowledged yet, `started` those
    of them whose process runs; `acquired` is the last request whose answer it has."""

    worker: WorkerId
    acquired: int
    held: tuple[Token, ...] = ()
    started: tuple[Token, ...] = ()


@dataclass(frozen=True, slots=True)
class Finish:
    """A grant came to its end. `result` is JSON text; None where it is null or there is none.
    `silent`: it printed nothing, so nothing of it will be shipped."""

    token: Token
    outcome: Outcome
    detail: str = ""
    result: str | None = None
    silent: bool = False


@dataclass(frozen=True, slots=True)
class WorkerLost:
    """There is proof that a worker cannot run anything any more."""

    worker: WorkerId
    cause: LossCause


@dataclass(frozen=True, slots=True)
class Interruption:
    """A worker was told that its machine goes away soon; `ends` false: that it may. It takes no
    more work, and ends what it still runs when the time comes."""

    worker: WorkerId
    ends: bool


@dataclass(frozen=True, slots=True)
class Silence:
    """No sign of a worker. `fenced`: for so long that it must have ended its tasks itself."""

    worker: WorkerId
    fenced: bool


@dataclass(frozen=True, slots=True)
class Rearm:
    """The owner of a lost task has looked: run it again, or it has ended there already. For one
    that waits to be granted it changes nothing but what comes with it: a newer payload."""

    token: Token
    outcome: Outcome | None = None
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Cancel:
    """Somebody wants a task to end."""

    task: TaskId
    by: str


@dataclass(frozen=True, slots=True)
class Drain:
    """Somebody wants a worker to get no new tasks."""

    worker: WorkerId
    by: str


@dataclass(frozen=True, slots=True)
class WantAgents:
    """Somebody wants agents of a class to live, or no more of them."""

    wanted: AgentsWanted


@dataclass(frozen=True, slots=True)
class Hold:
    """Runs of `pipeline` that have not begun wait; for `for_s` seconds from now at most, unless it
    is said again. Those handed in before `from_s` (seconds since the epoch) do not. `reason` is one
    line for a person."""

    pipeline: PipelineKey
    for_s: float
    reason: str
    waits_for: tuple[PipelineKey, ...] = ()
    from_s: float = 0.0


@dataclass(frozen=True, slots=True)
class LeftOut:
    """Runs of `pipeline` that have not begun and were handed in from `from_s` to `until_s` (seconds
    since the epoch) never begin. `reason` is one line for a person."""

    pipeline: PipelineKey
    until_s: float
    reason: str
    cause_id: str = ""
    from_s: float = 0.0


@dataclass(frozen=True, slots=True)
class Guide:
    """All that sequencing wants of the queue now: what was said before and is not here is over.

    `slack_s` tells how many seconds from now a pipeline's tasks have to start, where they know no
    deadline of their own. Backfills of `yielding` pipelines give way to all else. Of both nothing
    stands after `for_s` seconds. What is `left_out` ends, for good.
    """

    holds: tuple[Hold, ...] = ()
    slack_s: Mapping[PipelineKey, float] = field(default_factory=dict)
    yielding: frozenset[PipelineKey] = frozenset()
    for_s: float = 60.0
    left_out: tuple[LeftOut, ...] = ()


@dataclass(frozen=True, slots=True)
class Propose:
    """All that placement proposes of where tasks run: what was said before and is not here is over,
    and nothing stands after `for_s` seconds. `careful`: what is critical and was not spoken of yet,
    tasks of the `promised` pipelines too, waits for dedicated capacity. `copies` are of tasks that
    run: where each is to run a second time. Backfills leave `kept_free` slots of the fleet free."""

    sided: tuple[Sided, ...] = ()
    careful: bool = False
    promised: frozenset[PipelineKey] = frozenset()
    for_s: float = 60.0
    copies: tuple[Sided, ...] = ()
    kept_free: int = 0


Event = (
    WantAgents
    | Guide
    | Propose
    | Submit
    | Register
    | Acquire
    | Renew
    | Finish
    | WorkerLost
    | Interruption
    | Silence
    | Rearm
    | Cancel
    | Drain
)


@dataclass(frozen=True, slots=True)
class Grants:
    """The answer to `Acquire`: run these; of `copies` another worker has the same grant."""

    tokens: tuple[Token, ...]
    copies: frozenset[Token] = frozenset()


@dataclass(frozen=True, slots=True)
class Orders:
    """The answer to `Renew`: end the revoked ones without a report, cancel, take nothing new."""

    revoked: tuple[Token, ...] = ()
    cancel: tuple[Token, ...] = ()
    drain: bool = False


class Receipt(StrEnum):
    """The answer to the rest. `STALE` and `UNKNOWN_WORKER` are expected and change nothing."""

    DONE = "done"
    STALE = "stale"  # about a grant that no longer counts
    UNKNOWN_WORKER = "unknown_worker"  # end what you run and register under a new id


Reply = Grants | Orders | Receipt


class Nod(StrEnum):
    """The answer to a beat, which is a sign of life and asks nothing."""

    NOTED = "noted"
    COME = "come"  # there are orders: renew now
    DEAF = "deaf"  # the same, and the answer is no contact: that has the next beat's
    UNKNOWN = "unknown"  # as `Receipt.UNKNOWN_WORKER`
