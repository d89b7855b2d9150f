"""The graph actor: the shell of ledger and findings. It alone writes the journal stream `graph`."""

import asyncio
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

from swarm.actors.entering import START, entered
from swarm.actors.inbox import Inbox, start
from swarm.actors.journaled import Journaled, opened
from swarm.clock import SystemClock
from swarm.config import Settings
from swarm.connectors.contexts import naming_of
from swarm.errors import Overloaded
from swarm.graph.beats import LOOK_S, Beats, HostBeat
from swarm.graph.findings import Findings
from swarm.graph.questions import Questions
from swarm.graph.recovery import Recoveries
from swarm.graph.watched import Watched
from swarm.lineage.ledger import SETTLE, Ledger
from swarm.lineage.naming import Naming
from swarm.model.causes import follows
from swarm.model.connectors import Batch
from swarm.model.findings import Mute, muted
from swarm.model.foreign import ForeignWorker
from swarm.model.graph import FindingChanged, GraphRecord, QuestionAsked, RecoveryIntended
from swarm.model.lineage import VerdictRequest
from swarm.model.recovery import Recovery

STREAM = "graph"
BEATS = "beats"
_SNAPSHOT_EVERY = 20_000  # records; keeps replay after a crash far below two seconds
_QUEUE_MAX = 1_000


@dataclass(frozen=True, slots=True)
class AskQuestions:
    """Somebody wants to see what owners are asked: ask what may be asked now."""


@dataclass(frozen=True, slots=True)
class MuteFinding:
    """Somebody wants nobody to be told of a finding, or (None) people to be told again."""

    finding: str
    mute: Mute | None


Event = Batch | VerdictRequest | AskQuestions | MuteFinding


@dataclass(frozen=True, slots=True)
class _Letter:
    event: Event
    cause_id: str


class Conclusions:
    """What the stream `graph` rebuilds: what is known, and what of it people are told."""

    def __init__(
        self, naming: Naming, min_confidence: float, recovering: Iterable[str] = ()
    ) -> None:
        self._ledger = Ledger(naming)
        self._findings = Findings(min_confidence)
        self._questions = Questions()
        self._watched = Watched()
        self._recoveries = Recoveries(recovering)

    def apply(self, record: GraphRecord) -> None:
        self._ledger.apply(record)
        self._findings.apply(record)
        self._questions.apply(record)
        self._watched.apply(record)
        self._recoveries.apply(record)

    def records(self) -> Iterator[GraphRecord]:
        yield from self._ledger.records()
        yield from self._findings.records()
        yield from self._questions.records()
        yield from self._watched.records()
        yield from self._recoveries.records()

    def recoveries(self, orchestrator: str, now_s: float) -> list[Recovery]:
        """What the connector of an orchestrator is to do now."""
        return self._recoveries.open(orchestrator, now_s)

    @property
    def foreign_workers(self) -> list[ForeignWorker]:
        """The workers of orchestrators, as they were last told of."""
        return self._watched.workers

    @property
    def settled(self) -> bool:
        """Does everything follow from what the channels are worth now?"""
        return self._ledger.settled

    def questions(self, now_s: float) -> list[QuestionAsked]:
        """What was asked and waits for an answer."""
        return self._questions.open(self._findings.graph, now_s)

    async def take(self, journaled: Journaled, event: Event, now_s: float, cause_id: str) -> int:
        """Merge an event and tell what it means; returns the journal's last sequence number. Raises
        `UnknownKey` for what is not there."""
        if isinstance(event, AskQuestions):
            asked = await asyncio.to_thread(self._questions.decide, self._findings.graph, now_s)
            return await journaled.append(asked, now_s, cause_id) if asked else journaled.last_seq
        if isinstance(event, MuteFinding):
            known = (one.find(event.finding) for one in (self._findings, self._watched))
            changed = FindingChanged(muted(known, event.mute, now_s))
            return await journaled.append([changed], now_s, cause_id)
        records = await asyncio.to_thread(self._ledger.decide, event, now_s)
        if isinstance(event, Batch):
            records += self._watched.decide(event)
        if not records:
            return journaled.last_seq
        seq = await journaled.append(records, now_s, cause_id)
        return await self.tell(journaled, now_s, cause_id) or seq

    async def tell(self, journaled: Journaled, now_s: float, cause_id: str) -> int:
        """Record the findings that are not as they were, and what is to be done about them; 0
        when there are none."""
        findings = await asyncio.to_thread(self._findings.decide, now_s)
        findings += self._watched.findings(now_s)
        if not findings:
            return 0
        cause_id = follows(cause_id)
        intents = [
            RecoveryIntended(replace(one.recovery, cause_id=cause_id))
            for one in self._recoveries.decide(findings, self._watched.process_of, now_s)
        ]
        return await journaled.append([*findings, *intents], now_s, cause_id)


