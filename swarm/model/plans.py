"""What placement decides: which workers, when, in what order, and why; also what it refuses.

A plan is a proposal. Its times are seconds from when it was made. Rooms and needs are amounts of
the same kinds in the same order, slots first.
"""

from dataclasses import dataclass
from enum import StrEnum

from swarm.model.work import CapacityClass

Room = tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Offering:
    """A kind of worker that can be had, `most` of them at a time (None: as many as are paid)."""

    name: str
    room: Room
    price_usd_per_h: float
    boot_s: int
    capacity: CapacityClass = CapacityClass.DEDICATED
    most: int | None = None


@dataclass(frozen=True, slots=True)
class Standing:
    """A node that is paid for. `node` is what a worker on it calls its node (`Offer.node`); of one
    that has not `joined` it is any name that stays the same until then. `since_s`: from when on it
    is there or was ordered, in seconds since the epoch."""

    node: str
    offering: str
    since_s: float
    joined: bool = True


@dataclass(frozen=True, slots=True)
class Rented:
    """A worker that is paid for and takes work from `up_s` on (0: now); one that is `draining`
    ends what it runs and takes no more."""

    worker: str
    offering: Offering
    up_s: int = 0
    draining: bool = False


@dataclass(frozen=True, slots=True)
class Budget:
    """What no plan exceeds; of workers that stand no more than `most_leaving` go at a time."""

    most_workers: int
    most_usd_per_h: float | None = None
    most_leaving: int | None = None


class Because(StrEnum):
    """The reasons of a plan."""

    RUNS = "runs"  # placed: it runs already
    SLACK = "slack"  # placed: of those ready it had the least slack
    FILLS = "fills"  # placed: behind all others, where nothing else would run
    NO_OFFERING = "no_offering"  # unplaced: no worker that can be had is large enough
    UPSTREAM = "upstream"  # unplaced: what it waits for is unplaced
    BEHIND = "behind"  # unplaced: others leave it no room before the end of the plan
    NO_ROOM = "no_room"  # unplaced: the budget allows no worker that could run it
    PROMISES = "promises"  # more workers: with fewer, more would be late
    SOONER = "sooner"  # more workers: no less is late, but all is done sooner
    QUIET = "quiet"  # fewer workers: not needed before the end of the plan
    RETURN = "return"  # no fewer: it costs more to boot it again than it would save
    MOST_LEAVING = "most_leaving"  # no fewer yet: as many go as may at a time
    MOST_WORKERS = "most_workers"  # no more: the budget has no more workers
    MOST_USD = "most_usd"  # no more: the budget has no more money
    SOLD_OUT = "sold_out"  # no more: the offering has no more
    QUOTA = "quota"  # no more: the account may have no more of the offering
    LAUNCH_FAILED = "launch_failed"  # no more: the offering could not be had, for whatever reason


@dataclass(frozen=True, slots=True)
class NotGiven:
    """Whoever rents nodes answered at `at_s`, in seconds since the epoch, that an offering cannot
    be had; `said` are its own words, where they are known."""

    at_s: float
    because: Because
    said: str = ""


@dataclass(frozen=True, slots=True)
class Placement:
    """A task where and when it is to run, if all takes as long as usual. `slack_s`: how much later
    it might begin with everything in time; None where nothing is due."""

    task: str
    worker: str
    start_s: int
    end_s: int
    slack_s: float | None
    because: Because


@dataclass(frozen=True, slots=True)
class Unplaced:
    """A task that is not in the plan; `largest` is the room nearest to its needs, `waits_for` what
    keeps it."""

    task: str
    because: Because
    needs: Room
    largest: Room = ()
    waits_for: str = ""


@dataclass(frozen=True, slots=True)
class Candidate:
    """A fleet as it was rehearsed: value missed and end of all on average over the draws, and
    what it costs with both priced."""

    workers: int
    missed: float
    makespan_s: float
    rent_usd: float
    total_usd: float


@dataclass(frozen=True, slots=True)
class ScaleUp:
    """Order a worker at `order_s`, so that it is up at `up_s`, when it is first needed."""

    worker: str
    offering: str
    order_s: int
    up_s: int
    because: Because
    without: Candidate | None  # the next smaller fleet


@dataclass(frozen=True, slots=True)
class ScaleDown:
    """Give it nothing more now, and return it once it is empty."""

    worker: str
    saves_s: int
    because: Because = Because.QUIET


@dataclass(frozen=True, slots=True)
class Kept:
    """A worker that is not needed and stays: returning it would save less than it costs, or has to
    wait until others are gone."""

    worker: str
    saves_s: int
    costs_s: int
    because: Because = Because.RETURN


@dataclass(frozen=True, slots=True)
class Refused:
    """More workers would be worth their price, and cannot be had."""

    because: Because
    workers: int
    missed: float


Move = ScaleUp | ScaleDown | Kept | Refused


@dataclass(frozen=True, slots=True)
class Plan:
    """`order` names the tasks, who has precedence first; while less than `kept_free` slots are
    free, nothing that is behind begins. `bound_s`: no plan on these workers ends sooner."""

    order: tuple[str, ...]
    placements: tuple[Placement, ...]
    unplaced: tuple[Unplaced, ...]
    moves: tuple[Move, ...]
    candidates: tuple[Candidate, ...]
    chosen: Candidate
    makespan_s: int
    bound_s: int
    kept_free: int = 0

    @property
    def gap(self) -> float:
        """How far from perfect it is: 1 is."""
        return gap(self.makespan_s, self.bound_s)


def gap(makespan_s: int, bound_s: int) -> float:
    """A makespan over what no plan on the same workers could beat; of nothing at all 1."""
    return makespan_s / bound_s if bound_s else 1.0
