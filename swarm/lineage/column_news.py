"""Which column lineage of a batch is news.

Rules
1. Each writer of a dataset has a word of its own; its newest event stands. The same word said again
   is recorded once a day, so an event that comes late is placed exact to a day.
2. All datasets are brought to their one name, and columns and inputs are sorted, so neither
   spelling nor order is news.
3. A dataset keeps the words of `WRITERS_MAX` writers, the first by name. That some are left out is
   told as `Unresolved`; that a word had too many columns is told in the word itself.
4. With a pipeline, or a task that it no longer lists, go their words.
"""

from collections.abc import Iterable
from dataclasses import replace

from swarm.lineage.columns import NOBODY, ColumnMark, mark_of
from swarm.lineage.facts import Facts
from swarm.lineage.naming import Naming
from swarm.model.columns import Column, ColumnInput, ColumnLineage, Transformation
from swarm.model.connectors import Batch
from swarm.model.graph import ColumnsGone, ColumnsSeen, GraphRecord, UnresolvedSeen
from swarm.model.keys import DatasetKey, TaskKey
from swarm.model.lineage import Unresolved, UnresolvedReason

WRITERS_MAX = 100
AGAIN_S = 86_400.0


def column_news(batch: Batch, facts: Facts, naming: Naming) -> list[GraphRecord]:
    """The column lineage of `batch` to record, and what gives way to it."""
    seen: dict[DatasetKey, dict[ColumnMark, ColumnLineage]] = {}
    for item in batch.items:
        if isinstance(item, ColumnLineage):
            new = _canonical(item, naming)
            marks = seen.setdefault(new.dataset, {})
            mark = mark_of(new)
            marks[mark] = _newest(marks.get(mark), new)
    records: list[GraphRecord] = []
    for dataset, marks in seen.items():
        records += _news_of(dataset, marks, facts)
    return records


def columns_gone(tasks: Iterable[TaskKey], facts: Facts) -> list[GraphRecord]:
    """The records that end what is known of the columns that `tasks` write."""
    return [
        ColumnsGone(dataset, task, job)
        for task in tasks
        for dataset, (_, job) in facts.columns.written_by(task)
    ]


def _news_of(
    dataset: DatasetKey, new: dict[ColumnMark, ColumnLineage], facts: Facts
) -> list[GraphRecord]:
    known = facts.columns.of(dataset)
    everyone = sorted(known.keys() | new.keys())
    records: list[GraphRecord] = []
    for mark in everyone[:WRITERS_MAX]:
        old = known.get(mark)
        if mark in new and (now := _newest(old, new[mark])) != old:
            same = old is not None and replace(now, observed_at_s=old.observed_at_s) == old
            if old is None or not same or now.observed_at_s >= old.observed_at_s + AGAIN_S:
                records.append(ColumnsSeen(now))
    for task, job in everyone[WRITERS_MAX:]:
        if (task, job) in known:
            records.append(ColumnsGone(dataset, None if task == NOBODY else task, job))
    told = _too_many(dataset)
    if len(everyone) > WRITERS_MAX and told not in facts.unresolved.get(told.subject, ()):
        records.append(UnresolvedSeen(told))
    return records


def _newest(old: ColumnLineage | None, new: ColumnLineage) -> ColumnLineage:
    if old is None:
        return new
    return max(old, new, key=lambda c: (c.observed_at_s, c.columns, c.whole, c.left_out))


def _canonical(lineage: ColumnLineage, naming: Naming) -> ColumnLineage:
    columns = {column.field: column.inputs for column in lineage.columns}
    return replace(
        lineage,
        dataset=naming.canonical(lineage.dataset),
        columns=tuple(Column(f, _sorted(inputs, naming)) for f, inputs in sorted(columns.items())),
        whole=_sorted(lineage.whole, naming),
    )


def _sorted(inputs: Iterable[ColumnInput], naming: Naming) -> tuple[ColumnInput, ...]:
    """Each column once, with all that is done to it."""
    found: dict[tuple[DatasetKey, str], set[Transformation]] = {}
    for one in inputs:
        at = (naming.canonical(one.dataset), one.field)
        found.setdefault(at, set()).update(one.transformations)
    return tuple(ColumnInput(*at, tuple(sorted(how))) for at, how in sorted(found.items()))


def _too_many(dataset: DatasetKey) -> Unresolved:
    return Unresolved(
        subject=f"columns of {dataset}",
        reason=UnresolvedReason.TOO_LARGE,
        place="OpenLineage",
        detail=f"over {WRITERS_MAX} writers; the column lineage of the first by name is kept",
    )
