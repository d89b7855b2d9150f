"""swarm: a control plane above the orchestrators a data team already runs."""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from swarm.agents import Context as Context
    from swarm.agents import agent as agent

__version__ = "0.1.0"


def __getattr__(name: str) -> Any:
    """`swarm.agent` and `swarm.Context`, when somebody asks for them."""
    if name in {"agent", "Context"}:
        from swarm import agents

        return getattr(agents, name)
    raise AttributeError(f"module 'swarm' has no attribute {name!r}")
