"""The plan: which workers, who runs where and when, and what is refused.

1. What no worker that can be had has room for is said, with all that waits for it.
2. Precedence is by global latest start (`ordering.py`).
3. The fleet is the one that costs least on the draws (`sizing.py`).
4. What is behind gets what is left; some slots are kept free of it where it would make others
   late or the end of all later.
5. Where all durations are known the order is improved by search, and the rest is packed into the
   holes that leaves.

Nothing here takes longer than so many rehearsals and tries; who calls says how many.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from random import Random

from swarm.model.plans import Because, Budget, Offering, Placement, Plan, Rented, Unplaced
from swarm.placement.admission import admitted, fronted
from swarm.placement.bounds import least_makespan
from swarm.placement.demand import Demand, drawn, subset, typical
from swarm.placement.fleet import Fleet, least, sizes_from
from swarm.placement.ordering import due_by, kept_free, latest, timed
from swarm.placement.problem import Problem
from swarm.placement.rehearsal import NEVER, Cast, Rehearsal, rehearsed, scored
from swarm.placement.scaling import moves, prewarmed
from swarm.placement.sizing import Draws, Sizes, Worth, size


@dataclass(frozen=True, slots=True)
class Situation:
    """All a plan is made from. `demands` are those that are known up to `horizon_s`, each behind
    those it waits for; the cheapest of `offerings` comes first."""

    demands: tuple[Demand, ...]
    rented: tuple[Rented, ...]
    offerings: tuple[Offering, ...]
    budget: Budget
    horizon_s: int
    worth: Worth


@dataclass(frozen=True, slots=True)
class Effort:
    """How much is tried: draws of what may come, and orders where durations are known."""

    draws: int = 16
    tries: int = 12


def plan(situation: Situation, random: Random, effort: Effort = Effort()) -> Plan:
    """The best found. Raises `ValueError` where a demand stands before one that it is after, or
    runs on a worker that is not there."""
    crew, demands, unplaced = _crew(situation)
    # What is behind and runs already has its slot: it is no longer to be had.
    front = [number for number, one in enumerate(demands) if one.runs_on or not one.behind]
    known = all(len(demands[n].takes.points) == 1 and not demands[n].runs_on for n in front)
    sizes, first = _sized(
        situation, crew, subset(demands, front), random, 1 if known else effort.draws
    )
    fleet, takes = prewarmed(sizes, situation.rented), typical(demands)
    keys = [float(demand.release_s) for demand in demands]  # of those behind, among themselves
    for number, key in zip(front, first, strict=True):
        keys[number] = key
    free, cast = 0, Cast(demands)
    if known and demands:
        demands = timed(demands, takes, keys, fleet, (random, effort.tries))
        keys, cast = [float(demand.release_s) for demand in demands], Cast(demands)
    elif len(front) < len(demands):
        more = Draws(cast, drawn(demands, random, effort.draws), keys)
        free = kept_free(more, sizes.chosen, situation.worth)
    course = rehearsed(cast, takes, keys, fleet, free)
    made = _Made(demands, takes, keys, free, fleet, course)
    return _told(situation, made, sizes, unplaced)


def _crew(situation: Situation) -> tuple[Fleet, list[Demand], list[Unplaced]]:
    """The fewest workers on which all can run that can, and who cannot. Of those rented the ones
    that run most stay first, then the cheapest."""
    busy = [demand.runs_on for demand in situation.demands]
    rented = sorted(
        situation.rented, key=lambda one: (-busy.count(one.worker), one.offering.price_usd_per_h)
    )
    there = {one.worker for one in rented}
    for one in situation.demands:
        if one.runs_on and one.runs_on not in there:
            raise ValueError(f"{one.name} runs on {one.runs_on}, which is not among the workers")
    offerings, budget = situation.offerings, situation.budget
    demands = fronted(situation.demands)
    waiting = [demand for demand in demands if not demand.runs_on]
    crew, short = least({d.needs for d in waiting if not d.behind}, rented, offerings, budget)
    _, never = least({d.needs for d in waiting}, rented, offerings, budget)
    short |= {needs: why for needs, why in never.items() if why is Because.NO_OFFERING}
    rooms = {one.offering.room for one in rented} | {one.room for one in offerings}
    return crew, *admitted(demands, short, sorted(rooms))


def _sized(
    situation: Situation, crew: Fleet, front: Sequence[Demand], random: Random, draws: int
) -> tuple[Sizes, list[float]]:
    """How many workers, and who has precedence."""
    waiting = [one for one in front if not one.runs_on]
    areas = [
        sum(one.takes.mean() * one.needs[kind] for one in waiting)
        for kind in range(len(waiting[0].needs) if waiting else 1)
    ]
    slots = -int(-areas[0] // max(1, situation.horizon_s))
    mix = [area / areas[0] for area in areas] if areas[0] else []
    fleets = sizes_from(crew, situation.offerings, situation.budget, slots, mix)
    keys = latest(front, crew.whole)
    may = Draws(Cast(front), drawn(front, random, draws), keys)
    return size(may, fleets, situation.budget, situation.worth), keys


@dataclass(frozen=True, slots=True)
class _Made:
    demands: Sequence[Demand]
    takes: Sequence[int]
    keys: Sequence[float]
    kept_free: int
    fleet: Fleet
    course: Rehearsal


def _told(situation: Situation, made: _Made, sizes: Sizes, unplaced: Sequence[Unplaced]) -> Plan:
    fleet, demands = made.fleet, made.demands
    placements, left = _placed(made, situation.horizon_s)
    ends_s: dict[str, int] = {}
    for number, demand in enumerate(demands):
        if demand.runs_on:
            ends_s[demand.runs_on] = max(ends_s.get(demand.runs_on, 0), made.takes[number])
    counting = [n for n, demand in enumerate(demands) if demand.counts]
    own = subset(demands, counting)
    jobs = tuple(one.job(made.takes[n]) for n, one in zip(counting, own, strict=True))
    first = sorted(range(len(demands)), key=lambda n: (demands[n].behind, made.keys[n], n))
    return Plan(
        order=tuple(demands[number].name for number in first),
        placements=placements,
        unplaced=(*unplaced, *left),
        moves=tuple(moves(sizes, fleet, situation.rented, ends_s, situation.horizon_s)),
        candidates=tuple(one.candidate for one in sizes.tried),
        chosen=sizes.chosen.candidate,
        makespan_s=scored(demands, made.takes, made.course.ends).makespan_s,
        bound_s=least_makespan(Problem(fleet.whole, jobs)) if jobs else 0,
        kept_free=made.kept_free,
    )


def _placed(made: _Made, horizon_s: int) -> tuple[tuple[Placement, ...], list[Unplaced]]:
    placements: list[Placement] = []
    left: list[Unplaced] = []
    due = due_by(made.demands, made.takes)
    for number, (demand, by_s) in enumerate(zip(made.demands, due, strict=True)):
        start_s, end_s = made.course.starts[number], made.course.ends[number]
        if start_s == NEVER or (demand.behind and start_s >= horizon_s):
            why = Because.BEHIND if demand.behind else Because.NO_ROOM
            left.append(Unplaced(demand.name, why, demand.needs))
            continue
        why = Because.RUNS if demand.runs_on else Because.SLACK
        why = Because.FILLS if demand.behind else why
        worker = made.fleet.everyone[made.course.on[number]].worker
        slack_s = None if by_s is None else by_s - end_s
        placements.append(Placement(demand.name, worker, start_s, end_s, slack_s, why))
    return tuple(placements), left
