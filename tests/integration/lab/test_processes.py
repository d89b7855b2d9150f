"""Whatever a server does, nothing of it is left when the lab has stopped."""

import os
import signal
import socket
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from swarm.demo.processes import LabError, Processes, free_ports, marked, wait_for
from tests.actors.test_slot import alive

DEAF = (
    "import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN);"
    "print('deaf', flush=True); signal.pause()"
)
# A server that starts a child in a session of its own, and ends once that runs.
RUNAWAY = (
    "import subprocess, sys;"
    "child = subprocess.Popen([sys.executable, '-c', 'import signal; print(flush=True);"
    " signal.pause()'], start_new_session=True, stdout=subprocess.PIPE);"
    "child.stdout.readline()"
)
# One whose child has a process group of its own and nothing in its environment: so it looks once a
# title is written over it.
TITLED = (
    "import signal, subprocess, sys;"
    "child = subprocess.Popen([sys.executable, '-c', 'import signal; signal.pause()'],"
    " env={}, process_group=0);"
    "print(child.pid, flush=True); signal.pause()"
)


@pytest.fixture
def processes(tmp_path: Path) -> Iterator[Processes]:
    started = Processes(str(tmp_path), tmp_path, grace_s=0.2)
    yield started
    started.stop_all()


def environ() -> dict[str, str]:
    return {"PATH": os.environ["PATH"]}


def test_a_child_that_left_its_session_is_found(processes: Processes, tmp_path: Path) -> None:
    processes.run("runaway", [sys.executable, "-c", RUNAWAY], environ(), tmp_path)
    assert len(marked(processes.mark)) == 1
    processes.stop_all()
    assert marked(processes.mark) == []


def test_the_next_lab_ends_what_a_killed_one_left(processes: Processes, tmp_path: Path) -> None:
    processes.run("runaway", [sys.executable, "-c", RUNAWAY], environ(), tmp_path)
    Processes(processes.mark, tmp_path).stop_all()
    assert marked(processes.mark) == []


def test_what_a_killed_server_left_in_its_session_is_ended(
    processes: Processes, tmp_path: Path
) -> None:
    server = processes.start("titled", [sys.executable, "-c", TITLED], environ(), tmp_path)
    wait_for("It", [server], lambda: server.tail() != "", 180)
    child = int(server.tail())
    os.killpg(server.process.pid, signal.SIGKILL)
    server.process.wait()
    assert child not in marked(processes.mark)
    assert processes.left() == [child]
    processes.stop_all()
    assert not alive(child)


def test_processes_of_others_are_left_alone(processes: Processes, tmp_path: Path) -> None:
    other = Processes(f"{processes.mark}-other", tmp_path)
    other.run("runaway", [sys.executable, "-c", RUNAWAY], environ(), tmp_path)
    processes.stop_all()
    assert len(marked(other.mark)) == 1
    other.stop_all()


def test_a_server_that_ignores_sigterm_is_killed(processes: Processes, tmp_path: Path) -> None:
    server = processes.start("deaf", [sys.executable, "-c", DEAF], environ(), tmp_path)
    wait_for("It", [server], lambda: server.tail() == "deaf", 180)
    processes.stop_all()
    assert server.process.returncode == -signal.SIGKILL
    assert marked(processes.mark) == []


def test_sigint_is_not_ignored_by_a_server(processes: Processes, tmp_path: Path) -> None:
    ask = "import signal; print(signal.getsignal(signal.SIGINT) is signal.default_int_handler)"
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)  # as `make demo &` has it
    try:
        processes.run("ask", [sys.executable, "-c", ask], environ(), tmp_path)
    finally:
        signal.signal(signal.SIGINT, before)
    assert (tmp_path / "ask.log").read_text().strip() == "True"


def test_a_server_that_ends_is_named_with_its_log(processes: Processes, tmp_path: Path) -> None:
    argv = [sys.executable, "-c", "raise SystemExit('port in use')"]
    server = processes.start("webserver", argv, environ(), tmp_path)
    with pytest.raises(LabError, match=r"(?s)webserver ended \(1\).*port in use"):
        wait_for("It", [server], lambda: False, 180)


def test_a_server_that_never_gets_healthy_is_named(processes: Processes, tmp_path: Path) -> None:
    server = processes.start("slow", [sys.executable, "-c", DEAF], environ(), tmp_path)
    with pytest.raises(LabError, match="It is not healthy after 0 s"):
        wait_for("It", [server], lambda: False, 0.0)


def test_a_command_that_fails_shows_its_output(processes: Processes, tmp_path: Path) -> None:
    argv = [sys.executable, "-c", "raise SystemExit('no space left')"]
    with pytest.raises(LabError, match=r"(?s)migrate failed \(1\).*no space left"):
        processes.run("migrate", argv, environ(), tmp_path)


def test_ports_are_distinct() -> None:
    assert len(set(free_ports(20))) == 20


def test_no_outgoing_connection_takes_a_port() -> None:
    given = Path("/proc/sys/net/ipv4/ip_local_port_range").read_text().split()
    assert max(free_ports(20)) < int(given[0])


def test_ports_in_use_are_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    (port,) = free_ports(1)
    monkeypatch.setattr("swarm.demo.processes._PORTS", range(port, port + 1))
    assert free_ports(1) == [port]
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", port))
        with pytest.raises(LabError, match="no 1 free ports"):
            free_ports(1)
