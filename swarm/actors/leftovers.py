"""What a killed slot leaves running. Its task's first process dies with it; what that had started
does not, and is found by the fencing token in its environment."""

import contextlib
import os
import signal
import time
from collections.abc import Iterator, Mapping
from pathlib import Path

from swarm.model.work import Token

_LOOK_S = 0.002


def marks(token: Token) -> dict[str, str]:
    """The variables that a task's processes carry."""
    return {"SWARM_TASK": token.task, "SWARM_GRANT": str(token.grant)}


def end_leftovers(marks: Mapping[str, str]) -> None:
    """Kill every process that carries `marks` until none is left: what forks meanwhile is found
    next."""
    while left := list(_marked(marks)):
        for pid in left:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        time.sleep(_LOOK_S)


def _marked(marks: Mapping[str, str]) -> Iterator[int]:
    wanted = {f"{name}={value}".encode() for name, value in marks.items()}
    for folder in Path("/proc").iterdir():
        if folder.name.isdigit() and int(folder.name) != os.getpid():
            with contextlib.suppress(OSError):  # it ended, or is another user's
                if wanted <= set((folder / "environ").read_bytes().split(b"\0")):
                    yield int(folder.name)
