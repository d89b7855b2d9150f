"""What the actors of a running swarm measure is on the page that Prometheus reads."""

import json
import re
import time

import httpx2 as httpx
import pytest

from swarm.telemetry import METRICS, Kind

pytestmark = pytest.mark.parametrize("swarm", ["placement"], indirect=True)
WAIT_S = 180.0
LOOK_S = 0.5
# Of these a series begins with the first of its kind.
_LATER = {"swarm_findings", "swarm_hazard_precision_ratio", "swarm_sla_miss_probability"}
_LATER |= {"swarm_sla_deadline_timestamp_seconds", "swarm_alerts_under_way"}


def read(url: str) -> str:
    """The page; empty where Ray's agent is too busy to give it."""
    try:
        return httpx.get(url, timeout=10.0).text
    except httpx.TransportError:
        return ""
    finally:
        time.sleep(LOOK_S)  # it has work to do


def test_every_gauge_is_on_the_page(swarm):
    url = json.loads((swarm.state / "up.json").read_text())["metrics"]
    wanted = {m.name for m in METRICS.values() if m.kind is Kind.GAUGE} - _LATER
    found: set[str] = set()
    deadline_s = time.monotonic() + WAIT_S
    while wanted - found:
        assert time.monotonic() < deadline_s, f"not on the page: {sorted(wanted - found)}"
        page = read(url)
        found = set(re.findall(r"^ray_(swarm_\w+)\{", page, re.MULTILINE))
    pipelines = re.search(r"^ray_swarm_pipelines\{.*\} (\S+)$", page, re.MULTILINE)
    assert pipelines is not None
    assert float(pipelines[1]) >= 0
    assert found <= set(METRICS) | {name.removesuffix("_total") for name in METRICS}
