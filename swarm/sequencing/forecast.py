"""When will a pipeline be done with what everybody upstream makes for it today?

Monte Carlo over the pipelines upstream of it, in their order. A draw takes one of the days like
today for all of them at once, since a slow warehouse is slow for all: then each begins and takes as
long as it did on that day. What has happened today is taken as it is: a run under way takes longer
than it has, and one that has not begun begins later than now. An undeclared dependency is there in
as many draws as it is sure. A run that began before its upstream was done read what was not new, so
it does not count: it is done only when it has run again.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from random import Random
from typing import NamedTuple

from swarm.model.keys import PipelineKey
from swarm.sequencing.days import Past, Today
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
    then it is in nobody's way."""

    key: PipelineKey
    today: Today | None
    upstream: tuple[Link, ...] = ()


@dataclass(frozen=True, slots=True)
class Forecast:
    """`chance` of an end after the deadline; `expected_s` is the end in the middle draw and `path`
    what it waited for there, in order."""

    chance: float
    expected_s: float
    path: tuple[PipelineKey, ...]


class _End(NamedTuple):
    at_s: float
    waited_for: int | None


def forecast(
    nodes: Sequence[Node], deadline_s: float, now_s: float, tail: Tail, random: Random
) -> Forecast | None:
    """`nodes` stand behind what they wait for; the last one is asked for. None: it is not known."""
    asked = nodes[-1].today
    if asked is None:
        return None
    took = [sorted(past.took_s for past in _pasts(node)) for node in nodes]
    draws = []
    for _ in range(DRAWS):
        draw = _Draw(random.choice(tuple(asked.days)), deadline_s, now_s, tail, random)
        ends: list[_End | None] = []
        for node, durations in zip(nodes, took, strict=True):
            ends.append(_end(node, durations, ends, draw))
        draws.append(ends)
    draws.sort(key=lambda ends: _at_s(ends[-1]))
    late = sum(_at_s(ends[-1]) > deadline_s for ends in draws)
    middle = draws[len(draws) // 2]
    return Forecast(late / len(draws), _at_s(middle[-1]), _path(nodes, middle))


@dataclass(frozen=True, slots=True)
class _Draw:
    ago: int
    deadline_s: float
    now_s: float
    tail: Tail
    random: Random

    def past(self, days: Mapping[int, Past]) -> Past:
        return days.get(self.ago) or self.random.choice(tuple(days.values()))

    def begins_s(self, today: Today) -> float:
        """When a run begins that has not begun."""
        if today.failed:
            return self.now_s
        at_s = self.deadline_s + self.past(today.days).began_s
        if at_s > self.now_s:
            return at_s
        later = [
            past.began_s
            for past in today.days.values()
            if self.deadline_s + past.began_s > self.now_s
        ]
        return self.deadline_s + self.random.choice(later) if later else self.now_s

    def takes_s(self, durations: Sequence[float], today: Today, elapsed_s: float) -> float:
        """How long a run takes in all that has been under way for so long."""
        usual_s = self.past(today.days).took_s
        if usual_s > elapsed_s:
            return usual_s
        return self.tail.longer_s(durations, elapsed_s, self.random)


def _end(
    node: Node, durations: Sequence[float], ends: Sequence[_End | None], draw: _Draw
) -> _End | None:
    today = node.today
    if today is None:
        return None
    start = _ready(node, ends, draw, inside=False)
    inside = _ready(node, ends, draw, inside=True)
    fresh = [run for run in today.done if run.began_s >= start.at_s]
    if fresh:
        end = _End(fresh[0].ended_s, None)
    elif today.begun_s is not None and today.begun_s >= start.at_s:
        took_s = draw.takes_s(durations, today, draw.now_s - today.begun_s)
        end = _End(today.begun_s + took_s, None)
    else:
        begins_s = draw.now_s if today.done or today.begun_s else draw.begins_s(today)
        took_s = draw.takes_s(durations, today, 0.0)
        waits = start.at_s > begins_s
        end = _End(max(begins_s, start.at_s) + took_s, start.waited_for if waits else None)
    return inside if inside.at_s > end.at_s else end


def _ready(node: Node, ends: Sequence[_End | None], draw: _Draw, *, inside: bool) -> _End:
    """When the last of what it waits for is done, and which that is."""
    last = _End(0.0, None)
    for link in node.upstream:
        end = ends[link.number] if link.inside is inside else None
        if end is not None and end.at_s > last.at_s and draw.random.random() < link.confidence:
            last = _End(end.at_s, link.number)
    return last


def _path(nodes: Sequence[Node], ends: Sequence[_End | None]) -> tuple[PipelineKey, ...]:
    path: list[PipelineKey] = []
    number: int | None = len(nodes) - 1
    while number is not None:
        path.append(nodes[number].key)
        end = ends[number]
        number = end.waited_for if end is not None else None
    return tuple(reversed(path))


def _pasts(node: Node) -> Sequence[Past]:
    return tuple(node.today.days.values()) if node.today is not None else ()


def _at_s(end: _End | None) -> float:
    assert end is not None  # the one asked for is known
    return end.at_s
