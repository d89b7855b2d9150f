"""What takes long to find is found once, and the less often the longer it takes."""

import asyncio

import pytest

from swarm.api.kept import Kept


class HandClock:
    at_s = 100.0

    def now_s(self) -> float:
        return self.at_s

    def monotonic_s(self) -> float:
        return self.at_s


class Finder:
    """Takes 2 s by the clock; `gate` is awaited on the way."""

    def __init__(self, clock: HandClock) -> None:
        self.clock, self.found = clock, 0
        self.gate = asyncio.Event()
        self.gate.set()

    async def __call__(self) -> int:
        await self.gate.wait()
        self.clock.at_s += 2.0
        self.found += 1
        return self.found


@pytest.fixture
def clock() -> HandClock:
    return HandClock()


async def test_an_answer_is_good_for_twenty_times_as_long_as_it_took(clock: HandClock) -> None:
    kept, find = Kept(clock), Finder(clock)
    assert await kept.get("ahead", find) == 1
    clock.at_s += 39.0
    assert await kept.get("ahead", find) == 1
    assert await kept.get("other", find) == 2, "each by its own name"
    clock.at_s += 1.0
    assert await kept.get("ahead", find) == 3


async def test_who_asks_while_it_is_found_waits_for_the_same(clock: HandClock) -> None:
    kept, find = Kept(clock), Finder(clock)
    find.gate.clear()
    asking = [asyncio.create_task(kept.get("ahead", find)) for _ in range(5)]
    await asyncio.sleep(0)
    find.gate.set()
    assert await asyncio.gather(*asking) == [1] * 5


async def test_what_took_no_time_is_found_each_time(clock: HandClock) -> None:
    kept, found = Kept(clock), iter(range(9))

    async def find() -> int:
        return next(found)

    assert [await kept.get("ahead", find) for _ in range(3)] == [0, 1, 2]


async def test_what_could_not_be_found_is_asked_for_again(clock: HandClock) -> None:
    kept, find = Kept(clock), Finder(clock)

    async def fail() -> int:
        clock.at_s += 2.0
        raise ValueError

    with pytest.raises(ValueError):  # noqa: PT011
        await kept.get("ahead", fail)
    assert await kept.get("ahead", find) == 1
