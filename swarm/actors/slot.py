"""A slot of a worker: one process (`slot_process.py`) that runs one task at a time."""

import asyncio
import contextlib
import functools
import json
import socket
import sys
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

_STUCK_S = 0.5  # shorter than the dispatcher's guard: what is fenced has ended when it moves
_LINE_MAX_BYTES = 1 << 20  # from the slot; the longest has a result


@functools.cache
def python(module: str) -> tuple[str, ...]:
    """How to start a module of ours in whatever environment: it is found first, and what it
    imports for others is looked for elsewhere first."""
    root = str(Path(__file__).parents[2])
    code = (
        f"import sys; sys.path.insert(0, {root!r}); from {module} import main; "
        f"sys.path.append(sys.path.pop(0)); main()"
    )
    return sys.executable, "-c", code


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
class Call:
    """A function to call, `package.module:function`, with `args` by name; `context` is what it is
    told when it asks. `marks` are in the environment while it runs, `output` gets what is printed.

    It runs in the slot's resident process, which stays for the next call of the same `env` and
    `cwd`; the limits are of that process and all it starts.
    """

    path: str
    args: Mapping[str, Any]
    context: Mapping[str, Any]
    marks: Mapping[str, str]
    output: Path
    env: Mapping[str, str]
    cwd: str = ""
    memory_bytes: int | None = None
    timeout_s: float | None = None
    files: Path | None = None


@dataclass(frozen=True, slots=True)
class End:
    """How a program or a call ended. `why` is set where swarm ended it: `killed`, `out_of_memory`
    or `timeout`; `error` where it never started, or a call did not return. `result` is what a call
    returned, as JSON text; a `silent` one printed nothing, and there is no file of it."""

    exit_code: int | None = None
    signal: int | None = None
    why: str = ""
    error: str = ""
    peak_memory_bytes: int = 0
    cpu_s: float = 0.0
    result: str | None = None
    silent: bool = False

    @property
    def succeeded(self) -> bool:
        return self.exit_code == 0 and not self.error

    def __str__(self) -> str:
        """In a line for people."""
        if self.error:
            return self.error
        how = f"exit code {self.exit_code}" if self.signal is None else f"signal {self.signal}"
        if self.result is not None:
            how = "returned"
        why = f" ({self.why})" if self.why else ""
        used = f"{self.cpu_s:.2f} s of CPU, {self.peak_memory_bytes / 2**20:.0f} MiB at most"
        return f"{how}{why}, {used}"


class SlotDied(Exception):
    """The slot's process is gone, and its task with it."""


class Place(Protocol):
    """Where one program or call runs at a time. All but `close` raise `SlotDied`."""

    marks: Mapping[str, str]

    async def run(self, what: Program | Call) -> int | End: ...

    async def end(self) -> End: ...

    async def kill(self) -> None: ...

    async def beat(self) -> None: ...

    async def close(self) -> None: ...


class Slot:
    """The worker's end of one slot process. Its methods are for one event loop."""

    def __init__(self, process: asyncio.subprocess.Process, control: socket.socket) -> None:
        self._process = process
        self._control = control
        # Carried by what a resident process forks, which has no mark of its task.
        self.marks: Mapping[str, str] = {"SWARM_SLOT": uuid.uuid4().hex}
        self._home: Mapping[str, Any] = {}  # of the last call: the process knows it
        self._overdue: asyncio.TimerHandle | None = None
        self._reader: asyncio.StreamReader | None = None
        self._writer: asyncio.StreamWriter | None = None

    @classmethod
    async def open(cls, fence_s: float) -> "Slot":
        """Start a slot that ends its task `fence_s` after the last word of this worker."""
        ours, theirs = socket.socketpair()
        with theirs:
            process = await asyncio.create_subprocess_exec(
                *_bare(python("swarm.actors.slot_process")),
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
            slot._reader, slot._writer = await asyncio.open_connection(
                sock=ours, limit=_LINE_MAX_BYTES
            )
        except BaseException:  # the worker ends just now
            process.kill()
            await process.wait()
            raise
        return slot

    @property
    def pid(self) -> int:
        return self._process.pid

    async def run(self, what: Program | Call) -> int | End:
        """Start it; the pid of its process, or its end if it could not be started."""
        if isinstance(what, Call):
            home = _home(what, self.marks)
            await self.say("call", _asked(what) | {"home": home if home != self._home else None})
            self._home = home
        else:
            await self._say_program(what)
        word, told = await self.hear()
        return int(told["pid"]) if word == "started" else End(**told)

    async def _say_program(self, program: Program) -> None:
        await self.say(
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

    async def end(self) -> End:
        """Wait until what runs has ended and nothing of it is left."""
        _, what = await self.hear()
        return End(**what)

    async def kill(self) -> None:
        """End what runs; `end` tells when it has. A slot that does not is ended itself:
        it may stand still, and its task go on."""
        if self._overdue is None:
            self._overdue = asyncio.get_running_loop().call_later(_STUCK_S, self._end_process)
        await self.say("kill", None)

    async def beat(self) -> None:
        """Say that this worker is in contact: its task may go on. A slot that has not read the last
        beat needs no other."""
        assert self._writer is not None
        if not self._writer.transport.get_write_buffer_size():
            await self.say("beat", None)

    async def close(self) -> None:
        """End the slot and whatever runs in it."""
        assert self._writer is not None
        self._writer.close()
        with contextlib.suppress(OSError):
            await self._writer.wait_closed()
        await self._process.wait()

    def _end_process(self) -> None:
        with contextlib.suppress(ProcessLookupError):
            self._process.kill()

    async def say(self, word: str, what: Any) -> None:
        """A line to the process; raises `SlotDied`."""
        assert self._writer is not None
        try:
            self._writer.write(json.dumps({word: what}).encode() + b"\n")
            await self._writer.drain()
        except OSError:
            raise SlotDied from None

    async def hear(self) -> tuple[str, dict[str, Any]]:
        """Its next line; raises `SlotDied`."""
        assert self._reader is not None
        try:
            line = await self._reader.readline()
        except OSError:
            line = b""
        if self._overdue is not None:
            self._overdue.cancel()
            self._overdue = None
        if not line:
            raise SlotDied
        ((word, what),) = json.loads(line).items()
        return word, what


def _bare(argv: tuple[str, ...]) -> tuple[str, ...]:
    """Without the user's environment and without the site packages."""
    return argv[0], "-I", "-S", *argv[1:]


def _home(call: Call, marks: Mapping[str, str]) -> dict[str, Any]:
    """Where a call runs: calls of one home share a process."""
    argv = python("swarm.actors.resident_process")
    return {"argv": argv, "env": {**call.env, **marks}, "cwd": call.cwd}


def _asked(call: Call) -> dict[str, Any]:
    return {
        "request": {
            "path": call.path,
            "args": dict(call.args),
            "output": str(call.output),
            "marks": dict(call.marks),
            "context": dict(call.context),
        },
        "output": str(call.output),
        "memory_bytes": call.memory_bytes,
        "timeout_s": call.timeout_s,
        "files": str(call.files) if call.files else None,
    }
