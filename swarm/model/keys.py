"""Names of things. A key is what two observations must share to be about the same thing."""

from dataclasses import dataclass
from typing import Self


@dataclass(frozen=True, slots=True, order=True)
class PipelineKey:
    """A pipeline of one orchestrator instance; two instances may use the same `name`."""

    orchestrator: str
    name: str

    @classmethod
    def told(cls, text: str) -> Self:
        """As people write it: `orchestrator/name`."""
        return cls(*text.split("/", 1))

    def __str__(self) -> str:
        return f"{self.orchestrator}/{self.name}"


@dataclass(frozen=True, slots=True, order=True)
class TaskKey:
    """A task of a pipeline. An empty `task` stands for the pipeline as a whole."""

    orchestrator: str
    pipeline: str
    task: str

    @property
    def pipeline_key(self) -> PipelineKey:
        return PipelineKey(self.orchestrator, self.pipeline)

    def __str__(self) -> str:
        return f"{self.orchestrator}/{self.pipeline}" + (f"/{self.task}" if self.task else "")


@dataclass(frozen=True, slots=True, order=True)
class DatasetKey:
    """A dataset by the OpenLineage naming spec; an empty `namespace` is not known yet."""

    namespace: str
    name: str

    def __str__(self) -> str:
        return f"{self.namespace}/{self.name}" if self.namespace else self.name
