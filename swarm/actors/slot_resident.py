"""The slot's end of its resident process, in which calls run one after another."""

import json
import os
import socket
import subprocess
from collections.abc import Callable, Iterator
from typing import Any

from swarm.actors.printing import open_output
from swarm.actors.process_tree import children, resident_bytes

_PART_BYTES = 1 << 18
_SEND_S = 5.0  # a process that takes a call in no sooner is not usable


class Resident:
    """A process that stays for the next call of the same `home`: program, environment, folder."""

    def __init__(self, home: dict[str, Any], output: str, begin: Callable[[], None]) -> None:
        """Start it; `begin` runs in the new process first. What it prints before a call goes to
        `output`. Raises `OSError`."""
        self.home = home
        self.socket, theirs = socket.socketpair()
        with theirs, open_output(output) as file:
            self.process = subprocess.Popen(
                [*home["argv"], str(theirs.fileno())],
                env=home["env"],
                cwd=home["cwd"] or None,
                stdin=subprocess.DEVNULL,
                stdout=file,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                preexec_fn=begin,
                pass_fds=(theirs.fileno(),),
            )
        self.socket.setblocking(False)
        self.closed = False
        self._begun = b""

    @property
    def pid(self) -> int:
        return self.process.pid

    def suits(self, home: dict[str, Any], memory_bytes: int | None) -> bool:
        """May a call of this home and limit run here? What earlier calls left in memory would
        count against it."""
        if self.process.poll() is not None or self.home != home:
            return False
        return not memory_bytes or 2 * resident_bytes(self.pid) < memory_bytes

    def send(self, request: dict[str, Any]) -> None:
        """Raises `OSError`."""
        line = json.dumps(request).encode() + b"\n"
        try:
            sent = self.socket.send(line)
        except BlockingIOError:
            sent = 0
        if sent < len(line):
            self.socket.settimeout(_SEND_S)
            self.socket.sendall(line[sent:])
            self.socket.setblocking(False)

    def answers(self) -> Iterator[dict[str, Any]]:
        """What has arrived; never waits."""
        while True:
            try:
                part = self.socket.recv(_PART_BYTES)
            except BlockingIOError:
                return
            except ConnectionError:
                part = b""
            if not part:
                self.closed = True
                return
            *lines, self._begun = (self._begun + part).split(b"\n")
            for line in lines:
                yield json.loads(line)
            if len(part) < _PART_BYTES:
                return

    def left_something(self) -> bool:
        """Does anything but this process live below the slot?"""
        below = {*children(os.getpid()), *children(self.pid)} - {self.pid}
        return any(_runs(pid) for pid in below)

    def close(self) -> None:
        self.socket.close()


def _runs(pid: int) -> bool:
    try:
        with open(f"/proc/{pid}/stat", "rb") as stat:
            return stat.read().rpartition(b")")[2].split()[0] != b"Z"
    except (OSError, IndexError):
        return False
