"""The process that beats for a worker: what keeps the worker busy does not make it look dead.

Standard library only; started by `beat_sender.py` as `python -I -S beat_process.py CONTROL_FD PID`.
It writes the id of the process that beats, which is no child of the worker: Ray kills the children
of a worker that it ends, or that ends itself because its node's raylet is gone.
The worker says over the control socket, every beat, who it is and to whom to beat. Each echo that
comes back is told to it: when the beat left, and what the dispatcher wants. A worker that stands
still for `STALE_S` says nothing, and then nothing is sent for it either. When the worker's process
ends, which a pidfd tells, a notice of its death is sent until it is echoed, for `NOTICE_S` at most,
and only while somebody listens there: a dispatcher that is started again listens elsewhere.

A packet is a head, the id of the worker and a MAC (HMAC-SHA256 over both, cut to 16 bytes). Numbers
only rise, and each dispatcher has an epoch of its own, so an old packet is worth nothing. A beat
tells for how long its sender has beaten without an echo: one that hears nothing cannot be given
orders. The echo of such a beat is no contact, as who sends it cannot know that it arrives.
"""

import contextlib
import hmac
import json
import os
import selectors
import socket
import struct
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

BEAT, DEATH, ECHO = 1, 2, 3  # kinds
# Flags of an echo: come for orders; I do not know you; this is no contact yet.
RENEW, UNKNOWN, DEAF = 1, 2, 4
BEAT_S = 0.1
STALE_S = 1.0
NOTICE_S = 10.0
_NOTICE_BEAT_S = 0.05
_SENT_KEPT = 200  # beats that may still be echoed
_HEAD = struct.Struct(">4sBBHQQI")
_MAGIC = b"swb1"
_MAC_BYTES = 16
PACKET_BYTES = 1_024


@dataclass(frozen=True)
class Packet:
    """`unheard_ms`: how long ago the sender's oldest beat left that had no echo yet."""

    kind: int
    flags: int
    epoch: int
    number: int
    unheard_ms: int
    worker: str


def pack(key: bytes, packet: Packet) -> bytes:
    worker = packet.worker.encode()
    head = _HEAD.pack(
        _MAGIC,
        packet.kind,
        packet.flags,
        len(worker),
        packet.epoch,
        packet.number,
        min(packet.unheard_ms, 2**32 - 1),
    )
    return head + worker + hmac.digest(key, head + worker, "sha256")[:_MAC_BYTES]


def unpack(key: bytes, data: bytes) -> Packet | None:
    """The packet, or None if it is not one, or not signed with `key`."""
    if len(data) < _HEAD.size + _MAC_BYTES or data[:4] != _MAGIC:
        return None
    said, mac = data[:-_MAC_BYTES], data[-_MAC_BYTES:]
    if not hmac.compare_digest(hmac.digest(key, said, "sha256")[:_MAC_BYTES], mac):
        return None
    _, kind, flags, length, epoch, number, unheard_ms = _HEAD.unpack_from(said)
    worker = said[_HEAD.size :]
    if len(worker) != length:
        return None
    return Packet(kind, flags, epoch, number, unheard_ms, worker.decode())


