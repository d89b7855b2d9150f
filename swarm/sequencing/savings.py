"""What swarm would have saved: the sums over both worlds of a replay, with how sure they are.

The interval of a sum is the middle 95 % of what it comes to over days drawn again with replacement
(a bootstrap over days, Efron 1979): days are alike, runs of one day are not independent. Both
worlds have the same days in a draw.
"""

from bisect import bisect_right
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from random import Random
from statistics import median

from swarm.errors import InputError
from swarm.graph.index import DependencyGraph
from swarm.model.intents import Mode
from swarm.model.keys import PipelineKey
from swarm.model.lineage import GATE_FROM
from swarm.model.policy import Policy
from swarm.model.sla import Sla
from swarm.model.weekdays import DAY_S
from swarm.sequencing.deadlines import next_deadline_s
from swarm.sequencing.replay import Reach, Twice, replay
from swarm.sequencing.turns import Went
from swarm.sequencing.world import World

DRAWS = 1_000
Pair = tuple[PipelineKey, PipelineKey]
HOUR_S, MIN_S = 3_600.0, 60.0


@dataclass(frozen=True, slots=True)
class Measure:
    """A sum without and with swarm; what is saved lies between `low` and `high` at 95 %."""

    without: float
    within: float
    low: float
    high: float

    @property
    def saved(self) -> float:
        return self.without - self.within


@dataclass(slots=True)
class HazardCost:
    """What the order of a writer and a reader, which nothing keeps, has cost. `sure`: it is sure
    enough to hold for; otherwise a person has to accept the dependency first. What a run cost that
    lacked several writers is shared among them; what was passed on in a declared order counts too.
    """

    writer: PipelineKey
    reader: PipelineKey
    sure: bool
    stale: int = 0
    failed: int = 0
    prevented: int = 0
    old_data_min: float = 0.0
    slot_h: float = 0.0


@dataclass(frozen=True, slots=True)
class SlaKept:
    """An SLA over the days: how often it was missed without and with swarm."""

    sla: Sla
    days: int
    without: int
    within: int


@dataclass(frozen=True, slots=True)
class Savings:
    """The answer. `runs` are planned ones, `held` how many of them swarm holds, for `held_min` in
    the middle; `old_data_min` are the minutes in which old data stood where new was planned,
    `slot_h` the hours that runs took."""

    from_s: float
    until_s: float
    days: int
    runs: int
    held: int
    held_min: float
    stale_reads: Measure
    failures: Measure
    sla_misses: Measure
    old_data_min: Measure
    slot_h: Measure
    hazards: tuple[HazardCost, ...]
    slas: tuple[SlaKept, ...]


def replayed(
    world: World,
    slas: Iterable[Sla],
    from_s: float,
    until_s: float,
    reach: Reach = lambda share: None,
) -> Savings:
    """Replay what was planned in that span, with every pipeline in mode `gate`. Raises
    `InputError` where nothing ran."""
    twice = replay(world, from_s, until_s, lambda _: Policy(mode=Mode.GATE), reach)
    if not twice.without:
        days = (until_s - from_s) / DAY_S
        raise InputError(f"no run of the last {days:.0f} days is known: nothing to replay")
    return savings(twice, world.graph, slas)


