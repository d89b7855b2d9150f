"""What swarm does about runs that died with a worker, where an orchestrator's API makes it safe."""

from dataclasses import dataclass
from enum import StrEnum

from swarm.model.keys import PipelineKey


@dataclass(frozen=True, slots=True)
class Recovery:
    """A run whose process is proven dead is to go on, as its orchestrator lets it go on.

    `id` follows from the run and the process that died, so the same loss is never answered twice.
    Who acts looks first whether the run is still in that `process`, and does nothing after
    `valid_until_s`. How it ended has its `cause_id` too.
    """

    id: str
    pipeline: PipelineKey
    run_id: str
    process: str
    valid_until_s: float
    cause_id: str = ""


class Recovered(StrEnum):
    """How it ended."""

    DONE = "done"
    NOT_NEEDED = "not_needed"  # the run went on, ended, or is in another process
    REFUSED = "refused"  # the orchestrator would not
    EXPIRED = "expired"  # nobody could act in time
