"""A new pipeline is deployed while swarm watches real orchestrators: what it hides is told soon."""

import pytest

from benchmarks.live import deploy, watched
from swarm.demo.lab import Lab
from tests.integration.places import LAB

GENEROUS_S = 90.0  # `benchmarks.live` measures it


@pytest.mark.lab
# swarm's process is ended by its pid, as `swarm down` does, and not by who started it.
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_a_new_pipeline_becomes_findings(tmp_path):
    with Lab(LAB) as lab, watched(lab, tmp_path / "state") as swarm:
        before = {finding["id"] for finding in swarm.findings()}
        times = deploy(lab, swarm, 0)
        news = [finding for finding in swarm.findings() if finding["id"] not in before]
    assert times.deploy_to_dependency_s < GENEROUS_S
    assert times.deploy_to_ring_s < GENEROUS_S
    assert times.run_to_dependency_s < GENEROUS_S
    (ring,) = [finding for finding in news if finding["kind"] == "cycle"]
    names = {(p["orchestrator"], p["pipeline"]) for p in ring["pipelines"]}
    assert ("airflow", "live_source_0") in names
    assert {orchestrator for orchestrator, _ in names} >= {"airflow", "prefect"}
    writers = {
        edge["upstream"]["pipeline"].partition("/")[0]
        for finding in news
        if finding["kind"] == "undeclared_dependency" and "live_run_0" in finding["subject"]
        for edge in finding["evidence"]
    }
    assert writers == {"campaign-touches"}
