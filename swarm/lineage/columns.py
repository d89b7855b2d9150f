"""The column lineage that is kept, by dataset."""

from collections.abc import Iterator, Mapping

from swarm.lineage.tables import Tables
from swarm.model.columns import ColumnLineage
from swarm.model.graph import ColumnsGone, ColumnsSeen
from swarm.model.keys import DatasetKey, PipelineKey, TaskKey

NOBODY = TaskKey("", "", "")

# What makes two lineages the same one, within a dataset: who writes it, and in which job.
ColumnMark = tuple[TaskKey, str]


def mark_of(lineage: ColumnLineage | ColumnsGone) -> ColumnMark:
    return lineage.task or NOBODY, lineage.job


class Columns:
    """The newest column lineage of each dataset, by each of its writers."""

    def __init__(self, tables: Tables) -> None:
        self._tables = tables
        self._of: dict[DatasetKey, dict[ColumnMark, ColumnLineage]] = {}
        self._datasets_of: dict[TaskKey, set[DatasetKey]] = {}
        self._tasks_of: dict[PipelineKey, set[TaskKey]] = {}

    def of(self, dataset: DatasetKey) -> Mapping[ColumnMark, ColumnLineage]:
        return self._of.get(dataset, {})

    def tasks_of(self, pipeline: PipelineKey) -> list[TaskKey]:
        """The tasks of `pipeline` whose columns are known."""
        return sorted(self._tasks_of.get(pipeline, ()))

    def written_by(self, task: TaskKey) -> Iterator[tuple[DatasetKey, ColumnMark]]:
        """What is known of `task`, in a fixed order."""
        for dataset in sorted(self._datasets_of.get(task, ())):
            yield from ((dataset, mark) for mark in sorted(self.of(dataset)) if mark[0] == task)

    def apply(self, record: ColumnsSeen | ColumnsGone) -> None:
        seen = record.lineage if isinstance(record, ColumnsSeen) else None
        about = record.lineage if isinstance(record, ColumnsSeen) else record
        marks = self._of.get(about.dataset, {})
        if not marks:
            self._tables.put(self._of, about.dataset, marks)
        mark = mark_of(about)
        self._tables.put(marks, mark, seen)
        if not marks:
            self._tables.put(self._of, about.dataset, None)
        task = mark[0]
        here = any(of == task for of, _ in marks)
        change = self._tables.add if here else self._tables.discard
        change(self._datasets_of, task, about.dataset)
        change_tasks = self._tables.add if task in self._datasets_of else self._tables.discard
        change_tasks(self._tasks_of, task.pipeline_key, task)

    def records(self) -> Iterator[ColumnsSeen]:
        for marks in self._of.values():
            for lineage in marks.values():
                yield ColumnsSeen(lineage)
