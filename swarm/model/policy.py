"""How far swarm may go with a pipeline."""

from dataclasses import dataclass
from enum import StrEnum
from fnmatch import fnmatchcase

from swarm.model.intents import Mode
from swarm.model.keys import PipelineKey


class AtLatest(StrEnum):
    """What becomes of a held run whose latest start has come."""

    RUN = "run"  # it starts, whatever it reads
    SKIP = "skip"  # it is left out wherever it waits and can be, else it starts
    ASK = "ask"  # a person was told when it was held; without an answer it starts


@dataclass(frozen=True, slots=True)
class Policy:
    """`wait_max_s`: so long after its planned start a held run starts at the latest."""

    mode: Mode = Mode.WARN
    wait_max_s: float = 7_200.0
    at_latest: AtLatest = AtLatest.RUN


DEFAULT = Policy()


@dataclass(frozen=True, slots=True)
class Policies:
    """`rules` are patterns (`*` stands for any part) of `orchestrator/name`; the first that fits a
    pipeline counts, and `DEFAULT` where none does."""

    rules: tuple[tuple[str, Policy], ...] = ()

    def of(self, pipeline: PipelineKey) -> Policy:
        name = str(pipeline)
        return next((p for pattern, p in self.rules if fnmatchcase(name, pattern)), DEFAULT)
