"""Who states which view, and what a view reads by all of them.

Rules
1. Each source has its own word on a view, and what it says of it last stands.
2. A view reads what any source says it reads. It counts as long as one source states it.
3. Where no source is named (journals of before sources were kept), the next that states the view
   takes the word over.
"""

from collections.abc import Iterator, Mapping
from dataclasses import replace

from swarm.lineage.tables import Tables
from swarm.model.graph import ViewSeen
from swarm.model.keys import DatasetKey
from swarm.model.lineage import View

_NO_SOURCE = ""


class StatedViews:
    """The views by dataset and by source."""

    def __init__(self, tables: Tables) -> None:
        self._tables = tables
        self._of: dict[DatasetKey, dict[str, View]] = {}
        self._by: dict[str, set[DatasetKey]] = {}

    def of(self, dataset: DatasetKey) -> Mapping[str, View]:
        """What each source says of `dataset`."""
        return self._of.get(dataset, {})

    def by(self, source: str) -> list[DatasetKey]:
        """The views that `source` states."""
        return sorted(self._by.get(source, ()))

    def put(self, source: str, view: View) -> None:
        words = {**self.of(view.dataset), source: view}
        if source != _NO_SOURCE and words.pop(_NO_SOURCE, None) is not None:
            self._tables.discard(self._by, _NO_SOURCE, view.dataset)
        self._tables.put(self._of, view.dataset, words)
        self._tables.add(self._by, source, view.dataset)

    def drop(self, source: str, dataset: DatasetKey) -> None:
        words = {of: view for of, view in self.of(dataset).items() if of != source}
        self._tables.put(self._of, dataset, words or None)
        self._tables.discard(self._by, source, dataset)

    def view(self, dataset: DatasetKey) -> View | None:
        """The view as it counts; its place is that of the first source by name."""
        words = self.of(dataset)
        if not words:
            return None
        reads = sorted({name for view in words.values() for name in view.reads})
        return replace(words[min(words)], reads=tuple(reads))

    def records(self) -> Iterator[ViewSeen]:
        for words in self._of.values():
            for source, view in words.items():
                yield ViewSeen(view, source)
