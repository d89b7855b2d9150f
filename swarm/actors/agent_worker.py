"""An agent's worker: the same as any, but its slots are seats in one process that holds the agent.

When that process dies, the worker says so itself, with the cause, and ends: what it held goes to
others of its capability at once, and whoever keeps the fleet makes a new one.
"""

import asyncio
import contextlib
from dataclasses import replace
from urllib.parse import quote

import structlog

from swarm.actors.agent_seats import AgentProcess, AgentSpec, Seat
from swarm.actors.ports import Hearing, actor_name
from swarm.actors.slot import Place, SlotDied
from swarm.actors.worker_loops import Worker, WorkerOptions
from swarm.clock import Clock
from swarm.dispatch.events import WorkerLost
from swarm.model.work import LossCause, Offer, Token

log = structlog.get_logger()


async def agent_worker(
    spec: AgentSpec, offer: Offer, dispatch: Hearing, clock: Clock, options: WorkerOptions
) -> "AgentWorker":
    """The worker of a new agent: `offer` with what that can do, a core for each slot unless it
    says more. Raises `InputError`."""
    output = options.folder / "agents" / quote(actor_name(offer.worker), safe="")
    process = await AgentProcess.open(spec, output, options.fence_s)
    agent = process.agent
    room = replace(
        offer.resources,
        cpu=max(offer.resources.cpu, float(agent.slots)),
        memory_bytes=spec.memory_bytes or offer.resources.memory_bytes,
    )
    able = replace(offer, slots=agent.slots, resources=room, capabilities=(agent.capability,))
    return AgentWorker(process, able, dispatch, clock, options)


class AgentGone(Exception):
    """The agent's process has ended."""


class AgentWorker(Worker):
    """Runs items in the seats of `process`."""

    def __init__(
        self,
        process: AgentProcess,
        offer: Offer,
        dispatch: Hearing,
        clock: Clock,
        options: WorkerOptions,
    ) -> None:
        super().__init__(offer, dispatch, clock, options)
        self._process = process

    async def run(self) -> None:
        """Work until cancelled. Raises `AgentGone`, in a group."""
        async with asyncio.TaskGroup() as loops:
            loops.create_task(super().run())
            loops.create_task(self._until_gone())

    async def _until_gone(self) -> None:
        end = await self._process.gone()
        memory = end.why == "out_of_memory"
        cause = LossCause.OUT_OF_MEMORY if memory else LossCause.PROCESS_EXIT
        await self._line.ask(WorkerLost(self.id, cause), self.id, self._options.fence_s / 3)
        raise AgentGone(f"{self.id}: {cause}")

    async def close(self) -> None:
        await super().close()
        await self._process.close()

    async def _new_slot(self) -> Place:
        return Seat(self._process)

    async def _slot_died(self, slot: Place, token: Token, run: object) -> None:
        """All of them have; `_until_gone` tells. Until then it is held: let go, it would be lost
        for another reason."""

    async def _fence(self) -> None:
        with contextlib.suppress(SlotDied):
            await self._process.slot.kill()  # nothing less ends an item
        await super()._fence()
