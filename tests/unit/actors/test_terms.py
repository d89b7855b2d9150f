"""What settings say of workers that can be had, as the dispatcher is told of it."""

from pathlib import Path

import pytest

from swarm.actors.dispatcher import policy
from swarm.config import Settings
from swarm.model.work import CapacityClass, Offer, Resources, WorkerId

SPOT = {"name": "m5", "slots": 4, "memory_bytes": 8 << 30, "gpu": 1.0, "market": "spot"}


def settings(folder: Path, pool: str) -> Settings:
    kind = SPOT | {"price_usd_per_h": 0.1}
    return Settings.model_validate(
        {
            "state_dir": folder,
            "ray_address": "auto",
            "placement": {"pool": pool, "offerings": [kind]},
        }
    )


def test_the_dispatcher_knows_what_the_autoscaler_can_order(tmp_path: Path) -> None:
    resources = Resources(4.0, 8 << 30, 1.0)
    assert policy(settings(tmp_path, "ray")).rentable == (
        Offer(WorkerId(""), "", 4, resources, capacity=CapacityClass.SPOT, pool="m5"),
    )


@pytest.mark.parametrize("pool", ["static", "off"])
def test_where_nobody_orders_workers_none_can_be_had(tmp_path: Path, pool: str) -> None:
    assert policy(settings(tmp_path, pool)).rentable == ()
