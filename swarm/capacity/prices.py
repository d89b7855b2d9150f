"""What AWS's spot market asked: `DescribeSpotPriceHistory`, of the last 90 days."""

import threading
from collections import defaultdict
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from swarm.errors import CapacityError
from swarm.model.weekdays import DAY_S
from swarm.placement.prices import PoolPrice, PriceBook, Steps, hourly

_KEPT_S = 3_600.0  # how old an answer may be
_HISTORY_S = 90 * DAY_S
_TIMEOUT_S = 10


class Prices:
    """The price book of pools, with what their spot markets asked. Safe to share among threads: one
    asks, which may take seconds, and the others go on with what is known."""

    def __init__(self, pools: Mapping[str, PoolPrice]) -> None:
        self._pools = pools
        self._asking = threading.Lock()
        self._asked_at_s: dict[str, float] = {}
        self._spot: dict[str, Mapping[int, float]] = {}
        self._refusals: dict[str, str] = {}

    def book(self, now_s: float, spot_pools: frozenset[str]) -> tuple[PriceBook, tuple[str, ...]]:
        """With the market prices of `spot_pools`, and why some are missing."""
        if self._asking.acquire(blocking=False):
            try:
                for name in sorted(spot_pools & self._pools.keys()):
                    self._ask(name, self._pools[name], now_s)
            finally:
                self._asking.release()
        return PriceBook(self._pools, dict(self._spot)), tuple(self._refusals.values())

    def _ask(self, name: str, pool: PoolPrice, now_s: float) -> None:
        known = pool.spot_usd_per_h is not None or not pool.kind or not pool.region
        if known or now_s - self._asked_at_s.get(name, float("-inf")) < _KEPT_S:
            return
        try:
            steps = market(pool, now_s - _HISTORY_S, now_s)
        except CapacityError as refusal:
            self._refusals[name] = str(refusal)
        else:
            self._refusals.pop(name, None)
            self._spot[name] = hourly(steps.values(), now_s - _HISTORY_S, now_s)
        self._asked_at_s[name] = now_s


def market(pool: PoolPrice, from_s: float, until_s: float) -> dict[str, Steps]:
    """By zone, the price at `from_s` and all that came after. Raises `CapacityError`."""
    import boto3
    from botocore.config import Config
    from botocore.exceptions import BotoCoreError, ClientError

    asked: dict[str, Any] = {
        "InstanceTypes": [pool.kind],
        "ProductDescriptions": ["Linux/UNIX", "Linux/UNIX (Amazon VPC)"],
        "StartTime": datetime.fromtimestamp(from_s, UTC),
        "EndTime": datetime.fromtimestamp(until_s, UTC),
    }
    if pool.zone:
        asked["Filters"] = [{"Name": "availability-zone", "Values": [pool.zone]}]
    limits = Config(
        connect_timeout=_TIMEOUT_S, read_timeout=_TIMEOUT_S, retries={"total_max_attempts": 2}
    )
    found: dict[str, list[tuple[float, float]]] = defaultdict(list)
    try:
        ec2 = boto3.client("ec2", region_name=pool.region, config=limits)
        for page in ec2.get_paginator("describe_spot_price_history").paginate(**asked):
            for row in page["SpotPriceHistory"]:
                at_s = max(row["Timestamp"].timestamp(), from_s)
                found[row["AvailabilityZone"]].append((at_s, float(row["SpotPrice"])))
    except (BotoCoreError, ClientError) as error:
        raise CapacityError(f"spot prices of {pool.kind} in {pool.region}: {error}") from None
    return {zone: sorted(steps) for zone, steps in found.items()}
