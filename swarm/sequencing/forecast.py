"""When will a pipeline be done with what everybody upstream makes for it today?

Monte Carlo over the pipelines upstream of it, in their order. A draw takes one of the days like
today for all of them at once, and one of the paces that days had, the likelier the better it fits
what ran today (`pace.py`): a slow warehouse is slow for all. Then each begins and takes as long as
it did on that day. What has happened today is taken as it is: a run under way takes longer than it
has, and one that has not begun begins later than now. An undeclared dependency is there in as many
draws as it is sure. A run that began before its upstream was done read what was not new, so it does
not count: it is done only when it has run again, as soon after that as it is made again here.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from random import Random
from typing import NamedTuple

from swarm.model.keys import PipelineKey
from swarm.model.weekdays import DAY_S
from swarm.sequencing.days import Done, Past, Today
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
    starts: Mapping[int, Past] | None = None


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
    """By draw: the end, and the number of the node that it waited for."""

    at_s: Sequence[float]
    waited_for: Sequence[int | None]


_NOBODY: Sequence[int | None] = (None,) * DRAWS
_AT_ONCE = _Ends((0.0,) * DRAWS, _NOBODY)


def forecast(
    nodes: Sequence[Node], deadline_s: float, now_s: float, habits: Habits, random: Random
) -> Forecast | None:
    """`nodes` stand behind what they wait for; the last one is asked for. None: it is not known."""
    asked = nodes[-1].today
    if asked is None:
        return None
    days = tuple(asked.days)
    draws = _Draws(
        [random.choice(days) for _ in range(DRAWS)],
        random.choices(*habits.pace.today, k=DRAWS),
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
    order = sorted(range(DRAWS), key=last.at_s.__getitem__)
    late = sum(at_s > deadline_s for at_s in last.at_s)
    middle = order[DRAWS // 2]
    expected_s = min(last.at_s[middle], deadline_s + DAY_S)
    return Forecast(late / DRAWS, expected_s, _path(nodes, ends, middle))


@dataclass(frozen=True, slots=True)
class _Draws:
    """By draw: how many days ago the day was that it takes, and today's pace."""

    ago: Sequence[int]
    pace: Sequence[float]
    deadline_s: float
    now_s: float
    habits: Habits
    random: Random

    def starts(self, node: Node, today: Today) -> list[float]:
        """When a run begins by itself that has not begun."""
        if today.failed_s is not None:
            retries = self.habits.retries
            return [retries.next_s(today.failed_s, self.now_s, self.random) for _ in range(DRAWS)]
        days = node.starts or today.days
        began = {ago: self.deadline_s + past.began_s for ago, past in days.items()}
        later = {ago: at_s for ago, at_s in began.items() if at_s > self.now_s}
        if not later:
            return [self.now_s] * DRAWS
        others = list(later.values())
        return [later.get(ago) or self.random.choice(others) for ago in self.ago]

    def takes(self, today: Today, elapsed_s: float) -> list[float]:
        """How long a run takes in all that has been under way for so long."""
        paces = self.habits.pace.days
        usual = {ago: past.took_s / paces.get(ago, 1.0) for ago, past in today.days.items()}
        others = list(usual.values())
        days = [usual.get(ago) or self.random.choice(others) for ago in self.ago]
        found = [took_s * pace for took_s, pace in zip(days, self.pace, strict=True)]
        if elapsed_s <= 0:
            return found
        sorted_s = sorted(past.took_s for past in today.days.values())
        tail = self.habits.tail
        return [
            took_s if took_s > elapsed_s else tail.longer_s(sorted_s, elapsed_s, self.random)
            for took_s in found
        ]


