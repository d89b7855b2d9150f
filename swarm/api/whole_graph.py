"""The whole graph between pipelines, small enough to draw: columns, and numbers for names."""

from typing import Self

from swarm.api.schemas import Shape
from swarm.graph.index import DependencyGraph
from swarm.model.keys import PipelineKey, TaskKey
from swarm.model.pipelines import Pipeline


class PipelineColumns(Shape):
    """One place in every list is one pipeline. One that only data tells of is not `listed`."""

    orchestrator: list[str]
    name: list[str]
    owner: list[str]
    tags: list[list[str]]
    schedule: list[str]
    paused: list[bool]
    listed: list[bool]


class EdgeColumns(Shape):
    """One place in every list is one edge; `upstream` and `downstream` count the pipelines from 0.
    `datasets` is how many lie between; 0: the order is only declared."""

    upstream: list[int]
    downstream: list[int]
    confidence: list[float]
    declared: list[bool]
    datasets: list[int]


class WholeGraph(Shape):
    """All pipelines, and all edges between two of them from a confidence on."""

    version: int
    pipelines: PipelineColumns
    edges: EdgeColumns

    @classmethod
    def of(cls, graph: DependencyGraph, min_confidence: float) -> Self:
        edges = [edge for edge in graph.edges() if edge.confidence >= min_confidence]
        ends = (key for edge in edges for key in (edge.upstream, edge.downstream))
        known = graph.pipelines
        keys = [key for key in dict.fromkeys((*known, *ends)) if isinstance(key, PipelineKey)]
        numbers: dict[PipelineKey | TaskKey, int] = {key: at for at, key in enumerate(keys)}
        shown = [known.get(key) or Pipeline(key) for key in keys]
        return cls(
            version=graph.version,
            pipelines=PipelineColumns(
                orchestrator=[key.orchestrator for key in keys],
                name=[key.name for key in keys],
                owner=[one.owner for one in shown],
                tags=[list(one.tags) for one in shown],
                schedule=[one.schedule for one in shown],
                paused=[one.paused for one in shown],
                listed=[key in known for key in keys],
            ),
            edges=EdgeColumns(
                upstream=[numbers[edge.upstream] for edge in edges],
                downstream=[numbers[edge.downstream] for edge in edges],
                confidence=[round(edge.confidence, 4) for edge in edges],
                declared=[edge.declared for edge in edges],
                datasets=[len({key.dataset for key in edge.dependencies}) for edge in edges],
            ),
        )
