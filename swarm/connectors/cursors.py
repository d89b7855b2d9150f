"""Cursors as text that only the connector reads which wrote it. Pure."""

import json
from dataclasses import asdict
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

C = TypeVar("C")

HISTORY_S = 7 * 86_400.0
"""How far back the first pass goes: runs before that are not read."""

SET_BACK_S = 3600.0
"""The longest time between two passes. So much is read again when a server's clock was set back:
what it stamped since then lies behind the cursor."""


def write(cursor: "DataclassInstance") -> str:
    """A dataclass of plain values as text."""
    return json.dumps(asdict(cursor), separators=(",", ":"))


def read(kind: type[C], text: str | None) -> C | None:
    """The cursor; `None` for one of another version, so that everything is sent again."""
    try:
        return kind(**json.loads(text or "null"))
    except (TypeError, ValueError):
        return None


def resumed(since_s: float, server_s: float | None) -> float:
    """Where to go on from `since_s`, by the server's clock, which says `server_s`."""
    if server_s is not None and since_s > server_s:
        return server_s - SET_BACK_S
    return since_s
