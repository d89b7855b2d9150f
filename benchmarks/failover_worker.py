"""A module of its own, so that a worker's process imports no more than it would in earnest."""

import os
from dataclasses import replace

from swarm.actors.inbox import start
from swarm.actors.ports import Dispatch, Outputs
from swarm.actors.worker import WorkerActor
from swarm.actors.worker_loops import Worker as Loops
from swarm.actors.worker_loops import WorkerOptions
from swarm.clock import SystemClock
from swarm.model.work import Offer


class Worker(WorkerActor):
    """The real one, which also tells whom to kill."""

    async def pid(self) -> int:
        return os.getpid()


class Crowd(Worker):
    """Many of them in one process, each with its own sender of beats."""

    async def __init__(  # type: ignore[misc]  # Ray awaits it
        self,
        offer: Offer,
        dispatch: Dispatch,
        outputs: Outputs,
        options: WorkerOptions,
        count: int,
    ) -> None:
        self._loops = []
        for number in range(count):
            own = replace(options, folder=options.folder / f"{offer.worker}-{number}")
            self._loops.append(start(Loops(offer, dispatch, SystemClock(), own).run()))
