"""The placement actor: the shell of the planner. It follows the stream `dispatch`, hears from the
sequencer what is to come, and alone writes the stream `placement`.

Each turn it looks at what stands, plans, journals what follows, and only then does it: drains, spot
or dedicated and slots to keep free through the dispatcher, the fleet and returns through the port.
What failed is decided again in the next turn. Where whoever rents nodes does not answer nothing is
planned, and dispatch goes on with the workers there are.
"""

import asyncio
import contextlib
from collections.abc import Callable, Iterable, Sequence

import structlog

from swarm.actors.entering import entered
from swarm.actors.figures import Placed
from swarm.actors.followed import Followed
from swarm.actors.inbox import start
from swarm.actors.journaled import Journaled, opened
from swarm.actors.landlord import Landlord
from swarm.actors.measuring import measured
from swarm.actors.ports import Dispatch
from swarm.actors.proposing import Proposing
from swarm.actors.terms import terms
from swarm.capacity.base import Capacity
from swarm.clock import Clock, Steps, SystemClock
from swarm.config import Settings
from swarm.dispatch.events import Drain
from swarm.errors import CapacityError, NoRoom, Rejected, StoreError, Unreachable
from swarm.model.keys import PipelineKey
from swarm.model.scaling import ClockStepped, Expected, Outlook, PlacementRecord
from swarm.model.work import WorkerId
from swarm.placement.deciding import decided
from swarm.placement.memory import Memory
from swarm.placement.orders import View
from swarm.placement.situation import Scene
from swarm.placement.steering import Planned, Todo, reach, steer
from swarm.store.journal import open_journal
from swarm.telemetry import Figure

log = structlog.get_logger()

STREAM = "placement"
_SNAPSHOT_EVERY = 1_000  # records
_EVERY_S, _SOONEST_S = 10.0, 2.0
_LARGE = 1.25  # so many times the work that waited is worth a plan at once
_LEASE_S = 90.0  # of the fleet that is wanted
_OUTLOOK_S = 120.0  # so long what the sequencer told stands


class PlacementActor:
    """Keeps the fleet as large as the work wants it."""

    async def __init__(  # type: ignore[misc]  # Ray awaits it
        self, settings: Settings, dispatch: Dispatch, capacity: Callable[[], Capacity]
    ) -> None:
        landlord = Landlord(capacity)
        self._placing = await opened(lambda: Placing(settings, dispatch, landlord, SystemClock()))
        self._loop = start(self._run())
        self._measured = measured(self._figures)

    async def expect(self, outlook: Outlook) -> frozenset[PipelineKey]:
        """Take what sequencing knows; returns the pipelines that tasks of were run here."""
        return self._placing.expect(outlook)

    async def _figures(self) -> Iterable[Figure]:
        return self._placing.placed.figures()

    async def _run(self) -> None:
        while True:
            try:
                await self._placing.turn()
            except (Unreachable, NoRoom) as error:  # the next turn decides again
                log.warning("nothing is planned", error=str(error))
            await self._placing.until_due()


class Placing:
    """What the actor does in a turn, and between two. Constructing it takes the stream over."""

    def __init__(
        self, settings: Settings, dispatch: Dispatch, landlord: Landlord, clock: Clock
    ) -> None:
        self._clock, self._dispatch, self._landlord = clock, dispatch, landlord
        self._steps = Steps(clock)
        self._terms = terms(settings)
        self._expected: dict[PipelineKey, Expected] = {}
        self._told_s = float("-inf")
        self._returns: frozenset[str] = frozenset()
        self._waited = 0
        self.placed = Placed()
        self._memory = Memory()
        self._orders = self._memory.orders
        self._journaled = Journaled(settings, STREAM, self._memory, snapshot_every=_SNAPSHOT_EVERY)
        journal = open_journal(settings.store_url, settings.state_dir)
        self._followed = Followed(journal, self._memory)
        zones = {name: one.zone for name, one in settings.prices.items() if one.zone}
        self._proposing = Proposing(self._followed, zones)

    def expect(self, outlook: Outlook) -> frozenset[PipelineKey]:
        """As the actor's."""
        self._expected = {one.pipeline: one for one in outlook.pipelines}
        self._told_s = self._clock.monotonic_s()
        return self._followed.usual.pipelines()

    async def turn(self) -> None:
        """Look, plan, journal, do."""
        now_s, fault = self._clock.now_s(), ""
        cause_id = entered(now_s)  # a plan follows from all that stands
        if by_s := self._steps.by_s():
            await self._write([ClockStepped(now_s, by_s)], now_s, cause_id)
        try:
            await asyncio.to_thread(self._followed.follow)
            self._waited = len(self._followed.floor.queue)
            view = await self._landlord.view(self._followed.crews())
            planned = await asyncio.to_thread(self._plan, view, now_s)
            todo = steer(self._orders, view, planned, now_s)
            self.placed.look(view, planned, todo.fleet)
            self._returns = planned.returns
            await self._write(todo.records, now_s, cause_id)
            await self._do(todo, planned.plan.kept_free, cause_id)
        except CapacityError as error:
            fault = str(error)
        await self._write(
            [*reach(self._orders, fault, now_s), *self._memory.news(now_s)], now_s, cause_id
        )

    def _plan(self, view: View, now_s: float) -> Planned:
        usual, orders, terms = self._followed.usual, self._orders, self._terms
        old = self._clock.monotonic_s() > self._told_s + _OUTLOOK_S
        known = {} if old else self._expected
        scene = Scene(
            offerings=orders.offerings(view, now_s),
            rented=orders.rented(view, now_s),
            live=self._followed.live(),
            coming=list(usual.coming(known, now_s, now_s + terms.horizon_s)),
            expected=known,
            takes=usual.takes,
        )
        days, choose = self._memory.days, self._proposing.choose
        returns = self._returns
        return decided(scene, days, lambda it: choose(it, terms, now_s), terms, returns, now_s)

    async def _do(self, todo: Todo, kept_free: int, cause_id: str) -> None:
        await self._landlord.want(todo.fleet, _LEASE_S)
        with contextlib.suppress(StoreError):
            await self._proposing.tell(self._dispatch, kept_free, cause_id)
            await self._drain(todo.drain, cause_id)
        for node in todo.release:
            try:
                await self._landlord.release(node)
            except CapacityError as error:  # its worker may still have to end
                log.info("a node does not go yet", node=node, reason=str(error))

    async def _drain(self, workers: Sequence[WorkerId], cause_id: str) -> None:
        """Told again in the next turn where nobody hears it: to wait for each would outlast the
        lease of the fleet."""
        for worker in workers:
            with contextlib.suppress(Rejected):  # it is gone
                await self._dispatch.tell(Drain(worker, STREAM), cause_id)

    async def _write(self, records: Sequence[PlacementRecord], now_s: float, cause_id: str) -> None:
        if records:
            await self._journaled.append(records, now_s, cause_id)
            self.placed.note(records)

    async def until_due(self) -> None:
        """Until it is time for the next turn: soon, if much more waits than in the last."""
        due_s = self._clock.monotonic_s() + _EVERY_S
        while self._clock.monotonic_s() < due_s:
            await asyncio.sleep(_SOONEST_S)
            with contextlib.suppress(Unreachable):
                await asyncio.to_thread(self._followed.follow)
            if len(self._followed.floor.queue) > _LARGE * self._waited + 1:
                return
