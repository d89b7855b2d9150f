"""A connector to a file: one pass when what the file says may have changed."""

import asyncio
import hashlib
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path

from swarm import __version__
from swarm.clock import Clock
from swarm.config import Settings, Source
from swarm.errors import ConfigError, Unavailable
from swarm.model.connectors import Batch, Item

Chunk = tuple[Item, ...]


class FileConnector:
    """Reads in a thread, a chunk at a time, so that the event loop stays free.

    `state` names what the file and everything it refers to hold now; it is the cursor. `read`
    gives, for the time of observation in seconds, all chunks; only the last one's batch carries
    the new cursor, so a pass that breaks off is repeated as a whole. Both raise `Unavailable`.
    """

    def __init__(
        self,
        source: Source,
        state: Callable[[], str],
        read: Callable[[float], Iterator[Chunk]],
        clock: Clock,
    ) -> None:
        self._source = source
        self._state = state
        self._read = read
        self._clock = clock

    @property
    def name(self) -> str:
        return self._source.instance

    @property
    def kind(self) -> str:
        return self._source.kind

    async def observe(self, cursor: str | None) -> AsyncIterator[Batch]:
        # Taken before the reading: a file that changes meanwhile differs from it the next time.
        state = await asyncio.to_thread(self._state)
        if state == cursor:
            return
        chunks = self._read(self._clock.now_s())
        held: Chunk = ()
        while (chunk := await asyncio.to_thread(next, chunks, None)) is not None:
            if held:
                yield Batch(self.name, cursor or "", held)
            held = chunk
        yield Batch(self.name, state, held)

    async def wait(self, timeout_s: float) -> None:
        """A file has no push: news is found by the next pass."""
        await asyncio.sleep(timeout_s)

    async def close(self) -> None:
        """Nothing is held open between two passes."""


def path_of(source: Source) -> Path:
    """The file that `source` is about; raises `ConfigError` when it names none."""
    if source.path is None:
        raise ConfigError(f"source `{source.instance}`: a {source.kind} needs `path`, its file.")
    return source.path


def file_state(path: Path, settings: Settings) -> str:
    """Changes with the file, with swarm's version and with how SQL is to be understood.

    The change time is part of it because tools that copy a file can keep its modification time.
    """
    try:
        stat = path.stat()
    except OSError as error:
        raise Unavailable(f"{path}: cannot be read ({error.strerror}).") from None
    parts = (stat.st_size, stat.st_mtime_ns, stat.st_ctime_ns, stat.st_ino)
    return f"{understanding(settings)}:{'-'.join(map(str, parts))}"


def understanding(settings: Settings) -> str:
    """A short digest of what besides a text decides what is found in it."""
    text = __version__ + repr(sorted(settings.connections.items()))
    return hashlib.sha256(text.encode()).hexdigest()[:16]
