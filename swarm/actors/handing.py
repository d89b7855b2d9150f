"""Brings what sequencing decided to the hand beside an orchestrator, for one connector.

The sequencer has the intents in its journal and answers them with fresh times; passing them on is
the renewal. What came of each goes to the connector's journal. If any of the three is gone nothing
is passed on, and what is held runs out at the hand.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence

import structlog

from swarm.actors.ports import Sequencer
from swarm.clock import Clock
from swarm.errors import ConnectorError, StoreError
from swarm.hands.line import HandLine
from swarm.hands.wire import Answer
from swarm.model.connectors import IntentEnded
from swarm.model.intents import Carried, Intent, Mode

_LOOK_S = 0.5
_RENEW_S = 5.0

log = structlog.get_logger()


class Handing:
    """What one connector passes on. `ended` has what the journal knows, by the intent's id."""

    def __init__(
        self,
        orchestrator: str,
        hand: HandLine | None,
        clock: Clock,
        ended: Mapping[str, IntentEnded],
        record: Callable[[IntentEnded], Awaitable[None]],
    ) -> None:
        self._orchestrator, self._hand, self._clock = orchestrator, hand, clock
        self._ended, self._record = ended, record
        self._sent: frozenset[tuple[str, tuple[float, ...]]] = frozenset()
        self._sent_s = 0.0
        self._waits = ""

    async def run(self, sequencer: Sequencer) -> None:
        """For ever."""
        while True:
            await asyncio.sleep(_LOOK_S)
            try:
                found = await sequencer.intents(self._orchestrator)
            except StoreError:  # also when it does not answer
                continue
            await self.pass_on([one for one in found if one.mode is Mode.GATE])

    async def pass_on(self, intents: Sequence[Intent]) -> None:
        """Tell the hand what is news to it or has to be renewed, and record what came of it."""
        if not intents:
            return
        if self._hand is None:
            no_hand = Answer("", Carried.REFUSED, self._no_hand())
            await self._take_in(intents, [no_hand] * len(intents))
            return
        sent = frozenset((one.id, one.due_s) for one in intents)
        now_s = self._clock.monotonic_s()
        if sent == self._sent and now_s - self._sent_s < _RENEW_S and not self._waits:
            return
        try:
            answers = await self._hand.tell(intents, self._clock.now_s())
        except ConnectorError as error:
            self._say(str(error))
            return
        self._sent, self._sent_s = sent, now_s
        open_ = [answer for answer in answers if answer.outcome is None]
        self._say("; ".join(f"{answer.id}: {answer.detail or 'under way'}" for answer in open_))
        await self._take_in(intents, answers)

    async def _take_in(self, intents: Sequence[Intent], answers: Sequence[Answer]) -> None:
        for intent, answer in zip(intents, answers, strict=True):
            known = self._ended.get(intent.id)
            outcome = answer.outcome
            if outcome is None and answer.detail:
                outcome = Carried.DELAYED
            if outcome is None or (known is not None and known.outcome is outcome):
                continue
            log.info("intent", id=intent.id, outcome=outcome, detail=answer.detail)
            await self._record(IntentEnded(intent, outcome, answer.detail))

    def _say(self, waits: str) -> None:
        """Tell of what is open when that changes; it is asked for again at once."""
        if waits and waits != self._waits:
            log.warning("the hand has not done it", source=self._orchestrator, why=waits)
        self._waits = waits

    def _no_hand(self) -> str:
        return (
            f"no hand turns the knobs of {self._orchestrator}: start `swarm hand run` beside it, "
            "then set `hand_url` and `hand_token_file` of this source"
        )
