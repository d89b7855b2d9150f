"""Writes that can be taken back: a "what if" costs what it touches, not a copy of the state."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TypeVar

K = TypeVar("K")
V = TypeVar("V")


class Tables:
    """All changes to the dicts of a ledger's facts go through here.

    Inside `trial()` every write leaves its inverse; at the end all are run backwards. Nobody may
    look at the facts from another thread meanwhile.
    """

    def __init__(self) -> None:
        self._undo: list[Callable[[], None]] | None = None

    @contextmanager
    def trial(self) -> Iterator[None]:
        """Everything written inside is as if it never was."""
        undo: list[Callable[[], None]] = []
        self._undo = undo
        try:
            yield
        finally:
            self._undo = None
            for step in reversed(undo):
                step()

    def note(self, inverse: Callable[[], None]) -> None:
        """A write was made elsewhere; `inverse` takes it back."""
        if self._undo is not None:
            self._undo.append(inverse)

    def put(self, table: dict[K, V], key: K, value: V | None) -> None:
        """Set one entry; `None` removes it."""
        old = table.get(key)
        if value is None:
            table.pop(key, None)
        else:
            table[key] = value
        if self._undo is not None:
            self._undo.append(lambda: _restore(table, key, old))

    def add(self, index: dict[K, set[V]], key: K, member: V) -> None:
        """Put `member` into the set at `key`."""
        members = index.setdefault(key, set())
        if member not in members:
            members.add(member)
            if self._undo is not None:
                self._undo.append(lambda: _discard(index, key, member))

    def discard(self, index: dict[K, set[V]], key: K, member: V) -> None:
        """Take `member` out of the set at `key`; an empty set goes too."""
        if member in index.get(key, ()):
            _discard(index, key, member)
            if self._undo is not None:
                self._undo.append(lambda: index.setdefault(key, set()).add(member))


def _restore(table: dict[K, V], key: K, old: V | None) -> None:
    if old is None:
        table.pop(key, None)
    else:
        table[key] = old


def _discard(index: dict[K, set[V]], key: K, member: V) -> None:
    members = index[key]
    members.discard(member)
    if not members:
        del index[key]
