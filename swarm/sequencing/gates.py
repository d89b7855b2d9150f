"""Which pipelines may be held for which: the undeclared edges that are sure enough to act on.

Rules
1. Only edges of `GATE_FROM` and more; what a person accepted is that sure. A declared edge is kept
   by its orchestrator already.
2. No edge whose both ends are in a ring of such edges and declared ones: each would wait for the
   other. The ring itself is told as a finding of level `gate` (`graph/findings.py`).
"""

from swarm.graph.cycles import cycles
from swarm.graph.index import DependencyGraph
from swarm.model.graph import (
    DependencyChanged,
    DependencyGone,
    GraphRecord,
    PipelineGone,
    PipelineSeen,
)
from swarm.model.keys import PipelineKey
from swarm.model.lineage import GATE_FROM

Near = dict[PipelineKey, tuple[PipelineKey, ...]]


class Gates:
    """The gating edges of a graph that somebody else moves; `apply` comes after it has moved."""

    def __init__(self, graph: DependencyGraph) -> None:
        self._graph = graph
        self._into: Near = {}
        self._out: Near = {}
        self._rings: tuple[tuple[PipelineKey, ...], ...] = ()
        self._moved = True

    def apply(self, record: GraphRecord) -> None:
        if isinstance(record, DependencyChanged | DependencyGone | PipelineSeen | PipelineGone):
            self._moved = True

    def upstream(self, reader: PipelineKey) -> tuple[PipelineKey, ...]:
        """What a run of `reader` is held for."""
        self._find()
        return self._into.get(reader, ())

    def downstream(self, writer: PipelineKey) -> tuple[PipelineKey, ...]:
        """Whose runs are held for `writer`."""
        self._find()
        return self._out.get(writer, ())

    @property
    def readers(self) -> tuple[PipelineKey, ...]:
        """Who may be held at all."""
        self._find()
        return tuple(self._into)

    @property
    def rings(self) -> tuple[tuple[PipelineKey, ...], ...]:
        """The rings for whose edges nothing is held; they have a gating edge."""
        self._find()
        return self._rings

    def _find(self) -> None:
        if not self._moved:
            return
        self._moved = False
        found = [ring.pipelines for ring in cycles(self._graph, GATE_FROM)]
        ring = {key: number for number, keys in enumerate(found) for key in keys}
        into: dict[PipelineKey, list[PipelineKey]] = {}
        out: dict[PipelineKey, list[PipelineKey]] = {}
        refused = set()
        level = self._graph.by_pipeline
        for node, downs in enumerate(level.adjacency.view(GATE_FROM).out):
            for down in downs:
                writer, reader = level.nodes[node], level.nodes[down]
                if self._graph.edge(writer, reader).declared:
                    continue
                if writer in ring and ring[writer] == ring.get(reader):
                    refused.add(ring[writer])
                    continue
                into.setdefault(reader, []).append(writer)
                out.setdefault(writer, []).append(reader)
        self._into = {key: tuple(sorted(near)) for key, near in into.items()}
        self._out = {key: tuple(sorted(near)) for key, near in out.items()}
        self._rings = tuple(found[number] for number in sorted(refused))