def _ends(node: Node, ends: Sequence[_Ends | None], draws: _Draws) -> _Ends | None:
    today = node.today
    if today is None:
        return None
    ready = _ready(node, ends, draws, inside=False)
    inside = _ready(node, ends, draws, inside=True)
    found = _run_after(node, today, ready, draws)
    if inside is _AT_ONCE:
        return found
    both = list(zip(found.at_s, inside.at_s, strict=True))
    waited = zip(both, found.waited_for, inside.waited_for, strict=True)
    return _Ends(
        [max(ends) for ends in both],
        [of_inside if own < other else of_own for (own, other), of_own, of_inside in waited],
    )


def _run_after(node: Node, today: Today, ready: _Ends, draws: _Draws) -> _Ends:
    """The end of the run that reads what is `ready`."""
    latest_s = max(ready.at_s)
    done = next((run for run in today.done if run.began_s >= latest_s), None)
    if done is not None:
        return _Ends((done.ended_s,) * DRAWS, _NOBODY)
    took = draws.takes(today, 0.0)
    if not today.done and today.begun_s is None:
        return _first_run(draws.starts(node, today), ready, took)
    under_way_s = _under_way(today, draws)
    at_s, waited_for = [], []
    for draw, (ready_s, number) in enumerate(zip(*ready, strict=True)):
        waited = None
        if (run := _first_after(today.done, ready_s)) is not None:
            end_s = run.ended_s
        elif today.begun_s is not None and today.begun_s >= ready_s:
            end_s = under_way_s[draw]
        else:  # what it made, or makes, is of old data
            own_s = under_way_s[draw] if under_way_s else today.done[-1].ended_s
            since_s = max(ready_s, own_s)
            repairs = draws.habits.repairs
            end_s = repairs.next_s(since_s, draws.now_s, draws.random) + took[draw]
            waited = number if ready_s > own_s else None
        at_s.append(end_s)
        waited_for.append(waited)
    return _Ends(at_s, waited_for)


def _first_run(starts: Sequence[float], ready: _Ends, took: Sequence[float]) -> _Ends:
    """The end of a run that has not begun: it begins by itself, and not before all is ready."""
    if ready is _AT_ONCE:
        return _Ends([at_s + took_s for at_s, took_s in zip(starts, took, strict=True)], _NOBODY)
    runs = list(zip(starts, *ready, took, strict=True))
    return _Ends(
        [(ready_s if ready_s > at_s else at_s) + took_s for at_s, ready_s, _, took_s in runs],
        [number if ready_s > at_s else None for at_s, ready_s, number, _ in runs],
    )


def _under_way(today: Today, draws: _Draws) -> Sequence[float]:
    """When the run ends that is under way; none where there is none."""
    if today.begun_s is None:
        return ()
    begun_s = today.begun_s
    return [begun_s + took_s for took_s in draws.takes(today, draws.now_s - begun_s)]


def _first_after(done: Sequence[Done], ready_s: float) -> Done | None:
    return next((run for run in done if run.began_s >= ready_s), None)


def _ready(node: Node, ends: Sequence[_Ends | None], draws: _Draws, *, inside: bool) -> _Ends:
    """When the last of what it waits for is done, and which that is."""
    links = [(link, ends[link.number]) for link in node.upstream if link.inside is inside]
    known = [(link, end) for link, end in links if end is not None]
    if not known:
        return _AT_ONCE
    at_s: list[float] = [0.0] * DRAWS
    waited_for: list[int | None] = [None] * DRAWS
    for link, end in known:
        sure, dice = link.confidence >= 1.0, draws.random.random
        for draw, end_s in enumerate(end.at_s):
            if end_s > at_s[draw] and (sure or dice() < link.confidence):
                at_s[draw], waited_for[draw] = end_s, link.number
    return _Ends(at_s, waited_for)


def _path(
    nodes: Sequence[Node], ends: Sequence[_Ends | None], draw: int
) -> tuple[PipelineKey, ...]:
    path: list[PipelineKey] = []
    number: int | None = len(nodes) - 1
    while number is not None:
        path.append(nodes[number].key)
        end = ends[number]
        number = end.waited_for[draw] if end is not None else None
    return tuple(reversed(path))
