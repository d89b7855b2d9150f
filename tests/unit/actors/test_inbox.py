"""The loop of an actor: one event at a time, refusals harm nobody, a fault ends the process."""

import asyncio
import subprocess
import sys

import pytest

from swarm.actors.inbox import Inbox
from swarm.errors import Overloaded, UnknownKey


async def test_events_are_handled_one_at_a_time_in_order():
    running, most, handled = 0, 0, []

    async def handle(event):
        nonlocal running, most
        running += 1
        most = max(most, running)
        await asyncio.sleep(0)
        handled.append(event)
        running -= 1
        return len(handled)

    inbox = Inbox(handle, size_max=10)
    loop = asyncio.create_task(inbox.run())
    assert await asyncio.gather(*(inbox.send(n) for n in range(10))) == list(range(1, 11))
    assert handled == list(range(10))
    assert most == 1
    loop.cancel()


async def test_a_refusal_reaches_its_sender_and_the_loop_goes_on():
    async def handle(event):
        if event == "bad":
            raise UnknownKey("nothing is called bad")
        return 7

    inbox = Inbox(handle, size_max=10)
    loop = asyncio.create_task(inbox.run())
    with pytest.raises(UnknownKey, match="bad"):
        await inbox.send("bad")
    assert await inbox.send("good") == 7
    loop.cancel()


async def test_a_full_inbox_refuses_at_once_and_keeps_what_it_took():
    gate = asyncio.Event()

    async def handle(event):
        await gate.wait()
        return event

    inbox = Inbox(handle, size_max=1)
    loop = asyncio.create_task(inbox.run())
    first = asyncio.create_task(inbox.send(1))
    await asyncio.sleep(0)  # the loop takes it
    await asyncio.sleep(0)
    second = asyncio.create_task(inbox.send(2))
    await asyncio.sleep(0)
    with pytest.raises(Overloaded):
        await inbox.send(3)
    gate.set()
    assert (await first, await second) == (1, 2)
    loop.cancel()


async def test_a_sender_that_gave_up_does_not_stop_the_loop():
    gate = asyncio.Event()

    async def handle(event):
        await gate.wait()
        return event

    inbox = Inbox(handle, size_max=10)
    loop = asyncio.create_task(inbox.run())
    impatient = asyncio.create_task(inbox.send(1))
    await asyncio.sleep(0)
    impatient.cancel()
    gate.set()
    assert await inbox.send(2) == 2
    loop.cancel()


def test_a_fault_in_the_loop_ends_the_process():
    program = """
import asyncio
from swarm.actors.inbox import Inbox, start

async def handle(event):
    raise OSError("disk full")

async def main():
    inbox = Inbox(handle, size_max=1)
    loop = start(inbox.run())
    await inbox.send(1)

asyncio.run(main())
"""
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=False
    )
    assert done.returncode == 70
    assert "disk full" in done.stdout + done.stderr
