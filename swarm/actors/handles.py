"""Typed clients of the actors, each call with a deadline.

A call that raised may still have run, so every call here is safe to send again with the same
arguments. A dead actor is restarted by Ray and replays; callers wait for that within the deadline.
"""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar

import ray
from ray.exceptions import ActorDiedError, ActorUnavailableError, RayTaskError

from swarm.actors.node_workers import Node, pool_of
from swarm.actors.ports import Answer, actor_name
from swarm.dispatch.detector import Detection
from swarm.dispatch.events import Event, Rearm
from swarm.dispatch.explanation import Explanation
from swarm.errors import Rejected, StoreError, Unreachable
from swarm.graph.beats import HostBeat
from swarm.model.connectors import Batch
from swarm.model.findings import Mute
from swarm.model.graph import QuestionAsked
from swarm.model.intents import Intent
from swarm.model.keys import PipelineKey
from swarm.model.lineage import VerdictRequest
from swarm.model.links import Awaited, Link
from swarm.model.outputs import Output, Part
from swarm.model.plans import Standing
from swarm.model.recovery import Recovery
from swarm.model.scaling import Outlook
from swarm.model.sequencing import RuleScored
from swarm.model.sla import Sla, Terms
from swarm.model.work import LossCause, Resources, Submission, TaskId, WorkerId

NAMESPACE = "swarm"
GRAPH = "graph"
DISPATCHER = "dispatcher"
OUTPUTS = "outputs"
SEQUENCER = "sequencer"
PLACEMENT = "placement"
_DEADLINE_S = 60.0
_RETRY_S = 0.2
# Nodes that said good-bye, as numbers of Ray's `NodeDeathInfo.Reason`: ended as was asked, drained
# before a preemption, drained because idle. The others were not heard of any more.
_NODE_LEFT = frozenset({1, 3, 4})
_RAY_KILLED_FOR_MEMORY = "running low on memory"  # the words of Ray's memory monitor


@dataclass(slots=True)
class _Handle:
    """An actor that is looked up by name, so that it may come and go. Who looks it up waits for
    Ray's head, which may be out of reach: hence only once, and never in the caller's loop. A call
    that has no answer after `within_s` raises `Unreachable`."""

    _name: ClassVar[str]
    within_s: float = _DEADLINE_S
    _actor: Any = field(default=None, repr=False)

    async def _call(self, method: str, *arguments: Any) -> Any:
        """Ask until it answers; Ray may be restarting it meanwhile."""
        try:
            async with asyncio.timeout(self.within_s):
                while True:
                    try:
                        if self._actor is None:
                            self._actor = await _look_up(self._name)
                        return await getattr(self._actor, method).remote(*arguments)
                    except (ActorDiedError, ValueError):
                        self._actor = None
                    except ActorUnavailableError:
                        pass
                    await asyncio.sleep(_RETRY_S)
        except TimeoutError:
            late = f"the {self._name} actor did not answer in {self.within_s:.0f} s"
            raise Unreachable(late) from None
        except RayTaskError as error:
            if isinstance(error.cause, Rejected | StoreError):
                raise error.cause from None
            raise


class GraphHandle(_Handle):
    """The graph actor."""

    __slots__ = ()
    _name = GRAPH

    async def offer(self, batch: Batch, cause_id: str) -> int:
        return int(await self._call("offer", batch, cause_id))

    async def judge(self, request: VerdictRequest, cause_id: str) -> int:
        return int(await self._call("judge", request, cause_id))

    async def recoveries(self, orchestrator: str) -> list[Recovery]:
        return list(await self._call("recoveries", orchestrator))

    async def hear(self, told: HostBeat, cause_id: str) -> None:
        await self._call("hear", told, cause_id)

    async def mute(self, finding: str, mute: Mute | None, cause_id: str) -> None:
        await self._call("mute", finding, mute, cause_id)

    async def ask(self, cause_id: str) -> list[QuestionAsked]:
        return list(await self._call("ask", cause_id))


class DispatchHandle(_Handle):
    """The dispatcher actor."""

    __slots__ = ()
    _name = DISPATCHER

    async def submit(
        self, submissions: Sequence[Submission], bodies: Mapping[TaskId, str], cause_id: str
    ) -> Answer:
        answer: Answer = await self._call("submit", submissions, bodies, cause_id)
        return answer

    async def rearm(self, event: Rearm, fields: str, cause_id: str) -> Answer:
        answer: Answer = await self._call("rearm", event, fields, cause_id)
        return answer

    async def tell(self, event: Event, cause_id: str) -> Answer:
        answer: Answer = await self._call("tell", event, cause_id)
        return answer

    async def tell_all(self, events: Sequence[Event], cause_id: str) -> list[Answer | Rejected]:
        answers: list[Answer | Rejected] = await self._call("tell_all", events, cause_id)
        return answers

    async def detection(self) -> Detection:
        answer: Detection = await self._call("detection")
        return answer

    async def explain(self, task: TaskId) -> Explanation:
        answer: Explanation = await self._call("explain", task)
        return answer


