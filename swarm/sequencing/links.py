"""Which linked pipelines are to start, as those that they stand on succeed.

`apply` follows runs of the graph stream and what was decided; `decide` answers with what is news:
a run that a stretch of time waited for is there (`LinkFed`), or with it all of them, so that the
downstream pipeline is to start (`IntentMade` of a trigger). A crash between the two loses nothing:
runs are told again, and what is known of a stretch is in the journal.

Rules
1. One pipeline has one link, and for one stretch of it there is one trigger, however often an
   upstream runs for it again. The number of the trigger follows from pipeline and stretch alone, so
   targets that honour an intent's id start one run even where this journal was lost.
2. What was over when the link was made starts nothing: neither a stretch of time, nor one for
   which everything was there already.
3. What fails feeds nothing; a later run for the same time does. A gap stays open, is told
   (`awaited`), and later stretches do not wait for it.
4. A ring of links would start runs without an end: one that closes a ring is refused, and what
   is in one all the same, by settings and people together or of before, starts nothing and says so.
"""

import hashlib
from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace

from swarm.errors import Rejected
from swarm.model.graph import GraphRecord, RunSeen, RunsKept
from swarm.model.intents import Act, Intent, Stretch
from swarm.model.keys import PipelineKey
from swarm.model.links import Awaited, Grain, Link
from swarm.model.past_runs import ran_of
from swarm.model.runs import Ran, Run
from swarm.model.sequencing import IntentMade, LinkFed, LinkGone, LinkMade
from swarm.sequencing.history import History
from swarm.sequencing.partitions import Partition, inside, partition_of

# A trigger is handed out for so long; an orchestrator that is away for longer misses it.
TRIGGER_VALID_S = 86_400.0
_TRIGGERED_KEPT = 400  # stretches of a link; what is older than all of them counts as triggered
_OPEN_KEPT = 100  # stretches of a link that wait for something
_NUMBERS = 2**52  # decisions count from 1 and never come here

LinkRecord = LinkMade | LinkGone | LinkFed | IntentMade
Told = dict[float, float]  # new successes: what they are for, and when they ended
Fed = frozenset[tuple[PipelineKey, float]]  # who succeeded for which stretch within it


@dataclass(slots=True)
class _Standing:
    """What is known of a link: what open stretches have, by start, and which were triggered."""

    link: Link
    fed: dict[float, Fed] = field(default_factory=dict)
    triggered: dict[float, Intent] = field(default_factory=dict)

    def is_settled(self, start_s: float) -> bool:
        if start_s in self.triggered:
            return True
        full = len(self.triggered) >= _TRIGGERED_KEPT
        return full and start_s < min(self.triggered)


class Links:
    """All links, by the pipeline that they start."""

    def __init__(self, history: History) -> None:
        self._history = history
        self._links: dict[PipelineKey, _Standing] = {}
        self._readers: dict[PipelineKey, set[PipelineKey]] = {}
        self._told: dict[PipelineKey, Told] = {}

    def apply(self, record: GraphRecord | LinkRecord) -> None:
        match record:
            case LinkMade(link):
                before = self._links.get(link.downstream)
                self._put(_Standing(link))
                if before is not None:  # what it started once stays started
                    self._links[link.downstream].triggered = before.triggered
            case LinkGone(downstream):
                self._drop(downstream)
            case LinkFed(downstream, upstream, partition_s, part_s):
                if (standing := self._links.get(downstream)) is not None:
                    fed = standing.fed.get(partition_s, frozenset())
                    standing.fed[partition_s] = fed | {(upstream, part_s)}
                    _bound(standing.fed, _OPEN_KEPT)
            case IntentMade(intent) if intent.act is Act.TRIGGER:
                if (standing := self._links.get(intent.target)) is not None:
                    standing.fed.pop(intent.due_s[0], None)
                    standing.triggered[intent.due_s[0]] = intent
                    _bound(standing.triggered, _TRIGGERED_KEPT)
            case RunSeen(Run() as run):
                ran = ran_of(run)
                self._hear(run.pipeline, () if ran is None else (ran,))
            case RunsKept(pipeline, runs):
                self._hear(pipeline, runs)
            case _:
                pass

    def made(self, link: Link) -> LinkMade:
        """Link a pipeline to others. Raises `Rejected` where that would go round."""
        ring = self._ring(link)
        if ring:
            way = " -> ".join(map(str, ring))
            raise Rejected(f"links would go round: {way}; nothing was linked")
        return LinkMade(link)

    def decide(self, now_s: float) -> list[LinkFed | IntentMade]:
        """What follows from the runs that were seen since it was last asked."""
        told, self._told = self._told, {}
        found: list[LinkFed | IntentMade] = []
        for downstream in sorted({d for up in told for d in self._readers.get(up, ())}):
            standing = self._links[downstream]
            if not self._ring(standing.link):
                found += _about(standing, told, now_s)
        return found

    def records(self) -> Iterator[LinkRecord]:
        """A snapshot."""
        for downstream, standing in self._links.items():
            yield LinkMade(standing.link)
            yield from map(IntentMade, standing.triggered.values())
            for start_s, fed in standing.fed.items():
                for upstream, part_s in sorted(fed):
                    yield LinkFed(downstream, upstream, start_s, part_s)

    def triggers(self, orchestrator: str, now_s: float) -> list[Intent]:
        """What is to be started in an orchestrator, until it is over."""
        return [
            intent
            for downstream, standing in self._links.items()
            if downstream.orchestrator == orchestrator
            for intent in standing.triggered.values()
            if now_s < intent.valid_until_s
        ]

    def of(self, downstream: PipelineKey) -> Link | None:
        """The link that starts a pipeline."""
        standing = self._links.get(downstream)
        return None if standing is None else standing.link

    def awaited(self) -> list[Awaited]:
        """How each link stands."""
        every = (self._links[downstream] for downstream in sorted(self._links))
        return [replace(_awaited(one), ring=self._ring(one.link)) for one in every]

    def _ring(self, link: Link) -> tuple[PipelineKey, ...]:
        """The shortest way round by a link and the others, from its downstream back to it; empty
        where there is none."""
        way: dict[PipelineKey, tuple[PipelineKey, ...]] = {link.downstream: (link.downstream,)}
        ahead = deque(way)
        while ahead:
            key = ahead.popleft()
            if key in link.upstreams:
                return *way[key], link.downstream
            for down in sorted(self._readers.get(key, set()) - way.keys()):
                way[down] = (*way[key], down)
                ahead.append(down)
        return ()

    def _hear(self, pipeline: PipelineKey, runs: Iterable[Ran]) -> None:
        if pipeline in self._readers:
            told = self._told.setdefault(pipeline, {})
            told.update({_at_s(ran): ran.ended_at_s for ran in runs if not ran.failed})

    def _put(self, standing: _Standing) -> None:
        self._drop(standing.link.downstream)
        self._links[standing.link.downstream] = standing
        for upstream in standing.link.upstreams:
            self._readers.setdefault(upstream, set()).add(standing.link.downstream)
            self._hear(upstream, self._history.ended(upstream))

    def _drop(self, downstream: PipelineKey) -> None:
        standing = self._links.pop(downstream, None)
        for upstream in standing.link.upstreams if standing else ():
            self._readers[upstream].discard(downstream)
            if not self._readers[upstream]:
                del self._readers[upstream]


