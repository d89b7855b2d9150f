"""The worker's end of the process that beats for it."""

import asyncio
import contextlib
import json
import os
import signal
import socket
import subprocess
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
        self._control: socket.socket | None = None
        self.pid: int | None = None  # of the process that beats

    async def tell(self, worker: str, to: str, epoch: int) -> None:
        """Beat to `to` ("host:port", empty: to nobody) for `worker`. To be said every beat; a
        sender that died is replaced; without anybody to beat to none is begun."""
        if self._control is None:
            if not to:
                return
            await self._open()
        host, _, port = to.rpartition(":")
        address = [host.strip("[]"), int(port)] if to else None
        what = {"key": self._key.hex(), "worker": worker, "to": address, "epoch": epoch}
        assert self._control is not None
        try:
            self._control.send(json.dumps(what).encode())
        except BlockingIOError:  # it has much to read: the next one tells it
            pass
        except OSError:  # it died
            self._forget()

    async def close(self) -> None:
        """End it without a notice: the worker says itself how it ends."""
        if self._control is not None and self.pid is not None:
            with contextlib.suppress(ProcessLookupError):
                os.kill(self.pid, signal.SIGKILL)
        self._forget()

    async def _open(self) -> None:
        self._control, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._control.setblocking(False)
        with theirs:
            command = [str(theirs.fileno()), str(os.getpid())]
            started = await asyncio.to_thread(
                subprocess.run,
                [sys.executable, "-I", "-S", str(_PROGRAM), *command],
                pass_fds=(theirs.fileno(),),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                start_new_session=True,  # it has to outlive the worker to tell of its death
                check=False,
            )
        self.pid = int(started.stdout) if started.stdout else None
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
