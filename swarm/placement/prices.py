"""What machines cost: on demand by a few prices that ship, so that a cost can be told before
anything is set, and on spot by what its market asked from hour to hour.

AWS, Linux, USD an hour. From the catalogue of SkyPilot (v8), which takes it from AWS's own price
list; read on `AS_OF`. Prices change seldom, but they do: a price given in the settings comes first.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise

from swarm.model.work import CapacityClass
from swarm.placement.metering import HOUR_S, hours
from swarm.placement.receipts import Price

AS_OF = "2026-11-23"
SOURCE = "AWS price list, by github.com/skypilot-org/skypilot-catalog, catalogs/v8/aws/vms.csv"

_LARGE_USD_PER_H = {  # m5.large by region; each size up doubles it
    "us-east-1": 0.096,
    "us-east-2": 0.096,
    "us-west-1": 0.112,
    "us-west-2": 0.096,
    "ca-central-1": 0.107,
    "eu-west-1": 0.107,
    "eu-west-2": 0.111,
    "eu-west-3": 0.112,
    "eu-central-1": 0.115,
    "ap-northeast-1": 0.124,
    "ap-southeast-1": 0.120,
    "ap-southeast-2": 0.120,
    "ap-south-1": 0.101,
}
_LARGES = {"m5.large": 1, "m5.xlarge": 2, "m5.2xlarge": 4, "m5.4xlarge": 8, "m5.24xlarge": 48}

Steps = Sequence[tuple[float, float]]  # (from when, USD an hour), in order


def ondemand_usd_per_h(kind: str, region: str) -> float | None:
    """None where it is not in the table: then the price has to be given."""
    larges, price = _LARGES.get(kind), _LARGE_USD_PER_H.get(region)
    return None if larges is None or price is None else larges * price


@dataclass(frozen=True, slots=True)
class PoolPrice:
    """What the nodes of a pool are, and cost. `spot_usd_per_h` None: what the market asks;
    `usd_per_h` is on demand, None: as in the table. An empty zone is all of its region."""

    kind: str = ""
    region: str = ""
    zone: str = ""
    usd_per_h: float | None = None
    spot_usd_per_h: float | None = None

    @property
    def ondemand_usd_per_h(self) -> float | None:
        if self.usd_per_h is not None:
            return self.usd_per_h
        return ondemand_usd_per_h(self.kind, self.region)


@dataclass(frozen=True, slots=True)
class PriceBook:
    """Prices by pool. `spot` are the hours of those pools whose market was asked; a spot node in
    an hour it says nothing of counts as on demand, which is the most it can have cost."""

    pools: Mapping[str, PoolPrice] = field(default_factory=dict)
    spot: Mapping[str, Mapping[int, float]] = field(default_factory=dict)

    def of(self, pool: str, capacity: CapacityClass, hour: int) -> Price | None:
        """None: the pool is not known, or what it costs on demand is not."""
        found = self.pools.get(pool)
        ondemand = None if found is None else found.ondemand_usd_per_h
        if found is None or ondemand is None:
            return None
        usd_per_h = ondemand
        if capacity is CapacityClass.SPOT and found.spot_usd_per_h is not None:
            usd_per_h = found.spot_usd_per_h
        elif capacity is CapacityClass.SPOT:
            usd_per_h = self.spot.get(pool, {}).get(hour, ondemand)
        return Price(found.kind or pool, usd_per_h, ondemand)


def hourly(markets: Iterable[Steps], from_s: float, until_s: float) -> dict[int, float]:
    """The mean price of each hour of the span, over the markets (zones) that had one by then. A
    price holds until the next; what was before the first is not known."""
    found: dict[int, list[float]] = defaultdict(list)
    for steps in markets:
        usd: dict[int, float] = defaultdict(float)
        held_s: dict[int, float] = defaultdict(float)
        for (at_s, price), (next_s, _) in pairwise([*steps, (until_s, 0.0)]):
            for begin_s, end_s in hours(max(at_s, from_s), min(next_s, until_s)):
                hour = int(begin_s // HOUR_S)
                usd[hour] += (end_s - begin_s) * price
                held_s[hour] += end_s - begin_s
        for hour, seconds in held_s.items():
            found[hour].append(usd[hour] / seconds)
    return {hour: sum(prices) / len(prices) for hour, prices in sorted(found.items())}
