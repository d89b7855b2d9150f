"""The worker's end of the process that beats for it."""

import asyncio
import contextlib
import json
import os
import socket
import sys
from collections.abc import Callable
from pathlib import Path

from swarm.actors.beat_process import PACKET_BYTES

_PROGRAM = Path(__file__).with_name("beat_process.py")

# The worker and epoch that were echoed, when that beat left (monotonic clock), the echo's flags.
Hear = Callable[[str, int, float, int], None]


class BeatSender:
    """Sends beats for as long as it is told to. For one event loop."""

    def __init__(self, key: bytes, hear: Hear) -> None:
        self._key = key
        self._hear = hear
        self._process: asyncio.subprocess.Process | None = None
        self._control: socket.socket | None = None

    @property
    def pid(self) -> int | None:
        return None if self._process is None else self._process.pid

    async def tell(self, worker: str, to: str, epoch: int) -> None:
        """Beat to `to` ("host:port", empty: to nobody) for `worker`. To be said every beat; a
        sender that died is replaced, one that never had anybody to beat to is not begun."""
        if not to and self._process is None:
            return
        if self._process is None or self._process.returncode is not None:
            await self._open()
        host, _, port = to.rpartition(":")
        address = [host.strip("[]"), int(port)] if to else None
        what = {"key": self._key.hex(), "worker": worker, "to": address, "epoch": epoch}
        assert self._control is not None
        with contextlib.suppress(OSError):  # it died, or has much to read: the next one tells it
            self._control.send(json.dumps(what).encode())

    async def close(self) -> None:
        """End it without a notice: the worker says itself how it ends."""
        self._forget()
        if self._process is not None and self._process.returncode is None:
            self._process.kill()
            await self._process.wait()

    async def _open(self) -> None:
        self._forget()
        self._control, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._control.setblocking(False)
        with theirs:
            self._process = await asyncio.create_subprocess_exec(
                sys.executable,
                "-I",
                "-S",
                str(_PROGRAM),
                str(theirs.fileno()),
                str(os.getpid()),
                pass_fds=(theirs.fileno(),),
                stdin=asyncio.subprocess.DEVNULL,
                stdout=asyncio.subprocess.DEVNULL,
                start_new_session=True,  # it has to outlive the worker to tell of its death
            )
        asyncio.get_running_loop().add_reader(self._control, self._read)

    def _read(self) -> None:
        assert self._control is not None
        with contextlib.suppress(BlockingIOError, ConnectionError):
            while data := self._control.recv(PACKET_BYTES):
                worker, epoch, sent_s, flags = json.loads(data)
                self._hear(worker, epoch, sent_s, flags)

    def _forget(self) -> None:
        if self._control is not None:
            asyncio.get_running_loop().remove_reader(self._control)
            self._control.close()
            self._control = None
