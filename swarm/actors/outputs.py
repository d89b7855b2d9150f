"""The outputs actor: the shell of the store of what tasks print. Shippers of all nodes write here.

What it is told while it writes is written together: one commit for all that waits.
"""

import asyncio
from collections.abc import Sequence

from swarm.actors.journaled import opened
from swarm.clock import SystemClock
from swarm.config import Settings
from swarm.errors import StoreError
from swarm.model.outputs import Output, Part
from swarm.store.outputs import open_outputs


class OutputsActor:
    """Has no state of its own; a new one goes on at once."""

    async def __init__(self, settings: Settings) -> None:  # type: ignore[misc]  # Ray awaits it
        self._outputs = await opened(lambda: open_outputs(settings.store_url, settings.state_dir))
        self._clock = SystemClock()
        self._turn = asyncio.Lock()
        self._waiting: list[tuple[Sequence[Part], asyncio.Future[dict[Output, int]]]] = []

    async def put(self, parts: Sequence[Part]) -> dict[Output, int]:
        """How many bytes of each output are there now, durably."""
        answer: asyncio.Future[dict[Output, int]] = asyncio.get_running_loop().create_future()
        self._waiting.append((parts, answer))
        async with self._turn:
            if not answer.done():
                await self._write()
        return await answer

    async def _write(self) -> None:
        taken, self._waiting = self._waiting, []
        every = [part for parts, _ in taken for part in parts]
        try:
            known = await asyncio.to_thread(self._outputs.put, every, self._clock.now_s())
        except StoreError as fault:  # each caller gets it, to try again
            for _, answer in taken:
                answer.set_exception(fault)
            return
        for parts, answer in taken:
            answer.set_result({part.output: known[part.output] for part in parts})
