"""Brings the projections up to date with the journal."""

from swarm.errors import Damaged
from swarm.store.journal import Journal
from swarm.store.projector import Projector
from swarm.store.retention import DEFAULT, Retention

_BATCH = 1_000
_TRIM_EVERY = 20_000


class Follower:
    """Reads every stream from where the projections stand; one call at a time. `oldest_at_s` is
    when the oldest entry of the last step was written, None where there was none."""

    oldest_at_s: float | None = None

    def __init__(
        self, journal: Journal, projector: Projector, retention: Retention = DEFAULT
    ) -> None:
        self._journal = journal
        self._projector = projector
        self._retention = retention
        self._since_trim = _TRIM_EVERY  # once at start

    def step(self) -> int:
        """Apply at most one batch of each stream; returns how many entries that were.

        A stream whose start is trimmed begins with its snapshot. Where the projections are so
        far behind that entries between are trimmed, they are emptied and made again.
        """
        cursors = self._projector.cursors()
        moved, self.oldest_at_s = 0, None
        for stream in self._journal.streams():
            after = cursors.get(stream, 0)
            if after < self._journal.trimmed(stream):
                if after:
                    self._projector.reset()
                    return self.step()
                after = self._restore(stream)
            try:
                entries = self._journal.read(stream, after, _BATCH)
            except Damaged:  # its writer stands still there and says so; the others go on
                continue
            if entries:
                self._projector.apply(entries)
                self.oldest_at_s = min(self.oldest_at_s or entries[0].at_s, entries[0].at_s)
                moved += len(entries)
        self._trim(moved)
        return moved

    def wait(self, most_s: float) -> None:
        """Until there may be something to apply, at most so long."""
        self._journal.moved(most_s)

    def catch_up(self) -> None:
        """Step until nothing is left to apply."""
        while self.step():
            pass

    def _restore(self, stream: str) -> int:
        snapshot = self._journal.snapshot(stream)
        assert snapshot is not None  # only what a snapshot covers is ever trimmed
        self._projector.restore(stream, snapshot)
        return snapshot.seq

    def _trim(self, moved: int) -> None:
        self._since_trim += moved
        if self._since_trim >= _TRIM_EVERY:
            self._projector.trim(self._retention)
            self._since_trim = 0
