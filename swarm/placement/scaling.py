"""From the fleet that is wanted to what is to be done about the one there is.

A new worker is ordered so that it is up when it is first needed. One that is not needed is let go
only where what that saves is more than booting it again costs, twice: it never comes and goes for
less than it costs (ski rental, Karlin et al. 1988). It ends what it runs first.
"""

from collections.abc import Mapping, Sequence

from swarm.model.plans import Because, Candidate, Kept, Move, Refused, Rented, ScaleDown, ScaleUp
from swarm.placement.sizing import Sized, Sizes

_TIMES = 2  # of what it costs to boot one again


def moves(
    sizes: Sizes, rented: Sequence[Rented], quiet_from_s: Mapping[str, int], horizon_s: int
) -> list[Move]:
    """`quiet_from_s`: when each rented worker has ended what it runs."""
    chosen = sizes.chosen
    there = {one.worker for one in rented}
    found: list[Move] = []
    for one, first_s in zip(chosen.fleet.workers, chosen.first_s, strict=True):
        if one.worker not in there and first_s < horizon_s:
            found.append(_up(one, first_s, chosen, _without(sizes)))
    for one in chosen.fleet.spare:
        saves_s = horizon_s - max(one.up_s, quiet_from_s.get(one.worker, 0))
        costs_s = _TIMES * one.offering.boot_s
        if saves_s > costs_s:
            found.append(ScaleDown(one.worker, saves_s))
        else:
            found.append(Kept(one.worker, saves_s, costs_s))
    if sizes.refused is not None:
        candidate = chosen.candidate
        found.append(Refused(sizes.refused, candidate.workers, candidate.missed))
    return found


def _without(sizes: Sizes) -> Candidate | None:
    """The largest fleet that was rehearsed and is smaller."""
    count = sizes.chosen.candidate.workers
    smaller = [one.candidate for one in sizes.tried if one.candidate.workers < count]
    return smaller[-1] if smaller else None


def _up(one: Rented, first_s: int, chosen: Sized, without: Candidate | None) -> ScaleUp:
    late = without is None or without.missed > chosen.candidate.missed
    why = Because.PROMISES if late else Because.SOONER
    boot_s = one.offering.boot_s
    order_s = max(0, first_s - boot_s)
    return ScaleUp(one.worker, one.offering.name, order_s, order_s + boot_s, why, without)
