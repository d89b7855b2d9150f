"""Which dataset a name means, and what else is read by reading it.

Rules
1. Within one namespace a name that is a dotted suffix of exactly one longest known name is that
   dataset ("orders" and "sales.orders" are "lake.sales.orders"). If it fits several it stays.
2. Paths never match by suffix: names with a "/" and namespaces of files and topics.
3. Reading a view is reading what the view reads, through any depth; a cycle of views ends.
Answers depend only on the set of names and views known now, never on the order they came in.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from swarm.lineage.tables import Tables
from swarm.model.keys import DatasetKey
from swarm.model.lineage import View

# Schemes of stores whose names are whole paths or topics, not catalog.schema.table.
WHOLE_NAMES = frozenset(
    {"file", "s3", "s3a", "gs", "gcs", "abfs", "abfss", "hdfs", "dbfs", "kafka"}
)


@dataclass(frozen=True, slots=True)
class Reach:
    """A dataset that is read by reading another: `via` are the views passed, `exact` is false
    where a short name was completed on the way."""

    dataset: DatasetKey
    via: tuple[DatasetKey, ...]
    exact: bool


def suffixes(key: DatasetKey) -> Iterator[DatasetKey]:
    """The shorter names that could mean `key`."""
    if "/" in key.name or key.namespace.split(":", 1)[0] in WHOLE_NAMES:
        return
    rest = key.name
    while (dot := rest.find(".")) >= 0:
        rest = rest[dot + 1 :]
        if rest:
            yield DatasetKey(key.namespace, rest)


class Names:
    """The names and views in use. Names are counted: one that nobody uses any more is forgotten."""

    def __init__(self, tables: Tables) -> None:
        self._tables = tables
        self._uses: dict[DatasetKey, int] = {}
        self._longer: dict[DatasetKey, set[DatasetKey]] = {}
        self._views: dict[DatasetKey, View] = {}
        self._read_by: dict[DatasetKey, set[DatasetKey]] = {}

    @property
    def views(self) -> dict[DatasetKey, View]:
        return self._views

    def known(self, name: DatasetKey) -> bool:
        return name in self._uses

    def learn(self, name: DatasetKey) -> bool:
        """One more use of `name`; true when it was not known before."""
        uses = self._uses.get(name, 0)
        self._tables.put(self._uses, name, uses + 1)
        if not uses:
            for short in suffixes(name):
                self._tables.add(self._longer, short, name)
        return not uses

    def forget(self, name: DatasetKey) -> bool:
        """One use of `name` less; true when it was the last."""
        uses = self._uses[name] - 1
        self._tables.put(self._uses, name, uses or None)
        if not uses:
            for short in suffixes(name):
                self._tables.discard(self._longer, short, name)
        return not uses

    def put_view(self, view: View) -> set[DatasetKey]:
        """Define a view anew; returns the names that became known or unknown by it."""
        changed = {name for name in (view.dataset, *view.reads) if self.learn(name)}
        old = self._views.get(view.dataset)
        if old is not None:
            for name in old.reads:
                self._tables.discard(self._read_by, name, old.dataset)
            changed |= {name for name in (old.dataset, *old.reads) if self.forget(name)}
        for name in view.reads:
            self._tables.add(self._read_by, name, view.dataset)
        self._tables.put(self._views, view.dataset, view)
        return changed

    def drop_view(self, dataset: DatasetKey) -> set[DatasetKey]:
        """Forget a view; returns the names that became unknown by it."""
        old = self._views[dataset]
        for name in old.reads:
            self._tables.discard(self._read_by, name, dataset)
        self._tables.put(self._views, dataset, None)
        return {name for name in (dataset, *old.reads) if self.forget(name)}

    def candidates(self, name: DatasetKey) -> list[DatasetKey]:
        """The longest known names that `name` is a suffix of, sorted; empty when it is whole."""
        return sorted(k for k in self._longer.get(name, ()) if k not in self._longer)

    def resolve(self, name: DatasetKey) -> DatasetKey:
        """The dataset `name` means."""
        only: DatasetKey | None = None
        for key in self._longer.get(name, ()):
            if key not in self._longer:
                if only is not None:
                    return name
                only = key
        return only or name

    def aliases(self, dataset: DatasetKey) -> list[DatasetKey]:
        """The names in use that mean `dataset`."""
        shorter = [s for s in suffixes(dataset) if self.known(s) and self.resolve(s) == dataset]
        return [dataset, *shorter] if self.resolve(dataset) == dataset else shorter

    def expand(self, dataset: DatasetKey) -> list[Reach]:
        """What is read by reading `dataset`, besides itself; nearest first, each once."""
        seen = {dataset}
        level = [Reach(dataset, (), True)]
        found: list[Reach] = []
        while level:
            deeper = []
            for reach in level:
                for name in self._reads_of(reach.dataset):
                    target = self.resolve(name)
                    if target not in seen:
                        seen.add(target)
                        exact = reach.exact and target == name
                        deeper.append(Reach(target, (*reach.via, reach.dataset), exact))
            found += deeper
            level = deeper
        return found

    def above(self, datasets: set[DatasetKey]) -> set[DatasetKey]:
        """`datasets` and every view through which one of them is read."""
        seen = set(datasets)
        todo = list(datasets)
        while todo:
            for name in self.aliases(todo.pop()):
                for view in self._read_by.get(name, ()):
                    outer = self.resolve(view)
                    if outer not in seen:
                        seen.add(outer)
                        todo.append(outer)
        return seen

    def meaning_moved(self, changed: set[DatasetKey]) -> set[DatasetKey]:
        """The names in use that may mean something else since `changed` came or went."""
        short = {s for name in changed for s in suffixes(name) if self.known(s)}
        return short | {name for name in changed if self.known(name)}

    def views_moved(self, moved: set[DatasetKey], defined: set[DatasetKey]) -> set[DatasetKey]:
        """The datasets whose readers may read something else since the names `moved` and the views
        `defined` were defined anew or dropped.

        A view's own name may have meant another dataset before: all it could have meant count.
        """
        moved = moved | defined
        roots = {self.resolve(view) for name in moved for view in self._read_by.get(name, ())}
        for name in (moved & self._views.keys()) | defined:
            roots |= {name, *self._longer.get(name, ())}
        return self.above(roots)

    def _reads_of(self, dataset: DatasetKey) -> list[DatasetKey]:
        views = (self._views.get(name) for name in self.aliases(dataset))
        return sorted({name for view in views if view is not None for name in view.reads})
