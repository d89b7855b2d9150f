"""What is different between two graphs, and what a graph was at some time."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from swarm.graph.index import DependencyGraph
from swarm.model.graph import (
    DependencyChanged,
    DependencyGone,
    GraphRecord,
    PipelineGone,
    PipelineSeen,
)
from swarm.model.journal import Entry
from swarm.model.keys import PipelineKey
from swarm.model.lineage import Dependency, DependencyKey
from swarm.model.pipelines import Pipeline


@dataclass(frozen=True, slots=True)
class Diff:
    """The way from one version to another; everything sorted by key."""

    from_version: int
    to_version: int
    pipelines_new: tuple[Pipeline, ...]
    pipelines_changed: tuple[Pipeline, ...]
    pipelines_gone: tuple[PipelineKey, ...]
    dependencies_new: tuple[Dependency, ...]
    dependencies_changed: tuple[Dependency, ...]
    dependencies_gone: tuple[DependencyKey, ...]

    def records(self) -> Iterator[GraphRecord]:
        """Applied to the old graph these give the new one."""
        for key in self.pipelines_gone:
            yield PipelineGone(key)
        for pipeline in (*self.pipelines_new, *self.pipelines_changed):
            yield PipelineSeen(pipeline)
        for gone in self.dependencies_gone:
            yield DependencyGone(self.to_version, gone)
        for dependency in (*self.dependencies_new, *self.dependencies_changed):
            yield DependencyChanged(self.to_version, dependency)


def diff(old: DependencyGraph, new: DependencyGraph) -> Diff:
    """What makes `new` out of `old`."""
    were, are = old.pipelines, new.pipelines
    had, have = old.dependencies, new.dependencies
    return Diff(
        from_version=old.version,
        to_version=new.version,
        pipelines_new=tuple(are[key] for key in sorted(are.keys() - were.keys())),
        pipelines_changed=tuple(
            are[key] for key in sorted(are.keys() & were.keys()) if are[key] != were[key]
        ),
        pipelines_gone=tuple(sorted(were.keys() - are.keys())),
        dependencies_new=tuple(have[key] for key in sorted(have.keys() - had.keys())),
        dependencies_changed=tuple(
            have[key] for key in sorted(have.keys() & had.keys()) if have[key] != had[key]
        ),
        dependencies_gone=tuple(sorted(had.keys() - have.keys())),
    )


def as_of(history: Iterable[Entry], at_s: float) -> DependencyGraph:
    """The graph as it was at `at_s`, from the entries of its stream in their order.

    It is a prefix of the stream, up to the first entry written later, also where a clock was set
    back.
    """
    graph = DependencyGraph()
    for entry in history:
        if entry.at_s > at_s:
            break
        if isinstance(entry.record, GraphRecord):
            graph.apply(entry.record)
    return graph
