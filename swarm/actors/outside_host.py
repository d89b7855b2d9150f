"""A host of agents: keeps agents of one class alive on a machine without Ray.

Each is an `AgentWorker` in this process around a process of its own, as on Ray; only the way to the
dispatcher differs (`outside_line.py`). Nobody watches a host: what its agents hold moves when they
have been silent for `FENCE_S` and a second, by which time they have ended it themselves. An agent
that dies alone is told of at once, and replaced.
"""

import asyncio
import contextlib
import platform
import re
import time
import uuid
from dataclasses import dataclass, field
from pathlib import Path

import structlog

from swarm.actors.agent_seats import AgentSpec
from swarm.actors.agent_worker import AgentGone, AgentWorker, agent_worker
from swarm.actors.keeper import Keeper
from swarm.actors.output_files import output_files
from swarm.actors.outside_line import BEAT_S, Line
from swarm.actors.shipper import Shipper
from swarm.actors.worker_loops import WorkerOptions
from swarm.clock import SystemClock
from swarm.dispatch.events import WorkerLost
from swarm.errors import InputError, Rejected, StoreError, Unreachable
from swarm.model.dispatch import AgentsWanted
from swarm.model.work import LossCause, Offer, Resources, WorkerId

log = structlog.get_logger()

FENCE_S = 15.0
_ASK_S = BEAT_S - 0.5  # a renewal is ready before the beat that takes it
_LOOK_S = 0.2
_GOODBYE_S = 5.0


@dataclass(slots=True)
class Host:
    """Agents of one class, `count` of them, as `spec` says; their files are in `folder`."""

    spec: AgentSpec
    count: int
    line: Line
    folder: Path
    _agents: dict[str, asyncio.Future[None]] = field(default_factory=dict)

    async def run(self, stopped: asyncio.Event) -> None:
        """Until `stopped`; then what they hold is given back. Raises `InputError` where swarm lets
        no agent in, or where the class cannot be made."""
        await self.line.knock()
        sending = asyncio.ensure_future(self.line.run())
        shipper = Shipper(output_files(self.folder), self.line)
        shipping = asyncio.ensure_future(shipper.run())
        try:
            await self._keep(stopped)
        finally:
            await self._end_all()
            shipping.cancel()
            with contextlib.suppress(OSError, StoreError, TimeoutError):
                await asyncio.wait_for(shipper.ship(), _GOODBYE_S)
            sending.cancel()
            await asyncio.gather(shipping, sending, return_exceptions=True)
            await self.line.close()

    async def _keep(self, stopped: asyncio.Event) -> None:
        wanted = AgentsWanted(self.spec.path, self.count, self.spec.memory_bytes, self.spec.cwd)
        keeper = Keeper([wanted])
        proven = False  # the class has been made once
        while not stopped.is_set():
            for one in keeper.missing(time.monotonic()):
                name = f"outside:{_machine()}:{uuid.uuid4().hex[:8]}"
                self._agents[name] = asyncio.ensure_future(self._live(name))
                keeper.started(name, one, time.monotonic())
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(stopped.wait(), _LOOK_S)
            for name in [name for name, agent in self._agents.items() if agent.done()]:
                fault = self._agents.pop(name).exception()
                keeper.died(name, time.monotonic())
                proven = proven or not isinstance(fault, InputError)
                if fault is not None and not proven:
                    raise fault
                log.warning("an agent is gone", agent=name, fault=repr(fault))

    async def _live(self, name: str) -> None:
        """One agent, until its process ends."""
        offer = Offer(
            WorkerId(name),
            f"outside:{_machine()}",
            0,
            Resources(),
            renew_s=BEAT_S,
            fence_s=FENCE_S,
        )
        options = WorkerOptions(self.folder, b"", renew_s=_ASK_S, fence_s=FENCE_S)
        agent = await agent_worker(self.spec, offer, self.line, SystemClock(), options)
        try:
            await agent.run()
        except* AgentGone:
            pass
        finally:
            await self._leave(agent)

    async def _leave(self, agent: AgentWorker) -> None:
        """Nothing of it runs any more when it says so."""
        await agent.close()
        fenced = WorkerLost(agent.id, LossCause.SELF_FENCED)
        with contextlib.suppress(Unreachable, Rejected, TimeoutError):
            await asyncio.wait_for(self.line.tell(fenced, agent.id), _GOODBYE_S)

    async def _end_all(self) -> None:
        for agent in self._agents.values():
            agent.cancel()
        await asyncio.gather(*self._agents.values(), return_exceptions=True)


def _machine() -> str:
    return re.sub(r"[^\w.-]", "-", platform.node())[:80] or "host"
