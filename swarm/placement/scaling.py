"""From the fleet that is wanted to what is to be done about the one there is.

A new worker is ordered so that it is up when it is first needed. One that is not needed for a while
is let go only where what that saves is more than booting it again costs, twice: it never comes and
goes for less than it costs (ski rental, Karlin et al. 1988). It ends what it runs first.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace

from swarm.model.plans import Because, Candidate, Kept, Move, Refused, Rented, ScaleDown, ScaleUp
from swarm.placement.fleet import Fleet
from swarm.placement.sizing import Sizes

_TIMES = 2  # of what it costs to boot one again


def prewarmed(sizes: Sizes, rented: Sequence[Rented]) -> Fleet:
    """The fleet that was chosen, each new worker up when it is first needed on any draw. One that
    stands and is needed only much later is let go, and another one ordered for then."""
    there = {one.worker for one in rented}
    workers: list[Rented] = []
    leaving = list(sizes.chosen.fleet.leaving)
    for one, first_s in zip(sizes.chosen.fleet.workers, sizes.chosen.first_s, strict=True):
        boot_s, stands = one.offering.boot_s, one.worker in there
        if stands and first_s is not None and first_s - boot_s - one.up_s > _TIMES * boot_s:
            leaving.append(one)
            workers.append(Rented(f"{one.worker}+later", one.offering, first_s))
        elif stands:
            workers.append(one)
        elif first_s is not None:
            workers.append(replace(one, up_s=max(boot_s, first_s)))
    return Fleet(tuple(workers), tuple(leaving))


def moves(
    sizes: Sizes,
    fleet: Fleet,
    rented: Sequence[Rented],
    quiet_from_s: Mapping[str, int],
    horizon_s: int,
) -> list[Move]:
    """From the workers rented to the fleet; `quiet_from_s`: when each has ended what it runs."""
    there = {one.worker for one in rented}
    found: list[Move] = []
    without = _without(sizes)
    why = Because.PROMISES
    if without is not None and without.missed <= sizes.chosen.candidate.missed:
        why = Because.SOONER
    for one in fleet.workers:
        if one.worker not in there:
            name, order_s = one.offering.name, one.up_s - one.offering.boot_s
            found.append(ScaleUp(one.worker, name, order_s, one.up_s, why, without))
    firsts = zip(sizes.chosen.fleet.workers, sizes.chosen.first_s, strict=True)
    again_s = {one.worker: first_s - one.offering.boot_s for one, first_s in firsts if first_s}
    for one in fleet.spare:
        saves_s = again_s.get(one.worker, horizon_s) - max(
            one.up_s, quiet_from_s.get(one.worker, 0)
        )
        costs_s = _TIMES * one.offering.boot_s
        if saves_s > costs_s:
            found.append(ScaleDown(one.worker, saves_s))
        else:
            found.append(Kept(one.worker, saves_s, costs_s))
    if sizes.refused is not None:
        candidate = sizes.chosen.candidate
        found.append(Refused(sizes.refused, candidate.workers, candidate.missed))
    return found


def _without(sizes: Sizes) -> Candidate | None:
    """The largest fleet that was rehearsed and is smaller."""
    count = sizes.chosen.candidate.workers
    smaller = [one.candidate for one in sizes.tried if one.candidate.workers < count]
    return smaller[-1] if smaller else None
