"""Which pipelines can be trusted whole, which are partly blind, and how texts were read.

A task is not understood as soon as one thing of it is unresolved; then what swarm says of it may
lack something. What is wrong with a whole pipeline counts for each of its tasks.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from swarm.model.keys import PipelineKey
from swarm.model.lineage import Unresolved
from swarm.model.pipelines import Pipeline


@dataclass(frozen=True, slots=True)
class Trust:
    """How far a pipeline is understood; `blind` are the tasks of it that are not, or only in part
    (an empty name: the pipeline as a whole)."""

    pipeline: PipelineKey
    tasks: int
    blind: tuple[str, ...]

    @property
    def share(self) -> float:
        """Of its tasks, how many are not understood or only in part."""
        return min(len(self.blind) / self.tasks, 1.0) if self.tasks else float(bool(self.blind))


def trust_in(pipelines: Iterable[Pipeline], unresolved: Iterable[Unresolved]) -> list[Trust]:
    """One for each pipeline, the blindest first."""
    subjects = set(_subjects(unresolved))
    found = [_trust(pipeline, subjects) for pipeline in pipelines]
    return sorted(found, key=lambda one: (-one.share, -len(one.blind), one.pipeline))


def _subjects(unresolved: Iterable[Unresolved]) -> Iterator[str]:
    for item in unresolved:
        yield item.subject
        yield item.place  # of an ambiguous name the place is the task that uses it


def _trust(pipeline: Pipeline, subjects: set[str]) -> Trust:
    names = [task.key.task for task in pipeline.tasks]
    if str(pipeline.key) in subjects:
        return Trust(pipeline.key, len(names), tuple(names) or ("",))
    blind = tuple(task.key.task for task in pipeline.tasks if str(task.key) in subjects)
    return Trust(pipeline.key, len(names), blind)


def counted(values: Iterable[str]) -> Mapping[str, int]:
    """How often each value comes, the most frequent first."""
    return dict(sorted(Counter(values).items(), key=lambda item: (-item[1], item[0])))
