"""Findings and records about them."""

from dataclasses import replace
from typing import Any

from swarm.model.findings import Finding, FindingKind, Hazard
from swarm.model.graph import FindingChanged
from swarm.model.keys import PipelineKey
from swarm.model.lineage import Level

WRITER, READER = PipelineKey("airflow", "orders"), PipelineKey("dagster", "report")


def a_finding(name: str = "f1", at_s: float = 100.0, **said: Any) -> Finding:
    """A stale read that opened at `at_s`."""
    fields = {
        "id": name,
        "kind": FindingKind.STALE_READ,
        "pipelines": (WRITER, READER),
        "evidence": (),
        "level": Level.WARN,
        "first_seen_s": at_s,
        "changed_at_s": at_s,
        "hazard": Hazard(seen=2, of=9, chance=0.2),
    }
    if len(said.get("pipelines", "two")) < 2:  # no hazard is of one pipeline alone
        fields |= {"hazard": None, "detail": "is odd"}
    return Finding(**fields | said)


def closed(finding: Finding, at_s: float, **said: Any) -> Finding:
    return replace(finding, changed_at_s=at_s, closed_at_s=at_s, **said)


def changed(finding: Finding) -> FindingChanged:
    return FindingChanged(finding)
