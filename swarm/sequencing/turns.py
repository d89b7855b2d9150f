"""What happened, planned run by planned run.

Rules
1. A turn is a planned run with all its tries: whatever begins within half a cadence of its first
   try. It is planned for when that one began.
2. A turn needs of each writer what `freshness.py` says that a start at its time of day needs,
   judged by all runs that are known, later ones too: a look back knows the habits.
3. A try has its data if it began when each run that its turn needs had ended well with its own
   data: what is made of old data is old.
4. What its orchestrator let begin without a declared upstream did not need it. Of a writer that
   runs more or less often than the reader (`OTHER_CADENCE`), a run is needed only where the turn
   was tried again until it was there: nothing else shows that it mattered. Nor is any needed that
   the turn did without, where most turns that lacked something were tried again (`AGAIN_FROM`).
5. What was made of old data and never again counts as good for whoever reads it: one doubtful read
   must not count many times.
6. A turn stands behind the newest good try of each declared upstream that it needs and that had
   ended when it began: without that it would not have begun.
"""

from bisect import bisect_right
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

from swarm.model.keys import PipelineKey
from swarm.model.lineage import WARN_FROM
from swarm.model.runs import Ran
from swarm.model.weekdays import DAY_S
from swarm.sequencing.between import OTHER_CADENCE
from swarm.sequencing.freshness import Need, need
from swarm.sequencing.history import cadence_s
from swarm.sequencing.world import World

# From this share on people here make again what lacked something: what is not made again lacked
# nothing.
AGAIN_FROM = 0.5

TurnId = tuple[PipelineKey, float]
# What each try lacked when it began.
_Lacked = dict[tuple[TurnId, int], tuple[PipelineKey, ...]]


class Behind(NamedTuple):
    """The try `number` of another turn, which had ended `gap_s` before."""

    turn: TurnId
    number: int
    gap_s: float


@dataclass(frozen=True, slots=True)
class Turn:
    """A planned run as it went; `tries` are in order, there is one at least."""

    key: PipelineKey
    tries: tuple[Ran, ...]
    needs: tuple[Need, ...] = ()
    behind: tuple[Behind, ...] = ()

    @property
    def planned_s(self) -> float:
        return self.tries[0].started_at_s

    @property
    def id(self) -> TurnId:
        return self.key, self.planned_s


@dataclass(slots=True)
class Went:
    """How a turn went in one of two worlds. `missing` is what its first try lacked; `good_s` is
    when a try ended well first, `fresh_s` when one did that had its data (None: none did); `ran_s`
    is how long all `tried` tries took; `held_s` how long swarm kept the first one."""

    turn: Turn
    missing: tuple[PipelineKey, ...] = ()
    failed: bool = False
    good_s: float | None = None
    fresh_s: float | None = None
    tried: int = 0
    ran_s: float = 0.0
    held_s: float = 0.0

    def end(self, ran: Ran, missing: tuple[PipelineKey, ...], fresh: "Fresh") -> None:
        """A try of it has ended that lacked `missing` when it began."""
        if not self.tried:
            self.missing, self.failed = missing, ran.failed
        self.tried += 1
        self.ran_s += ran.ended_at_s - ran.started_at_s
        if ran.failed:
            return
        self.good_s = ran.ended_at_s if self.good_s is None else self.good_s
        if not missing and self.fresh_s is None:
            self.fresh_s = ran.ended_at_s
        if not missing or len(self.turn.tries) == 1:
            fresh.put(self.turn.key, self.turn.planned_s, ran.ended_at_s)

    @property
    def stale(self) -> bool:
        """Did it read what was not new?"""
        return bool(self.missing) and not self.failed

    @property
    def cascaded(self) -> bool:
        """Did it fail where it lacked something?"""
        return bool(self.missing) and self.failed


class Fresh:
    """Which runs had their data, as time goes on."""

    def __init__(self) -> None:
        self._made: dict[PipelineKey, list[tuple[float, float]]] = {}

    def put(self, key: PipelineKey, planned_s: float, ended_s: float) -> None:
        self._made.setdefault(key, []).append((planned_s, ended_s))

    def missing(self, needs: Iterable[Need], now_s: float) -> tuple[PipelineKey, ...]:
        """The writers whose run is not there."""
        return tuple(one.writer for one in needs if not self._is_there(one, now_s))

    def _is_there(self, one: Need, now_s: float) -> bool:
        made = self._made.get(one.writer, ())
        return any(plan_s >= one.from_s and end_s <= now_s for plan_s, end_s in reversed(made))


def turns_of(key: PipelineKey, runs: Sequence[Ran]) -> list[Turn]:
    """The turns of a pipeline; `runs` are all that ended, the oldest first."""
    every_s = cadence_s([ran.started_at_s for ran in runs])
    found: list[list[Ran]] = []
    for ran in runs:
        if found and every_s and ran.started_at_s - found[-1][0].started_at_s < every_s / 2:
            found[-1].append(ran)
        else:
            found.append([ran])
    return [Turn(key, tuple(tries)) for tries in found]


