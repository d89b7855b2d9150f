"""Deadline jobs on a trace: what a job does, and what a policy makes of it, step by step."""

from collections.abc import Callable, Iterator
from copy import deepcopy
from dataclasses import dataclass
from itertools import pairwise

from benchmarks.spot_traces import STEP_S, Trace
from swarm.model.work import CapacityClass
from swarm.placement.spot import Because, Choice, Pool, Terms, Work, choose
from swarm.placement.survival import Survival

DEDICATED = -1
WAIT = -2
_HOUR = 3_600 // STEP_S


@dataclass(frozen=True, slots=True)
class JobKind:
    """All in steps: its work, cut in pieces of which only whole ones are kept; the restart; and
    the window from its start to when it is due."""

    name: str
    work: int
    piece: int
    restart: int
    window: int


@dataclass(slots=True)
class State:
    """Where a job stands at a step: a place is a pool's number, `DEDICATED` or `WAIT`."""

    step: int
    left: int  # not yet done
    place: int = WAIT
    starting: int = 0  # steps until it works there
    paid: float = 0.0

    def done(self, kind: JobKind) -> int:
        """Of the piece that runs."""
        return -self.left % kind.piece


Policy = Callable[[State], int]
"""Chooses a place, knowing no step after the state's."""


def replay(trace: Trace, kind: JobKind, begin: int, policy: Policy) -> tuple[float, bool]:
    """What the job costs, in steps at the dedicated price, and whether it is in time."""
    state = State(begin, kind.work)
    while state.left and state.step < begin + kind.window:
        if state.place >= 0 and not trace.pools[state.place].up[state.step]:
            _leave(state, kind, WAIT)
        place = policy(state)
        if place != state.place:
            _leave(state, kind, place)
        if place != WAIT:
            state.paid += trace.pools[place].price[state.step] if place >= 0 else 1.0
            if state.starting:
                state.starting -= 1
            else:
                state.left -= 1
        state.step += 1
    return state.paid, not state.left


def _leave(state: State, kind: JobKind, place: int) -> None:
    state.left += state.done(kind)
    state.place, state.starting = place, kind.restart


@dataclass(frozen=True, slots=True)
class Watched:
    """What had been seen of a trace's pools, step by step: their ages, None where not there, and
    what their lives said, told anew each hour."""

    ages: tuple[tuple[int | None, ...], ...]
    survivals: tuple[Survival, ...]

    def survival(self, step: int) -> Survival:
        """What was known then."""
        return self.survivals[step // _HOUR]


def watched(trace: Trace) -> Watched:
    """A look at every pool at every step, as a fleet has that always runs something there."""
    ages = tuple(tuple(_ages(pool.up)) for pool in trace.pools)
    survival = Survival()
    survivals = [deepcopy(survival)]
    for hour in range(trace.steps // _HOUR):
        for pool, age in zip(trace.pools, ages, strict=True):
            _observe(survival, pool.name, age[hour * _HOUR : (hour + 1) * _HOUR + 1])
        survivals.append(deepcopy(survival))
    return Watched(ages, tuple(survivals))


def with_swarm(trace: Trace, known: Watched, kind: JobKind, begin: int) -> Policy:
    """The engine's choice, over all pools."""
    terms = Terms(1.0, kind.restart * STEP_S, STEP_S)
    number = {pool.name: place for place, pool in enumerate(trace.pools)}

    def policy(state: State) -> int:
        done = state.done(kind)
        pools = [
            Pool(pool.name, pool.zone, pool.price[state.step], age * STEP_S)
            for pool, ages in zip(trace.pools, known.ages, strict=True)
            if (age := ages[state.step]) is not None
        ]
        work = Work(
            left_s=(state.left + done) * STEP_S,
            piece_s=kind.piece * STEP_S,
            done_s=done * STEP_S,
            to_due_s=(begin + kind.window - state.step) * STEP_S,
        )
        choice = choose(work, _here(trace, state), pools, known.survival(state.step), terms)
        if choice.pool is not None:
            return number[choice.pool]
        return DEDICATED if choice.where is CapacityClass.DEDICATED else WAIT

    return policy


def _here(trace: Trace, state: State) -> Choice | None:
    if state.place == WAIT:
        return None
    if state.place == DEDICATED:
        return Choice(CapacityClass.DEDICATED, Because.CHEAPEST)
    return Choice(CapacityClass.SPOT, Because.CHEAPEST, trace.pools[state.place].name)


def uniform_progress(trace: Trace, pool: int, kind: JobKind, begin: int) -> Policy:
    """Uniform progress in one pool (Wu et al., NSDI 2024): spot while it is there; without it,
    dedicated only while the job is behind a straight line from its start to its deadline, with two
    restarts ahead before dedicated is left again; dedicated to the end where nothing is to spare.
    It leaves dedicated only between pieces."""
    up = trace.pools[pool].up

    def policy(state: State) -> int:
        left = state.left + state.done(kind)  # as if the running piece had not begun
        spare = begin + kind.window - state.step - left - kind.restart
        on_line = (state.step - begin) * kind.work / kind.window
        busy = state.starting > 0 or left != state.left
        if state.place == pool:
            return pool if spare >= (0 if busy else kind.piece) else DEDICATED
        if spare < kind.restart + kind.piece or (state.place == DEDICATED and busy):
            return DEDICATED
        if state.place == DEDICATED:
            on_line += 2 * kind.restart * kind.work / kind.window
        if kind.work - left < on_line and (state.place == DEDICATED or not up[state.step]):
            return DEDICATED
        return pool if up[state.step] else WAIT

    return policy


def _ages(up: tuple[bool, ...]) -> Iterator[int | None]:
    age = 0
    for there in up:
        age = age + 1 if there else 0
        yield age - 1 if there else None


def _observe(survival: Survival, pool: str, ages: tuple[int | None, ...]) -> None:
    """The lives between the first of these ages and the last."""
    begun = ages[0]
    for before, after in pairwise(ages):
        if before is None:
            begun = after
        elif begun is not None and after is None:
            survival.observe(pool, begun * STEP_S, (before + 1) * STEP_S, lost=True)
            begun = None
    if begun is not None and ages[-1] is not None:
        survival.observe(pool, begun * STEP_S, ages[-1] * STEP_S, lost=False)
