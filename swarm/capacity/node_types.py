"""The offerings that a cluster file for `ray up` stands for: its node types with `swarm/offering`,
but for those with `swarm/keep-off`, which are for other jobs on the same Ray.

A node has the CPUs, the bytes of `memory` and the GPUs that its type says in `resources`. What Ray
finds out of a machine by itself is not in the file, so none of it is offered.

Labels say what Ray's schema has no place for: `swarm/usd-per-hour` where the price is not known
otherwise, and `swarm/boot-s`, how long a node takes until it works.
"""

from collections.abc import Callable, Mapping
from typing import Any

from swarm.errors import ConfigError
from swarm.model.plans import Offering
from swarm.model.work import KEEP_OFF_LABEL, MARKET_LABEL, OFFERING_LABEL, CapacityClass
from swarm.placement.prices import ondemand_usd_per_h
from swarm.placement.rooms import room

PRICE_LABEL = "swarm/usd-per-hour"
BOOT_LABEL = "swarm/boot-s"
_BOOT_S = 180

# (instance type, region, capacity class) -> USD an hour, None where it is not known
PriceOf = Callable[[str, str, CapacityClass], float | None]


def known_price(instance: str, region: str, capacity: CapacityClass) -> float | None:
    """From the table that ships. What spot costs changes by the hour: that has to be told."""
    if capacity is CapacityClass.SPOT:
        return None
    return ondemand_usd_per_h(instance, region)


def offerings(cluster: Mapping[str, Any], price_of: PriceOf) -> list[Offering]:
    """Of a file that `swarm cluster check` found nothing wrong with. Node types without the label
    are somebody else's. Raises `ConfigError` that names the type and the fix."""
    region = str(cluster.get("provider", {}).get("region", ""))
    return [
        _offering(name, kind, region, price_of)
        for name, kind in cluster.get("available_node_types", {}).items()
        if OFFERING_LABEL in kind.get("labels", {}) and KEEP_OFF_LABEL not in kind["labels"]
    ]


def zoneless(cluster: Mapping[str, Any]) -> list[str]:
    """The types on AWS whose spot nodes may come up in any of several zones, by their names."""
    provider = cluster.get("provider", {})
    zones = str(provider.get("availability_zone") or "")
    several = not zones or "," in zones  # where none is named Ray takes all of the region
    return [
        name
        for name, kind in cluster.get("available_node_types", {}).items()
        if several
        and provider.get("type") == "aws"
        and OFFERING_LABEL in kind.get("labels", {})
        and kind["labels"].get(MARKET_LABEL) == CapacityClass.SPOT
        and len(kind.get("node_config", {}).get("SubnetIds", ())) != 1
    ]


def _offering(name: str, kind: Mapping[str, Any], region: str, price_of: PriceOf) -> Offering:
    labels = kind["labels"]
    try:
        capacity = CapacityClass(labels.get(MARKET_LABEL))
        price = labels.get(PRICE_LABEL)
        usd = price_of(_instance(kind), region, capacity) if price is None else float(price)
        boot_s = int(labels.get(BOOT_LABEL, _BOOT_S))
        has = kind["resources"]
        own = room(int(has["CPU"]), int(has.get("memory", 0)), float(has.get("GPU", 0)))
    except (KeyError, ValueError) as error:
        raise ConfigError(
            f"node type `{name}`: {error}; `swarm cluster check` tells what is wrong with it."
        ) from None
    if usd is None:
        raise ConfigError(
            f"node type `{name}`: nobody knows what {_instance(kind) or 'it'} costs; say it in its "
            f'label `{PRICE_LABEL}: "0.10"`.'
        )
    most = kind.get("max_workers")
    return Offering(name, own, usd, boot_s, capacity, most)


def _instance(kind: Mapping[str, Any]) -> str:
    return str(kind.get("node_config", {}).get("InstanceType", ""))
