"""What sequencing tells placement, and the records of placement's journal stream.

A plan is journaled where it decides something else than the one before it, with its reasons; what
is done about the fleet is journaled step by step. Times are seconds since the epoch.
"""

from dataclasses import dataclass, field
from enum import StrEnum

from swarm.model.keys import PipelineKey
from swarm.model.learned import Foretold, Learned
from swarm.model.plans import Because, Candidate, Move, Placement, Unplaced, gap
from swarm.model.sides import Risk, Sided


@dataclass(frozen=True, slots=True)
class Expected:
    """A pipeline as sequencing knows it: how long its runs take (quantiles at equal distances, in
    seconds, none where it never ran), its next planned starts, by when a run has to end for what
    stands on it to be in time (None: nothing is due), and how much that is worth beside others."""

    pipeline: PipelineKey
    takes_s: tuple[float, ...] = ()
    starts_s: tuple[float, ...] = ()
    end_by_s: float | None = None
    value: float = 1.0


@dataclass(frozen=True, slots=True)
class Outlook:
    """All that sequencing tells placement; what was told before and is not here is over."""

    pipelines: tuple[Expected, ...] = ()


class Step(StrEnum):
    """What was done about the fleet, or could not be."""

    ORDERED = "ordered"  # a node more is wanted
    BOOTING = "booting"  # it is paid for
    JOINED = "joined"  # it takes work
    NOT_COME = "not_come"  # it does not even boot: the offering is sold out for a while
    NOT_JOINED = "not_joined"  # it boots for too long, and is returned
    DRAINED = "drained"  # its worker gets nothing more
    RETURNED = "returned"  # nothing runs on it any more: it goes
    LEFT = "left"  # it is gone: returned, or lost
    REFUSED = "refused"  # more would be worth their price, and cannot be had
    UNREACHABLE = "unreachable"  # whoever rents nodes does not answer
    REACHABLE = "reachable"  # and answers again


@dataclass(frozen=True, slots=True)
class PlanMade:
    """A plan that decides something else than the one before it. Of `unplaced` there are the
    first, `unplaced_all` is how many there are. `wanted` is the fleet that follows from it, by the
    names of offerings. Of `sided`, the tasks that spot or dedicated was chosen for, there are the
    first, the most urgent ones; of `placements` too: what waits, the soonest first, then what runs.
    `foretold` is what was planned for beside all that is known; `risks` are those of spot as they
    were then, the cheapest pool first."""

    number: int
    at_s: float
    demands: int
    moves: tuple[Move, ...]
    candidates: tuple[Candidate, ...]
    chosen: Candidate
    unplaced: tuple[Unplaced, ...]
    unplaced_all: int
    makespan_s: int
    bound_s: int
    kept_free: int = 0
    usd_per_h: float = 0.0
    wanted: tuple[tuple[str, int], ...] = ()
    sided: tuple[Sided, ...] = ()
    sided_all: int = 0
    foretold: Foretold = field(default_factory=Foretold)
    risks: tuple[Risk, ...] = ()
    placements: tuple[Placement, ...] = ()
    placements_all: int = 0

    @property
    def gap(self) -> float:
        """As of `Plan`."""
        return gap(self.makespan_s, self.bound_s)


@dataclass(frozen=True, slots=True)
class Scaled:
    """A step, taken by plan `plan`. `move` is what the plan said about it, `detail` is for people
    where no plan did; `foretold` is the same for what was ordered also for work to come. `because`:
    why whoever rents nodes gave none."""

    step: Step
    at_s: float
    plan: int = 0
    offering: str = ""
    node: str = ""
    worker: str = ""
    move: Move | None = None
    detail: str = ""
    foretold: str = ""
    because: Because | None = None


@dataclass(frozen=True, slots=True)
class ClockStepped:
    """The wall clock was set at `at_s`, by `by_s` seconds (negative: back). What was noted before
    is taken for as much later, so nothing looks older or younger by that."""

    at_s: float
    by_s: float


PlacementRecord = PlanMade | Scaled | Learned | ClockStepped
