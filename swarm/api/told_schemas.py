"""The shapes of what is told of datasets and tasks beside their dependencies."""

import json
from typing import Any, Self

from swarm.api.schemas import Shape, TaskName
from swarm.model.columns import ColumnInput, ColumnLineage
from swarm.model.facets import Facet, FacetOf


class FacetRow(Shape):
    """A facet of a task, a pipeline or a dataset, as its sender told it.

    `job` is the job below the task that it speaks of, if any. A facet that was too large to keep
    has no content; `left_out` is then its length in characters (1 where that is not known).
    """

    subject: str
    of: FacetOf
    job: str
    name: str
    content: Any
    observed_at_s: float
    left_out: int

    @classmethod
    def of_facet(cls, facet: Facet) -> Self:
        return cls(
            subject=str(facet.subject),
            of=facet.of,
            job=facet.job,
            name=facet.name,
            content=json.loads(facet.content) if facet.content else None,
            observed_at_s=facet.observed_at_s,
            left_out=facet.left_out,
        )


class TransformationRow(Shape):
    """How a column goes into another, in OpenLineage's words."""

    type: str
    subtype: str
    description: str
    masking: bool


class InputColumn(Shape):
    """A column that is used, and how."""

    dataset: str
    field: str
    transformations: list[TransformationRow]

    @classmethod
    def of(cls, used: ColumnInput) -> Self:
        return cls(
            dataset=str(used.dataset),
            field=used.field,
            transformations=[
                TransformationRow(
                    type=how.type,
                    subtype=how.subtype,
                    description=how.description,
                    masking=how.masking,
                )
                for how in used.transformations
            ],
        )


class ColumnRow(Shape):
    """A column and all it is made from."""

    field: str
    inputs: list[InputColumn]


class ColumnsRow(Shape):
    """What a task (null: nobody told who) makes the columns of a dataset from.

    `whole` are columns that decide about all of the dataset: filters, joins, grouping. `left_out`
    is how many columns were too many to keep.
    """

    dataset: str
    task: TaskName | None
    job: str
    columns: list[ColumnRow]
    whole: list[InputColumn]
    observed_at_s: float
    left_out: int

    @classmethod
    def of(cls, lineage: ColumnLineage) -> Self:
        return cls(
            dataset=str(lineage.dataset),
            task=TaskName.of(lineage.task) if lineage.task else None,
            job=lineage.job,
            columns=[
                ColumnRow(field=c.field, inputs=[InputColumn.of(one) for one in c.inputs])
                for c in lineage.columns
            ],
            whole=[InputColumn.of(one) for one in lineage.whole],
            observed_at_s=lineage.observed_at_s,
            left_out=lineage.left_out,
        )
