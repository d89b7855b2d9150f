"""The sequencer tells placement of the pipelines that it asks for."""

import asyncio
import contextlib
from collections.abc import Iterable

from swarm.actors.expecting import keep_expecting
from swarm.errors import Unreachable
from swarm.model.keys import PipelineKey
from swarm.model.scaling import Expected, Outlook

A, B = PipelineKey("air", "a"), PipelineKey("air", "b")


class Placement:
    """Knows two pipelines, and cannot be reached at first."""

    def __init__(self) -> None:
        self.faults = 1
        self.told: list[Outlook] = []
        self.whole = asyncio.Event()

    async def expect(self, outlook: Outlook) -> frozenset[PipelineKey]:
        if self.faults:
            self.faults -= 1
            raise Unreachable("no answer")
        self.told.append(outlook)
        if outlook.pipelines:
            self.whole.set()
        return frozenset({A, B})


async def outlook(of: Iterable[PipelineKey]) -> Outlook:
    return Outlook(tuple(Expected(key) for key in sorted(of)))


async def test_it_learns_whom_to_tell_of_and_tells_them_at_once() -> None:
    placement = Placement()
    telling = asyncio.ensure_future(keep_expecting(placement, outlook, every_s=0.001))
    async with asyncio.timeout(30):
        await placement.whole.wait()
    telling.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await telling
    assert placement.told[0] == Outlook()
    assert placement.told[-1] == Outlook((Expected(A), Expected(B)))
