"""Beats go by UDP from a process beside the worker to the dispatcher's socket, signed both ways."""

import asyncio
import os
import signal
import socket
import sys
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from pathlib import Path

import psutil
import pytest

from swarm.actors.beat_process import BEAT, DEATH, ECHO, NOTICE_S, RENEW, Packet, pack, unpack
from swarm.actors.beat_sender import BeatSender
from swarm.actors.beats import Beats
from swarm.dispatch.events import Nod
from swarm.model.work import WorkerId
from tests.actors.test_slot import alive

KEY, EPOCH = b"a key", 7
W = WorkerId("worker:1~a")
STOOD_S = 6.0  # longer than this process itself may be kept from giving echoes


async def until(condition: Callable[[], object], within_s: float = 180.0) -> None:
    async with asyncio.timeout(within_s):
        while not condition():  # noqa: ASYNC110  # other processes have no event to wait for
            await asyncio.sleep(0.005)


@dataclass
class Ear:
    """What a dispatcher would make of beats."""

    heard: list[tuple[WorkerId, float, float]] = field(default_factory=list)
    deaths: list[WorkerId] = field(default_factory=list)
    nod: Nod = Nod.NOTED
    settled: bool = True

    def hear(self, worker: WorkerId, at_s: float, unheard_s: float) -> Nod:
        self.heard.append((worker, at_s, unheard_s))
        return self.nod

    def gone(self, worker: WorkerId) -> bool:
        self.deaths.append(worker)
        return self.settled


@pytest.fixture
async def ear() -> Ear:
    return Ear()


@pytest.fixture
async def beats(ear: Ear) -> AsyncIterator[Beats]:
    opened = Beats("127.0.0.1", KEY, EPOCH, ear.hear, ear.gone)
    opened.listen()
    yield opened
    opened.close()


@pytest.fixture
def wire(beats: Beats):
    """A sender by hand: `wire(packet)` sends it, `wire.answer()` is the echo."""

    class Wire:
        def __init__(self) -> None:
            host, port = beats.address.split(":")
            self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
            self.socket.connect((host, int(port)))
            self.socket.setblocking(False)

        def __call__(self, packet: Packet, key: bytes = KEY) -> None:
            self.socket.send(pack(key, packet))

        async def answer(self) -> Packet | None:
            async with asyncio.timeout(60):
                return unpack(KEY, await asyncio.get_running_loop().sock_recv(self.socket, 2_000))

    made = Wire()
    yield made
    made.socket.close()


def beat(number: int, worker: str = W, epoch: int = EPOCH) -> Packet:
    return Packet(BEAT, 0, epoch, number, 0, worker)


async def test_beats_are_heard_echoed_and_told_to_the_worker(beats: Beats, ear: Ear) -> None:
    echoes: list[tuple[str, int, float, int]] = []
    sender = BeatSender(KEY, lambda *echo: echoes.append(echo))
    loop = asyncio.get_running_loop()
    began_s = loop.time()
    while len(echoes) < 5:
        await sender.tell(W, beats.address, EPOCH)
        await asyncio.sleep(0.05)
    ear.nod = Nod.COME
    while echoes[-1][3] != RENEW:
        await sender.tell(W, beats.address, EPOCH)
        await asyncio.sleep(0.05)
    await sender.close()
    assert {(worker, epoch) for worker, epoch, _, _ in echoes} == {(W, EPOCH)}
    sent_s = [sent for _, _, sent, _ in echoes]
    assert sent_s == sorted(sent_s)
    assert began_s < sent_s[0], "it counts from when the beat left"
    assert all(began_s < at_s < loop.time() for _, at_s, _ in ear.heard)


async def test_a_worker_that_says_nothing_is_not_beaten_for(beats: Beats, ear: Ear) -> None:
    sender = BeatSender(KEY, lambda *_: None)
    await sender.tell(W, beats.address, EPOCH)
    await until(lambda: ear.heard)
    first_s = ear.heard[0][1]
    silent_s = 0.0
    while silent_s < 1.0:  # its last beat is a second old
        await asyncio.sleep(0.05)
        silent_s = asyncio.get_running_loop().time() - ear.heard[-1][1]
    assert ear.heard[-1][1] - first_s < 5.0
    await sender.tell(W, beats.address, EPOCH)
    known = len(ear.heard)
    await until(lambda: len(ear.heard) > known)
    await sender.close()


async def test_a_sender_that_died_is_replaced_and_believed(beats: Beats, ear: Ear) -> None:
    sender = BeatSender(KEY, lambda *_: None)
    await sender.tell(W, beats.address, EPOCH)
    await until(lambda: ear.heard)
    first = sender.pid
    os.kill(first, signal.SIGKILL)
    await until(lambda: not alive(first))
    known = len(ear.heard)
    while len(ear.heard) == known:
        await sender.tell(W, beats.address, EPOCH)
        await asyncio.sleep(0.05)
    assert sender.pid != first
    await sender.close()


