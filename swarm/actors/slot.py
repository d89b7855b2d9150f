"""A slot of a worker: one process (`slot_process.py`) that runs one task at a time."""

import asyncio
import json
import socket
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

_PROGRAM = Path(__file__).with_name("slot_process.py")


@dataclass(frozen=True, slots=True)
class Program:
    """A program to run. `output` gets what it prints; the limits are of its whole process tree;
    the folder `files` is removed when nothing of it is left."""

    argv: tuple[str, ...]
    output: Path
    env: Mapping[str, str]
    cwd: str = ""
    memory_bytes: int | None = None
    timeout_s: float | None = None
    files: Path | None = None


@dataclass(frozen=True, slots=True)
class End:
    """How a program ended. `why` is set where swarm ended it: `killed`, `out_of_memory` or
    `timeout`; `error` where it never started."""

    exit_code: int | None = None
    signal: int | None = None
    why: str = ""
    error: str = ""
    peak_memory_bytes: int = 0
    cpu_s: float = 0.0

    @property
    def succeeded(self) -> bool:
        return self.exit_code == 0


class SlotDied(Exception):
    """The slot's process is gone, and its task with it."""


class Slot:
    """The worker's end of one slot process. Its methods are for one event loop."""

    def __init__(self, process: asyncio.subprocess.Process, control: socket.socket) -> None:
        self._process = process
        self._control = control
        self._reader: asyncio.StreamReader | None = None
        self._writer: asyncio.StreamWriter | None = None

    @classmethod
    async def open(cls, fence_s: float) -> "Slot":
        """Start a slot that ends its task `fence_s` after the last word of this worker."""
        ours, theirs = socket.socketpair()
        with theirs:
            process = await asyncio.create_subprocess_exec(
                sys.executable,
                "-I",
                "-S",
                str(_PROGRAM),
                str(theirs.fileno()),
                str(fence_s),
                pass_fds=(theirs.fileno(),),
                stdin=asyncio.subprocess.DEVNULL,
                # Ray kills the process group of a worker that died: the slot has to outlive it for
                # as long as it takes to end the whole tree of its task.
                start_new_session=True,
            )
        slot = cls(process, ours)
        try:
            slot._reader, slot._writer = await asyncio.open_connection(sock=ours)
        except BaseException:  # the worker ends just now
            process.kill()
            await process.wait()
            raise
        return slot

    @property
    def pid(self) -> int:
        return self._process.pid

    async def run(self, program: Program) -> int | End:
        """Start `program`; its pid, or its end if it could not be started."""
        await self._say(
            "run",
            {
                "argv": program.argv,
                "env": dict(program.env),
                "cwd": program.cwd,
                "output": str(program.output),
                "memory_bytes": program.memory_bytes,
                "timeout_s": program.timeout_s,
                "files": str(program.files) if program.files else None,
            },
        )
        word, what = await self._hear()
        return int(what["pid"]) if word == "started" else End(**what)

    async def end(self) -> End:
        """Wait until the running program has ended and nothing of it is left."""
        _, what = await self._hear()
        return End(**what)

    async def kill(self) -> None:
        """End the running program; `end` tells when it has."""
        await self._say("kill", None)

    async def beat(self) -> None:
        """Say that this worker is in contact: its task may go on."""
        await self._say("beat", None)

    async def close(self) -> None:
        """End the slot and whatever runs in it."""
        assert self._writer is not None
        self._writer.close()
        await self._process.wait()

    async def _say(self, word: str, what: Any) -> None:
        assert self._writer is not None
        try:
            self._writer.write(json.dumps({word: what}).encode() + b"\n")
            await self._writer.drain()
        except OSError:
            raise SlotDied from None

    async def _hear(self) -> tuple[str, dict[str, Any]]:
        assert self._reader is not None
        try:
            line = await self._reader.readline()
        except OSError:
            line = b""
        if not line:
            raise SlotDied
        ((word, what),) = json.loads(line).items()
        return word, what