class Sender:
    """Beats for one worker, under whatever id that has."""

    def __init__(self, control: socket.socket, pidfd: int) -> None:
        self._control = control
        self._pidfd = pidfd
        self._asked: dict[str, Any] = {}
        self._asked_s = 0.0
        # Higher than that of any sender before this one: they sent less than one a millisecond.
        self._number = time.monotonic_ns() // 1_000_000
        self._sent: dict[int, float] = {}  # when each beat left
        self._unheard_s: float | None = None  # when the oldest left that had no echo yet
        self._echoed_s = 0.0
        self._dead_s: float | None = None
        self._refused = False
        self._links = {
            family: socket.socket(family, socket.SOCK_DGRAM)
            for family in ([socket.AF_INET, socket.AF_INET6] if socket.has_ipv6 else [])
        } or {socket.AF_INET: socket.socket(socket.AF_INET, socket.SOCK_DGRAM)}

    def serve(self) -> None:
        """Until the worker is gone and its death is noticed."""
        ready = selectors.DefaultSelector()
        ready.register(self._control, selectors.EVENT_READ)
        ready.register(self._pidfd, selectors.EVENT_READ)
        for link in (self._control, *self._links.values()):
            link.setblocking(False)
        for link in self._links.values():
            ready.register(link, selectors.EVENT_READ)
        next_s = time.monotonic()
        while not self._is_over():
            for key, _ in ready.select(max(0.0, next_s - time.monotonic())):
                if key.fileobj is self._control:
                    self._take_orders()
                elif key.fileobj == self._pidfd:
                    ready.unregister(self._pidfd)
                    self._sent.clear()  # an echo of what it said while alive settles nothing
                    self._dead_s = next_s = time.monotonic()
                    self._narrow()
                else:
                    self._take_echoes(key.fileobj)  # type: ignore[arg-type]
            now_s = time.monotonic()
            if now_s >= next_s:
                self._beat(now_s)
                every_s = BEAT_S if self._dead_s is None else _NOTICE_BEAT_S
                next_s = max(next_s + every_s, now_s)

    def _is_over(self) -> bool:
        if self._dead_s is None:
            return False
        if self._refused:
            return True
        waited_s = time.monotonic() - self._dead_s
        return not self._asked.get("to") or self._echoed_s > self._dead_s or waited_s > NOTICE_S

    def _take_orders(self) -> None:
        with contextlib.suppress(BlockingIOError, ConnectionError):
            while True:
                asked = json.loads(self._control.recv(PACKET_BYTES))
                if asked != self._asked:  # a new conversation: nobody is late with an echo yet
                    self._sent.clear()
                    self._unheard_s = None
                self._asked, self._asked_s = asked, time.monotonic()

    def _narrow(self) -> None:
        """Talk to the dispatcher alone: only then is it told where nobody listens any more."""
        self._refused = False
        if self._asked.get("to"):
            with contextlib.suppress(OSError):
                self._link().connect(tuple(self._asked["to"]))

    def _link(self) -> socket.socket:
        family = socket.AF_INET6 if ":" in self._asked["to"][0] else socket.AF_INET
        return self._links[family]

    def _take_echoes(self, link: socket.socket) -> None:
        with contextlib.suppress(BlockingIOError), self._noting_refusal():
            while self._asked:
                packet = unpack(bytes.fromhex(self._asked["key"]), link.recv(PACKET_BYTES))
                if packet is None or packet.kind != ECHO or packet.number not in self._sent:
                    continue
                if (packet.worker, packet.epoch) == (self._asked["worker"], self._asked["epoch"]):
                    self._tell(packet)

    def _tell(self, echo: Packet) -> None:
        self._echoed_s = time.monotonic()
        after = (sent_s for number, sent_s in self._sent.items() if number > echo.number)
        self._unheard_s = next(after, None)
        told = [echo.worker, echo.epoch, self._sent[echo.number], echo.flags]
        with contextlib.suppress(OSError):  # the worker is gone, or slow: the next one tells it
            self._control.send(json.dumps(told).encode())

    def _beat(self, now_s: float) -> None:
        if not self._asked.get("to"):
            return
        if self._dead_s is None and now_s - self._asked_s > STALE_S:
            return
        self._number += 1
        self._sent[self._number] = now_s
        if len(self._sent) > _SENT_KEPT:
            del self._sent[next(iter(self._sent))]
        kind = BEAT if self._dead_s is None else DEATH
        if self._unheard_s is None:
            self._unheard_s = now_s
        unheard_ms = int((now_s - self._unheard_s) * 1e3)
        epoch, worker = self._asked["epoch"], self._asked["worker"]
        packet = Packet(kind, 0, epoch, self._number, unheard_ms, worker)
        signed = pack(bytes.fromhex(self._asked["key"]), packet)
        # A link that is down is what beats are there to show.
        with contextlib.suppress(OSError), self._noting_refusal():
            self._link().sendto(signed, tuple(self._asked["to"]))

    @contextlib.contextmanager
    def _noting_refusal(self) -> Iterator[None]:
        try:
            yield
        except ConnectionError:
            self._refused = True


def _hurry() -> None:
    """Beats are late by the load of the machine more than by anything else, and cost next to
    nothing. Only root may ask for this; without it they are a little later."""
    with contextlib.suppress(OSError):
        os.sched_setscheduler(0, os.SCHED_RR, os.sched_param(1))


if __name__ == "__main__":
    descriptor, pid = int(sys.argv[1]), int(sys.argv[2])
    watched = os.pidfd_open(pid)
    if os.getppid() == pid:  # else the worker is gone, and its pid may be another's
        if child := os.fork():
            os.write(1, str(child).encode())
            os._exit(0)
        os.close(1)
        _hurry()
        with socket.socket(fileno=descriptor) as told:
            Sender(told, watched).serve()
