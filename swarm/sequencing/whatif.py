"""What if? The day ahead as it usually goes, beside the same day with something changed.

A draw takes one of the days like it for all pipelines at once, as in `forecast.py`, and both worlds
take the same draws: what differs between them is the change. A pipeline is done with what everybody
upstream makes for it that day, so behind a dependency nobody declared it counts as begun only when
that is there (the run that began before has to be made again). Room is a number of slots an
orchestrator (`slots.py`); nothing is known of what happens between two tasks of a run.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from graphlib import CycleError, TopologicalSorter
from random import Random
from statistics import median

from swarm.errors import InputError
from swarm.model.keys import PipelineKey
from swarm.model.sla import Sla
from swarm.model.weekdays import DAY_S
from swarm.sequencing.day_ahead import DayAhead, next_begin_s
from swarm.sequencing.days import Past
from swarm.sequencing.deadlines import next_deadline_s
from swarm.sequencing.slots import Outage, Piece, ends_of

DRAWS = 1_000
# A difference that counts as one.
MOVED_S = 60.0


@dataclass(frozen=True, slots=True)
class Added:
    """A new pipeline: it begins `at_s` after midnight UTC (None: as soon as it may), behind what
    it reads; others come behind it."""

    key: PipelineKey
    takes_s: float
    at_s: float | None = None
    after: tuple[PipelineKey, ...] = ()
    before: tuple[PipelineKey, ...] = ()


@dataclass(frozen=True, slots=True)
class Loss:
    """A share of the slots of an orchestrator (empty: of each) is gone, from `at_s` after midnight
    UTC, for `for_s`."""

    share: float
    at_s: float
    for_s: float
    orchestrator: str = ""


@dataclass(frozen=True, slots=True)
class Filling:
    """`runs` more runs of a pipeline, `at_once` of them at the same time, from `at_s` after
    midnight UTC (None: from the day's begin) on."""

    key: PipelineKey
    runs: int
    at_once: int = 1
    at_s: float | None = None


@dataclass(frozen=True, slots=True)
class Changes:
    """What is otherwise. `late_s` by pipeline; `slots`: so many more (or fewer) runs at once, by
    orchestrator (an empty name: in each); `room`: how many there are now, where that is known."""

    late_s: Mapping[PipelineKey, float] = field(default_factory=dict)
    slots: Mapping[str, int] = field(default_factory=dict)
    room: Mapping[str, int] = field(default_factory=dict)
    losses: tuple[Loss, ...] = ()
    fillings: tuple[Filling, ...] = ()
    added: tuple[Added, ...] = ()


@dataclass(frozen=True, slots=True)
class Ends:
    """When a pipeline is done, seconds since the epoch: as likely as not, and on nine of ten days.
    Infinite: it never is."""

    p50_s: float
    p90_s: float


@dataclass(frozen=True, slots=True)
class PipelineOutlook:
    """A pipeline without and with the change (`before` is None for a new one); `later`: in which
    share of the draws it is done over a minute later, `moved_s` the middle difference."""

    key: PipelineKey
    before: Ends | None
    after: Ends
    later: float = 0.0
    moved_s: float = 0.0


@dataclass(frozen=True, slots=True)
class SlaOutlook:
    """The chance that an SLA is missed, without and with the change; None: nothing tells."""

    sla: Sla
    deadline_s: float
    before: float | None
    after: float | None


@dataclass(frozen=True, slots=True)
class Outlook:
    """The answer, most moved first. `days` is on how many days it rests; `slots` what there is
    room for without the change; `unknown` are pipelines whose runs do not tell."""

    begins_s: float
    days: int
    draws: int
    slots: Mapping[str, int]
    pipelines: tuple[PipelineOutlook, ...]
    slas: tuple[SlaOutlook, ...]
    unknown: tuple[PipelineKey, ...]


def simulate(
    day: DayAhead, changes: Changes, slas: Iterable[Sla], seed: int = 1, draws: int = DRAWS
) -> Outlook:
    """Both worlds over the same draws. Raises `InputError` for a change of what is not there."""
    if not day.ago:
        raise InputError("no pipeline has run on three days like the next one: nothing to draw")
    _check(day, changes)
    without, within = _DayWith(day, Changes(room=changes.room)), _DayWith(day, changes)
    before: list[list[float]] = []
    after: list[list[float]] = []
    random = Random(seed)
    for _ in range(draws):
        draw = _draw(day, random)
        before.append(without.ends(draw))
        after.append(within.ends(draw))
    columns = list(zip(*before, strict=True)), list(zip(*after, strict=True))
    keys = [line.key for line in day.lines]
    found = [
        _outlook(key, day.begins_s, was, now)
        for key, was, now in zip(keys, columns[0], columns[1], strict=False)
    ]
    news = columns[1][len(keys) :]
    found += [
        PipelineOutlook(one.key, None, _ends(day.begins_s, ends))
        for one, ends in zip(changes.added, news, strict=True)
    ]
    found.sort(key=lambda one: (one.before is not None, -abs(one.moved_s), -one.later, one.key))
    ends = {key: (columns[0][at], columns[1][at]) for at, key in enumerate(keys)}
    return Outlook(
        day.begins_s,
        len(day.ago),
        draws,
        without.slots,
        tuple(found),
        tuple(_slas(day, slas, ends)),
        day.unknown,
    )


@dataclass(frozen=True, slots=True)
class _Draw:
    """What chance decides in a draw: the run of each line, and which of its links are there."""

    ago: int
    pasts: Sequence[Past]
    links: Sequence[tuple[tuple[int, ...], tuple[int, ...]]]


def _draw(day: DayAhead, random: Random) -> _Draw:
    ago = random.choice(day.ago)
    pasts = [line.days.get(ago) or random.choice(tuple(line.days.values())) for line in day.lines]
    links = []
    for line in day.lines:
        held = [link for link in line.links if random.random() < link.confidence]
        links.append(
            (
                tuple(link.number for link in held if not link.inside),
                tuple(link.number for link in held if link.inside),
            )
        )
    return _Draw(ago, pasts, links)


class _DayWith:
    """The day with some changes, whatever the draw."""

    def __init__(self, day: DayAhead, changes: Changes) -> None:
        self._day = day
        self._late_s = [changes.late_s.get(line.key, 0.0) for line in day.lines]
        self.slots = {pool: changes.room.get(pool, count) for pool, count in day.slots.items()}
        self._now = {
            pool: max(0, count + changes.slots.get(pool, changes.slots.get("", 0)))
            for pool, count in self.slots.items()
        }
        self._outages = {
            pool: outage for loss in changes.losses for pool, outage in self._lost(loss)
        }
        number = {line.key: at for at, line in enumerate(day.lines)}
        self._added = changes.added
        self._behind: dict[int, list[int]] = {}
        first = len(day.lines)
        number |= {one.key: first + at for at, one in enumerate(changes.added)}
        self._after = [tuple(number[key] for key in one.after) for one in changes.added]
        for at, one in enumerate(changes.added):
            for key in one.before:
                self._behind.setdefault(number[key], []).append(first + at)
        self._fillings = [(number[one.key], one) for one in changes.fillings]

    def _lost(self, loss: Loss) -> Iterator[tuple[str, Outage]]:
        from_s = self._on_day(loss.at_s)
        for pool, count in self._now.items():
            if loss.orchestrator in ("", pool):
                lost = min(count, round(loss.share * count) or 1)
                yield pool, Outage(lost, from_s, from_s + loss.for_s)

    def _on_day(self, at_s: float) -> float:
        """A time after midnight, from the day's begin on."""
        return next_begin_s(at_s, self._day.begins_s - 1.0) - self._day.begins_s

    def ends(self, draw: _Draw) -> list[float]:
        """When each line, then each added one, is done after the day's begin."""
        pieces = []
        behind = self._behind
        for at, line in enumerate(self._day.lines):
            past, (after, within) = draw.pasts[at], draw.links[at]
            if at in behind:
                after = (*after, *behind[at])
            begins_s = past.began_s + self._late_s[at]
            pieces.append(Piece(line.key.orchestrator, begins_s, past.took_s, after, within))
        for after, one in zip(self._after, self._added, strict=True):
            begins_s = 0.0 if one.at_s is None else self._on_day(one.at_s)
            pieces.append(Piece(one.key.orchestrator, begins_s, one.takes_s, after))
        asked = len(pieces)
        for at, line in enumerate(self._day.lines):
            pieces += (
                Piece(line.key.orchestrator, past.began_s + self._late_s[at], past.took_s)
                for past in line.others.get(draw.ago, ())
            )
        for at, filling in self._fillings:
            self._fill(pieces, at, filling)
        return ends_of(pieces, self._now, self._outages)[:asked]

    def _fill(self, pieces: list[Piece], at: int, filling: Filling) -> None:
        begins_s = 0.0 if filling.at_s is None else self._on_day(filling.at_s)
        first = len(pieces)
        for number in range(filling.runs):
            before = number - filling.at_once
            after = (first + before,) if before >= 0 else ()
            pieces.append(Piece(pieces[at].pool, begins_s, pieces[at].takes_s, after))


def _check(day: DayAhead, changes: Changes) -> None:
    known = {line.key for line in day.lines}
    new = {one.key for one in changes.added}
    for key in (*changes.late_s, *(one.key for one in changes.fillings)):
        if key not in known:
            raise InputError(_missing(key, day))
    for one in changes.added:
        if one.key in known:
            raise InputError(f"{one.key} is there already: it cannot be added")
        for key in (*one.after, *one.before):
            if key not in known | new:
                raise InputError(f"{one.key} is to stand beside {_missing(key, day)}")
    _check_order(day, changes)
    pools = {*(line.key.orchestrator for line in day.lines), ""}
    named = (*changes.slots, *changes.room, *(loss.orchestrator for loss in changes.losses))
    for pool in named:
        if pool not in pools:
            there = ", ".join(sorted(pools - {""}))
            raise InputError(f"nothing runs in an orchestrator `{pool}`; there are: {there}")


def _check_order(day: DayAhead, changes: Changes) -> None:
    sorter: TopologicalSorter[PipelineKey] = TopologicalSorter()
    for line in day.lines:
        sorter.add(line.key, *(day.lines[link.number].key for link in line.links))
    for one in changes.added:
        sorter.add(one.key, *one.after)
        for key in one.before:
            sorter.add(key, one.key)
    try:
        sorter.prepare()
    except CycleError as error:
        ring = " -> ".join(str(key) for key in error.args[1])
        raise InputError(f"these would wait for each other in a ring: {ring}") from None


def _missing(key: PipelineKey, day: DayAhead) -> str:
    if key in day.unknown:
        return f"{key}, which has run on too few days like the next one to say how it runs"
    return f"{key}, and there is no such pipeline; write orchestrator/name"


def _outlook(
    key: PipelineKey, begins_s: float, was: Sequence[float], now: Sequence[float]
) -> PipelineOutlook:
    moved = [_moved_s(one, other) for one, other in zip(was, now, strict=True)]
    later = sum(step > MOVED_S for step in moved) / len(moved)
    return PipelineOutlook(key, _ends(begins_s, was), _ends(begins_s, now), later, median(moved))


def _moved_s(was: float, now: float) -> float:
    return 0.0 if was == now else now - was  # both may be infinite


def _ends(begins_s: float, ends: Sequence[float]) -> Ends:
    ordered = sorted(ends)
    count = len(ordered)
    return Ends(begins_s + ordered[count // 2], begins_s + ordered[min(count - 1, 9 * count // 10)])


def _slas(
    day: DayAhead,
    slas: Iterable[Sla],
    ends: Mapping[PipelineKey, tuple[Sequence[float], Sequence[float]]],
) -> Iterator[SlaOutlook]:
    """Those whose deadline is on the day."""
    for sla in slas:
        deadline_s = next_deadline_s(sla, day.begins_s)
        if deadline_s is None or deadline_s > day.begins_s + DAY_S:
            continue
        found = ends.get(sla.pipeline)
        due_s = deadline_s - day.begins_s
        chances = [sum(end_s > due_s for end_s in one) / len(one) for one in found or ()]
        before, after = chances or (None, None)
        yield SlaOutlook(sla, deadline_s, before, after)
