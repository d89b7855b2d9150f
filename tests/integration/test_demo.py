"""The whole of it: `swarm demo` on real orchestrators finds what an audit of the warehouse saw."""

import json
import os
import subprocess
import sys

import psutil
import pytest

from tests.integration.places import LAB


@pytest.mark.lab
@pytest.mark.timeout(1_200)
def test_the_demo_finds_everything_and_nothing_else_and_leaves_no_process():
    before = {process.pid for process in psutil.process_iter()}
    done = subprocess.run(
        [sys.executable, "-m", "swarm", "demo", "--exit", "-o", "json", "--folder", str(LAB)],
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
    assert 0 < report["worker_death_seen_s"] < report["worker_death_running_again_s"] < 30
    assert report["pipelines"] >= 30
    assert report["orchestrators"] == 4
    marks = (str(LAB).encode(), b"swarm.bootstrap", b"ray::")
    left = [
        process
        for process in psutil.process_iter()
        if process.pid not in before and any(mark in _command(process) for mark in marks)
    ]
    assert left == []


def _command(process: psutil.Process) -> bytes:
    try:
        return b" ".join(part.encode() for part in process.cmdline())
    except psutil.NoSuchProcess:
        return b""
