"""What placement rents, as its provider's books have it and as swarm's receipt does."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from random import Random

import pytest

from swarm.capacity.base import Standing
from swarm.capacity.boots import Boots
from swarm.model.work import SlaClass
from swarm.placement.metering import HOUR_S
from swarm.placement.prices import PoolPrice, PriceBook
from swarm.placement.receipts import Receipt, difference, receipt
from swarm.store.follow import Follower
from swarm.store.projections import open_projections
from swarm.store.projector import open_projector
from tests.contract.capacity.fake import FakeCapacity
from tests.unit.actors.test_placing import NODE, T, World

BOOK = PriceBook({NODE.name: PoolPrice(usd_per_h=NODE.price_usd_per_h)})

SLOW = replace(NODE, boot_s=180)


class Counting(FakeCapacity):
    """It only counts what boots, as Ray does: a node has a name once it joined."""

    def __post_init__(self) -> None:
        super().__post_init__()
        self._boots = Boots()

    def nodes(self) -> Sequence[Standing]:
        every = super().nodes()
        joined = [one for one in every if one.joined]
        boots = Counter(one.offering for one in every if not one.joined)
        return [*joined, *self._boots.named(boots, str(self.now_s), joined, self.now_s)]


def told(world: World) -> Receipt:
    """From the dispatcher's journal, by way of the projections."""
    folder = world.settings.state_dir
    Follower(world.journal, open_projector("", folder)).catch_up()
    metered = open_projections("", folder).fleet.usage(T - HOUR_S, world.now_s(), runs=False)
    return receipt(metered, BOOK.of)


def billed_usd(world: World) -> float:
    """From each launch to each end, boots and all."""
    pool = world.pool
    assert pool.ended.keys() == pool.launched.keys()
    paid_s = sum(pool.ended[name] - node.since_s for name, node in pool.launched.items())
    return paid_s / HOUR_S * NODE.price_usd_per_h


async def test_the_receipt_is_within_two_percent_of_the_providers_books(tmp_path: Path) -> None:
    """Three hours with more and less to do; then all goes."""
    world = World(tmp_path, most_workers=5)
    dice = Random(3)
    for minute in range(180):
        busy = 2 if 60 <= minute < 150 else 1
        world.hand_in(dice.choice([0, busy, busy, 2 * busy]), sla=SlaClass.STANDARD)
        await world.turns(3, every_s=20.0)
    await world.turns(60, every_s=20.0)
    assert not world.pool.nodes()
    found, billed = told(world), billed_usd(world)
    assert billed > 0.5
    assert difference(found.bill_usd, billed) < 0.02
    assert sum(line.usd for line in found.lines) + found.idle_usd == pytest.approx(found.bill_usd)
    assert 0 < found.idle_usd < found.bill_usd


@pytest.mark.parametrize("pool", [FakeCapacity, Counting])
async def test_so_it_is_where_nodes_live_for_half_an_hour(
    tmp_path: Path, pool: type[FakeCapacity]
) -> None:
    """Of which they boot for three minutes: a rush of some work, and then nothing for a while."""
    world = World(tmp_path, most_workers=5)
    world.pool = pool(kinds=(SLOW,), now_s=T)
    world.start()
    dice = Random(4)
    for _ in range(2):
        for _ in range(14):
            world.hand_in(dice.choice([3, 4, 5]))
            await world.turns(12)
        await world.turns(150)
    assert not world.pool.nodes()
    lived_s = [world.pool.ended[name] - one.since_s for name, one in world.pool.launched.items()]
    assert 1_200 < sum(lived_s) / len(lived_s) < 2_400
    found, billed = told(world), billed_usd(world)
    assert difference(found.bill_usd, billed) < 0.02
    boots_usd = len(lived_s) * SLOW.boot_s / HOUR_S * SLOW.price_usd_per_h
    assert boots_usd * 0.95 < found.idle_usd < found.bill_usd
