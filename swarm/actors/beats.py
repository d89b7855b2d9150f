"""Where the dispatcher hears beats: a UDP socket, read before anybody is judged.

The kernel stamps each packet when it comes in, so a loop that reads late does not make beats late.
Every beat that is understood is echoed; the echo says whether the worker should come for orders.
"""

import asyncio
import contextlib
import socket
import struct
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from swarm.actors.beat_process import (
    BEAT,
    DEAF,
    DEATH,
    ECHO,
    PACKET_BYTES,
    RENEW,
    UNKNOWN,
    Packet,
    pack,
    unpack,
)
from swarm.dispatch.events import Nod
from swarm.model.work import WorkerId

_SO_TIMESTAMPNS = 35  # socket(7); Python has no name for it
_TIMESPEC = struct.Struct("@ll")
_BUFFER_BYTES = 8_000_000
_REST_S = 0.005  # between two looks: what comes in one by one is taken together
_FLAGS = {
    Nod.NOTED: 0,
    Nod.COME: RENEW,
    Nod.DEAF: RENEW | DEAF,
    Nod.UNKNOWN: RENEW | UNKNOWN,
}


@dataclass(slots=True)
class _Peer:
    """Who beats for a worker, and the number of its last beat."""

    address: Any
    number: int
    nudged: int = 0  # the number under which it was called for orders


class Beats:
    """`hear(worker, at_s, unheard_s)` takes a beat in: when it came, on the monotonic clock, and
    how long its sender has beaten without an echo. `gone(worker)` takes in a notice of death and
    tells whether that is settled."""

    def __init__(
        self,
        host: str,
        key: bytes,
        epoch: int,
        hear: Callable[[WorkerId, float, float], Nod],
        gone: Callable[[WorkerId], bool],
    ) -> None:
        self._key, self._epoch = key, epoch
        self._hear, self._gone = hear, gone
        self._peers: dict[WorkerId, _Peer] = {}
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        self._socket = socket.socket(family, socket.SOCK_DGRAM)
        self._socket.setblocking(False)
        self._socket.setsockopt(socket.SOL_SOCKET, _SO_TIMESTAMPNS, 1)
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _BUFFER_BYTES)
        self._socket.bind((host, 0))
        self._drained_s = time.monotonic()
        self._resting: asyncio.TimerHandle | None = None

    @property
    def address(self) -> str:
        """Where it listens, as "host:port"."""
        host, port = self._socket.getsockname()[:2]
        return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"

    def listen(self) -> None:
        """Read what comes from now on, soon after it came."""
        asyncio.get_running_loop().add_reader(self._socket, self._look)

    def close(self) -> None:
        if self._resting is not None:
            self._resting.cancel()
        asyncio.get_running_loop().remove_reader(self._socket)
        self._socket.close()

    def drain(self) -> None:
        """Take in everything that has come."""
        now_s, wall_s = time.monotonic(), time.time()
        longest_s = now_s - self._drained_s
        self._drained_s = now_s
        with contextlib.suppress(BlockingIOError):
            while True:
                try:
                    data, notes, _, address = self._socket.recvmsg(PACKET_BYTES, 64)
                except ConnectionError:  # an echo found nobody
                    continue
                packet = unpack(self._key, data)
                if packet is not None and packet.epoch == self._epoch:
                    # The stamp is in time of day, which may have been set meanwhile.
                    age_s = min(max(wall_s - _stamp_s(notes, wall_s), 0.0), longest_s)
                    self._take(packet, now_s - age_s, address)

    def nudge(self, workers: Iterable[WorkerId]) -> None:
        """Call workers for orders now, without waiting for their next beat."""
        for worker in workers:
            peer = self._peers.get(worker)
            if peer is not None and peer.nudged != peer.number:
                peer.nudged = peer.number
                self._echo(worker, peer.number, RENEW, peer.address)

    def _look(self) -> None:
        self.drain()
        loop = asyncio.get_running_loop()
        loop.remove_reader(self._socket)
        self._resting = loop.call_later(_REST_S, self.listen)

    def _take(self, packet: Packet, at_s: float, address: Any) -> None:
        worker = WorkerId(packet.worker)
        peer = self._peers.get(worker)
        if peer is not None and packet.number <= peer.number:
            return  # overtaken, or sent again by somebody
        if packet.kind == DEATH:
            if self._gone(worker):
                self._peers.pop(worker, None)
                self._echo(worker, packet.number, 0, address)
        elif packet.kind == BEAT:
            peer = peer or self._peers.setdefault(worker, _Peer(address, packet.number))
            peer.address, peer.number = address, packet.number
            nod = self._hear(worker, at_s, packet.unheard_ms / 1e3)
            if nod is Nod.UNKNOWN:
                del self._peers[worker]
            self._echo(worker, packet.number, _FLAGS[nod], address)

    def _echo(self, worker: WorkerId, number: int, flags: int, address: Any) -> None:
        packet = Packet(ECHO, flags, self._epoch, number, 0, worker)
        with contextlib.suppress(OSError):  # as good as lost on the way
            self._socket.sendto(pack(self._key, packet), address)


def _stamp_s(notes: list[tuple[int, int, bytes]], otherwise_s: float) -> float:
    """When the kernel had the packet, in seconds since the epoch."""
    for level, kind, data in notes:
        if level == socket.SOL_SOCKET and kind == _SO_TIMESTAMPNS:
            seconds, nanoseconds = _TIMESPEC.unpack(data[: _TIMESPEC.size])
            return float(seconds + nanoseconds * 1e-9)
    return otherwise_s
