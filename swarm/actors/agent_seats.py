"""An agent as its worker sees it: one slot that holds the agent's process, and a seat in it for
each item at a time. A seat is used like a slot."""

import asyncio
import contextlib
import itertools
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from swarm.actors.slot import Call, End, Program, Slot, SlotDied, python
from swarm.agents import Agent
from swarm.errors import InputError
from swarm.secret import inherited


@dataclass(frozen=True, slots=True)
class AgentSpec:
    """The class at `path` (`package.module:Class`), found from `cwd`, in a process that may use so
    much memory; 0: any."""

    path: str
    memory_bytes: int = 0
    cwd: str = ""


class AgentProcess:
    """The process that holds one agent. For one event loop."""

    def __init__(self, slot: Slot, agent: Agent, pid: int) -> None:
        self.slot = slot
        self.agent = agent
        self.pid = pid
        self._numbers = itertools.count(1)
        self._open: dict[int, asyncio.Future[End]] = {}
        self._reading = asyncio.ensure_future(self._read())

    @classmethod
    async def open(cls, spec: AgentSpec, output: Path, fence_s: float) -> "AgentProcess":
        """Start it; what it prints beside its items goes to `output`. Raises `InputError` where
        the class cannot be made."""
        slot = await Slot.open(fence_s)
        output.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        home = {
            "argv": (*python("swarm.actors.agent_process"), spec.path),
            "env": {**inherited(os.environ), **slot.marks},
            "cwd": spec.cwd,
        }
        limits = {"output": str(output), "memory_bytes": spec.memory_bytes or None}
        await slot.say("hold", {"home": home, **limits})
        word, started = await slot.hear()
        what: Mapping[str, Any] = {"error": started.get("error", "")}
        if word == "started":
            word, what = await slot.hear()
        if word != "item" or "ready" not in what:
            await slot.close()
            why = what.get("error") or f"its process ended; see {output}"
            raise InputError(f"agent {spec.path}: {why}")
        return cls(slot, Agent(**what["ready"]), int(started["pid"]))

    async def gone(self) -> End:
        """Wait for the end of the process; how it ended."""
        return await asyncio.shield(self._reading)

    async def ask(self, call: Call) -> "asyncio.Future[End]":
        """Hand an item in. Raises `SlotDied`, as the answer does when the process dies."""
        if self._reading.done():
            raise SlotDied
        number = next(self._numbers)
        answer: asyncio.Future[End] = asyncio.get_running_loop().create_future()
        self._open[number] = answer
        asked = {
            "id": number,
            "item": call.args["item"],
            "context": dict(call.context),
            "output": str(call.output),
        }
        await self.slot.say("item", asked)
        return answer

    async def close(self) -> None:
        self._reading.cancel()
        await self.slot.close()

    async def _read(self) -> End:
        """Until the process has ended."""
        end = End(why="killed")
        with contextlib.suppress(SlotDied):
            while True:
                word, what = await self.slot.hear()
                if word == "ended":
                    end = End(**what)
                    break
                answer = self._open.pop(what.pop("id"))
                if not answer.done():
                    answer.set_result(End(exit_code=0 if "result" in what else None, **what))
        for answer in self._open.values():
            if not answer.done():
                answer.set_exception(SlotDied())
        return end


class Seat:
    """A place for one item at a time in an agent's process."""

    def __init__(self, process: AgentProcess) -> None:
        self._process = process
        self._answer: asyncio.Future[End] | None = None
        self.pid = process.pid
        self.marks = process.slot.marks

    async def run(self, what: Program | Call) -> int | End:
        if not isinstance(what, Call) or "item" not in what.args:
            return End(error="an agent takes an `item`; a program or a call needs no capability")
        self._answer = await self._process.ask(what)
        return self.pid

    async def end(self) -> End:
        assert self._answer is not None
        return await self._answer

    async def kill(self) -> None:
        """A thread cannot be ended: what comes of the item is not reported, or as cancelled."""

    async def beat(self) -> None:
        await self._process.slot.beat()

    async def close(self) -> None:
        await self._process.close()
