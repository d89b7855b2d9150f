"""swarm: a control plane above the orchestrators a data team already runs."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from swarm.agents import Context as Context
    from swarm.agents import agent as agent
    from swarm.client import ApiError as ApiError
    from swarm.client import AsyncClient as AsyncClient
    from swarm.client import Client as Client

__version__ = "0.1.0"

_WHERE = {
    "agent": "swarm.agents",
    "Context": "swarm.agents",
    "ApiError": "swarm.client",
    "AsyncClient": "swarm.client",
    "Client": "swarm.client",
}


def __getattr__(name: str) -> Any:
    """`swarm.Client`, `swarm.agent` and the like, imported when somebody asks for them."""
    if name in _WHERE:
        return getattr(import_module(_WHERE[name]), name)
    raise AttributeError(f"module 'swarm' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *_WHERE})
