"""What the sequencer tells placement: what is known of the pipelines that swarm runs tasks of."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable

from swarm.actors.ports import Placement
from swarm.errors import Rejected, StoreError
from swarm.model.keys import PipelineKey
from swarm.model.scaling import Outlook

EVERY_S = 20.0


async def keep_expecting(
    placement: Placement,
    outlook: Callable[[Iterable[PipelineKey]], Awaitable[Outlook]],
    every_s: float = EVERY_S,
) -> None:
    """Tell it for ever, and learn from its answers what to tell. It forgets what it does not hear
    for a while."""
    of: frozenset[PipelineKey] = frozenset()
    while True:
        try:
            wanted = await placement.expect(await outlook(of))
        except (Rejected, StoreError):  # also when it does not answer
            wanted = of
        if wanted == of:
            await asyncio.sleep(every_s)
        of = wanted
