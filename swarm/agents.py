"""What code that swarm runs may use: agents, and the context of a call. Standard library only.

>>> @agent(capability="quality-check", slots=4)
... class Checker:
...     def handle(self, item, context):
...         return {"rows": item["rows"], "grant": context.grant}
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

AgentT = TypeVar("AgentT", bound=type)


@dataclass(frozen=True, slots=True)
class Context:
    """Which task a call is for, and under which grant: `(task, grant)` is its fencing token. A
    sink takes one commit of a task, and none of an older grant than it has seen (`swarm.sink`).
    `attempt` is the try as its orchestrator counts."""

    task: str
    grant: int
    attempt: int = 1


@dataclass(frozen=True, slots=True)
class Agent:
    """What an agent can do, and for how many items at the same time."""

    capability: str
    slots: int


def agent(capability: str, slots: int = 1) -> Callable[[AgentT], AgentT]:
    """Make a class an agent: one instance of it stays in a process of its own, and its
    `handle(item, context)` is called for each task of the capability, in `slots` threads."""
    if not capability or slots < 1:
        raise ValueError("an agent has a capability and one slot at least")

    def make(kind: AgentT) -> AgentT:
        if not callable(getattr(kind, "handle", None)):
            raise TypeError(f"{kind.__name__} has no method `handle(item, context)`")
        kind.swarm_agent = Agent(capability, slots)  # type: ignore[attr-defined]  # it is our mark
        return kind

    return make
