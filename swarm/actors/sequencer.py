"""The sequencer actor: the shell of hazards, SLAs, decisions and links. It follows the stream
`graph` and alone writes the stream `sequencing`."""

import asyncio
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from typing import TypeVar

from swarm.actors.connector_streams import ConnectorStreams
from swarm.actors.entering import entered
from swarm.actors.expecting import keep_expecting
from swarm.actors.figures import of_holds, of_rules, of_slas
from swarm.actors.guiding import guide, keep_guided
from swarm.actors.inbox import start
from swarm.actors.journaled import Journaled, opened
from swarm.actors.linking import settled
from swarm.actors.measuring import measured
from swarm.actors.ports import Dispatch, Placement
from swarm.clock import SystemClock
from swarm.config import PipelineRule, Settings
from swarm.dispatch.events import Guide
from swarm.errors import Rejected, UnknownKey
from swarm.model.causes import follows
from swarm.model.findings import Mute, muted
from swarm.model.graph import FindingChanged, GraphRecord, RunsKept
from swarm.model.intents import Act, Intent, Mode
from swarm.model.keys import PipelineKey
from swarm.model.links import Awaited, Link
from swarm.model.policy import AtLatest, Policies, Policy
from swarm.model.scaling import Outlook
from swarm.model.sequencing import (
    FindingMuted,
    FindingRated,
    HistoryKept,
    IntentMade,
    LinkFed,
    LinkGone,
    LinkMade,
    RuleScored,
    SequencingRecord,
    SlaAccepted,
    SlaChanged,
    SlaDeclined,
)
from swarm.model.sla import Sla, Terms
from swarm.sequencing.asking import Asking
from swarm.sequencing.decisions import Decisions
from swarm.sequencing.hazards import Hazards
from swarm.sequencing.links import Links
from swarm.sequencing.outlook import outlook
from swarm.sequencing.promises import Promises
from swarm.sequencing.stated import Misstated
from swarm.sequencing.whence import Whence
from swarm.sequencing.world import World
from swarm.store.journal import Journal, open_journal
from swarm.telemetry import Figure

STREAM = "sequencing"
_FOLLOWED = "graph"
_SNAPSHOT_EVERY = 5_000  # records
# So many records of the graph may pass before the runs among them are in a snapshot here; the graph
# keeps sixty runs of each pipeline, and this is well before it drops the others.
_HISTORY_EVERY = 5_000
_HISTORY_DAYS = 100.0  # more than anything here looks back
_BATCH = 1_000
_IDLE_S = 0.2  # how long a change of the graph may stay unseen here
_HEAR_S = 2.0  # and what connectors tell of themselves

RecordT = TypeVar("RecordT", bound=SequencingRecord)


class Sequencing:
    """What both streams rebuild: the world, what of it is a hazard, what of it was promised, and
    what is done about it."""

    def __init__(self, settings: Settings) -> None:
        world = World()
        self._world = world
        self.hazards = Hazards(world, settings.min_confidence)
        self.promises = Promises(world, (Sla.told(**dict(promise)) for promise in settings.slas))
        self.links = Links(world.history)
        policy = Policies(tuple(map(_rule, settings.pipelines))).of
        self.decisions = Decisions(world, policy, lambda: self.promises.slas)
        self._asking = Asking(policy)
        self._misstated = Misstated()
        self._kept_seq = 0

    def apply(self, record: GraphRecord | SequencingRecord) -> None:
        match record:
            case IntentMade(intent) if intent.act is not Act.TRIGGER:
                self.decisions.apply(record)
                self._asking.apply(record)
            case LinkMade():
                self.links.apply(record)
                self.hazards.apply(record)
            case IntentMade() | LinkGone() | LinkFed():
                self.links.apply(record)
            case FindingMuted() | FindingRated() | RuleScored():
                self.hazards.apply(record)
            case HistoryKept(seq):
                self._kept_seq = seq
            case SlaChanged() | SlaAccepted() | SlaDeclined():
                self.promises.apply(record)
            case _:
                if isinstance(record, FindingChanged):
                    self._asking.apply(record)
                self.hazards.apply(record)
                self._misstated.apply(record)
                self.decisions.apply(record)
                self.promises.apply(record)
                self.links.apply(record)

    def decide(self, now_s: float) -> list[SequencingRecord]:
        """What people are told; what is done is decided apart, it has no time to wait for this."""
        asked = [*self._asking.decide(now_s), *self._misstated.decide(now_s)]
        return [*asked, *self.hazards.decide(now_s), *self.promises.decide(now_s)]

    def muted(self, finding: str, mute: Mute | None, now_s: float) -> FindingChanged:
        """A finding under a person's word, or told of again. Raises `UnknownKey`."""
        tellers = (self.hazards, self.promises, self._asking, self._misstated)
        return FindingChanged(muted((one.find(finding) for one in tellers), mute, now_s))

    def history_due(self, seq: int) -> list[HistoryKept]:
        """Whether the runs up to `seq` of the graph stream are to be kept here now."""
        return [HistoryKept(seq)] if seq - self._kept_seq >= _HISTORY_EVERY else []

    def records(self) -> Iterator[SequencingRecord | RunsKept]:
        yield HistoryKept(self._kept_seq)
        for pipeline, runs in self._world.history.kept(_HISTORY_DAYS):
            yield RunsKept(pipeline, runs)
        yield from self.hazards.records()
        yield from self.promises.records()
        yield from self.decisions.records()
        yield from self._asking.records()
        yield from self._misstated.records()
        yield from self.links.records()

    def figures(self, now_s: float) -> Iterator[Figure]:
        """What is measured."""
        yield from of_holds(self.decisions.newest, now_s)
        yield from of_slas(self.promises.states)
        yield from of_rules(self.hazards.rules.records())

    def guide(self, now_s: float) -> Guide:
        """What swarm's own queue is to do."""
        return guide(self.decisions.newest, self.decisions.slack_s(now_s), now_s)

    def outlook(self, of: Iterable[PipelineKey], now_s: float) -> Outlook:
        """What placement is to know of these pipelines."""
        return outlook(self._world, lambda key: self.decisions.end_by(key, now_s), of, now_s)

    def hold(self, target: PipelineKey, by: str, for_s: float, now_s: float) -> IntentMade:
        """Hold a pipeline for somebody. Raises `UnknownKey`."""
        if target not in self._world.graph.pipelines:
            raise UnknownKey(f"no pipeline {target}; `swarm status` lists what is read")
        return self.decisions.hold(target, by, now_s + for_s, now_s)

    def release(self, target: PipelineKey, by: str, now_s: float) -> IntentMade:
        """Let a pipeline go on. Raises `Rejected` where it is not held."""
        made = self.decisions.release(target, by, now_s)
        if made is None:
            raise Rejected(f"{target} is not held; `swarm decisions` lists what is")
        return made


