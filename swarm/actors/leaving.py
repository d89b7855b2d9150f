"""How a worker leaves a machine that goes away: it says so until it is heard, under every id it
takes, and ends what still runs before the machine does."""

import asyncio
from collections.abc import Callable, Iterable
from math import inf

from swarm.actors.held import Held
from swarm.actors.line import Line
from swarm.actors.notices import Notice, Notices
from swarm.clock import Clock
from swarm.dispatch.events import Interruption, Receipt
from swarm.model.work import WorkerId

_BEFORE_S = 7.5  # the end of the machine, that of what runs: it can still be told
_LOOK_S = 0.1
_ANSWER_S = 1.5


class Leaving:
    """For one worker, whose `line` it speaks on."""

    def __init__(self, notices: Notices, line: Line, clock: Clock) -> None:
        self._notices, self._line, self._clock = notices, line, clock

    @property
    def begun(self) -> bool:
        """Is the worker to take nothing more?"""
        return self._notices.newest is not None

    async def run(
        self,
        me: Callable[[], WorkerId | None],
        held: Callable[[], Iterable[Held]],
        let_waiting_go: Callable[[], None],
    ) -> None:
        """Without end. `me` is None while the dispatcher does not know the worker."""
        self._notices.open()
        await self._notices.until_heard()
        told: tuple[WorkerId, Notice] | None = None
        while True:
            notice, own = self._notices.newest, me()
            if notice is not None:
                if own is not None and told != (own, notice):
                    let_waiting_go()  # it begins elsewhere
                    told = (own, notice) if await self._tell(own, notice) else told
                if self._clock.monotonic_s() > _end_s(notice):
                    await _give_up(held())
            await asyncio.sleep(_LOOK_S)

    def close(self) -> None:
        self._notices.close()

    async def _tell(self, own: WorkerId, notice: Notice) -> bool:
        word = Interruption(own, notice.ends_s is not None)
        answer = await self._line.ask(word, own, _ANSWER_S)
        return answer is not None and answer.reply is Receipt.DONE


async def _give_up(held: Iterable[Held]) -> None:
    for run in [run for run in held if not run.given_up]:
        run.given_up = True
        await run.end()


def _end_s(notice: Notice) -> float:
    return inf if notice.ends_s is None else notice.ends_s - _BEFORE_S
