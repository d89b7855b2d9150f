"""Ray's head on this machine: its server is started again when it dies, if that loses nothing.

`ray start` leaves its processes to themselves. The other nodes wait a minute for a server that is
gone and then end. With Redis behind it, one that is started as before goes on where it was.
"""

import contextlib
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import psutil

_SERVER, _NODE = "gcs_server", "raylet"
_REDIS = "--redis_address="


@dataclass(frozen=True, slots=True)
class Head:
    """How Ray's server was started, and the node process beside it."""

    argv: Sequence[str]
    environ: Mapping[str, str]
    folder: str
    server: psutil.Process
    node: psutil.Process

    def stopped(self) -> bool:
        """Ended on purpose: `ray stop` ends the node first."""
        return not _lives(self.node)

    def mended(self) -> "Head":
        """Itself, or how it is after its server was started anew. What is read back is in Redis."""
        if _lives(self.server) or self.stopped():
            return self
        process = subprocess.Popen(
            self.argv,
            env=dict(self.environ),
            cwd=self.folder,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,  # it outlives us, as the one before did
        )
        server = psutil.Process(process.pid)
        return Head(self.argv, self.environ, self.folder, server, self.node)


def find(port: int) -> Head | None:
    """The head whose server listens there; None where it has no Redis, for then a new one would
    know of nobody, or where there is none."""
    for server in _named(_SERVER):
        argv = _argv(server)
        redis = next((one for one in argv if one.startswith(_REDIS)), _REDIS)
        session = next((one for one in argv if one.startswith("--session-name=")), "")
        if f"--gcs_server_port={port}" not in argv or redis == _REDIS or not session:
            continue
        name = session.partition("=")[2]
        nodes = [one for one in _named(_NODE) if any(name in word for word in _argv(one))]
        # Whom the node starts has its name and its words for a moment.
        node = min(nodes, key=lambda one: one.info["create_time"], default=None)
        with contextlib.suppress(psutil.Error):
            if node is not None:
                return Head(argv, server.environ(), server.cwd(), server, node)
    return None


def _named(name: str) -> list[psutil.Process]:
    every = psutil.process_iter(["name", "create_time"])
    return [one for one in every if one.info["name"] == name]


def _argv(process: psutil.Process) -> list[str]:
    """Empty where it has ended."""
    try:
        return list(process.cmdline())
    except psutil.Error:
        return []


def _lives(process: psutil.Process) -> bool:
    try:
        return bool(process.is_running() and process.status() != psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return False
