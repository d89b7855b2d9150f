"""Which columns the columns of a dataset are made from."""

from dataclasses import dataclass

from swarm.model.keys import DatasetKey, TaskKey


@dataclass(frozen=True, slots=True, order=True)
class Transformation:
    """How a column goes into another, in OpenLineage's words: `type` is `DIRECT` or `INDIRECT`,
    `subtype` for example `IDENTITY`, `AGGREGATION`, `FILTER`, `JOIN`."""

    type: str
    subtype: str = ""
    description: str = ""
    masking: bool = False


@dataclass(frozen=True, slots=True, order=True)
class ColumnInput:
    """A column that is used, and how."""

    dataset: DatasetKey
    field: str
    transformations: tuple[Transformation, ...] = ()


@dataclass(frozen=True, slots=True, order=True)
class Column:
    """A column and all it is made from."""

    field: str
    inputs: tuple[ColumnInput, ...]


@dataclass(frozen=True, slots=True)
class ColumnLineage:
    """What `task` (None: nobody told who) makes the columns of `dataset` from.

    `whole` are columns that decide about all of the dataset (filters, joins, grouping), `job` the
    job below the task by its own name, `left_out` how many columns were too many to keep.
    """

    dataset: DatasetKey
    task: TaskKey | None
    columns: tuple[Column, ...]
    observed_at_s: float
    job: str = ""
    whole: tuple[ColumnInput, ...] = ()
    left_out: int = 0
