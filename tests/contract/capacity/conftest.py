"""One pool under test, and how time passes for it."""

from collections.abc import Callable
from dataclasses import dataclass

import pytest

from swarm.capacity.base import Capacity
from swarm.capacity.static import Static
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


def static() -> Bench:
    return Bench(Static([DEDICATED, SPOT], Machines()), lambda _: None)


@pytest.fixture(params=[fake, static], ids=["fake", "static"])
def bench(request: pytest.FixtureRequest) -> Bench:
    made: Bench = request.param()
    return made


@pytest.fixture
def renting() -> Bench:
    """Of those that order nodes."""
    return fake()


@pytest.fixture
def fixed() -> Bench:
    """Of those that do not."""
    return static()
