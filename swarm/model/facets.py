"""What senders of lineage say of jobs, runs and datasets beyond what swarm understands."""

from dataclasses import dataclass
from enum import StrEnum

from swarm.model.keys import DatasetKey, TaskKey


class FacetOf(StrEnum):
    """Which part of an OpenLineage event a facet stood in."""

    JOB = "job"
    RUN = "run"
    DATASET = "dataset"
    INPUT = "input"  # one run's reading of a dataset
    OUTPUT = "output"  # one run's writing of a dataset


@dataclass(frozen=True, slots=True)
class Facet:
    """One facet as it was sent.

    `subject` is the task (with an empty task: the pipeline) or the dataset it speaks of, `job` the
    job below the task by its own name, empty for the task itself. `content` is JSON text with
    sorted keys; it is empty where the sender deleted the facet, and where the facet was too large
    to keep: `left_out` then tells its length in characters (1 where that is not known).
    """

    subject: TaskKey | DatasetKey
    of: FacetOf
    name: str
    content: str
    observed_at_s: float
    job: str = ""
    left_out: int = 0
