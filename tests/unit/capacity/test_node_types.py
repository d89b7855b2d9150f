"""The offerings that a cluster file stands for."""

from pathlib import Path
from typing import Any

import pytest
import yaml

from swarm.capacity.clusterfile.check import described
from swarm.capacity.node_types import known_price, offerings, zoneless
from swarm.errors import ConfigError
from swarm.model.plans import Offering
from swarm.model.work import CapacityClass, Resources
from swarm.placement.rooms import resources_of, room

FOLDER = Path(__file__).parents[3] / "cluster"


def of(name: str) -> dict[str, Offering]:
    tree = yaml.safe_load((FOLDER / name).read_text())
    return {one.name: one for one in offerings(tree, known_price)}


def a_type(**changed: Any) -> dict[str, Any]:
    kind = {
        "labels": {"ray.io/market-type": "on-demand", "swarm/offering": "big"},
        "resources": {"CPU": 4},
        "max_workers": 3,
        "node_config": {"InstanceType": "m5.xlarge"},
    }
    return {"provider": {"region": "us-east-1"}, "available_node_types": {"big": kind | changed}}


def test_each_type_is_an_offering() -> None:
    found = of("aws.yaml")
    assert len(found) == 5, "the head is none"
    assert found["dedicated-m5-xlarge"] == Offering(
        "dedicated-m5-xlarge", (4, 11_468, 0), 0.192, 180, CapacityClass.DEDICATED, most=10
    )
    assert found["spot-m6i-xlarge"].capacity is CapacityClass.SPOT


def test_a_label_says_the_price_and_the_boot() -> None:
    labels = a_type()["available_node_types"]["big"]["labels"]
    told = {"swarm/usd-per-hour": "0.07", "swarm/boot-s": "20"}
    (found,) = offerings(a_type(labels=labels | told), known_price)
    assert (found.price_usd_per_h, found.boot_s) == (0.07, 20)


def test_without_our_label_it_is_somebody_elses() -> None:
    assert offerings(a_type(labels={"ray.io/market-type": "spot"}), known_price) == []


def test_what_is_for_other_jobs_is_no_offering() -> None:
    labels = a_type()["available_node_types"]["big"]["labels"]
    assert offerings(a_type(labels=labels | {"swarm/keep-off": "true"}), known_price) == []


def test_what_nobody_can_price_is_named_with_the_fix() -> None:
    with pytest.raises(ConfigError, match=r"`big`: nobody knows what x9\.huge costs.*usd-per-hour"):
        offerings(a_type(node_config={"InstanceType": "x9.huge"}), known_price)


@pytest.mark.parametrize("resources", [{}, {"CPU": "many"}, {"CPU": 4, "memory": "16Gi"}])
def test_what_says_no_cpus_is_named(resources: dict[str, Any]) -> None:
    with pytest.raises(ConfigError, match=r"`big`.*swarm cluster check"):
        offerings(a_type(resources=resources), known_price)


def test_memory_and_gpus_are_offered_too() -> None:
    (found,) = offerings(a_type(resources={"CPU": 4, "memory": 8 << 30, "GPU": 2}), known_price)
    assert found.room == room(4, 8 << 30, 2.0)
    assert resources_of(found) == Resources(4.0, 8 << 30, 2.0)


def test_what_a_type_does_not_say_it_has_is_not_offered() -> None:
    (found,) = offerings(a_type(), known_price)
    assert found.room == room(4, 0, 0)


def test_a_pod_offers_the_memory_of_its_limit() -> None:
    text = (FOLDER / "kuberay" / "rayservice.yaml").read_text()
    spot, dedicated = offerings(described(text), known_price)
    assert resources_of(spot) == resources_of(dedicated) == Resources(4.0, 16 << 30)
    on_gpus = text.replace("limits: {cpu", "limits: {nvidia.com/gpu: 1, cpu")
    assert {one.room[2] for one in offerings(described(on_gpus), known_price)} == {100}


def test_spot_over_several_zones_has_none_unless_its_subnet_is_in_one() -> None:
    tree = yaml.safe_load((FOLDER / "aws.yaml").read_text())
    kinds = tree["available_node_types"]
    kinds["spot-m5-xlarge"]["node_config"]["SubnetIds"] = ["subnet-1"]
    kinds["spot-m5a-xlarge"]["node_config"]["SubnetIds"] = ["subnet-1", "subnet-2"]
    assert zoneless(tree) == ["spot-m5a-xlarge", "spot-m6i-xlarge"]
    del tree["provider"]["availability_zone"]
    assert zoneless(tree) == ["spot-m5a-xlarge", "spot-m6i-xlarge"]
    tree["provider"]["availability_zone"] = "us-east-1a"
    assert zoneless(tree) == []
    assert zoneless(yaml.safe_load((FOLDER / "onprem.yaml").read_text())) == []
