"""Hosts of one machine: network namespaces on a bridge, whose links can be cut. For root.

The first host has the bridge, so it is the head: `10.203.0.1`. Nothing outside of the namespaces
is touched, and they are gone afterwards with all that runs in them.
"""

import contextlib
import ctypes
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from pathlib import Path

_NEWNET = 0x40000000  # setns(2)
_FOLDER = Path("/var/run/netns")
_NET = "10.203.0"
_NOBODY = "02:00:00:00:00:99"
_libc = ctypes.CDLL(None, use_errno=True)


class Host:
    """One namespace. `address` is how the others reach it."""

    def __init__(self, number: int) -> None:
        self.name = f"swarm-{os.getpid()}-{number}"
        self.address = f"{_NET}.{number + 1}"
        self.device = "eth0" if number else "bridge"
        self.link = f"v{number}"  # its end at the bridge
        self._file = _FOLDER / self.name
        self._started: list[subprocess.Popen[bytes]] = []

    @contextlib.contextmanager
    def inside(self) -> Iterator[None]:
        """What this thread opens and starts meanwhile belongs to the host."""
        back = os.open("/proc/thread-self/ns/net", os.O_RDONLY)
        try:
            _enter(self._file)
            yield
        finally:
            _set(back)
            os.close(back)

    def start_ray(self, environ: Mapping[str, str], *how: str) -> None:
        """A Ray node: `ray start --block ...`."""
        program = [str(Path(sys.executable).with_name("ray")), "start", "--block"]
        where = [f"--node-ip-address={self.address}", "--object-store-memory=80000000"]
        with self.inside():
            self._started += [
                subprocess.Popen(
                    [*program, *where, *how],
                    env=os.environ | environ,
                    stdout=subprocess.DEVNULL,
                    stderr=subprocess.DEVNULL,
                )
            ]

    def kill(self) -> float:
        """SIGKILL to everything that runs there; returns the time of day before. All of it stands
        still first, so that nothing there can tell of the death of another."""
        at_s = time.time()
        for number in (signal.SIGSTOP, signal.SIGKILL):
            for pid in self._pids():
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, number)
        while self._started:
            self._started.pop().wait()
        return at_s

    def _pids(self) -> list[int]:
        command = ["ip", "netns", "pids", self.name]
        found = subprocess.run(command, capture_output=True, text=True, check=False)
        return [pid for pid in map(int, found.stdout.split()) if pid != os.getpid()]


class Network:
    """A head and hosts around it."""

    def __init__(self, others: int) -> None:
        self.head, *self.others = (Host(number) for number in range(others + 1))

    def make(self) -> None:
        for host in (self.head, *self.others):
            _ip("netns", "add", host.name)
            _ip("-n", host.name, "link", "set", "lo", "up")
        _ip("-n", self.head.name, "link", "add", "bridge", "type", "bridge")
        _ip("-n", self.head.name, "addr", "add", f"{self.head.address}/24", "dev", "bridge")
        _ip("-n", self.head.name, "link", "set", "bridge", "up")
        for host in self.others:
            ends = ("type", "veth", "peer", "name", "eth0", "netns", host.name)
            _ip("-n", self.head.name, "link", "add", host.link, *ends)
            _ip("-n", self.head.name, "link", "set", host.link, "master", "bridge", "up")
            _ip("-n", host.name, "addr", "add", f"{host.address}/24", "dev", "eth0")
            _ip("-n", host.name, "link", "set", "eth0", "up")

    def remove(self) -> None:
        """With all processes in it."""
        for host in (self.head, *self.others):
            host.kill()
            subprocess.run(["ip", "netns", "del", host.name], check=False, capture_output=True)

    @contextlib.contextmanager
    def cut(self, host: Host) -> Iterator[None]:
        """Both ways, as when a cable is pulled."""
        _ip("-n", self.head.name, "link", "set", host.link, "down")
        try:
            yield
        finally:
            _ip("-n", self.head.name, "link", "set", host.link, "up")

    @contextlib.contextmanager
    def deafened(self, host: Host) -> Iterator[None]:
        """What the head sends to `host` is lost; the other way is open."""
        with _lost(self.head, host):
            yield

    @contextlib.contextmanager
    def muted(self, host: Host) -> Iterator[None]:
        """What `host` sends to the head is lost; the other way is open."""
        with _lost(host, self.head):
            yield


@contextlib.contextmanager
def network(others: int) -> Iterator[Network]:
    """Hosts that are gone afterwards."""
    made = Network(others)
    try:
        made.make()
        yield made
    finally:
        made.remove()


@contextlib.contextmanager
def _lost(sender: Host, receiver: Host) -> Iterator[None]:
    """By a link-layer address that nobody has: the sender hears of no fault."""
    entry = (receiver.address, "dev", sender.device)
    _ip("-n", sender.name, "neigh", "replace", *entry, "lladdr", _NOBODY, "nud", "permanent")
    try:
        yield
    finally:
        _ip("-n", sender.name, "neigh", "del", *entry)


def _enter(file: Path) -> None:
    descriptor = os.open(file, os.O_RDONLY)
    try:
        _set(descriptor)
    finally:
        os.close(descriptor)


def _set(descriptor: int) -> None:
    if _libc.setns(descriptor, _NEWNET) != 0:
        raise OSError(ctypes.get_errno(), "the network namespace cannot be entered")


def _ip(*words: str) -> None:
    subprocess.run(["ip", *words], check=True, capture_output=True)
