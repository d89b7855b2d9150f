"""Where the replay of a stream is, in a file that outlives the process that replays.

A record at which the replay stops three times in a row, by a fault or with its process, is to
blame: the stream stands still before it, until a person sets it aside (`Journal.quarantine`) or
another version of swarm gets past it. Each start tries it once more.
"""

import contextlib
import mmap
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Self
from urllib.parse import quote, unquote

from swarm.errors import StoreError

_DEATHS = 3
_STATE = struct.Struct("<4Q")  # at which record, which is blamed, its deaths, does it stand there
_AT = struct.Struct("<Q")


@dataclass(frozen=True, slots=True)
class Standing:
    """The stream stands still before the record `seq`, because of `why`."""

    stream: str
    seq: int
    why: str


class Trail:
    """That of one stream; for its writer."""

    def __init__(self, folder: Path, stream: str) -> None:
        self._path = folder / quote(stream, safe="")
        try:
            folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            with self._path.open("a+b") as file:
                # Written and not only made so long: a hole that the disk has no room for would
                # end the process when it is touched.
                file.write(bytes(max(0, _STATE.size - file.tell())))
                file.flush()
                self._state = mmap.mmap(file.fileno(), _STATE.size)
        except OSError as error:
            raise StoreError(f"{self._path}: {error.strerror}.") from None

    def begin(self) -> int:
        """A replay begins; the record it has to stop before, 0 for none."""
        at, blamed, deaths, stands = _STATE.unpack_from(self._state)
        if at:
            blamed, deaths = at, deaths + 1 if at == blamed else 1
        poisoned = blamed if deaths >= _DEATHS else 0
        if poisoned:
            deaths, stands = _DEATHS - 1, 1  # the next start tries it again
        _STATE.pack_into(self._state, 0, 0, blamed, deaths, stands)
        return poisoned

    def at(self, seq: int) -> None:
        """The record is taken in now; 0: none is."""
        _AT.pack_into(self._state, 0, seq)

    def fault(self, seq: int, why: str) -> None:
        """The record cannot be taken in."""
        self.at(seq)
        with contextlib.suppress(OSError):
            self._path.with_suffix(".why").write_text(why)

    def done(self) -> None:
        """The replay came to the end."""
        _STATE.pack_into(self._state, 0, 0, 0, 0, 0)
        self._path.with_suffix(".why").unlink(missing_ok=True)

    def close(self) -> None:
        self._state.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def standing(folder: Path) -> Iterator[Standing]:
    """The streams that stand still."""
    for path in sorted(folder.glob("*")) if folder.exists() else ():
        state = path.read_bytes()
        if path.suffix == ".why" or len(state) != _STATE.size:
            continue
        _, seq, _, stands = _STATE.unpack(state)
        if stands:
            why = path.with_suffix(".why")
            said = why.read_text() if why.exists() else "the process that took it in died"
            yield Standing(unquote(path.name), seq, said)
