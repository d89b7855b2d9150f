"""Exported files of a history: which there are, and up to where each was read."""

import gzip
import io
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from swarm.connectors.history.formats import Place
from swarm.errors import Unavailable

_HEAD = 256
_QUIET_S = 60.0  # nobody writes to a file that did not change for so long
_GZIP = b"\x1f\x8b"


@dataclass(frozen=True, slots=True)
class Mark:
    """How far a file was read. `state` is what it was then (size, time of change); `head` a check
    sum of its begin, which tells a new file under the old number."""

    state: str = ""
    offset: int = 0
    line: int = 0
    head_size: int = 0
    head: int = 0

    @property
    def place(self) -> Place:
        return Place(self.offset, self.line)


@dataclass(frozen=True, slots=True)
class Export:
    """A file; `number` stays when it is renamed, `finished`: nobody writes to it now."""

    path: Path
    name: str
    number: str
    state: str
    finished: bool


def exports(path: Path, now_s: float) -> Iterator[Export]:
    """The files at `path`, oldest first: itself, or all in the folder but hidden ones.

    Raises `Unavailable` when they cannot be listed.
    """
    try:
        found = [path] if not path.is_dir() else [p for p in path.rglob("*") if _counts(p, path)]
        stats = sorted(((p.stat(), p) for p in found), key=lambda s: (s[0].st_mtime_ns, s[1]))
    except OSError as error:
        raise Unavailable(f"{path}: cannot be read ({error.strerror}).") from None
    for stat, file in stats:
        name = file.name if file == path else file.relative_to(path).as_posix()
        finished = stat.st_mtime < now_s - _QUIET_S
        state = f"{stat.st_size}-{stat.st_mtime_ns}-{finished:d}"
        yield Export(file, name, f"{stat.st_dev}-{stat.st_ino}", state, finished)


def _counts(path: Path, root: Path) -> bool:
    if not path.is_file() or any(part.startswith(".") for part in path.relative_to(root).parts):
        return False
    # Beside its CSV log PostgreSQL writes what the server prints before the log is open.
    return path.suffix != ".log" or not path.with_suffix(".csv").exists()


def open_export(export: Export, mark: Mark) -> tuple[IO[bytes], Mark]:
    """The content, unpacked, and from where to read it: from the start, if it is another file
    than it was. Raises `Unavailable`."""
    try:
        file: IO[bytes] = export.path.open("rb")
        head = file.read(_HEAD)
        file.seek(0)
        size = export.path.stat().st_size
    except OSError as error:
        raise Unavailable(f"{export.path}: cannot be read ({error.strerror}).") from None
    packed = head.startswith(_GZIP)
    if packed:
        file = unpacked(file, export.name)
    same = zlib.crc32(head[: mark.head_size]) == mark.head and len(head) >= mark.head_size
    if packed or not same or size < mark.offset:
        mark = Mark()
    return file, Mark(export.state, mark.offset, mark.line, len(head), zlib.crc32(head))


def unpacked(file: IO[bytes], name: str) -> IO[bytes]:
    """The content of a gzip file. Raises `Unavailable` when it is broken or not yet whole."""
    try:
        with file, gzip.open(file) as packed:
            return io.BytesIO(packed.read())
    except (OSError, EOFError, zlib.error) as error:
        raise Unavailable(f"{name}: not a whole gzip file ({error}).") from None
