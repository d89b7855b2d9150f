"""The facets that are kept: what senders told of jobs, runs and datasets beyond evidence."""

from collections.abc import Iterator, Mapping

from swarm.lineage.tables import Tables
from swarm.model.facets import Facet, FacetOf
from swarm.model.graph import FacetGone, FacetSeen
from swarm.model.keys import DatasetKey, PipelineKey, TaskKey

# What makes two facets the same one, within a subject: the job below it, the part, the name.
FacetMark = tuple[str, FacetOf, str]


def mark_of(facet: Facet | FacetGone) -> FacetMark:
    return facet.job, facet.of, facet.name


class Facets:
    """The newest facets of each task and dataset."""

    def __init__(self, tables: Tables) -> None:
        self._tables = tables
        self._of: dict[TaskKey | DatasetKey, dict[FacetMark, Facet]] = {}
        self._tasks_of: dict[PipelineKey, set[TaskKey]] = {}

    def of(self, subject: TaskKey | DatasetKey) -> Mapping[FacetMark, Facet]:
        return self._of.get(subject, {})

    def tasks_of(self, pipeline: PipelineKey) -> list[TaskKey]:
        """The tasks of `pipeline` that have facets; the pipeline as a whole is one of them."""
        return sorted(self._tasks_of.get(pipeline, ()))

    def apply(self, record: FacetSeen | FacetGone) -> None:
        seen = record.facet if isinstance(record, FacetSeen) else None
        about = record.facet if isinstance(record, FacetSeen) else record
        subject = about.subject
        marks = self._of.get(subject, {})
        if not marks:
            self._tables.put(self._of, subject, marks)
        self._tables.put(marks, mark_of(about), seen)
        if not marks:
            self._tables.put(self._of, subject, None)
        if isinstance(subject, TaskKey):
            change = self._tables.add if marks else self._tables.discard
            change(self._tasks_of, subject.pipeline_key, subject)

    def records(self) -> Iterator[FacetSeen]:
        for marks in self._of.values():
            for facet in marks.values():
                yield FacetSeen(facet)
