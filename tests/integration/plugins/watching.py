"""How the tests wait, and what an orchestrator's code noted."""

from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from benchmarks.live_swarm import until

T = TypeVar("T")
_TIMEOUT_S = 240.0  # a busy machine takes its time


def eventually(look: Callable[[], T | None]) -> T:
    """What `look` finds, once it finds something."""
    return until("what the test waits for", look, _TIMEOUT_S)


def noted(file: Path) -> list[tuple[str, int]]:
    """What a run's code noted: words, and under which grant."""
    lines = file.read_text().splitlines() if file.exists() else []
    return [(word, int(grant)) for word, grant in map(str.split, lines)]
