"""Typed clients of the actors, each call with a deadline.

A call that raised may still have run, so every call here is safe to send again with the same
arguments. A dead actor is restarted by Ray and replays; callers wait for that within the deadline.
"""

import asyncio
from dataclasses import dataclass
from typing import Any

import ray
from ray.exceptions import ActorDiedError, ActorUnavailableError, RayTaskError

from swarm.errors import Rejected, Unreachable
from swarm.lineage.ledger import VerdictRequest
from swarm.model.journal import Batch, QuestionAsked

NAMESPACE = "swarm"
GRAPH = "graph"
_DEADLINE_S = 60.0
_RETRY_S = 0.2


@dataclass(frozen=True, slots=True)
class GraphHandle:
    """The graph actor, looked up by name, so that it may come and go."""

    async def offer(self, batch: Batch, cause_id: str) -> int:
        return int(await self._call("offer", batch, cause_id))

    async def judge(self, request: VerdictRequest, cause_id: str) -> int:
        return int(await self._call("judge", request, cause_id))

    async def ask(self, cause_id: str) -> list[QuestionAsked]:
        return list(await self._call("ask", cause_id))

    async def _call(self, method: str, *arguments: Any) -> Any:
        try:
            async with asyncio.timeout(_DEADLINE_S):
                while True:
                    try:
                        actor = ray.get_actor(GRAPH, namespace=NAMESPACE)
                        return await getattr(actor, method).remote(*arguments)
                    except (ActorDiedError, ActorUnavailableError, ValueError):
                        await asyncio.sleep(_RETRY_S)  # Ray is restarting it
        except TimeoutError:
            raise Unreachable(f"the graph actor did not answer in {_DEADLINE_S:.0f} s") from None
        except RayTaskError as error:
            if isinstance(error.cause, Rejected):
                raise error.cause from None
            raise