def all_turns(world: World, until_s: float) -> list[Turn]:
    """The turns that were planned before `until_s`, with what they need, by their plan."""
    graph, history = world.graph, world.history
    level = graph.by_pipeline
    into = level.adjacency.view(WARN_FROM).into
    of = {key: turns_of(key, history.known(key)) for key in level.nodes}
    good = {key: _Good(turns) for key, turns in of.items()}
    found = []
    for node, key in enumerate(level.nodes):
        ups = [level.nodes[up] for up in into[node]]
        declared = {up for up in ups if graph.edge(up, key).declared}
        for turn in of[key]:
            if turn.planned_s >= until_s:
                continue
            asked = (need(history, up, key, turn.planned_s) for up in ups)
            needs = {one.writer: one for one in asked if one is not None}
            behind = {up: good[up].before(needs[up], turn) for up in declared if up in needs}
            kept = tuple(one for up, one in needs.items() if behind.get(up, one) is not None)
            stands = tuple(one for one in behind.values() if one is not None)
            found.append(replace(turn, needs=kept, behind=stands))
    return sorted(found, key=lambda turn: (turn.planned_s, turn.key))


def as_it_was(turns: Sequence[Turn]) -> dict[TurnId, Went]:
    """How the turns went, with what they really needed (rule 4)."""
    every_s = _cadences(turns)
    _, lacked = _gone_through(turns)
    never = {
        turn.id: set(lacked[turn.id, 0]) & set(lacked[turn.id, len(turn.tries) - 1])
        for turn in turns
    }
    short = [turn.id for turn in turns if lacked[turn.id, 0]]
    again = sum(not never[one] for one in short)
    strict = bool(short) and again >= AGAIN_FROM * len(short)
    needed = []
    for turn in turns:
        without = {up for up in never[turn.id] if strict or not _is_alike(every_s, up, turn.key)}
        needs = tuple(one for one in turn.needs if one.writer not in without)
        needed.append(replace(turn, needs=needs))
    return _gone_through(needed)[0]


def _cadences(turns: Iterable[Turn]) -> dict[PipelineKey, float]:
    planned: dict[PipelineKey, list[float]] = {}
    for turn in turns:
        planned.setdefault(turn.key, []).append(turn.planned_s)
    found = ((key, cadence_s(starts)) for key, starts in planned.items())
    return {key: every_s for key, every_s in found if every_s}


def _is_alike(every_s: Mapping[PipelineKey, float], one: PipelineKey, other: PipelineKey) -> bool:
    if one not in every_s or other not in every_s:
        return False
    return 1 / OTHER_CADENCE < every_s[one] / every_s[other] < OTHER_CADENCE


def _gone_through(turns: Sequence[Turn]) -> tuple[dict[TurnId, Went], _Lacked]:
    """All tries as they began and ended."""
    went = {turn.id: Went(turn) for turn in turns}
    fresh = Fresh()
    lacked: _Lacked = {}
    for at_s, is_begin, one, number in sorted(_moments(turns)):
        turn, ran = went[one].turn, went[one].turn.tries[number]
        if is_begin or (one, number) not in lacked:  # what takes no time ends as it begins
            lacked[one, number] = fresh.missing(turn.needs, at_s)
        if not is_begin:
            went[one].end(ran, lacked[one, number], fresh)
    return went, lacked


def _moments(turns: Iterable[Turn]) -> Iterator[tuple[float, bool, TurnId, int]]:
    """When each try begins and ends; at the same time an end comes first."""
    for turn in turns:
        for number, ran in enumerate(turn.tries):
            yield ran.started_at_s, True, turn.id, number
            yield ran.ended_at_s, False, turn.id, number


class _Good:
    """The good tries of a pipeline by their ends."""

    def __init__(self, turns: Iterable[Turn]) -> None:
        self._tries = sorted(
            (ran.ended_at_s, turn.planned_s, number, turn.key)
            for turn in turns
            for number, ran in enumerate(turn.tries)
            if not ran.failed
        )

    def before(self, needed: Need, turn: Turn) -> Behind | None:
        """The newest one that is what the turn needs and had ended when it began."""
        at = bisect_right(self._tries, turn.planned_s, key=lambda one: one[0]) - 1
        if at < 0 or self._tries[at][1] < needed.from_s:
            return None
        ended_s, planned_s, number, key = self._tries[at]
        return Behind((key, planned_s), number, turn.planned_s - ended_s)


def clocks(turns: Iterable[Turn], triggered_s: float, least: int) -> Mapping[PipelineKey, float]:
    """At which second of the UTC day the clock lets each pipeline begin: the middle of the `least`
    or more starts that were not a declared upstream's end, `triggered_s` before at most."""
    own: dict[PipelineKey, list[float]] = {}
    for turn in turns:
        if not any(one.gap_s <= triggered_s for one in turn.behind):
            own.setdefault(turn.key, []).append(turn.planned_s % DAY_S)
    return {key: sorted(at)[len(at) // 2] for key, at in own.items() if len(at) >= least}
