"""The day ahead as it usually goes: who runs when, for how long, and behind whom.

Rules
1. A day begins at the hour of the second half of a UTC day at which the fewest runs are under way
   and the fewest readers still to begin whose writer has begun: few reach into the next day.
2. Days that are like it are those of `days.py`. What a pipeline makes of a day is its last good run
   of it (its main run); its other runs only take room.
3. A run that began later after its planned time than the pipeline's best tenth do, at a time when
   as many ran at once in its orchestrator as ever did, had waited for a slot: it could have begun
   so much earlier.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from math import ceil

from swarm.graph.reach import condensed
from swarm.model.keys import PipelineKey
from swarm.model.lineage import WARN_FROM
from swarm.model.runs import Ran
from swarm.model.weekdays import DAY_S, is_weekend
from swarm.sequencing.days import LOOK_BACK_DAYS, Past
from swarm.sequencing.forecast import Link
from swarm.sequencing.history import History
from swarm.sequencing.slots import most_at_once, moves
from swarm.sequencing.standing_on import chain_of, nodes_of
from swarm.sequencing.world import World

HOUR_S = 3_600.0
# Two starts are one if they are no further apart: days and deadlines are sums of numbers.
_SAME_S = 1e-3


@dataclass(frozen=True, slots=True)
class Line:
    """A pipeline: by how many days ago, its main run (`began_s` after that day's begin) and its
    other runs; `links` are to lines before it."""

    key: PipelineKey
    days: Mapping[int, Past]
    others: Mapping[int, tuple[Past, ...]]
    links: tuple[Link, ...]


@dataclass(frozen=True, slots=True)
class DayAhead:
    """The day from `begins_s` on. `ago` are the days like it that anything ran on; `lines` stand
    behind what they wait for; `slots` is how many runs went on at once at most, by orchestrator;
    `unknown` are the pipelines whose runs do not tell (too few, or none on such a day)."""

    begins_s: float
    ago: tuple[int, ...]
    lines: tuple[Line, ...]
    slots: Mapping[str, int]
    unknown: tuple[PipelineKey, ...]


def day_ahead(world: World, now_s: float) -> DayAhead:
    """The first day that begins after `now_s`."""
    ordered = _ordered(world)
    begins_s = next_begin_s(day_begins_s(world, ordered), now_s)
    ends_s = begins_s + DAY_S
    nodes, _ = nodes_of(world, chain_of(world.graph, ordered), ends_s, begins_s)
    ran = [(key, one) for key in ordered for one in world.history.ended(key)]
    slots = most_at_once(_spans_taken(ran))
    waited = _Waited(ran, slots)
    number = {}
    lines: list[Line] = []
    for at, node in enumerate(nodes):
        if node.today is None:
            continue
        days = {
            ago: Past(waited.begins_s(node.key, ends_s - ago * DAY_S + past.began_s), past.took_s)
            for ago, past in node.today.days.items()
        }
        rest = _others(world.history, node.key, days, begins_s)
        number[at] = len(lines)
        links = (
            link._replace(number=number[link.number])
            for link in node.upstream
            if link.number in number
        )
        lines.append(Line(node.key, _since(days, begins_s), rest, tuple(links)))
    known = {line.key for line in lines}
    unknown = tuple(sorted(key for key in ordered if key not in known))
    ago = tuple(sorted(set().union(*(line.days for line in lines))))
    return DayAhead(begins_s, ago, tuple(lines), slots, unknown)


def day_begins_s(world: World, pipelines: Iterable[PipelineKey]) -> float:
    """The second of the UTC day at which days begin (rule 1)."""
    cut = dict.fromkeys(range(12, 24), 0)
    for began_s, ended_s in _spans(world, pipelines):
        # An hour more: what begins on the hour begins a little before it on some days.
        for hour in range(int(began_s // HOUR_S), ceil(ended_s / HOUR_S)):
            if hour % 24 in cut:
                cut[hour % 24] += 1
    return HOUR_S * min(cut, key=lambda hour: (cut[hour], -hour))


def _spans(world: World, pipelines: Iterable[PipelineKey]) -> Iterator[tuple[float, float]]:
    """From the beginning to the end of each pipeline's newest run, and from that of each writer to
    that of its reader behind it; of spans of days none tells anything."""
    level = world.graph.by_pipeline
    into = level.adjacency.view(WARN_FROM).into
    starts = {key: world.history.starts(key) for key in pipelines}
    for key in starts:
        ended = world.history.ended(key)
        if not ended:
            continue
        began_s = ended[-1].started_at_s
        if ended[-1].ended_at_s - began_s < DAY_S:
            yield began_s, ended[-1].ended_at_s
        node = level.find(key)
        for up in into[node] if node is not None else ():
            before = starts.get(level.nodes[up], [])
            at = bisect_right(before, began_s) - 1
            if at >= 0 and began_s - before[at] < DAY_S:
                yield before[at], began_s


def next_begin_s(second_s: float, after_s: float) -> float:
    """The first time later than `after_s` at which the UTC day is so old."""
    return ((after_s - second_s) // DAY_S + 1) * DAY_S + second_s


def _since(days: Mapping[int, Past], begins_s: float) -> dict[int, Past]:
    return {
        ago: Past(past.began_s - (begins_s - ago * DAY_S), past.took_s)
        for ago, past in days.items()
    }


def _others(
    history: History, key: PipelineKey, main: Mapping[int, Past], begins_s: float
) -> dict[int, tuple[Past, ...]]:
    """The runs of days like the one that begins at `begins_s`, without the main ones."""
    found: dict[int, list[Past]] = {}
    for ran in history.ended(key):
        ago = int(-((ran.started_at_s - begins_s) // DAY_S))
        then_s = begins_s - ago * DAY_S
        alike = is_weekend(then_s + DAY_S) is is_weekend(begins_s + DAY_S)
        if not (1 <= ago <= LOOK_BACK_DAYS and alike):
            continue
        if ago in main and abs(main[ago].began_s - ran.started_at_s) <= _SAME_S:
            continue
        past = Past(ran.started_at_s - then_s, ran.ended_at_s - ran.started_at_s)
        found.setdefault(ago, []).append(past)
    return {ago: tuple(pasts) for ago, pasts in found.items()}


def _ordered(world: World) -> list[PipelineKey]:
    """All pipelines, each behind what it stands on by edges of `WARN_FROM` and more; within a ring
    in any order."""
    level = world.graph.by_pipeline
    components, _ = condensed(level.adjacency.view(WARN_FROM).out)
    return [level.nodes[node] for part in reversed(components) for node in part]


class _Waited:
    """How long runs waited for a slot (rule 3)."""

    def __init__(self, ran: Sequence[tuple[PipelineKey, Ran]], slots: Mapping[str, int]) -> None:
        by_key: dict[PipelineKey, list[Ran]] = {}
        for key, one in ran:
            by_key.setdefault(key, []).append(one)
        full = _full(ran, slots)
        self._waited_s: dict[PipelineKey, list[tuple[float, float]]] = {
            key: list(_of_one(runs, full.get(key.orchestrator, []))) for key, runs in by_key.items()
        }

    def begins_s(self, key: PipelineKey, began_s: float) -> float:
        """When the run could have begun that began then."""
        waited = self._waited_s.get(key, [])
        at = bisect_left(waited, (began_s - _SAME_S, 0.0))
        if at < len(waited) and abs(waited[at][0] - began_s) <= _SAME_S:
            return began_s - waited[at][1]
        return began_s


def _spans_taken(ran: Iterable[tuple[PipelineKey, Ran]]) -> Iterator[tuple[str, float, float]]:
    return ((key.orchestrator, one.started_at_s, one.ended_at_s) for key, one in ran)


def _full(
    ran: Iterable[tuple[PipelineKey, Ran]], slots: Mapping[str, int]
) -> dict[str, list[tuple[float, float]]]:
    """The spans in which as many ran at once as ever did, in order, by orchestrator."""
    found: dict[str, list[tuple[float, float]]] = {}
    for pool, steps in moves(_spans_taken(ran)).items():
        under_way, since_s = 0, 0.0
        for at_s, step in steps:
            if under_way == slots[pool] and step < 0:
                found.setdefault(pool, []).append((since_s, at_s))
            under_way += step
            since_s = at_s
    return found


def _of_one(runs: Iterable[Ran], full: list[tuple[float, float]]) -> Iterator[tuple[float, float]]:
    """The starts of the runs that waited, in order, and for how long."""
    behind = [
        (ran.started_at_s, ran.started_at_s - ran.scheduled_for_s)
        for ran in runs
        if ran.scheduled_for_s is not None
    ]
    if not behind:
        return
    best_s = sorted(late_s for _, late_s in behind)[len(behind) // 10]
    ends = [end_s for _, end_s in full]
    for began_s, late_s in behind:
        # A slot that became free as it began, or had not been free until then.
        at = bisect_left(ends, began_s - 60.0)
        if late_s > best_s and at < len(full) and full[at][0] < began_s <= full[at][1] + 60.0:
            yield began_s, late_s - best_s
