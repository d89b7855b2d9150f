"""How the parts see each other's actors, without Ray."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from swarm.dispatch.detector import Detection
from swarm.dispatch.events import Event, Rearm, Reply
from swarm.dispatch.explanation import Explanation
from swarm.errors import Rejected
from swarm.graph.beats import HostBeat
from swarm.model.connectors import Batch
from swarm.model.findings import Mute
from swarm.model.graph import QuestionAsked
from swarm.model.intents import Intent
from swarm.model.keys import PipelineKey
from swarm.model.lineage import VerdictRequest
from swarm.model.links import Awaited, Link
from swarm.model.outputs import Output, Part
from swarm.model.recovery import Recovery
from swarm.model.scaling import Outlook
from swarm.model.sequencing import RuleScored
from swarm.model.sla import Sla, Terms
from swarm.model.work import LossCause, Submission, TaskId, WorkerId


class Graph(Protocol):
    """The graph actor. All calls answer when the journal has it, and may be sent again."""

    async def offer(self, batch: Batch, cause_id: str) -> int:
        """Merge a batch; returns the journal's last sequence number."""
        ...

    async def judge(self, request: VerdictRequest, cause_id: str) -> int:
        """Record a person's verdict; raises `UnknownKey`."""
        ...

    async def recoveries(self, orchestrator: str) -> list[Recovery]:
        """The intents that the connector of an orchestrator is to carry out now."""
        ...

    async def hear(self, told: HostBeat, cause_id: str) -> None:
        """Take the beat of a host; what it changes is in the journal, the beat itself is not."""
        ...

    async def mute(self, finding: str, mute: Mute | None, cause_id: str) -> None:
        """Tell nobody of an open finding of its own, or (None) people again; raises
        `UnknownKey`."""
        ...

    async def ask(self, cause_id: str) -> list[QuestionAsked]:
        """The questions that wait for their owners' answers; asks what may be asked now."""
        ...


@dataclass(frozen=True, slots=True)
class Answer:
    """What the dispatcher says. `epoch` rises with each of its processes: a worker that has heard
    a higher one does not listen to a lower. `bodies` are what granted tasks run, `beats_to` is
    where it hears beats ("host:port")."""

    epoch: int
    reply: Reply
    bodies: Mapping[TaskId, str] = field(default_factory=dict)
    beats_to: str = ""


class Hearing(Protocol):
    """Whom a worker tells what it has to say: the dispatcher, however it is reached."""

    async def tell(self, event: Event, cause_id: str) -> Answer:
        """Handle an event of a worker, a person or an orchestrator; raises `UnknownKey`."""
        ...

    async def tell_all(self, events: Sequence[Event], cause_id: str) -> list[Answer | Rejected]:
        """As `tell`, for each; what is refused is in its place."""
        ...


class Dispatch(Hearing, Protocol):
    """The dispatcher actor. An answer means that the journal has it; all may be sent again."""

    async def submit(
        self, submissions: Sequence[Submission], bodies: Mapping[TaskId, str], cause_id: str
    ) -> Answer:
        """Take tasks and what they run; raises `Overloaded` and `DifferentBody`."""
        ...

    async def rearm(self, event: Rearm, fields: str, cause_id: str) -> Answer:
        """Handle the word of a task's owner; `fields`, a JSON object, replace those of its
        payload unless the word is stale."""
        ...

    async def detection(self) -> Detection:
        """How good the detection of silent workers is now."""
        ...

    async def explain(self, task: TaskId) -> Explanation:
        """Why a task does not run yet; raises `UnknownKey` for one that has ended."""
        ...


class Promising(Protocol):
    """Who keeps what is promised: the sequencer. All calls may be sent again."""

    async def accept(self, sla: Sla, by: str, cause_id: str) -> None:
        """Promise an SLA, in place of the accepted one that its pipeline may have."""
        ...

    async def decline(self, pipeline: PipelineKey, by: str, cause_id: str) -> None:
        """End the accepted SLA of a pipeline, and have none offered."""
        ...

    async def terms(self) -> Terms:
        """What is promised and what was declined."""
        ...


class Scoring(Protocol):
    """Who takes people's words on hazards and SLAs, and keeps score: the sequencer."""

    async def rate(self, finding_id: str, by: str, is_right: bool, cause_id: str) -> None:
        """Take somebody's word on whether it was right to tell of a hazard; raises `UnknownKey`
        where none is open, and `Rejected` where it was judged otherwise already."""
        ...

    async def mute(self, finding: str, mute: Mute | None, cause_id: str) -> None:
        """As that of the graph, for the findings that are the sequencer's."""
        ...

    async def rules(self) -> list[RuleScored]:
        """What became of the findings of each kind."""
        ...


class Sequencer(Promising, Scoring, Protocol):
    """The sequencer actor. All calls may be sent again."""

    async def intents(self, orchestrator: str) -> list[Intent]:
        """What is to be carried out in an orchestrator now, each valid for `hold_ttl_s` from now
        at most; asking again in time is the renewal."""
        ...

    async def hold(self, target: PipelineKey, by: str, for_s: float, cause_id: str) -> Intent:
        """Hold a pipeline for somebody; raises `UnknownKey`."""
        ...

    async def release(self, target: PipelineKey, by: str, cause_id: str) -> Intent:
        """Release a pipeline; raises `Rejected` where it is not held."""
        ...

    async def link(self, link: Link, cause_id: str) -> None:
        """Have a pipeline start by what others make, in place of the link it may have."""
        ...

    async def unlink(self, downstream: PipelineKey, by: str, cause_id: str) -> None:
        """Take a pipeline's link away; raises `UnknownKey`."""
        ...

    async def links(self) -> list[Awaited]:
        """How each link stands."""
        ...


class Placement(Protocol):
    """The placement actor."""

    async def expect(self, outlook: Outlook) -> frozenset[PipelineKey]:
        """Take what sequencing knows of pipelines, which is to be said again in time; returns those
        that swarm runs tasks of, and only these have to be told."""
        ...


class Outputs(Protocol):
    """Takes what tasks print, from any node; may be sent again."""

    async def put(self, parts: Sequence[Part]) -> dict[Output, int]:
        """How many bytes of each output are there now; raises `StoreError`."""
        ...


class Watch(Protocol):
    """Hears of the death of worker processes."""

    async def until_gone(self, worker: WorkerId, node: str) -> LossCause | None:
        """Return when there is proof that the process is gone; None when there can be none."""
        ...


def actor_name(worker: WorkerId) -> str:
    """The name of the actor; what follows in the id tells its incarnations apart."""
    return worker.partition("~")[0]
