"""The process of `swarm up` is killed: the next takes its place at once, and who stays with it
hears of its end."""

import contextlib
import os
import subprocess
import sys
from pathlib import Path

import psutil
import yaml

from tests.chaos.test_dispatcher import a_swarm
from tests.chaos.test_processes import named
from tests.e2e.conftest import Swarm, free_port
from tests.e2e.test_up import eventually, living


def family(pid: int) -> list[psutil.Process]:
    """All of its session."""
    found = []
    for one in psutil.process_iter():
        with contextlib.suppress(ProcessLookupError):  # others come and go
            if os.getsid(one.pid) == pid:
                found.append(one)
    return found


def in_foreground(swarm: Swarm) -> subprocess.Popen[str]:
    """`swarm up --foreground`, when it is up."""
    process = subprocess.Popen(
        [sys.executable, "-m", "swarm", "up", "--foreground"],
        env=os.environ | {"SWARM_CONFIG": str(swarm.settings)},
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    assert "swarm is up" in next(process.stdout)
    return process


def test_the_next_takes_its_place_at_once(tmp_path: Path) -> None:
    with a_swarm(tmp_path) as swarm:
        (task,) = swarm.client.submit([{"argv": ["true"]}])
        before = family(swarm.pid)
        assert len(before) > 5
        psutil.Process(swarm.pid).kill()
        again = swarm.cli("up")
        assert again.returncode == 0, again.stderr
        assert living(before) == []
        assert swarm.client.task(task)["id"] == task


def test_who_stays_with_it_hears_of_its_end_and_ends_it(tmp_path: Path) -> None:
    with a_swarm(tmp_path) as swarm:
        assert swarm.cli("down").returncode == 0
        for stop, told in (("kill", 1), ("terminate", 0)):
            with in_foreground(swarm) as staying:
                before = family(swarm.pid)
                getattr(psutil.Process(swarm.pid) if stop == "kill" else staying, stop)()
                assert staying.wait(300) == told
                assert living(before) == []


def test_a_ray_that_takes_too_long_to_begin_is_begun_anew(tmp_path: Path) -> None:
    settings = tmp_path / "swarm.yaml"
    settings.write_text(yaml.safe_dump({"state_dir": str(tmp_path), "api": {"port": free_port()}}))
    argv = [sys.executable, "-m", "swarm", "up", "--foreground", "-c", str(settings)]
    with subprocess.Popen(argv, stdout=subprocess.PIPE, text=True) as staying:
        first = eventually(lambda: named(staying.pid, "raylet"))
        first.suspend()
        assert staying.stdout is not None
        assert "swarm is up" in next(staying.stdout)
        assert living([first]) == []
        staying.terminate()
        assert staying.wait(300) == 0
