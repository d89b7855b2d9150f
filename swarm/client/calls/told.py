"""What is sent to swarm about data and runs, and what it kept of that besides accesses."""

from collections.abc import Mapping, Sequence
from typing import Any, TypedDict

from swarm.client.call import Call, Pages, post, seq_of
from swarm.client.calls.graph import TaskName


class Facet(TypedDict):
    """A facet of a task, a pipeline or a dataset, as its sender told it."""

    subject: str
    of: str
    job: str
    name: str
    content: Any
    observed_at_s: float
    left_out: int


class Transformation(TypedDict):
    """How a column goes into another, in OpenLineage's words."""

    type: str
    subtype: str
    description: str
    masking: bool


class InputColumn(TypedDict):
    """A column that is used, and how."""

    dataset: str
    field: str
    transformations: list[Transformation]


class Column(TypedDict):
    """A column and all it is made from."""

    field: str
    inputs: list[InputColumn]


class Columns(TypedDict):
    """What a task makes the columns of a dataset from; `whole` decide about all of it."""

    dataset: str
    task: TaskName | None
    job: str
    columns: list[Column]
    whole: list[InputColumn]
    observed_at_s: float
    left_out: int


def facets(subject: str | None = None) -> Pages[Facet]:
    """What OpenLineage events told beyond their meaning to swarm, of all or of one `subject`:
    `orchestrator/pipeline[/task]` or a dataset as `datasets()` names it."""
    return Pages("facets", {"subject": subject})


def columns(dataset: str | None = None) -> Pages[Columns]:
    """Which columns the columns of datasets, or of one, are made from, by writer."""
    return Pages("columns", {"dataset": dataset})


def send_lineage(event: Mapping[str, Any]) -> Call[int]:
    """Send one OpenLineage event; it is durable when this returns."""
    return post("lineage", event, seq_of, repeatable=True)


def push(
    orchestrator: str,
    *,
    runs: Sequence[Mapping[str, Any]] = (),
    evidence: Sequence[Mapping[str, Any]] = (),
) -> Call[int]:
    """Send runs and evidence of a home-made scheduler; they are durable when this returns."""
    body = {"orchestrator": orchestrator, "runs": list(runs), "evidence": list(evidence)}
    return post("push", body, seq_of, repeatable=True)
