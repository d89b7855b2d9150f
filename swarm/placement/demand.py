"""What is to be run, as far as it is known: tasks whose durations are distributions.

Times are whole seconds from the beginning of the plan, as in `problem.py`. What runs already is a
demand too: it waits for nothing and takes what is left of it.
"""

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass, replace
from random import Random

from swarm.placement.problem import Job


@dataclass(frozen=True, slots=True)
class Spread:
    """How long a task takes, in seconds: `points` are quantiles at equal distances, the shortest
    and the longest run included. Between two of them every duration is as likely (a histogram of
    equal areas). One point: it is known.

    Raises `ValueError` where they are none, negative, or do not rise.
    """

    points: tuple[float, ...]

    def __post_init__(self) -> None:
        if not self.points or self.points[0] < 0:
            raise ValueError(f"a duration needs points of 0 or more; got {self.points[:3]}")
        if any(later < one for one, later in zip(self.points, self.points[1:], strict=False)):
            raise ValueError("the points of a duration must rise")

    def at(self, share: float) -> float:
        """So long take at most `share` (0 to 1) of its runs."""
        place = share * (len(self.points) - 1)
        low = min(int(place), len(self.points) - 1)
        high = min(low + 1, len(self.points) - 1)
        return self.points[low] + (place - low) * (self.points[high] - self.points[low])

    def mean(self) -> float:
        inner = sum(self.points) - (self.points[0] + self.points[-1]) / 2
        return inner / (len(self.points) - 1) if len(self.points) > 1 else self.points[0]

    def times(self, factor: float) -> "Spread":
        """Were all of it so many times as long."""
        return Spread(tuple(point * factor for point in self.points)) if factor != 1.0 else self

    def left(self, ran_s: float) -> "Spread":
        """What is still to come once it has run for so long (3Sigma, Park et al. 2018): the runs
        that took longer than that. One that outran them all has half of that again to go."""
        if ran_s >= self.points[-1]:
            return Spread((ran_s / 2,))
        from_ = bisect_right(self.points, ran_s)
        rest = tuple(point - ran_s for point in self.points[from_:])
        return Spread((0.0, *rest) if from_ else rest)


@dataclass(frozen=True, slots=True)
class Demand:
    """A task to be run once. `needs` are units of each kind of room a worker has (slots first).

    It begins no sooner than at `release_s` and after those it is `after` (by number, all smaller).
    One that ends behind `due_s`, or begins more than `patience_s` behind its release, costs
    `value`. What is `behind` gets what others leave: no worker is rented for it. The end of all is
    that of what neither is behind nor only has to begin in time. `runs_on`: the worker that has
    begun it.
    """

    name: str
    takes: Spread
    needs: tuple[int, ...] = (1,)
    after: tuple[int, ...] = ()
    release_s: int = 0
    due_s: int | None = None
    patience_s: int | None = None
    value: float = 1.0
    behind: bool = False
    runs_on: str = ""

    @property
    def counts(self) -> bool:
        """Is its end part of the makespan?"""
        return not self.behind and self.patience_s is None

    def due_by(self, takes_s: float) -> float | None:
        """By when it has to end, were that how long it takes."""
        if self.patience_s is None or self.runs_on:
            return self.due_s
        by_s = self.release_s + self.patience_s + takes_s
        return by_s if self.due_s is None else min(by_s, self.due_s)

    def moved(self, by_s: int) -> "Demand":
        """The same for a plan whose times begin so much sooner. What was released before has
        waited since, and has the less patience."""
        release_s = max(0, self.release_s + by_s)
        due_s = None if self.due_s is None else self.due_s + by_s
        patience_s = self.patience_s
        if patience_s is not None:
            patience_s -= release_s - self.release_s - by_s
        return replace(self, release_s=release_s, due_s=due_s, patience_s=patience_s)

    def begun(self, worker: str, ran_s: float) -> "Demand":
        """The same once it has run there for so long."""
        return replace(self, takes=self.takes.left(ran_s), after=(), runs_on=worker)

    def job(self, takes_s: int) -> Job:
        by_s = self.due_by(takes_s)
        due = None if by_s is None else int(by_s)
        return Job(takes_s, self.needs, self.after, self.release_s, due, self.value)


def drawn(demands: Sequence[Demand], random: Random, draws: int) -> list[list[int]]:
    """Durations as they may come, `draws` times; each task's are spread evenly over what it may
    take (Latin hypercube, McKay 1979), so few of them say as much as many."""
    found: list[list[int]] = [[] for _ in range(draws)]
    places = list(range(draws))
    for demand in demands:
        random.shuffle(places)
        for row, place in zip(found, places, strict=True):
            row.append(round(demand.takes.at((place + random.random()) / draws)))
    return found


def typical(demands: Sequence[Demand]) -> list[int]:
    """What each takes on average."""
    return [round(demand.takes.mean()) for demand in demands]


def subset(demands: Sequence[Demand], kept: Sequence[int]) -> list[Demand]:
    """These alone, numbered anew; nobody waits for one that is not among them."""
    number = {old: new for new, old in enumerate(kept)}
    found = []
    for old in kept:
        one = demands[old]
        after = tuple(number[before] for before in one.after if before in number)
        found.append(one if after == one.after else replace(one, after=after))
    return found


def unhindered(demands: Sequence[Demand], takes: Sequence[int]) -> list[int]:
    """When each would end, were there no end of workers. Raises `ValueError` where one stands
    before one that it is after."""
    ends: list[int] = []
    for number, (demand, took) in enumerate(zip(demands, takes, strict=True)):
        begins = demand.release_s
        for before in demand.after:
            if before >= number:
                raise ValueError(f"{demand.name} stands before one that it waits for")
            begins = max(begins, ends[before])
        ends.append(begins + took)
    return ends
