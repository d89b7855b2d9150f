"""The whole of it: `swarm demo` on real orchestrators finds what an audit of the warehouse saw."""

import json
import os
import subprocess
import sys
from pathlib import Path

import psutil
import pytest

from tests.integration.places import LAB


@pytest.mark.lab
@pytest.mark.timeout(1_200)
def test_the_demo_finds_everything_and_nothing_else_and_leaves_no_process(tmp_path):
    done = subprocess.run(
        [sys.executable, "-m", "swarm", "demo", "--exit", "-o", "json", "--folder", str(LAB)],
        cwd=tmp_path,
        env=os.environ | {"NO_COLOR": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr[-5_000:]
    report = json.loads(done.stdout)
    assert report["missed"] == []
    assert report["false"] == []
    assert report["undeclared_found"] == report["undeclared_expected"] >= 12
    assert 0 < report["agent_death_seen_s"] < report["agent_death_replaced_s"] < 30
    assert 0 < report["worker_death_seen_s"] < report["worker_death_running_again_s"] < 30
    assert (report["airflow_outcome"], report["airflow_tries"]) == ("success", 1)
    assert report["airflow_running_again_s"] > 0
    assert report["pipelines"] >= 30
    assert report["orchestrators"] == 4
    # Ray and Airflow write titles over their command lines; where they work stays to be seen.
    assert [p for p in psutil.process_iter() if {tmp_path, LAB} & set(_places(p))] == []


def _places(process: psutil.Process) -> tuple[Path, ...]:
    """The folder in which a process works, and those around it."""
    try:
        place = Path(process.cwd())
    except psutil.Error:
        return ()  # it has ended, or is somebody else's
    return (place, *place.parents)
