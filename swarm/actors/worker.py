"""The worker actor: the shell of a worker, one on each node. Ray does not restart it, because a
call to an actor that is restarted hears of the death a second later than one to an actor that is
not; whoever keeps the fleet makes a new one."""

import asyncio

from swarm.actors.agent_seats import AgentSpec
from swarm.actors.agent_worker import agent_worker
from swarm.actors.inbox import start
from swarm.actors.output_files import output_files
from swarm.actors.ports import Dispatch, Outputs
from swarm.actors.shipper import Shipper
from swarm.actors.worker_loops import Worker, WorkerOptions
from swarm.clock import SystemClock
from swarm.model.work import Offer
from swarm.secret import hide


class WorkerActor:
    """Works until its process ends."""

    async def __init__(  # type: ignore[misc]  # Ray awaits it
        self, offer: Offer, dispatch: Dispatch, outputs: Outputs, options: WorkerOptions
    ) -> None:
        hide(options.hidden)
        self._begin(Worker(offer, dispatch, SystemClock(), options), outputs, options)

    def _begin(self, worker: Worker, outputs: Outputs, options: WorkerOptions) -> None:
        self._worker = worker
        self._loop = start(self._worker.run())
        self._shipping = start(Shipper(output_files(options.folder), outputs).run())

    async def watch(self) -> None:
        """Never answers: that the call fails is the proof that this process is gone."""
        await asyncio.Event().wait()


class AgentActor(WorkerActor):
    """Holds one agent until its process ends; `offer` is completed by what the agent can do."""

    async def __init__(  # type: ignore[misc]  # Ray awaits it
        self,
        spec: AgentSpec,
        offer: Offer,
        dispatch: Dispatch,
        outputs: Outputs,
        options: WorkerOptions,
    ) -> None:
        hide(options.hidden)
        worker = await agent_worker(spec, offer, dispatch, SystemClock(), options)
        self._begin(worker, outputs, options)
