"""The files that tasks print into on their node, one for each output, until they are shipped.

A file is locked by whatever prints into it (`slot_process.py`), so that it is known to be whole
when nothing holds it any more, whoever of its task, slot and worker died.
"""

import contextlib
import ctypes
import fcntl
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO
from urllib.parse import quote, unquote

from swarm.model.outputs import Output
from swarm.model.work import TaskId, Token

_FALLOC_FL_KEEP_SIZE = 1
_FALLOC_FL_PUNCH_HOLE = 2
_COPY = "c"  # after the grant's number: both copies may run on one machine
_libc = ctypes.CDLL(None, use_errno=True)


@dataclass(frozen=True, slots=True)
class OutputFiles:
    """The files of one folder, which is made."""

    folder: Path

    def __post_init__(self) -> None:
        self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)

    def path(self, output: Output) -> Path:
        """Where it goes."""
        task, grant = quote(output.token.task, safe=""), output.token.grant
        return self.folder / f"{task}.{grant}{_COPY * output.copy}"

    def outputs(self) -> Iterator[Output]:
        """Of the files that are there."""
        with contextlib.suppress(FileNotFoundError):
            for entry in os.scandir(self.folder):
                name, _, number = entry.name.rpartition(".")
                grant = number.removesuffix(_COPY)
                if grant.isdecimal() and not name.startswith("."):
                    token = Token(TaskId(unquote(name)), int(grant))
                    yield Output(token, copy=grant != number)

    def read(self, output: Output, at: int, most: int) -> tuple[bytes, int, bool]:
        """At most `most` bytes from `at` on, how many there are in all, and whether nothing can
        print into it any more."""
        with self.path(output).open("rb") as file:
            whole = _is_whole(file)
            size = os.fstat(file.fileno()).st_size  # after the look at the lock
            return os.pread(file.fileno(), most, at), size, whole

    def free(self, output: Output, before: int) -> None:
        """Give the disk back what is before a byte; the file keeps its size. Best effort."""
        with self.path(output).open("rb+") as file:
            mode = _FALLOC_FL_KEEP_SIZE | _FALLOC_FL_PUNCH_HOLE
            start, length = ctypes.c_int64(0), ctypes.c_int64(before)
            _libc.fallocate(file.fileno(), mode, start, length)

    def drop(self, output: Output) -> None:
        self.path(output).unlink(missing_ok=True)


def output_files(folder: Path) -> OutputFiles:
    """Those of the workers that keep their files in `folder`."""
    return OutputFiles(folder / "output")


@contextlib.contextmanager
def held(folder: Path) -> Iterator[bool]:
    """Whether this process alone ships the outputs of `folder`, until the block ends or it dies."""
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    with (folder / ".shipped").open("ab") as file:
        yield _lock(file)


def _is_whole(file: IO[bytes]) -> bool:
    if not _lock(file):
        return False
    fcntl.flock(file, fcntl.LOCK_UN)
    return True


def _lock(file: IO[bytes]) -> bool:
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
