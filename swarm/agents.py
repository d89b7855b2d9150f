"""What code that swarm runs may use: the context of a call. Standard library only."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Context:
    """Which task a call is for, and under which grant: `(task, grant)` is its fencing token, which
    a sink should refuse once it has seen a higher grant of the task. `attempt` is the try as its
    orchestrator counts."""

    task: str
    grant: int
    attempt: int = 1
