"""What a token may do: look, tell what happened, or everything.

Who can hand in a program runs code on the workers, so a token that lies in an orchestrator's
environment to send its events should not be able to.
"""

import hmac
from collections.abc import Mapping
from enum import IntEnum

# What tells swarm of the world; all else that is not a look changes what swarm does.
_TELLING = ("/api/v1/lineage", "/api/v1/push", "/api/v1/beats")


class Right(IntEnum):
    """Each has those before it."""

    READ = 1
    TELL = 2
    ALL = 3


def needed(method: str, path: str) -> Right:
    """The right that a request takes."""
    if method in ("GET", "HEAD", "OPTIONS"):
        return Right.READ
    return Right.TELL if path in _TELLING else Right.ALL


def granted(authorization: bytes, tokens: Mapping[str, Right]) -> Right | None:
    """The right of the token in that header; None for a token that is not known."""
    found = None
    for token, right in tokens.items():  # all of them: the time taken tells nothing
        if hmac.compare_digest(authorization, f"Bearer {token}".encode()):
            found = right
    return found
