"""A pool whose spot costs what its market asks now, so that a plan follows a spike.

The market is asked beside: who plans does not wait for it, and goes on with the last prices that
are known, and before any with those of the settings.
"""

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from dataclasses import replace

from swarm.capacity.base import Capacity, Standing
from swarm.clock import Clock
from swarm.model.plans import NotGiven, Offering
from swarm.model.work import CapacityClass
from swarm.placement.prices import PriceBook

ASK_EVERY_S = 600.0  # whoever is asked may still answer with what it knows

Book = tuple[PriceBook, tuple[str, ...]]


class AtMarket:
    """`pool`, with the prices that `book` tells for now and the names of its spot offerings."""

    def __init__(
        self,
        pool: Capacity,
        book: Callable[[float, frozenset[str]], Book],
        clock: Clock,
        beside: Executor | None = None,
    ) -> None:
        self._pool, self._ask_book, self._clock = pool, book, clock
        self._beside = beside or ThreadPoolExecutor(1, thread_name_prefix="market")
        self._asked: Future[Book] | None = None
        self._asked_s = float("-inf")
        self._book = PriceBook()

    @property
    def fixed(self) -> bool:
        return self._pool.fixed

    def offerings(self) -> Sequence[Offering]:
        found = self._pool.offerings()
        spot = frozenset(one.name for one in found if one.capacity is CapacityClass.SPOT)
        if spot:
            self._look(spot)
        priced = (
            replace(one, price_usd_per_h=self._usd_per_h(one)) if one.name in spot else one
            for one in found
        )
        return sorted(priced, key=lambda one: one.price_usd_per_h)

    def nodes(self) -> Sequence[Standing]:
        return self._pool.nodes()

    def want(self, fleet: Mapping[str, int], lease_s: float) -> None:
        self._pool.want(fleet, lease_s)

    def not_given(self) -> Mapping[str, NotGiven]:
        return self._pool.not_given()

    def release(self, node: str) -> None:
        self._pool.release(node)

    def _look(self, spot: frozenset[str]) -> None:
        if self._asked is not None and self._asked.done():
            self._book, _ = self._asked.result()  # of what was refused the API tells
            self._asked = None
        now_s = self._clock.monotonic_s()
        if self._asked is None and now_s >= self._asked_s + ASK_EVERY_S:
            self._asked_s = now_s
            self._asked = self._beside.submit(self._ask_book, self._clock.now_s(), spot)

    def _usd_per_h(self, one: Offering) -> float:
        hours = self._book.spot.get(one.name)
        return hours[max(hours)] if hours else one.price_usd_per_h
