"""Spot at what its market asks now: what is dear comes later, and nobody waits for the market."""

from collections.abc import Callable
from concurrent.futures import Executor, Future
from typing import Any

from swarm.capacity.at_market import ASK_EVERY_S, AtMarket
from swarm.model.plans import Offering
from swarm.model.work import CapacityClass
from swarm.placement.prices import PriceBook
from tests.contract.capacity.fake import DEDICATED, SPOT, FakeCapacity

NOW_S = 1_000_000.0
HOUR = int(NOW_S // 3_600)


class Beside(Executor):
    """What is submitted runs when the test says so."""

    def __init__(self) -> None:
        self.waiting: list[Callable[[], None]] = []

    def submit(self, fn: Callable[..., Any], /, *args: Any, **more: Any) -> Future[Any]:
        future: Future[Any] = Future()
        self.waiting.append(lambda: future.set_result(fn(*args, **more)))
        return future

    def run(self) -> None:
        waiting, self.waiting = self.waiting, []
        for one in waiting:
            one()


class World:
    """A market that asks `spot`, by pool and hour."""

    def __init__(self, **spot: dict[int, float]) -> None:
        self.spot = spot
        self.asked: list[frozenset[str]] = []
        self.beside, self.pool = Beside(), FakeCapacity(now_s=NOW_S)
        self.port = AtMarket(self.pool, self.book, self, self.beside)

    def now_s(self) -> float:
        return self.pool.now_s

    monotonic_s = now_s

    def book(self, now_s: float, pools: frozenset[str]) -> tuple[PriceBook, tuple[str, ...]]:
        self.asked.append(pools)
        return PriceBook({}, dict(self.spot)), ()

    def offered(self) -> list[tuple[str, float]]:
        return [(one.name, one.price_usd_per_h) for one in self.port.offerings()]


def test_spot_costs_what_its_market_asks_and_the_cheapest_comes_first() -> None:
    world = World(spot={HOUR - 1: 0.02, HOUR: 0.4})
    before = [(SPOT.name, SPOT.price_usd_per_h), (DEDICATED.name, DEDICATED.price_usd_per_h)]
    assert world.offered() == before, "nobody waits for the market"
    world.beside.run()
    assert world.offered() == [("dedicated", 0.1), ("spot", 0.4)]
    assert world.asked == [frozenset({"spot"})]


def test_a_pool_whose_market_says_nothing_costs_what_the_settings_say() -> None:
    world = World(other={HOUR: 0.4})
    world.offered()
    world.beside.run()
    assert world.offered()[0] == (SPOT.name, SPOT.price_usd_per_h)


def test_the_newest_hour_counts_until_there_is_a_newer_one() -> None:
    world = World(spot={HOUR - 2: 0.04})
    world.offered()
    world.beside.run()
    assert world.offered()[0] == ("spot", 0.04)


def test_the_market_is_asked_from_time_to_time_and_once_at_a_time() -> None:
    world = World(spot={HOUR: 0.02})
    for _ in range(3):
        world.offered()
    assert len(world.beside.waiting) == 1
    world.beside.run()
    world.offered()
    assert not world.beside.waiting
    world.pool.now_s += ASK_EVERY_S
    world.offered()
    assert len(world.beside.waiting) == 1


def test_a_fleet_without_spot_asks_nobody() -> None:
    world = World()
    world.pool.kinds = (DEDICATED, Offering("own", (2,), 0.2, 60, CapacityClass.DEDICATED))
    world.offered()
    assert not world.beside.waiting


def test_all_else_is_the_pools() -> None:
    world = World()
    world.port.want({"spot": 1}, 90.0)
    (node,) = world.port.nodes()
    world.port.release(node.node)
    assert world.pool.released == [node.node]
    assert world.port.fixed is False
