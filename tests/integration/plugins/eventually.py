"""How the tests wait."""

from collections.abc import Callable
from typing import TypeVar

from benchmarks.live_swarm import until

T = TypeVar("T")
_TIMEOUT_S = 240.0  # a busy machine takes its time


def eventually(look: Callable[[], T | None]) -> T:
    """What `look` finds, once it finds something."""
    return until("what the test waits for", look, _TIMEOUT_S)
