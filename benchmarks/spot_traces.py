"""Where spot was to be had, minute by minute: real traces, read from the folder given.

`aws_gcp_availability_events_2020_MIT.csv.gz`: three probes of eight or nine pools each, of two to
three days in March 2020, about every 11 minutes; a pool is one instance type in one zone. Between
two probes it is as the first one saw it. `aws_spot_price_2019-2020_MIT.csv.gz`: what AWS asked.

Modelled: a worker does the same work on every pool, so its price counts as a share of what its own
type costs on demand. GCP's preemptible prices were fixed then (its list of March 2020).
"""

import csv
import gzip
import json
import re
from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

EVENTS = "aws_gcp_availability_events_2020_MIT.csv.gz"
PRICES = "aws_spot_price_2019-2020_MIT.csv.gz"
STEP_S = 120

# By type and number of GPUs: the AWS instance type and its price on demand in us-east-1, USD/h.
_AWS = {
    ("v100", "1"): ("p3.2xlarge", 3.06),
    ("v100", "8"): ("p3.16xlarge", 24.48),
    ("k80", "1"): ("p2.xlarge", 0.90),
    ("k80", "8"): ("p2.8xlarge", 7.20),
}
# By GPU: preemptible over on demand, of the USD/h that GCP listed.
_GCP = {"v100": 0.74 / 2.48, "p100": 0.43 / 1.46, "k80": 0.135 / 0.45}

_CREATED = re.compile(r"Created instance (\S+) with (\d+) GPU\(s\) of type (\S+) in zone (\S+)")
_SEEN = re.compile(r"Instance (\S+) (running|not running) in zone (\S+)")
_FAILED = re.compile(r"Instance (\S+) creation failed")


@dataclass(frozen=True, slots=True)
class PoolTrace:
    """One pool in steps of `STEP_S`: whether it was there, and its share of the dedicated price."""

    name: str
    zone: str
    up: tuple[bool, ...]
    price: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class Trace:
    """What one probe saw, all pools over the same steps."""

    name: str
    pools: tuple[PoolTrace, ...]

    @property
    def steps(self) -> int:
        """How long it is."""
        return len(self.pools[0].up)


def traces(folder: Path) -> list[Trace]:
    """One for each probe in the folder's files."""
    events: dict[str, list[tuple[float, str, str]]] = defaultdict(list)
    for row in _rows(folder / EVENTS):
        events[row["run"]].append((_at_s(row["timestamp_utc"]), row["event"], row["cloud"]))
    asked: dict[tuple[str, str], list[tuple[float, float]]] = defaultdict(list)
    for row in _rows(folder / PRICES):
        at = asked[row["az"], row["instance_type"]]
        at.append((_at_s(row["timestamp_utc"]), float(row["price_usd_h"])))
    for points in asked.values():
        points.sort()
    return [_trace(name, seen, asked) for name, seen in events.items()]


def zones(folder: Path) -> Trace:
    """One of a folder with a file a zone, as published with Can't Be Late (Wu et al., NSDI 2024);
    spot costs a third there, as in the paper."""
    pools = []
    for file in sorted(folder.glob("*.json")):
        told = json.loads(file.read_text(encoding="utf-8"))
        gap_s, data = told["metadata"]["gap_seconds"], told["data"]
        up = [data[n * STEP_S // gap_s] > 0 for n in range(int(len(data) * gap_s // STEP_S))]
        pools.append(PoolTrace(file.stem, file.stem, tuple(up), (1 / 3,) * len(up)))
    return Trace(folder.name, tuple(pools))


def _trace(
    name: str,
    seen: list[tuple[float, str, str]],
    asked: dict[tuple[str, str], list[tuple[float, float]]],
) -> Trace:
    probes, kinds, zones = _probes(seen)
    begin_s, end_s = seen[0][0], seen[-1][0]
    times = [begin_s + STEP_S * n for n in range(int((end_s - begin_s) // STEP_S))]
    pools = []
    for pool, points in sorted(probes.items()):
        changes = [at for at, _ in points]
        # Before its first probe it was not there.
        found = [bisect_right(changes, at) - 1 for at in times]
        up = tuple(place >= 0 and points[place][1] for place in found)
        price = _asked(seen[0][2], kinds.get(pool), zones[pool], times, asked)
        pools.append(PoolTrace(pool, zones[pool], up, price))
    return Trace(name, tuple(pools))


def _probes(
    seen: list[tuple[float, str, str]],
) -> tuple[dict[str, list[tuple[float, bool]]], dict[str, tuple[str, str]], dict[str, str]]:
    """By pool: when it was found there or not, what it is made of, and its zone. An instance that
    was never made is a pool that was never there; its kind is not told."""
    probes: dict[str, list[tuple[float, bool]]] = defaultdict(list)
    kinds: dict[str, tuple[str, str]] = {}
    zones: dict[str, str] = {}
    pool_of: dict[str, str] = {}
    for at_s, event, _ in seen:
        if made := _CREATED.match(event):
            instance, count, gpu, zone = made.groups()
            pool = f"{zone} {count} {gpu}"
            if instance in probes:  # it had failed before it was first made
                probes[pool] = probes.pop(instance)
                zones.pop(instance, None)
            pool_of[instance], zones[pool] = pool, zone
            kinds[pool] = (gpu.removeprefix("nvidia-tesla-"), count)
            probes[pool].append((at_s, True))
        elif told := _SEEN.match(event):
            instance, state, zone = told.groups()
            pool = pool_of.get(instance, instance)
            zones[pool] = zone
            probes[pool].append((at_s, state == "running"))
        elif failed := _FAILED.match(event):
            pool = pool_of.get(failed[1], failed[1])
            probes[pool].append((at_s, False))
    return {pool: found for pool, found in probes.items() if pool in zones}, kinds, zones


def _asked(
    cloud: str,
    kind: tuple[str, str] | None,
    zone: str,
    times: list[float],
    asked: dict[tuple[str, str], list[tuple[float, float]]],
) -> tuple[float, ...]:
    if kind is None:
        return (1.0,) * len(times)
    if cloud == "gcp":
        return (_GCP[kind[0]],) * len(times)
    instance, dedicated = _AWS[kind]
    points = asked[zone, instance]
    moments = [at for at, _ in points]
    return tuple(points[max(0, bisect_right(moments, at) - 1)][1] / dedicated for at in times)


def _rows(file: Path) -> Iterator[dict[str, str]]:
    with gzip.open(file, "rt", encoding="utf-8", newline="") as text:
        yield from csv.DictReader(text)


def _at_s(text: str) -> float:
    return datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp()
