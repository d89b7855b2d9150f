"""The process of swarm on this machine: start it, find it, stay with it, stop it."""

import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import typer

from swarm.bootstrap.cluster import kill_all, ray_folder
from swarm.bootstrap.files import running_file
from swarm.cli.connection import EXIT_INTERRUPTED, fail
from swarm.client import Client
from swarm.config import Settings

_START_S = 180.0
_STOP_S = 30.0
_LOOK_S = 0.2


def told_to_end() -> threading.Event:
    """Set by SIGTERM or SIGINT to this process from now on, which do nothing else."""
    told = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: told.set())
    return told


def launch(settings: Settings, told: threading.Event | None = None) -> int:
    """Start the process of swarm and wait until its API has caught up; returns its pid. Ends it
    instead, with exit code 130, when it is `told` to."""
    clear(settings)
    refuse_taken_port(settings)
    settings.state_dir.mkdir(parents=True, exist_ok=True, mode=0o700)
    frozen = _frozen_file(settings)
    frozen.write_text(settings.model_dump_json())
    log_path = settings.state_dir / "swarm.log"
    running_file(settings).unlink(missing_ok=True)
    with log_path.open("ab") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "swarm.bootstrap", str(frozen)],
            stdout=log,
            stderr=log,
            stdin=subprocess.DEVNULL,
            start_new_session=True,
        )
    _await_ready(settings, process, log_path, told or threading.Event())
    return process.pid


def _await_ready(
    settings: Settings, process: subprocess.Popen[bytes], log_path: Path, told: threading.Event
) -> None:
    started_s = time.monotonic()
    told_s = started_s
    while not _is_ready(settings):
        elapsed_s = time.monotonic() - started_s
        if told.is_set():
            stop(settings, process.pid)
            fail("ended while swarm was starting", EXIT_INTERRUPTED)
        if process.poll() is not None:
            fail(f"swarm ended while starting; {log_path} says:\n{_tail(log_path)}", 1)
        if elapsed_s > _START_S:
            stop(settings, process.pid)
            fail(f"swarm was not ready after {_START_S:.0f} s; see {log_path}", 1)
        if time.monotonic() - told_s >= 2:
            told_s = time.monotonic()
            typer.echo(f"starting Ray, the actors and the API ... {elapsed_s:.0f} s", err=True)
        told.wait(_LOOK_S)


def stay(settings: Settings, pid: int, told: threading.Event) -> bool:
    """Return when the process of swarm has ended or this one is `told` to end it: True where it was
    stopped, False where it died. Whatever it left is ended then."""
    with contextlib.suppress(psutil.NoSuchProcess):
        process = psutil.Process(pid)
        while not told.wait(_LOOK_S):
            if not process.is_running() or process.status() == psutil.STATUS_ZOMBIE:
                break
    stopped = told.is_set() or not running_file(settings).exists()
    stop(settings, pid)
    return stopped


def stop(settings: Settings, pid: int) -> None:
    """End the process of swarm and whatever it left, gently first."""
    try:
        process = psutil.Process(pid)
        family = [process, *process.children(recursive=True)]
        process.terminate()
    except psutil.NoSuchProcess:
        family = []
    _, left = psutil.wait_procs(family, timeout=_STOP_S)
    kill_all([*left, *_left_by(settings, pid)])
    running_file(settings).unlink(missing_ok=True)


def clear(settings: Settings) -> None:
    """End what is left of a swarm that was killed. Its Ray ends by itself, but not at once, and
    until then it holds the port and writes into the folder that the next one takes."""
    pid = _told_pid(settings)
    if pid is not None and _has_ended(pid):
        kill_all(list(_left_by(settings, pid)))


def _has_ended(pid: int) -> bool:
    """Also where nobody has asked yet how: in a container that may be for ever."""
    try:
        return bool(psutil.Process(pid).status() == psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return True


def running_pid(settings: Settings) -> int | None:
    """The pid of the swarm that runs with this state folder, if one does."""
    pid = _told_pid(settings)
    if pid is None:
        return None
    try:  # another may have the number now
        process = psutil.Process(pid)
        argv = process.cmdline()
        is_ours = argv[1:-1] == ["-m", "swarm.bootstrap"]
        return pid if is_ours and _is_at(process, argv[-1], _frozen_file(settings)) else None
    except psutil.Error:
        return None


def _told_pid(settings: Settings) -> int | None:
    try:
        return int(json.loads(running_file(settings).read_text())["pid"])
    except (FileNotFoundError, ValueError):  # or torn, when the machine went down
        return None


def _frozen_file(settings: Settings) -> Path:
    return settings.state_dir / "settings.json"


def _is_at(process: psutil.Process, path: str, file: Path) -> bool:
    """Whether what the process calls `path` is that file: a folder may have several names."""
    told = Path(path)
    return (told if told.is_absolute() else process.cwd() / told).resolve() == file.resolve()


def _left_by(settings: Settings, pid: int) -> Iterator[psutil.Process]:
    """What is in the session that a dead swarm began, and has a file of its Ray's folder open: Ray
    takes the output of all that it starts. Others may be in a session of that number, later."""
    folder = ray_folder(settings).resolve()
    for process in psutil.process_iter():
        with contextlib.suppress(psutil.Error, OSError):
            if os.getsid(process.pid) == pid and any(
                Path(file.path).is_relative_to(folder) for file in process.open_files()
            ):
                yield process


def refuse_taken_port(settings: Settings) -> None:
    """Leave, with exit code 7, where another listens on the port of the API."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((settings.api.host, settings.api.port))
        except OSError as error:
            where = f"{settings.api.host}:{settings.api.port}"
            fail(f"The API cannot listen on {where} ({error.strerror}): use another --port.", 7)


def _is_ready(settings: Settings) -> bool:
    if not running_file(settings).exists():
        return False
    with Client.local(settings.state_dir) as client:
        return client.ready()


def _tail(path: Path) -> str:
    return "\n".join(path.read_text(errors="replace").splitlines()[-15:])
