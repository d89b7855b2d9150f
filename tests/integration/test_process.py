"""Which process is the swarm of a state folder."""

import contextlib
import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from swarm.bootstrap.cluster import kill_all, ray_folder
from swarm.cli.process import clear, running_pid
from swarm.config import Settings
from swarm.demo.processes import free_ports


@pytest.fixture
def started(tmp_path: Path) -> Iterator[int]:
    """A swarm that is still about to read its settings, from a folder that it calls `state`."""
    (tmp_path / "state").mkdir()
    file = tmp_path / "state" / "settings.json"
    os.mkfifo(file)
    argv = [sys.executable, "-m", "swarm.bootstrap", "state/settings.json"]
    with subprocess.Popen(argv, cwd=tmp_path) as process, file.open("w"):  # when it reads, too
        (tmp_path / "state" / "up.json").write_text(json.dumps({"pid": process.pid}))
        yield process.pid
        process.kill()


def test_it_is_known_by_whatever_name_of_its_folder(started: int, tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to("state")
    for name in ("state", "link", "link/../state"):
        assert running_pid(Settings(state_dir=tmp_path / name)) == started


def test_that_of_another_folder_is_none_of_ours(started: int, tmp_path: Path) -> None:
    other = tmp_path / "other"
    other.mkdir()
    (other / "up.json").write_text(json.dumps({"pid": started}))
    assert running_pid(Settings(state_dir=other)) is None


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_who_stays_with_it_ends_it_while_it_still_begins(number: int, tmp_path: Path) -> None:
    token = tmp_path / "token"
    os.mkfifo(token)
    (port,) = free_ports(1)
    publish = {"url": "http://127.0.0.1:9", "token_file": str(token)}
    settings = {"state_dir": str(tmp_path / "state"), "api": {"port": port}, "publish": publish}
    (tmp_path / "swarm.yaml").write_text(json.dumps(settings))
    argv = [sys.executable, "-m", "swarm", "up", "--foreground", "-c", "swarm.yaml"]
    with subprocess.Popen(argv, cwd=tmp_path) as staying, token.open("w"):  # when it reads it, too
        (begins,) = psutil.Process(staying.pid).children()
        assert "swarm.bootstrap" in begins.cmdline()
        staying.send_signal(number)
        assert staying.wait(180) != 0
        assert not begins.is_running()


def test_what_a_machine_that_went_down_left_torn_is_no_swarm(tmp_path: Path) -> None:
    (tmp_path / "up.json").write_text("")
    clear(Settings(state_dir=tmp_path))
    assert running_pid(Settings(state_dir=tmp_path)) is None


def test_what_a_killed_swarm_left_is_ended_and_nothing_else(tmp_path: Path) -> None:
    settings = Settings(state_dir=tmp_path)
    folder = ray_folder(settings)
    folder.mkdir()
    # The shell opens the file, so that who is told of has it from its first moment.
    with_it = f"exec 3>&2 2> {folder}/raylet.err; sleep 600 & echo $!"
    begin = f"{with_it}; exec 2>&3; sleep 600 & echo $!; wait"
    with contextlib.ExitStack() as stack:
        left, others, again = [], [], None
        stack.callback(shutil.rmtree, folder)
        for kept in (others, left):  # of one with its files in another session nobody told
            again = stack.enter_context(
                subprocess.Popen(
                    ["sh", "-c", begin],
                    start_new_session=True,
                    stdout=subprocess.PIPE,
                    text=True,
                )
            )
            stack.callback(os.killpg, again.pid, signal.SIGKILL)
            pids = [int(again.stdout.readline()) for _ in range(2)]
            kept.append(psutil.Process(pids[0]))
            others.append(psutil.Process(pids[1]))
        again.kill()
        os.waitid(os.P_PID, again.pid, os.WEXITED | os.WNOWAIT)  # nobody has asked how it ended
        (tmp_path / "up.json").write_text(json.dumps({"pid": again.pid}))
        clear(settings)
        assert [one.is_running() and one.status() != psutil.STATUS_ZOMBIE for one in left] == [
            False
        ]
        assert [one.is_running() for one in others] == [True] * 3


class Paced(list[psutil.Process]):
    """Goes on to the next once the one before has had time to end and to be missed."""

    def __iter__(self) -> Iterator[psutil.Process]:
        for process in super().__iter__():
            yield process
            psutil.wait_procs([process], timeout=1.0)


def test_of_what_ends_together_none_tells_of_another() -> None:
    words = ["sh", "-c", "sleep 600 & echo $!; wait; echo it has ended"]
    with subprocess.Popen(words, stdout=subprocess.PIPE, text=True) as worker:
        program = psutil.Process(int(worker.stdout.readline()))
        kill_all(Paced([program, psutil.Process(worker.pid)]))
        assert worker.stdout.read() == ""