class SequencerActor:
    """Tells of hazards and SLAs as the graph and the runs in it move, and decides who is held.

    Where it fell so far behind that records it had not read were trimmed, its loop ends and with it
    the process: it is restarted and begins with the graph's snapshot.
    """

    async def __init__(  # type: ignore[misc]  # Ray awaits it
        self, settings: Settings, dispatch: Dispatch, placement: Placement | None = None
    ) -> None:
        self._clock = SystemClock()
        self._rules = settings.links
        self._ttl_s = settings.hold_ttl_s
        self._whence = Whence()
        self._heard_s = float("-inf")
        self._turn = asyncio.Lock()  # one at a time reads, decides or writes

        def begin() -> tuple[Sequencing, Journaled, Journal, int]:
            state = Sequencing(settings)
            journaled = Journaled(settings, STREAM, state, snapshot_every=_SNAPSHOT_EVERY)
            journal = open_journal(settings.store_url, settings.state_dir)
            snapshot = journal.snapshot(_FOLLOWED)
            for record in snapshot.records if snapshot else ():
                state.apply(record)  # type: ignore[arg-type]  # the stream holds no others
            return state, journaled, journal, snapshot.seq if snapshot else 0

        self._state, self._journaled, self._journal, self._seq = await opened(begin)
        sources = [source.instance for source in settings.sources]
        self._streams = ConnectorStreams(self._journal, sources)
        self._loop = start(self._run())
        self._news = asyncio.Event()
        told = keep_guided(dispatch, self._state.guide, self._clock, self._news)
        self._guided = start(told)
        self._measured = measured(self._figures)
        if placement is not None:
            self._expecting = start(keep_expecting(placement, self._outlook))

    async def intents(self, orchestrator: str) -> list[Intent]:
        """What is to be carried out in an orchestrator now; all of it is in the journal."""
        now_s = self._clock.now_s()
        triggers = self._state.links.triggers(orchestrator, now_s)
        return [*self._state.decisions.intents(orchestrator, now_s, self._ttl_s), *triggers]

    async def hold(self, target: PipelineKey, by: str, for_s: float, cause_id: str) -> Intent:
        """Hold a pipeline for somebody. Raises `UnknownKey`."""
        async with self._turn:
            now_s = self._clock.now_s()
            made = _caused(self._state.hold(target, by, for_s, now_s), cause_id)
            await self._append([made], now_s, [cause_id])
            return made.intent

    async def release(self, target: PipelineKey, by: str, cause_id: str) -> Intent:
        """Release a pipeline. Raises `Rejected` where it is not held."""
        async with self._turn:
            now_s = self._clock.now_s()
            made = _caused(self._state.release(target, by, now_s), cause_id)
            await self._append([made], now_s, [cause_id])
            return made.intent

    async def link(self, link: Link, cause_id: str) -> None:
        """Link a pipeline to others. Raises `Rejected` where links would go round."""
        async with self._turn:
            made = self._state.links.made(link)
            await self._append([made], self._clock.now_s(), [cause_id])

    async def unlink(self, downstream: PipelineKey, by: str, cause_id: str) -> None:
        """Take a pipeline's link away. Raises `UnknownKey`."""
        if self._state.links.of(downstream) is None:
            raise UnknownKey(f"nothing links {downstream} to others; `swarm links` lists them")
        await self._write([LinkGone(downstream, by)], cause_id)

    async def links(self) -> list[Awaited]:
        """How each link stands."""
        return self._state.links.awaited()

    async def accept(self, sla: Sla, by: str, cause_id: str) -> None:
        """Promise an SLA."""
        await self._write([SlaAccepted(sla, by, self._clock.now_s())], cause_id)

    async def decline(self, pipeline: PipelineKey, by: str, cause_id: str) -> None:
        """Promise nothing of a pipeline."""
        await self._write([SlaDeclined(pipeline, by, self._clock.now_s())], cause_id)

    async def terms(self) -> Terms:
        """What is promised and what was declined."""
        return self._state.promises.terms

    async def rate(self, finding_id: str, by: str, is_right: bool, cause_id: str) -> None:
        """Take somebody's word on a hazard. Raises `UnknownKey` and `Rejected`."""
        async with self._turn:
            said = self._state.hazards.rated(finding_id, by, is_right=is_right)
            if said is not None:
                await self._append([said], self._clock.now_s(), [cause_id])

    async def mute(self, finding: str, mute: Mute | None, cause_id: str) -> None:
        """Tell nobody of a finding, or again. Raises `UnknownKey`."""
        async with self._turn:
            now_s = self._clock.now_s()
            await self._append([self._state.muted(finding, mute, now_s)], now_s, [cause_id])

    async def rules(self) -> list[RuleScored]:
        """What became of the findings of each kind of hazard."""
        return list(self._state.hazards.rules.records())

    async def _figures(self) -> Iterable[Figure]:
        async with self._turn:
            return list(self._state.figures(self._clock.now_s()))

    async def _outlook(self, of: Iterable[PipelineKey]) -> Outlook:
        async with self._turn:
            return await asyncio.to_thread(self._state.outlook, of, self._clock.now_s())

    async def _write(self, records: Sequence[SequencingRecord], cause_id: str) -> None:
        async with self._turn:
            causes = [cause_id] * len(records)
            await self._append(records, self._clock.now_s(), causes)

    async def _append(
        self, records: Sequence[SequencingRecord], now_s: float, causes: Sequence[str]
    ) -> None:
        await self._journaled.append(records, now_s, causes)
        self._news.set()
        for record, cause_id in zip(records, causes, strict=True):
            self._whence.note(record, follows(cause_id))

    async def _run(self) -> None:
        wanted = settled(self._state.links, self._rules, self._clock.now_s())
        if wanted:
            await self._write(wanted, "settings")
        while True:
            async with self._turn:
                if self._clock.monotonic_s() >= self._heard_s + _HEAR_S:
                    self._heard_s = self._clock.monotonic_s()
                    await asyncio.to_thread(self._hear)
                more = await asyncio.to_thread(self._follow)
                if not more:  # between two batches the graph is half of what it was
                    await self._tell(self._state.decisions.decide)
                    await self._tell(self._state.links.decide)
                    await self._tell(self._state.decide)
                    await self._keep_history()
            if not more:
                await asyncio.sleep(_IDLE_S)

    async def _keep_history(self) -> None:
        """What is known of the past has to be known after a restart."""
        due = self._state.history_due(self._seq)
        if due:
            await self._journaled.append(due, self._clock.now_s(), "history", snapshot=True)

    def _follow(self) -> bool:
        """Apply what is new; may there be more?"""
        entries = self._journal.read(_FOLLOWED, self._seq, _BATCH)
        for entry in entries:
            self._state.apply(entry.record)  # type: ignore[arg-type]
            self._whence.note(entry.record, follows(entry.cause_id))  # type: ignore[arg-type]
        self._seq += len(entries)
        return len(entries) == _BATCH

    def _hear(self) -> None:
        for at_s, record in self._streams.news():
            self._state.decisions.hear(record, at_s)

    async def _tell(self, decide: Callable[[float], Sequence[SequencingRecord]]) -> None:
        now_s = self._clock.now_s()
        changed = await asyncio.to_thread(decide, now_s)
        if changed:
            by_itself = entered(now_s)  # nothing was heard of it: time alone led to it
            causes = []
            for record in changed:  # one may follow from the one before it
                causes.append(self._whence.of(record) or by_itself)
                self._whence.note(record, causes[-1])
            named = [_caused(*pair) for pair in zip(changed, causes, strict=True)]
            await self._journaled.append(named, now_s, causes)
            self._news.set()


def _caused(record: RecordT, cause_id: str) -> RecordT:
    """An intent goes further than the journal, and takes its cause along."""
    if isinstance(record, IntentMade):
        return replace(record, intent=replace(record.intent, cause_id=follows(cause_id)))
    return record


def _rule(rule: PipelineRule) -> tuple[str, Policy]:
    return rule.match, Policy(Mode(rule.mode), rule.wait_max_s, AtLatest(rule.at_latest))
