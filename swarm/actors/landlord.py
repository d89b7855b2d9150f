"""Whoever rents nodes, asked off the loop and with a deadline.

Its calls wait for networks and cannot be broken off. So they have a thread of their own: one that
hangs keeps no other work of the process waiting, and nothing is asked until it is back.
"""

import asyncio
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

from swarm.capacity.base import Capacity
from swarm.errors import CapacityError
from swarm.placement.orders import Crew, View

_DEADLINE_S = 30.0

T = TypeVar("T")


class Landlord:
    """All of it raises `CapacityError`. `make` makes the port, also only when it is asked."""

    def __init__(self, make: Callable[[], Capacity], deadline_s: float = _DEADLINE_S) -> None:
        self._make, self._deadline_s = make, deadline_s
        self._capacity: Capacity | None = None
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="capacity")
        self._hangs: asyncio.Future[Any] | None = None

    async def view(self, crews: Mapping[str, Crew]) -> View:
        """What can be had and what stands, beside these workers."""

        def look(port: Capacity) -> View:
            offerings, standing = port.offerings(), port.nodes()
            return View(offerings, standing, crews, port.fixed, port.not_given())

        return await self._ask(look)

    async def want(self, fleet: Mapping[str, int], lease_s: float) -> None:
        await self._ask(lambda port: port.want(fleet, lease_s))

    async def release(self, node: str) -> None:
        await self._ask(lambda port: port.release(node))

    async def _ask(self, question: Callable[[Capacity], T]) -> T:
        if self._hangs is not None and not self._hangs.done():
            raise CapacityError(f"it did not answer in {self._deadline_s:.0f} s")

        def ask() -> T:
            if self._capacity is None:
                self._capacity = self._make()
            return question(self._capacity)

        asked = asyncio.get_running_loop().run_in_executor(self._thread, ask)
        done, _ = await asyncio.wait([asked], timeout=self._deadline_s)
        if not done:
            self._hangs = asked
            asked.add_done_callback(lambda late: late.exception())
            raise CapacityError(f"it did not answer in {self._deadline_s:.0f} s")
        return asked.result()
