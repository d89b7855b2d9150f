"""The process of swarm on this machine: start it, find it, stop it."""

import contextlib
import json
import socket
import subprocess
import sys
import time
from pathlib import Path

import psutil
import typer

from swarm.bootstrap import running_file
from swarm.cli.connection import fail
from swarm.client import Client
from swarm.config import Settings

_START_S = 180.0
_STOP_S = 30.0
_LOOK_S = 0.2


def launch(settings: Settings) -> int:
    """Start the process of swarm and wait until its API has caught up; returns its pid."""
    _refuse_taken_port(settings)
    settings.state_dir.mkdir(parents=True, exist_ok=True, mode=0o700)
    frozen = settings.state_dir / "settings.json"
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
    started_s = time.monotonic()
    told_s = started_s
    while not _is_ready(settings):
        elapsed_s = time.monotonic() - started_s
        if process.poll() is not None:
            fail(f"swarm ended while starting; {log_path} says:\n{_tail(log_path)}", 1)
        if elapsed_s > _START_S:
            stop(settings, process.pid)
            fail(f"swarm was not ready after {_START_S:.0f} s; see {log_path}", 1)
        if time.monotonic() - told_s >= 2:
            told_s = time.monotonic()
            typer.echo(f"starting Ray, the actors and the API ... {elapsed_s:.0f} s", err=True)
        time.sleep(_LOOK_S)
    return process.pid


def stop(settings: Settings, pid: int) -> None:
    """End the process of swarm and whatever it left, gently first."""
    try:
        process = psutil.Process(pid)
        family = [process, *process.children(recursive=True)]
        process.terminate()
    except psutil.NoSuchProcess:
        family = []
    _, left = psutil.wait_procs(family, timeout=_STOP_S)
    for survivor in left:
        with contextlib.suppress(psutil.NoSuchProcess):
            survivor.kill()
    running_file(settings).unlink(missing_ok=True)


def running_pid(settings: Settings) -> int | None:
    """The pid of the swarm that runs with this state folder, if one does."""
    try:
        process = psutil.Process(json.loads(running_file(settings).read_text())["pid"])
        return process.pid if "swarm.bootstrap" in process.cmdline() else None
    except (FileNotFoundError, psutil.NoSuchProcess):
        return None


def _refuse_taken_port(settings: Settings) -> None:
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
