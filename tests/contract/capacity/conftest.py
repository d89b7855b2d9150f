"""One pool under test, and how time passes for it."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import pytest

from swarm.capacity.at_market import AtMarket
from swarm.capacity.base import Capacity
from swarm.capacity.guard import Guard
from swarm.capacity.ray_autoscaler import RayAutoscaler
from swarm.capacity.ray_request import RayRequest
from swarm.capacity.static import Static
from swarm.clock import SystemClock
from swarm.placement.prices import PriceBook
from tests.contract.capacity.fake import DEDICATED, SPOT, FakeCapacity, Machines
from tests.integration.capacity.conftest import Cluster, a_head, eventually
from tests.integration.capacity.test_drain_cycles import gone, looked

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


@dataclass
class Ahead(SystemClock):
    """Whoever watches the lease: for it time passes as the test has it pass."""

    ahead_s: float = 0.0

    def monotonic_s(self) -> float:
        return super().monotonic_s() + self.ahead_s


class OnRay(Bench):
    """Real nodes come and go when they do, and what is refused is asked again meanwhile."""

    def until(self, holds: Callable[[], bool]) -> None:
        eventually(holds)


@pytest.fixture(scope="module")
def cluster() -> Iterator[Cluster]:
    """Nobody keeps the CPUs of its nodes: Ray is to end none before it is told to."""
    kinds = {"spot": ("spot", 3), "dedicated": ("on-demand", 3)}
    with a_head(kinds, idle_min=60) as made:
        yield made


@pytest.fixture
def on_ray(cluster: Cluster) -> Iterator[Bench]:
    request, clock = RayRequest(cluster.address), Ahead()
    pool, guard = RayAutoscaler([SPOT, DEDICATED], request, SystemClock()), Guard(request, clock)

    def passes(seconds: float) -> None:
        guard.look()
        clock.ahead_s += seconds
        guard.look()
        for _ in range(2):
            looked(request)

    eventually(lambda: pool.want({}, 600) is None)
    yield OnRay(pool, passes)
    pool.want({}, 600)
    eventually(lambda: gone(pool, {one.node for one in pool.nodes()}))


@pytest.fixture(params=["fake", "static", "at_market", "on_ray"])
def bench(request: pytest.FixtureRequest) -> Bench:
    return _made(request)


@pytest.fixture(params=["fake", "at_market", "on_ray"])
def renting(request: pytest.FixtureRequest) -> Bench:
    """Of those that order nodes."""
    return _made(request)


def _made(request: pytest.FixtureRequest) -> Bench:
    made = {"fake": fake, "static": static, "at_market": at_market}
    name = request.param
    found: Bench = made[name]() if name in made else request.getfixturevalue(name)
    return found


@pytest.fixture
def fixed() -> Bench:
    """Of those that do not."""
    return static()
