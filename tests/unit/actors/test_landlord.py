"""Whoever rents nodes may hang, and keeps nobody waiting."""

import threading
from collections.abc import Iterator

import pytest

from swarm.actors.landlord import Landlord
from swarm.errors import CapacityError
from tests.contract.capacity.fake import DEDICATED, SPOT, FakeCapacity


class Hanging(FakeCapacity):
    """Does not answer until it is let."""

    def __init__(self) -> None:
        super().__init__()
        self.free = threading.Event()

    def nodes(self):  # type: ignore[no-untyped-def]
        self.free.wait()
        return super().nodes()


@pytest.fixture
def hanging() -> Iterator[Hanging]:
    pool = Hanging()
    yield pool
    pool.free.set()


async def test_it_says_what_there_is() -> None:
    pool = FakeCapacity()
    landlord = Landlord(lambda: pool)
    await landlord.want({"spot": 1}, 60.0)
    view = await landlord.view({})
    assert (list(view.offerings), [one.offering for one in view.standing]) == (
        [SPOT, DEDICATED],
        ["spot"],
    )
    await landlord.release("spot-1")
    assert pool.released == ["spot-1"]


async def test_one_that_cannot_be_made_is_made_when_it_can() -> None:
    faults = [CapacityError("no head")]

    def make() -> FakeCapacity:
        if faults:
            raise faults.pop()
        return FakeCapacity()

    landlord = Landlord(make)
    with pytest.raises(CapacityError, match="no head"):
        await landlord.view({})
    assert (await landlord.view({})).standing == []


async def test_while_it_hangs_everything_is_refused_at_once(hanging: Hanging) -> None:
    landlord = Landlord(lambda: hanging, deadline_s=0.01)
    with pytest.raises(CapacityError, match="did not answer"):
        await landlord.view({})
    with pytest.raises(CapacityError, match="did not answer"):
        await landlord.want({"spot": 1}, 60.0)
    assert hanging.said == []
