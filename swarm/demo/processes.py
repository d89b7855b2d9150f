"""Starts servers so that all of them can be stopped again, whatever happened in between.

Every process is its own session and carries the lab's mark in its environment; so do all its
children, wherever they put themselves. `stop` ends the sessions politely, then by force, then
looks for anything that still carries the mark or is of such a session: some servers write a title
over the environment of their children, and give them a process group that outlives a killed server.
"""

import contextlib
import os
import random
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from swarm.errors import SwarmError

MARK = "LAB_RUN"
_KILL_TIMEOUT_S = 10.0
_TAIL_LINES = 25
_PORTS = range(20_000, 32_000)
# A shell that starts a program in the background has it ignore SIGINT, and some of the servers
# then ignore SIGTERM too. Restored here because a pre-exec hook is not safe beside threads.
_RESTORE = (
    "import os,signal,sys;"
    "signal.signal(signal.SIGINT,signal.SIG_DFL);signal.signal(signal.SIGTERM,signal.SIG_DFL);"
    "os.execvpe(sys.argv[1],sys.argv[1:],os.environ)"
)


class LabError(SwarmError):
    """The lab could not start a server or run a pipeline; the message shows its log."""


@dataclass(frozen=True, slots=True)
class Server:
    """A running server process and where it logs."""

    name: str
    process: subprocess.Popen[bytes]
    log: Path

    def tail(self) -> str:
        return tail(self.log)


@dataclass(frozen=True, slots=True)
class Site:
    """Where one orchestrator of the lab lives: its programs, its home, its code, its variables."""

    bin: Path
    home: Path
    code: Path
    cwd: Path
    env: Mapping[str, str]

    def environ(self, **more: str) -> dict[str, str]:
        """The variables of its processes: nothing of ours leaks in but what they need."""
        kept = {k: os.environ[k] for k in ("HOME", "LANG", "TMPDIR", "USER") if k in os.environ}
        path = f"{self.bin}:{os.environ.get('PATH', os.defpath)}"
        # SHLVL keeps shells that are started without a terminal from reading the user's profile.
        base = {"LANG": "C.UTF-8", "SHLVL": "1", "DO_NOT_TRACK": "1", "NO_COLOR": "1"}
        return {**base, **kept, **self.env, "PATH": path, **more}


class Processes:
    """The processes of one lab. `mark` tells them from all others on the machine; `grace_s` is
    how long a server may take to end by itself."""

    def __init__(self, mark: str, logs: Path, grace_s: float = 10.0) -> None:
        self.mark = mark
        self._grace_s = grace_s
        self._logs = logs
        self._servers: list[Server] = []
        self._commands: list[Server] = []  # that ended, and left nobody in their sessions

    @property
    def sessions(self) -> tuple[int, ...]:
        """Session ids of everything ever started."""
        return tuple(server.process.pid for server in self._servers)

    def start(self, name: str, argv: Sequence[str], env: Mapping[str, str], cwd: Path) -> Server:
        """Start a server; its output goes to `name`.log."""
        log = self._logs / f"{name}.log"
        with log.open("ab") as out:
            process = subprocess.Popen(
                [sys.executable, "-S", "-c", _RESTORE, *argv],
                env={**env, MARK: self.mark},
                cwd=cwd,
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        server = Server(name, process, log)
        self._servers.append(server)
        return server

    def run(self, name: str, argv: Sequence[str], env: Mapping[str, str], cwd: Path) -> None:
        """Run a command to its end. Raises `LabError` with its output when it fails."""
        server = self.start(name, argv, env, cwd)
        ended = server.process.wait()
        if server.process.pid not in _sessions().values():
            self._commands.append(server)
        if ended != 0:
            raise LabError(f"{name} failed ({server.process.returncode}):\n{server.tail()}")

    def stop(self, servers: Sequence[Server]) -> None:
        """End these servers: SIGTERM to all, time to end, then SIGKILL to what is left of them."""
        for server in servers:
            if server.process.poll() is None:
                server.process.terminate()
        deadline_s = time.monotonic() + self._grace_s
        for server in servers:
            with contextlib.suppress(subprocess.TimeoutExpired):
                server.process.wait(max(0.0, deadline_s - time.monotonic()))
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(server.process.pid, signal.SIGKILL)
            server.process.wait()

    def stop_all(self) -> None:
        """End everything that is still there, in the reverse order of the start."""
        self.stop([s for s in reversed(self._servers) if s.process.poll() is None])
        deadline_s = time.monotonic() + _KILL_TIMEOUT_S
        while left := self.left():
            for pid in left:
                with contextlib.suppress(ProcessLookupError, PermissionError):
                    os.kill(pid, signal.SIGKILL)
            if time.monotonic() > deadline_s:
                raise LabError(f"These processes of the lab cannot be ended: {left}.")
            time.sleep(0.05)

    def left(self) -> list[int]:
        """Ids of the living processes of this lab (empty where there is no /proc)."""
        found, living = set(marked(self.mark)), _sessions()
        for server in self._servers:
            leader = server.process.pid
            # No id is given anew while it is that of a session: then nobody of this one is left.
            is_given_anew = leader in living and server.process.poll() is not None
            if not is_given_anew and server not in self._commands:
                found.update(pid for pid, session in living.items() if session == leader)
        return sorted(found)


def _sessions() -> dict[int, int]:
    """The session of each living process."""
    found = {}
    for entry in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            state, _, _, session, *_ = (entry / "stat").read_text().rpartition(")")[2].split()
            if state not in "ZX":
                found[int(entry.name)] = int(session)
    return found


def marked(mark: str) -> list[int]:
    """Ids of the living processes that carry a lab's mark (empty where there is no /proc)."""
    wanted = f"{MARK}={mark}".encode()
    found = []
    for entry in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            if wanted in (entry / "environ").read_bytes().split(b"\0"):
                found.append(int(entry.name))
    return [pid for pid in found if pid != os.getpid()]


def wait_for(
    what: str, servers: Sequence[Server], ready: Callable[[], bool], timeout_s: float
) -> None:
    """Wait until `ready()`. Raises `LabError` with the log's end of the server that is at fault."""
    deadline_s = time.monotonic() + timeout_s
    while not ready():
        for server in servers:
            if server.process.poll() is not None:
                raise LabError(
                    f"{server.name} ended ({server.process.returncode}) while {what} was "
                    f"starting; the end of {server.log}:\n{server.tail()}"
                )
        if time.monotonic() > deadline_s:
            logs = "\n".join(f"--- {s.log}\n{s.tail()}" for s in servers)
            raise LabError(f"{what} is not healthy after {timeout_s:.0f} s.\n{logs}")
        time.sleep(0.25)


def tail(log: Path) -> str:
    """The last lines of a log file."""
    try:
        return "\n".join(log.read_text(errors="replace").splitlines()[-_TAIL_LINES:])
    except OSError as error:
        return f"({log}: {error.strerror})"


def free_ports(count: int) -> list[int]:
    """Loopback ports nobody listens on now; all are held until the last is found.

    They are below those that the system gives to outgoing connections: one of these could take
    a port before its server does, which may be half a minute later.
    """
    with contextlib.ExitStack() as held:
        ports: list[int] = []
        for port in random.sample(_PORTS, len(_PORTS)):
            probe = held.enter_context(socket.socket())
            with contextlib.suppress(OSError):
                probe.bind(("127.0.0.1", port))
                ports.append(port)
            if len(ports) == count:
                return ports
    raise LabError(f"There are no {count} free ports from {_PORTS.start} to {_PORTS.stop - 1}.")
