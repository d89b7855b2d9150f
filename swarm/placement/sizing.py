"""How many workers: each fleet is rehearsed on the same draws of the hours to come, and the one
whose rent, lateness and duration cost least together is taken (a newsvendor by simulation:
Arrow, Harris and Marschak 1951 give the rule, the draws the distribution)."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from statistics import fmean

from swarm.model.plans import Because, Budget, Candidate
from swarm.placement.demand import unhindered
from swarm.placement.fleet import Fleet
from swarm.placement.rehearsal import NEVER, Cast, Rehearsal, Score, rehearsed, scored

HOUR_S = 3600


@dataclass(frozen=True, slots=True)
class Worth:
    """What it costs when a value of 1 is late, and again for each hour by which it is; and when all
    is done a minute later."""

    miss_usd: float = 100.0
    minute_usd: float = 1.0

    def usd(self, score: Score) -> float:
        """What a course costs besides rent."""
        late = score.missed + score.late_s / HOUR_S
        return self.miss_usd * late + self.minute_usd * score.makespan_s / 60


@dataclass(frozen=True, slots=True)
class Draws:
    """What may come: durations of each demand, row by row; and who has precedence."""

    cast: Cast
    rows: Sequence[Sequence[int]]
    keys: Sequence[float]
    kept_free: int = 0


@dataclass(frozen=True, slots=True)
class Sized:
    """A fleet, what it came to on the draws, and when each of its workers first began anything;
    None: it never did."""

    fleet: Fleet
    candidate: Candidate
    first_s: tuple[int | None, ...]


@dataclass(frozen=True, slots=True)
class Sizes:
    """The fleets that were rehearsed, the smallest first. `refused`: a larger one would be worth
    its price and cannot be had."""

    tried: tuple[Sized, ...]
    chosen: Sized
    refused: Because | None


def size(draws: Draws, fleets: Iterable[Fleet], budget: Budget, worth: Worth) -> Sizes:
    """Stops where more workers could make nothing better. The first fleet has to be within the
    budget; a larger budget only adds fleets, so it never makes the choice worse."""
    tried: list[Sized] = []
    least = least_usd(draws, worth)
    for fleet in fleets:
        beyond = fleet.beyond(budget)
        sized = rehearse(draws, fleet, worth)
        chosen = min(tried or [sized], key=_cost)
        if beyond:
            gains = _cost(sized) < _cost(chosen)
            return Sizes(tuple(tried), chosen, beyond if gains else None)
        tried.append(sized)
        if sized.candidate.total_usd - sized.candidate.rent_usd <= least + 1e-6:
            break
    return Sizes(tuple(tried), min(tried, key=_cost), None)


def _cost(sized: Sized) -> tuple[float, int]:
    return sized.candidate.total_usd, sized.candidate.workers


def least_usd(draws: Draws, worth: Worth) -> float:
    """What lateness and duration would cost on average, were there no end of workers."""
    demands = draws.cast.demands
    return fmean(worth.usd(scored(demands, row, unhindered(demands, row))) for row in draws.rows)


def rehearse(draws: Draws, fleet: Fleet, worth: Worth) -> Sized:
    """Play it through on all draws."""
    missed, makespans, rents, others = [], [], [], []
    first_s: list[int | None] = [None] * len(fleet.everyone)
    for row in draws.rows:
        course = rehearsed(draws.cast, row, draws.keys, fleet, draws.kept_free)
        score = scored(draws.cast.demands, row, course.ends)
        missed.append(score.missed)
        makespans.append(score.makespan_s)
        others.append(worth.usd(score))
        rents.append(_rent_usd(fleet, course, first_s))
    makespan_s, rent_usd = fmean(makespans), fmean(rents)
    total_usd = rent_usd + fmean(others)
    count = len(fleet.workers)
    candidate = Candidate(count, fmean(missed), makespan_s, rent_usd, total_usd)
    return Sized(fleet, candidate, tuple(first_s[:count]))


def _rent_usd(fleet: Fleet, course: Rehearsal, first_s: list[int | None]) -> float:
    """Each is paid until it has ended its last task; `first_s` comes to know who begins sooner."""
    last_s = [one.up_s for one in fleet.everyone]
    for start, end, on in zip(course.starts, course.ends, course.on, strict=True):
        if on != NEVER:
            soonest = first_s[on]
            first_s[on] = start if soonest is None else min(soonest, start)
            last_s[on] = max(last_s[on], end)
    pairs = zip(fleet.everyone, last_s, strict=True)
    return sum(one.offering.price_usd_per_h * last / HOUR_S for one, last in pairs)