class SequencerHandle(_Handle):
    """The sequencer actor."""

    __slots__ = ()
    _name = SEQUENCER

    async def intents(self, orchestrator: str) -> list[Intent]:
        return list(await self._call("intents", orchestrator))

    async def hold(self, target: PipelineKey, by: str, for_s: float, cause_id: str) -> Intent:
        intent: Intent = await self._call("hold", target, by, for_s, cause_id)
        return intent

    async def release(self, target: PipelineKey, by: str, cause_id: str) -> Intent:
        intent: Intent = await self._call("release", target, by, cause_id)
        return intent

    async def link(self, link: Link, cause_id: str) -> None:
        await self._call("link", link, cause_id)

    async def unlink(self, downstream: PipelineKey, by: str, cause_id: str) -> None:
        await self._call("unlink", downstream, by, cause_id)

    async def links(self) -> list[Awaited]:
        return list(await self._call("links"))

    async def accept(self, sla: Sla, by: str, cause_id: str) -> None:
        await self._call("accept", sla, by, cause_id)

    async def decline(self, pipeline: PipelineKey, by: str, cause_id: str) -> None:
        await self._call("decline", pipeline, by, cause_id)

    async def rate(self, finding_id: str, by: str, is_right: bool, cause_id: str) -> None:
        await self._call("rate", finding_id, by, is_right, cause_id)

    async def mute(self, finding: str, mute: Mute | None, cause_id: str) -> None:
        await self._call("mute", finding, mute, cause_id)

    async def rules(self) -> list[RuleScored]:
        return list(await self._call("rules"))

    async def terms(self) -> Terms:
        terms: Terms = await self._call("terms")
        return terms


class PlacementHandle(_Handle):
    """The placement actor."""

    __slots__ = ()
    _name = PLACEMENT

    async def expect(self, outlook: Outlook) -> frozenset[PipelineKey]:
        return frozenset(await self._call("expect", outlook))


class OutputsHandle(_Handle):
    """The outputs actor."""

    __slots__ = ()
    _name = OUTPUTS

    async def put(self, parts: Sequence[Part]) -> dict[Output, int]:
        known: dict[Output, int] = await self._call("put", parts)
        return known


@dataclass(frozen=True, slots=True)
class Watch:
    """Waits at workers for the proof that their process is gone."""

    async def until_gone(self, worker: WorkerId, node: str) -> LossCause | None:
        """Why it is gone; None when its node went with it and nobody had asked it to. Such a node
        may only be cut off, with its processes still running: there silence has to decide."""
        while True:
            try:
                actor = await _look_up(actor_name(worker))
                await actor.watch.remote()
            except ActorUnavailableError:  # no contact: that is no proof
                await asyncio.sleep(_RETRY_S)
            except (ActorDiedError, ValueError) as death:
                return _cause(death, await asyncio.to_thread(_node, node))
            else:
                raise AssertionError(f"the watch at {worker} ended, and its process did not")


async def _look_up(name: str) -> Any:
    """Raises ValueError if there is no such actor."""
    return await asyncio.to_thread(ray.get_actor, name, namespace=NAMESPACE)


def _cause(death: Exception, node: Mapping[str, Any]) -> LossCause | None:
    if not node.get("Alive", False):
        return LossCause.NODE_GONE if node.get("DeathReason") in _NODE_LEFT else None
    memory = _RAY_KILLED_FOR_MEMORY in str(death)
    return LossCause.OUT_OF_MEMORY if memory else LossCause.PROCESS_EXIT


def _node(id_: str) -> Mapping[str, Any]:
    """What Ray knows of a node."""
    return next((node for node in ray.nodes() if node["NodeID"] == id_), {})


def live_nodes() -> list[Node]:
    """The nodes that are there, as Ray knows them."""
    return [
        Node(
            node["NodeID"],
            node["NodeName"],
            Resources(
                node["Resources"].get("CPU", 0.0),
                int(node["Resources"].get("memory", 0)),
                node["Resources"].get("GPU", 0.0),
            ),
            node["Labels"],
        )
        for node in ray.nodes()
        if node["Alive"]
    ]


def standing() -> list[Standing]:
    """The nodes that are there, each of the kind that its pool is called."""
    return [Standing(node.id, pool_of(node), 0.0) for node in live_nodes()]


class Death:
    """Tells when asked whether a worker is gone, and ends it. That it cannot be reached does not
    count."""

    def __init__(self, actor: Any) -> None:
        self._actor = actor
        self._watch = actor.watch.remote().future()

    def __call__(self) -> bool:
        if not self._watch.done():
            return False
        if isinstance(self._watch.exception(), ActorUnavailableError):
            self._watch = self._actor.watch.remote().future()
            return False
        return True

    def end(self) -> None:
        """It holds nothing any more."""
        ray.kill(self._actor)


def own_address() -> str:
    """The address under which other nodes reach this one."""
    return str(ray.util.get_node_ip_address())
