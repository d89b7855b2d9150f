"""A directed graph of small integers with a weight on each edge, made for "what is reached?".

Per threshold that is asked for, neighbours are kept as plain tuples, so a search is a few set
unions per level and no test per edge. An edge that changes costs its two ends in each of these
views, never a rebuild.
"""

from collections.abc import Iterable, Mapping

# So many thresholds stay prepared; asking for one more drops the oldest.
VIEWS_KEPT = 4

Row = tuple[int, ...]


class View:
    """The edges of at least one weight; `out[i]` and `into[i]` are the neighbours of node `i`."""

    def __init__(self, least: float, size: int) -> None:
        self.least = least
        self.out: list[Row] = [()] * size
        self.into: list[Row] = [()] * size


class Adjacency:
    """Weighted edges between nodes `0 .. size-1`; parallel edges and loops do not exist."""

    def __init__(self) -> None:
        self._out: list[dict[int, float]] = []
        self._into: list[dict[int, float]] = []
        self._views: dict[float, View] = {}

    def __len__(self) -> int:
        return len(self._out)

    def add_node(self) -> int:
        self._out.append({})
        self._into.append({})
        for view in self._views.values():
            view.out.append(())
            view.into.append(())
        return len(self._out) - 1

    def set_edge(self, up: int, down: int, weight: float) -> None:
        """Insert an edge or change its weight; 0 removes it."""
        before = self._out[up].get(down, 0.0)
        if weight:
            self._out[up][down] = self._into[down][up] = weight
        elif before:
            del self._out[up][down]
            del self._into[down][up]
        for view in self._views.values():
            if (before >= view.least) != (weight >= view.least):
                if weight >= view.least:
                    view.out[up] += (down,)
                    view.into[down] += (up,)
                else:
                    self._refresh(view, up, down)

    def weight(self, up: int, down: int) -> float:
        return self._out[up].get(down, 0.0)

    def neighbours(self, node: int, backwards: bool) -> Mapping[int, float]:
        return (self._into if backwards else self._out)[node]

    def view(self, least: float) -> View:
        """The edges of weight `least` or more; `least` is above 0."""
        view = self._views.get(least)
        if view is None:
            view = View(least, len(self))
            view.out = [tuple(v for v, w in row.items() if w >= least) for row in self._out]
            view.into = [tuple(v for v, w in row.items() if w >= least) for row in self._into]
            if len(self._views) >= VIEWS_KEPT:
                del self._views[next(iter(self._views))]
            self._views[least] = view
        return view

    def _refresh(self, view: View, up: int, down: int) -> None:
        view.out[up] = tuple(v for v in view.out[up] if v != down)
        view.into[down] = tuple(v for v in view.into[down] if v != up)


def levels(
    start: Iterable[int], rows: list[Row], free: Mapping[int, Iterable[int]] | None = None
) -> list[set[int]]:
    """Nodes by their distance from `start`: level 0 is `start`, each node in its first level.

    `free` are steps that cost no distance; where two follow each other there is one for both.
    """
    level = _with_free(set(start), free) if free else set(start)
    seen = set(level)
    found = []
    while level:
        found.append(level)
        level = set().union(*map(rows.__getitem__, level))
        level -= seen
        if free:
            level = _with_free(level, free)
            level -= seen
        seen |= level
    return found


def _with_free(level: set[int], free: Mapping[int, Iterable[int]]) -> set[int]:
    return level.union(*(free[node] for node in level if node in free))