def _about(
    standing: _Standing, told: dict[PipelineKey, Told], now_s: float
) -> Iterator[LinkFed | IntentMade]:
    link = standing.link
    new: dict[Partition, Fed] = {}
    fresh: set[Partition] = set()
    for upstream in link.upstreams:
        for at_s, ended_s in told.get(upstream, {}).items():
            part = _of(link, link.every, at_s + link.shift_s)
            whole = _whole(link, part)
            if whole.end_s < link.made_at_s or standing.is_settled(whole.start_s):
                continue
            new[whole] = new.get(whole, frozenset()) | {(upstream, part.start_s)}
            if ended_s >= link.made_at_s:
                fresh.add(whole)
    for whole, fed in sorted(new.items()):
        before = standing.fed.get(whole.start_s, frozenset())
        if whole in fresh and not any(_missing(link, whole, before | fed)):
            yield IntentMade(_trigger(link, whole, now_s))
            continue
        for upstream, part_s in sorted(fed - before):
            yield LinkFed(link.downstream, upstream, whole.start_s, part_s)


def _missing(link: Link, whole: Partition, fed: Fed) -> Iterator[tuple[PipelineKey, float]]:
    """Who has not succeeded yet for which stretch."""
    for upstream in link.upstreams:
        there = {part_s for of, part_s in fed if of == upstream}
        if link.every is Grain.RUN:
            if not there:
                yield upstream, whole.start_s
            continue
        for part in inside(whole, link.every, link.timezone, link.holidays):
            if part.start_s not in there:
                yield upstream, part.start_s


def _trigger(link: Link, whole: Partition, now_s: float) -> Intent:
    ready = ", ".join(map(str, link.upstreams))
    return Intent(
        link.downstream,
        _number(link.downstream, whole),
        Act.TRIGGER,
        f"{ready} made what it reads for {whole.label}",
        now_s + TRIGGER_VALID_S,
        due_s=(whole.start_s,),
        waits_for=link.upstreams,
        by=link.by,
        stretch=Stretch(whole.start_s, whole.end_s, whole.label, link.timezone),
    )


def _number(downstream: PipelineKey, whole: Partition) -> int:
    """The same for the same stretch, for ever."""
    name = f"{downstream}\0{whole.start_s:.3f}\0{whole.end_s:.3f}"
    return _NUMBERS + int.from_bytes(hashlib.sha256(name.encode()).digest()[:6])


def _whole(link: Link, part: Partition) -> Partition:
    """The stretch of the downstream that a part ends in."""
    last_s = part.start_s if link.every is Grain.RUN else part.end_s - 1.0
    return _of(link, link.per, last_s)


def _of(link: Link, grain: Grain, at_s: float) -> Partition:
    return partition_of(at_s, grain, link.timezone, link.holidays)


def _at_s(ran: Ran) -> float:
    return ran.started_at_s if ran.scheduled_for_s is None else ran.scheduled_for_s


def _awaited(standing: _Standing) -> Awaited:
    link = standing.link
    last = max(standing.triggered, default=None)
    last_label = "" if last is None else _of(link, link.per, last).label
    if not standing.fed:
        return Awaited(link, last=last_label)
    newest_s = max(standing.fed)
    whole = _of(link, link.per, newest_s)
    missing = [upstream for upstream, _ in _missing(link, whole, standing.fed[newest_s])]
    counted = tuple((up, missing.count(up)) for up in link.upstreams if up in missing)
    return Awaited(link, whole.label, counted, last_label)


def _bound(kept: dict[float, Fed] | dict[float, Intent], most: int) -> None:
    """Let the oldest stretch go."""
    while len(kept) > most:
        del kept[min(kept)]
