"""A module of its own, so that a worker's process imports no more than it would in earnest."""

import os

from swarm.actors.worker import WorkerActor


class Worker(WorkerActor):
    """The real one, which also tells whom to kill."""

    async def pid(self) -> int:
        return os.getpid()
