"""When will a pipeline be done with what everybody upstream makes for it today?

Monte Carlo over the pipelines upstream of it, in their order. A draw takes one of the days like
today for all of them at once, and one of the paces that days had, the likelier the better it fits
what ran today (`pace.py`): a slow warehouse is slow for all. Then each begins and takes as long as
it did on that day. What has happened today is taken as it is: a run under way takes longer than it
has, and one that has not begun begins later than now. An undeclared dependency is there in as many
draws as it is sure. A run that began before its upstream was done read what was not new, so it does
not count: it is done only when it has run again, as soon after that as it is made again here.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from math import inf
from operator import add, mul
from random import Random
from typing import NamedTuple

from swarm.model.keys import PipelineKey
from swarm.model.weekdays import DAY_S
from swarm.sequencing.days import Days, Done, Today
from swarm.sequencing.pace import Pace
from swarm.sequencing.repairs import Gaps
from swarm.sequencing.tail import Tail

DRAWS = 200


class Link(NamedTuple):
    """Waits for the node `number`: with its start, or (`inside`) after it has begun."""

    number: int
    confidence: float
    inside: bool = False


@dataclass(frozen=True, slots=True)
class Node:
    """A pipeline of the forecast and what it waits for; `today` is None where nothing is known,
    then it is in nobody's way. `starts` are the days that tell when it begins by itself."""

    key: PipelineKey
    today: Today | None
    upstream: tuple[Link, ...] = ()
    starts: Days | None = None


@dataclass(frozen=True, slots=True)
class Habits:
    """What all pipelines together show: how long runs go on that outlast their own (`tail`), how
    soon something is run again that failed (`retries`) or read what was not new (`repairs`), and
    how fast days are."""

    tail: Tail
    retries: Gaps = field(default_factory=Gaps)
    repairs: Gaps = field(default_factory=Gaps)
    pace: Pace = field(default_factory=Pace)


@dataclass(frozen=True, slots=True)
class Forecast:
    """`chance` of an end after the deadline; `expected_s` is the end in the middle draw, a day
    after the deadline where it never ends, and `path` what it waited for there, in order."""

    chance: float
    expected_s: float
    path: tuple[PipelineKey, ...]


class _Ends(NamedTuple):
    """By draw: the end, and when that was done which it waited for (`_NEVER`: for nobody)."""

    at_s: Sequence[float]
    waited_s: Callable[[int], float]


_NEVER = -inf


def _nobody(draw: int) -> float:
    return _NEVER