async def test_a_sender_that_stood_still_was_not_without_an_echo(beats: Beats, ear: Ear) -> None:
    """It was late, and not cut off."""
    sender = BeatSender(KEY, lambda *_: None)
    await sender.tell(W, beats.address, EPOCH)
    await until(lambda: ear.heard)
    assert sender.pid is not None
    os.kill(sender.pid, signal.SIGSTOP)
    stopped_s = asyncio.get_running_loop().time()
    while asyncio.get_running_loop().time() < stopped_s + STOOD_S:
        await sender.tell(W, beats.address, EPOCH)
        await asyncio.sleep(0.05)
    os.kill(sender.pid, signal.SIGCONT)
    await until(lambda: ear.heard[-1][1] - stopped_s > STOOD_S)
    await sender.close()
    assert max(unheard_s for _, _, unheard_s in ear.heard) < STOOD_S - 1.0


async def a_worker(beats: Beats, ear: Ear) -> tuple[asyncio.subprocess.Process, int]:
    """A process that has itself beaten for, and the process that beats."""
    code = f"""
import asyncio
from swarm.actors.beat_sender import BeatSender
async def main():
    sender = BeatSender({KEY!r}, lambda *_: None)
    while True:
        await sender.tell({W!r}, {beats.address!r}, {EPOCH})
        print(sender.pid, flush=True)
        await asyncio.sleep(0.1)
asyncio.run(main())
"""
    worker = await asyncio.create_subprocess_exec(
        sys.executable, "-c", code, stdout=asyncio.subprocess.PIPE
    )
    assert worker.stdout is not None
    pid = int(await worker.stdout.readline())
    await until(lambda: ear.heard)
    return worker, pid


async def test_the_death_of_a_worker_is_told_until_it_is_settled(beats: Beats, ear: Ear) -> None:
    ear.settled = False
    worker, pid = await a_worker(beats, ear)
    for child in psutil.Process(worker.pid).children():  # so does Ray
        child.kill()
    worker.kill()
    await worker.wait()
    await until(lambda: len(ear.deaths) >= 3)
    assert alive(pid), "it tells what nobody has taken in"
    ear.settled = True
    await until(lambda: not alive(pid))
    assert set(ear.deaths) == {W}


async def test_where_nobody_listens_any_more_nothing_is_told(ear: Ear) -> None:
    """As when all of swarm ends: nothing of it is left for the time of a notice."""
    beats = Beats("127.0.0.1", KEY, EPOCH, ear.hear, ear.gone)
    beats.listen()
    worker, pid = await a_worker(beats, ear)
    beats.close()
    worker.kill()
    await worker.wait()
    await until(lambda: not alive(pid), within_s=NOTICE_S / 2)


async def test_what_is_not_signed_or_not_of_this_dispatcher_is_nothing(wire, ear: Ear) -> None:
    wire(beat(1), key=b"another")
    wire(beat(2, epoch=EPOCH - 1))
    wire(Packet(DEATH, 0, EPOCH - 1, 3, 0, W))
    wire.socket.send(b"swb1 and something else, long enough to be a packet of its own kind")
    wire(beat(4))
    echo = await wire.answer()
    assert echo == Packet(ECHO, 0, EPOCH, 4, 0, W)
    assert [worker for worker, *_ in ear.heard] == [W]
    assert ear.deaths == []


async def test_an_old_beat_is_worth_nothing(wire, ear: Ear) -> None:
    for number in (5, 6, 6, 4, 9):
        wire(beat(number))
    numbers = [(await wire.answer()).number for _ in range(3)]
    assert numbers == [5, 6, 9]
    assert len(ear.heard) == 3


async def test_orders_are_not_kept_until_the_next_beat(wire, beats: Beats) -> None:
    wire(beat(1))
    assert (await wire.answer()).flags == 0
    for _ in range(3):
        beats.nudge([W, WorkerId("another")])
    assert (await wire.answer()).flags == RENEW
    wire(beat(2))
    assert (await wire.answer()).number == 2, "it was called once"


async def test_beats_are_dated_by_the_kernel_and_not_by_who_reads_late(
    wire, beats: Beats, ear: Ear
) -> None:
    loop = asyncio.get_running_loop()
    beats.drain()
    wire(beat(1))
    sent_s = loop.time()
    while loop.time() - sent_s < 0.5:  # the loop stands still
        pass
    beats.drain()
    ((_, at_s, _),) = ear.heard
    assert at_s - sent_s < 0.25


def test_the_program_of_the_sender_needs_nothing_of_swarm() -> None:
    source = Path(sys.modules["swarm.actors.beat_process"].__file__ or "").read_text()
    imported = {
        line.split()[1].partition(".")[0]
        for line in source.splitlines()
        if line[:5] in ("impor", "from ")
    }
    assert imported <= sys.stdlib_module_names
