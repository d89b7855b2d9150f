"""What a token may do: look, tell what happened, take work for agents, or everything.

Who can hand in a program runs code on the workers, so a token that lies in an orchestrator's
environment to send its events should not be able to.
"""

import hmac
from collections.abc import Mapping
from enum import IntEnum

# What tells swarm of the world; all else that is not a look changes what swarm does.
_TELLING = ("/api/v1/lineage", "/api/v1/push", "/api/v1/beats")
# What is asked with a body, and changes nothing.
_LOOKING = ("/api/v1/simulate",)
# What a host of agents says, for which it hears what their items hold.
_WORKING = ("/api/v1/agents/acquire", "/api/v1/agents/tell", "/api/v1/agents/outputs")


class Right(IntEnum):
    """Each has those before it."""

    READ = 1
    TELL = 2
    WORK = 3
    ALL = 4


def needed(method: str, path: str) -> Right:
    """The right that a request takes."""
    if method in ("GET", "HEAD", "OPTIONS") or path in _LOOKING:
        return Right.READ
    if path in _WORKING:
        return Right.WORK
    return Right.TELL if path in _TELLING else Right.ALL


def granted(authorization: bytes, tokens: Mapping[str, Right]) -> Right | None:
    """The right of the token in that header; None for a token that is not known."""
    found = None
    for token, right in tokens.items():  # all of them: the time taken tells nothing
        if hmac.compare_digest(authorization, f"Bearer {token}".encode()):
            found = right
    return found