class GraphActor:
    """Takes evidence and verdicts, answers when they are in the journal."""

    async def __init__(self, settings: Settings) -> None:  # type: ignore[misc]  # Ray awaits it
        self._clock = SystemClock()

        def begin() -> tuple[Conclusions, Journaled]:
            recovering = [source.instance for source in settings.sources if source.recover]
            state = Conclusions(naming_of(settings), settings.min_confidence, recovering)
            return state, Journaled(settings, STREAM, state, snapshot_every=_SNAPSHOT_EVERY)

        self._state, self._journaled = await opened(begin)
        # A crash may have come between a conclusion and its finding; settings may have changed.
        await self._state.tell(self._journaled, self._clock.now_s(), START)
        self._inbox: Inbox[_Letter] = Inbox(self._handle, size_max=_QUEUE_MAX)
        self._settle(START)
        self._loop = start(self._inbox.run())
        self._beats = Beats()
        self._beats.recall(self._state.foreign_workers, self._clock.monotonic_s())
        self._listening = start(self._listen())

    async def offer(self, batch: Batch, cause_id: str) -> int:
        """Merge a batch; the reply means that it is durable. Sending it again changes nothing."""
        return await self._inbox.send(_Letter(batch, cause_id))

    async def judge(self, request: VerdictRequest, cause_id: str) -> int:
        """Record a person's verdict. Raises `UnknownKey` for a dependency nobody has seen."""
        return await self._inbox.send(_Letter(request, cause_id))

    async def mute(self, finding: str, mute: Mute | None, cause_id: str) -> None:
        """Tell nobody of a finding, or again. Raises `UnknownKey`."""
        await self._inbox.send(_Letter(MuteFinding(finding, mute), cause_id))

    async def ask(self, cause_id: str) -> list[QuestionAsked]:
        """The questions that wait for their owners' answers; new ones are in the journal first."""
        await self._inbox.send(_Letter(AskQuestions(), cause_id))
        return self._state.questions(self._clock.now_s())

    async def recoveries(self, orchestrator: str) -> list[Recovery]:
        """What the connector of an orchestrator is to do now; it is in the journal."""
        return self._state.recoveries(orchestrator, self._clock.now_s())

    async def hear(self, told: HostBeat, cause_id: str) -> None:
        """Take the beat of a host; what it changes is in the journal, the beat itself is not."""
        await self._tell(self._beats.hear(told, *self._now()), cause_id)

    async def _listen(self) -> None:
        """Tell of the workers whose beats have ceased."""
        while True:
            await asyncio.sleep(LOOK_S)
            try:
                await self._tell(self._beats.due(*self._now()), entered(self._clock.now_s()))
            except Overloaded:
                continue  # they are silent still when it is asked again

    async def _tell(self, workers: tuple[ForeignWorker, ...], cause_id: str) -> None:
        if workers:
            await self._inbox.send(_Letter(Batch(BEATS, "", workers), cause_id))
            self._beats.took(workers, self._clock.monotonic_s())

    def _now(self) -> tuple[float, float]:
        return self._clock.monotonic_s(), self._clock.now_s()

    async def _handle(self, letter: _Letter) -> int:
        now_s = self._clock.now_s()
        seq = await self._state.take(self._journaled, letter.event, now_s, letter.cause_id)
        self._settle(follows(letter.cause_id))
        return seq

    def _settle(self, cause_id: str) -> None:
        """Go on weighing what is left as long as nobody waits for something else."""
        if not self._state.settled:
            self._inbox.remind(_Letter(SETTLE, cause_id))
