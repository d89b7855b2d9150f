"""What was lost with workers, and where it went."""

from typing import TypedDict

from swarm.client.call import Call, get


class Moved(TypedDict):
    """A task that lost a grant, and where it went: None where that is still to come."""

    task: str
    pipeline: str | None
    grant: int
    to: str | None
    took_s: float | None
    outcome: str | None


class Redistribution(TypedDict):
    """A worker that was lost with what it held."""

    worker: str
    cause: str
    at_s: float
    unheard_s: float | None
    took_s: float | None
    tasks: list[Moved]


class Spread(TypedDict):
    """How lengths of time are spread: `counts` up to each edge, the last of what is over them."""

    count: int
    p50_s: float
    p99_s: float
    max_s: float
    edges_s: list[float]
    counts: list[int]


class Losses(TypedDict):
    """Redistributions, newest first, how soon they were, and how often a loss was none."""

    redistributions: list[Redistribution]
    detection: Spread
    redistribution: Spread
    false_alarms: int | None
    watched_s: float | None
    false_alarms_per_1000_h: float | None


def losses(limit: int = 50) -> Call[Losses]:
    """What was lost with workers and where it went, the newest first, and how soon that was seen
    and its work had moved."""
    return get("losses", limit=limit)