def forecast(
    nodes: Sequence[Node],
    deadline_s: float,
    now_s: float,
    habits: Habits,
    random: Random,
    count: int = DRAWS,
) -> Forecast | None:
    """`nodes` stand behind what they wait for; the last one is asked for. None: it is not known.
    `count` draws are made."""
    asked = nodes[-1].today
    if asked is None:
        return None
    draws = _Draws(
        random.choices(tuple(asked.days), k=count),
        random.choices(*habits.pace.today, k=count),
        deadline_s,
        now_s,
        habits,
        random,
    )
    ends: list[_Ends | None] = []
    for node in nodes:
        ends.append(_ends(node, ends, draws))
    last = ends[-1]
    assert last is not None
    order = sorted(range(count), key=last.at_s.__getitem__)
    late = sum(at_s > deadline_s for at_s in last.at_s)
    middle = order[count // 2]
    expected_s = min(last.at_s[middle], deadline_s + DAY_S)
    return Forecast(late / count, expected_s, _path(nodes, ends, middle))


@dataclass(frozen=True, slots=True)
class _Draws:
    """By draw: how many days ago the day was that it takes, and today's pace."""

    ago: Sequence[int]
    pace: Sequence[float]
    deadline_s: float
    now_s: float
    habits: Habits
    random: Random

    @property
    def count(self) -> int:
        return len(self.ago)

    def starts(self, node: Node, today: Today) -> list[float]:
        """When a run begins by itself that has not begun."""
        if today.failed_s is not None:
            retries = self.habits.retries
            return [retries.next_s(today.failed_s, self.now_s, self.random) for _ in self.ago]
        days = node.starts or today.days
        elapsed_s = self.now_s - self.deadline_s
        later = {
            ago: self.deadline_s + past.began_s
            for ago, past in days.items()
            if past.began_s > elapsed_s
        }
        return self._drawn(later) if later else [self.now_s] * self.count

    def takes(self, today: Today, elapsed_s: float) -> list[float]:
        """How long a run takes in all that has been under way for so long."""
        paces = self.habits.pace.days
        usual = {ago: past.took_s / paces.get(ago, 1.0) for ago, past in today.days.items()}
        found = [*map(mul, self._drawn(usual), self.pace)]
        if elapsed_s <= 0:
            return found
        sorted_s, tail = today.days.took_s, self.habits.tail
        return [
            took_s if took_s > elapsed_s else tail.longer_s(sorted_s, elapsed_s, self.random)
            for took_s in found
        ]

    def _drawn(self, by_day: Mapping[int, float]) -> list[float]:
        """What each draw's day says; any other day, where that says nothing."""
        if all(map(by_day.__contains__, self.ago)):
            return [*map(by_day.__getitem__, self.ago)]
        others, many, dice = [*by_day.values()], len(by_day), self.random.random
        return [by_day[ago] if ago in by_day else others[int(dice() * many)] for ago in self.ago]


def _ends(node: Node, ends: Sequence[_Ends | None], draws: _Draws) -> _Ends | None:
    today = node.today
    if today is None:
        return None
    found = _run_after(node, today, _ready(node, ends, draws, inside=False), draws)
    inside_s = _ready(node, ends, draws, inside=True)
    if inside_s is None:
        return found
    own_s, own = found

    def waited_s(draw: int) -> float:
        return inside_s[draw] if own_s[draw] < inside_s[draw] else own(draw)

    return _Ends([*map(max, own_s, inside_s)], waited_s)


def _run_after(node: Node, today: Today, ready_s: Sequence[float] | None, draws: _Draws) -> _Ends:
    """The end of the run that reads what is ready; None: it reads nothing."""
    latest_s = max(ready_s) if ready_s is not None else 0.0
    done = _first_after(today.done, latest_s)
    if done is not None:
        return _Ends((done.ended_s,) * draws.count, _nobody)
    took = draws.takes(today, 0.0)
    if not today.done and today.begun_s is None:
        return _first_run(draws.starts(node, today), ready_s, took)
    under_way_s = _under_way(today, draws)
    at_s: list[float] = []
    waited: list[float] = []
    last_s = today.done[-1].began_s if today.done else _NEVER
    for draw, ready in enumerate(ready_s if ready_s is not None else (0.0,) * draws.count):
        waits = _NEVER
        if ready <= last_s and (run := _first_after(today.done, ready)) is not None:
            end_s = run.ended_s
        elif today.begun_s is not None and today.begun_s >= ready:
            end_s = under_way_s[draw]
        else:  # what it made, or makes, is of old data
            own_s = under_way_s[draw] if under_way_s else today.done[-1].ended_s
            since_s = max(ready, own_s)
            repairs = draws.habits.repairs
            end_s = repairs.next_s(since_s, draws.now_s, draws.random) + took[draw]
            waits = ready if ready > own_s else _NEVER
        at_s.append(end_s)
        waited.append(waits)
    return _Ends(at_s, waited.__getitem__)


def _first_run(
    starts: Sequence[float], ready_s: Sequence[float] | None, took: Sequence[float]
) -> _Ends:
    """The end of a run that has not begun: it begins by itself, and not before all is ready."""
    if ready_s is None:
        return _Ends([*map(add, starts, took)], _nobody)

    def waited_s(draw: int) -> float:
        return ready_s[draw] if ready_s[draw] > starts[draw] else _NEVER

    return _Ends([*map(add, map(max, starts, ready_s), took)], waited_s)


def _under_way(today: Today, draws: _Draws) -> Sequence[float]:
    """When the run ends that is under way; none where there is none."""
    if today.begun_s is None:
        return ()
    begun_s = today.begun_s
    return [begun_s + took_s for took_s in draws.takes(today, draws.now_s - begun_s)]


def _first_after(done: Sequence[Done], ready_s: float) -> Done | None:
    return next((run for run in done if run.began_s >= ready_s), None)


def _ready(
    node: Node, ends: Sequence[_Ends | None], draws: _Draws, *, inside: bool
) -> Sequence[float] | None:
    """When the last of what it waits for is done; None where it waits for nobody."""
    links = [(link, ends[link.number]) for link in node.upstream if link.inside is inside]
    known = [(link.confidence, end.at_s) for link, end in links if end is not None]
    sure = [at_s for confidence, at_s in known if confidence >= 1.0]
    found: Sequence[float] | None = None
    if sure:
        found = [*map(max, *sure)] if len(sure) > 1 else sure[0]
    dice = draws.random.random
    for confidence, at_s in known:
        if confidence < 1.0:  # what is not there in a draw has been ready for ever
            before = (0.0,) * draws.count if found is None else found
            found = [
                end_s if end_s > ready_s and dice() < confidence else ready_s
                for end_s, ready_s in zip(at_s, before, strict=True)
            ]
    return found


def _path(
    nodes: Sequence[Node], ends: Sequence[_Ends | None], draw: int
) -> tuple[PipelineKey, ...]:
    path: list[PipelineKey] = []
    number: int | None = len(nodes) - 1
    while number is not None:
        path.append(nodes[number].key)
        number = _waited_for(nodes[number], ends, ends[number], draw)
    return tuple(reversed(path))


def _waited_for(
    node: Node, ends: Sequence[_Ends | None], own: _Ends | None, draw: int
) -> int | None:
    """What was done just when it went on."""
    waited_s = own.waited_s(draw) if own is not None else _NEVER
    for link in node.upstream:
        end = ends[link.number]
        if end is not None and end.at_s[draw] == waited_s:
            return link.number
    return None
