"""What programs print reaches the store, whoever dies, and leaves the node."""

import asyncio
import contextlib
import os
import signal
from collections.abc import AsyncIterator, Sequence
from pathlib import Path

import pytest

from swarm.actors.output_files import OutputFiles, held
from swarm.actors.outputs import OutputsActor
from swarm.actors.shipper import Shipper
from swarm.actors.slot import Program, Slot
from swarm.config import Settings
from swarm.errors import Unreachable
from swarm.model.outputs import DEFAULT, Output, Part
from swarm.model.work import TaskId, Token
from swarm.store.outputs import open_outputs
from tests.actors.test_slot import until

OUTPUT = Output(Token(TaskId("team/t"), 3))
COPY = Output(OUTPUT.token, copy=True)


class Link:
    """The outputs actor, which cannot be reached now and then."""

    def __init__(self, actor: OutputsActor) -> None:
        self.away = False
        self.lost_answers = 0
        self._actor = actor

    async def put(self, parts: Sequence[Part]) -> dict[Output, int]:
        if self.away:
            raise Unreachable("the outputs actor did not answer")
        known = await self._actor.put(parts)
        if self.lost_answers:
            self.lost_answers -= 1
            raise Unreachable("it did, but nobody heard")
        return known


@pytest.fixture
async def link(tmp_path: Path) -> Link:
    actor = OutputsActor.__new__(OutputsActor)
    await actor.__init__(Settings(state_dir=tmp_path))  # type: ignore[misc]
    return Link(actor)


@pytest.fixture
def files(tmp_path: Path) -> OutputFiles:
    return OutputFiles(tmp_path / "node" / "output")


@contextlib.asynccontextmanager
async def running(files: OutputFiles, code: str, output: Output = OUTPUT) -> AsyncIterator[Slot]:
    slot = await Slot.open(fence_s=600.0)  # nobody beats for it
    try:
        path = files.path(output)
        assert isinstance(await slot.run(Program(("sh", "-c", code), path, dict(os.environ))), int)
        yield slot
    finally:
        await slot.close()


def printed(tmp_path: Path, output: Output = OUTPUT) -> tuple[bytes, bool]:
    with contextlib.closing(open_outputs("", tmp_path)) as outputs:
        found = outputs.read(output, 0, 100_000_000)
    return found.text, found.complete


async def shipped(shipper: Shipper) -> None:
    """Until the node has nothing left."""
    while list(shipper.files.outputs()):
        with contextlib.suppress(Unreachable):
            await shipper.ship()
        await asyncio.sleep(0.01)


async def test_output_is_there_while_it_runs_and_whole_when_it_ended(
    files: OutputFiles, link: Link, tmp_path: Path
) -> None:
    shipper = Shipper(files, link)
    go = tmp_path / "go"
    async with running(
        files, f"echo one; until [ -e {go} ]; do sleep 0.02; done; echo two"
    ) as slot:
        await until("it prints", lambda: files.read(OUTPUT, 0, 10)[0])
        await shipper.ship()
        assert printed(tmp_path) == (b"one\n", False)
        go.touch()
        await slot.end()
        await shipped(shipper)
    assert printed(tmp_path) == (b"one\ntwo\n", True)


async def test_two_copies_on_one_machine_keep_their_lines_apart(
    files: OutputFiles, link: Link, tmp_path: Path
) -> None:
    async with running(files, "echo from one") as one:
        async with running(files, "echo from the other", COPY) as other:
            await one.end()
            await other.end()
        assert set(files.outputs()) == {OUTPUT, COPY}
        await shipped(Shipper(files, link))
    assert printed(tmp_path) == (b"from one\n", True)
    assert printed(tmp_path, COPY) == (b"from the other\n", True)


async def test_answers_that_are_lost_and_a_receiver_that_is_away(
    files: OutputFiles, link: Link, tmp_path: Path
) -> None:
    numbers = "".join(f"{number}\n" for number in range(100_000))
    async with running(files, "seq 0 99999") as slot:
        link.away = True
        with pytest.raises(Unreachable):
            await asyncio.wait_for(_until_there(files, Shipper(files, link)), 60)
        link.away, link.lost_answers = False, 2
        await slot.end()
        await shipped(Shipper(files, link))
    assert printed(tmp_path) == (numbers.encode(), True)


async def _until_there(files: OutputFiles, shipper: Shipper) -> None:
    while True:
        await shipper.ship()
        await asyncio.sleep(0.01)


async def test_what_a_killed_slot_left_is_shipped_by_another(
    files: OutputFiles, link: Link, tmp_path: Path
) -> None:
    first = Shipper(files, link)
    async with running(files, "echo begun; exec sleep 300") as slot:
        await until("it prints", lambda: files.read(OUTPUT, 0, 10)[0])
        await first.ship()
        os.kill(slot.pid, signal.SIGKILL)
        await shipped(Shipper(files, link))
    assert printed(tmp_path) == (b"begun\n", True)


async def test_what_still_prints_is_not_taken_for_whole(
    files: OutputFiles, link: Link, tmp_path: Path
) -> None:
    """Its first process is gone, its slot too: a child in a session of its own prints on."""
    go = tmp_path / "go"
    late = f"until [ -e {go} ]; do sleep 0.02; done; echo late"
    async with running(
        files, f"echo begun; setsid sh -c '{late}' & echo $!; exec sleep 300"
    ) as slot:
        await until("it prints", lambda: files.read(OUTPUT, 0, 100)[0].count(b"\n") == 2)
        os.kill(slot.pid, signal.SIGKILL)
        shipper = Shipper(files, link)
        await until("the slot is gone", lambda: slot._process.returncode is not None)
        await shipper.ship()
        assert list(files.outputs()) == [OUTPUT]
        go.touch()
        await shipped(shipper)
    text, complete = printed(tmp_path)
    assert (text.endswith(b"late\n"), complete) == (True, True)


async def test_one_that_prints_faster_than_it_is_shipped_keeps_its_ends(
    files: OutputFiles, link: Link, tmp_path: Path
) -> None:
    megabytes = 64
    code = f"head -c 2000000 /dev/zero; head -c {megabytes}000000 /dev/zero; echo; echo end"
    shipper = Shipper(files, link)
    async with running(files, code) as slot:
        await slot.end()
        await shipper.ship()
        await shipped(shipper)
    text, complete = printed(tmp_path)
    assert complete
    assert text.endswith(b"\0\nend\n")
    assert b"bytes are left out here" in text
    assert len(text) < DEFAULT.head_bytes + DEFAULT.tail_bytes + 300_000


async def test_the_disk_gets_back_what_is_shipped(files: OutputFiles, link: Link) -> None:
    async with running(files, "head -c 3000000 /dev/urandom; sleep 300"):
        path = files.path(OUTPUT)
        await until("it prints", lambda: path.exists() and path.stat().st_size == 3_000_000)
        shipper = Shipper(files, link)
        while await shipper.ship():
            pass
        assert path.stat().st_size == 3_000_000
        assert path.stat().st_blocks * 512 < 1_500_000


def test_one_process_ships_a_folder(tmp_path: Path) -> None:
    with held(tmp_path) as first, held(tmp_path) as second:
        assert (first, second) == (True, False)
    with held(tmp_path) as third:
        assert third
