"""One pool under test, and how time passes for it."""

from collections.abc import Callable
from dataclasses import dataclass

import pytest

from swarm.capacity.at_market import AtMarket
from swarm.capacity.base import Capacity
from swarm.capacity.static import Static
from swarm.placement.prices import PriceBook
from tests.contract.capacity.fake import DEDICATED, SPOT, FakeCapacity, Machines

_STEP_S = 5.0
_MOST_S = 600.0


@dataclass
class Bench:
    """`passes(seconds)` lets time pass for the pool. Its offerings include `spot` and `dedicated`,
    unless it is fixed."""

    pool: Capacity
    passes: Callable[[float], None]

    def until(self, holds: Callable[[], bool]) -> None:
        """Let time pass until something holds; fails where it never does."""
        left_s = _MOST_S
        while not holds():
            assert left_s > 0
            self.passes(_STEP_S)
            left_s -= _STEP_S


def fake() -> Bench:
    pool = FakeCapacity()

    def passes(seconds: float) -> None:
        pool.now_s += seconds

    return Bench(pool, passes)


@dataclass
class OfPool:
    """The clock of a pool in memory."""

    pool: FakeCapacity

    def now_s(self) -> float:
        return self.pool.now_s

    monotonic_s = now_s


def at_market() -> Bench:
    """Spot is dearer than all else."""
    bench = fake()
    assert isinstance(bench.pool, FakeCapacity)
    book = PriceBook({}, {"spot": {0: 9.0}})
    return Bench(AtMarket(bench.pool, lambda *_: (book, ()), OfPool(bench.pool)), bench.passes)


def static() -> Bench:
    return Bench(Static([DEDICATED, SPOT], Machines()), lambda _: None)


@pytest.fixture(params=[fake, static, at_market], ids=lambda one: one.__name__)
def bench(request: pytest.FixtureRequest) -> Bench:
    made: Bench = request.param()
    return made


@pytest.fixture(params=[fake, at_market], ids=lambda one: one.__name__)
def renting(request: pytest.FixtureRequest) -> Bench:
    """Of those that order nodes."""
    made: Bench = request.param()
    return made


@pytest.fixture
def fixed() -> Bench:
    """Of those that do not."""
    return static()
