"""The driver scripts of the documentation, run as they are against a real swarm."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

import swarm.client
from tests.e2e.conftest import Swarm

pytestmark = pytest.mark.parametrize("swarm", ["shared"], indirect=True)
(FOLDER,) = swarm.client.__path__
SCRIPTS = re.findall(r"```python\n(.*?)```", (Path(FOLDER) / "README.md").read_text(), re.DOTALL)


def driven(swarm: Swarm, script: str, tmp_path: Path) -> list[str]:
    """What it prints, in a process of its own that finds swarm by its surroundings."""
    token = tmp_path / "token"
    token.write_text(swarm.token)
    around = {"SWARM_URL": swarm.url, "SWARM_TOKEN_FILE": str(token)}
    done = subprocess.run(
        [sys.executable, "-c", script],
        env=os.environ | around,
        capture_output=True,
        text=True,
        timeout=600,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()


def test_tasks_are_handed_in_and_waited_for(swarm: Swarm, tmp_path: Path) -> None:
    loaded = [f"succeeded loaded {day}" for day in ("monday", "tuesday", "wednesday")]
    assert driven(swarm, SCRIPTS[0], tmp_path)[:3] == loaded
    count = len(list(swarm.client.tasks()))
    assert driven(swarm, SCRIPTS[0], tmp_path)[:3] == loaded
    assert len(list(swarm.client.tasks())) == count, "run again, it makes no second task"


def test_output_and_events_are_followed(swarm: Swarm, tmp_path: Path) -> None:
    one, two, *events = driven(swarm, SCRIPTS[1], tmp_path)
    assert (one, two) == ("one", "two")
    words = [line.partition(": ")[2].partition(" to worker")[0] for line in events]
    assert "handed in by team default" in words
    assert words[-1].startswith("succeeded under grant 1")