def savings(twice: Twice, graph: DependencyGraph, slas: Iterable[Sla], seed: int = 1) -> Savings:
    """Sum up; hazards by what they cost, SLAs by how many more are kept."""
    until = _next_planned(twice.without)
    days = sorted({int(went.turn.planned_s // DAY_S) for went in twice.without})
    kept = tuple(_kept(sla, twice) for sla in slas)
    held = [went.held_s / MIN_S for went in twice.within if went.held_s > 0]

    def measure(value: Callable[[Went], float]) -> Measure:
        without, within = _by_day(twice.without, value), _by_day(twice.within, value)
        return _measure(without, within, days, seed)

    return Savings(
        twice.from_s,
        twice.until_s,
        len(days),
        len(twice.without),
        len(held),
        median(held) if held else 0.0,
        measure(lambda went: went.stale),
        measure(lambda went: went.cascaded),
        _missed(kept, days, seed),
        measure(lambda went: _old_min(went, until)),
        measure(lambda went: went.ran_s / HOUR_S),
        tuple(_hazards(twice, graph, until)),
        tuple(
            sorted(
                (SlaKept(s.sla, len(s.days), s.count(0), s.count(1)) for s in kept),
                key=lambda one: (one.within - one.without, one.sla.name),
            )
        ),
    )


@dataclass(slots=True)
class _Days:
    """By day, whether an SLA was missed without and with swarm."""

    sla: Sla
    days: dict[int, tuple[bool, bool]] = field(default_factory=dict)

    def count(self, world: int) -> int:
        return sum(missed[world] for missed in self.days.values())


def _kept(sla: Sla, twice: Twice) -> _Days:
    """Due is the turn that began closest to when the last one before a deadline usually does: also
    one that began only after it, which is the latest of all."""
    pairs = [
        (one, other)
        for one, other in zip(twice.without, twice.within, strict=True)
        if one.turn.key == sla.pipeline
    ]
    found, deadlines = _Days(sla), list(_deadlines(sla, twice.from_s, twice.until_s))
    starts = [one.turn.planned_s for one, _ in pairs]
    last = [(at_s, bisect_right(starts, at_s) - 1) for at_s in deadlines]
    ahead = [at_s - starts[at] for at_s, at in last if at >= 0 and at_s - starts[at] < DAY_S]
    if not ahead:
        return found
    for deadline_s in deadlines:
        usual_s = deadline_s - median(ahead)
        due = min(pairs, key=lambda pair: abs(pair[0].turn.planned_s - usual_s))
        if abs(due[0].turn.planned_s - usual_s) < DAY_S / 2:
            late = [went.fresh_s is None or went.fresh_s > deadline_s for went in due]
            found.days[int(due[0].turn.planned_s // DAY_S)] = (late[0], late[1])
    return found


def _deadlines(sla: Sla, from_s: float, until_s: float) -> Iterator[float]:
    at_s = next_deadline_s(sla, from_s)
    while at_s is not None and at_s <= until_s:
        yield at_s
        at_s = next_deadline_s(sla, at_s)


def _missed(kept: Sequence[_Days], days: Sequence[int], seed: int) -> Measure:
    worlds: list[dict[int, float]] = [{}, {}]
    for one in kept:
        for day, missed in one.days.items():
            for world, late in zip(worlds, missed, strict=True):
                world[day] = world.get(day, 0.0) + late
    return _measure(worlds[0], worlds[1], days, seed)


def _by_day(went: Iterable[Went], value: Callable[[Went], float]) -> dict[int, float]:
    found: dict[int, float] = {}
    for one in went:
        day = int(one.turn.planned_s // DAY_S)
        found[day] = found.get(day, 0.0) + value(one)
    return found


def _measure(
    without: Mapping[int, float], within: Mapping[int, float], days: Sequence[int], seed: int
) -> Measure:
    saved = [without.get(day, 0.0) - within.get(day, 0.0) for day in days]
    random = Random(seed)  # the same days for every measure
    sums = sorted(sum(random.choices(saved, k=len(saved))) for _ in range(DRAWS) if saved)
    low, high = (sums[DRAWS // 40], sums[-1 - DRAWS // 40]) if sums else (0.0, 0.0)
    return Measure(sum(without.values()), sum(within.values()), low, high)


def _next_planned(went: Iterable[Went]) -> dict[tuple[PipelineKey, float], float]:
    """When the same pipeline is planned next."""
    last: dict[PipelineKey, tuple[PipelineKey, float]] = {}
    found: dict[tuple[PipelineKey, float], float] = {}
    for one in went:
        before = last.get(one.turn.key)
        if before is not None:
            found[before] = one.turn.planned_s
        last[one.turn.key] = one.turn.id
    return found


def _old_min(went: Went, until: Mapping[tuple[PipelineKey, float], float]) -> float:
    """Minutes from the end of a good try that had read old data until one had read the new, or the
    next planned run."""
    if went.good_s is None:
        return 0.0
    next_s = until.get(went.turn.id, went.good_s)
    ends_s = next_s if went.fresh_s is None else went.fresh_s
    return max(0.0, ends_s - went.good_s) / MIN_S


def _hazards(
    twice: Twice, graph: DependencyGraph, until: Mapping[tuple[PipelineKey, float], float]
) -> list[HazardCost]:
    found: dict[Pair, HazardCost] = {}
    causes: dict[PipelineKey, tuple[Pair, ...]] = {}  # of the newest turn of each
    for was, now in zip(twice.without, twice.within, strict=True):
        pairs = tuple(dict.fromkeys(_causes(was, graph, causes)))
        causes[was.turn.key] = pairs
        for pair in pairs:
            if pair not in found:
                edge = graph.edge(*pair)
                sure = not edge.declared and edge.confidence >= GATE_FROM
                found[pair] = HazardCost(*pair, sure)
            cost, share = found[pair], 1 / len(pairs)
            cost.stale += was.stale
            cost.failed += was.cascaded
            cost.prevented += not now.missing
            cost.old_data_min += share * (_old_min(was, until) - _old_min(now, until))
            cost.slot_h += share * (was.ran_s - now.ran_s) / HOUR_S
    order = sorted(found.values(), key=lambda one: (one.writer, one.reader))
    return sorted(order, key=lambda one: (-(one.stale + one.failed), -one.slot_h))


def _causes(
    was: Went, graph: DependencyGraph, of: Mapping[PipelineKey, tuple[Pair, ...]]
) -> Iterator[Pair]:
    """The undeclared reads that a turn lacked something for; what it got from a declared upstream
    that had read old data itself is that one's."""
    for writer in was.missing:
        passed_on = of.get(writer) if graph.edge(writer, was.turn.key).declared else None
        yield from passed_on or ((writer, was.turn.key),)
