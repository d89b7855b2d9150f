"""Is it alive, and how is it doing."""

import json
from typing import Any, TypedDict

from swarm.client.call import Answer, Call, Request, get, nothing, post
from swarm.client.steps import Broken, Patience, Steps


class Connector(TypedDict):
    """One source; `message` says what is wrong."""

    source: str
    kind: str
    state: str
    message: str
    since_s: float
    unattributed: int


class Detection(TypedDict):
    """How soon, and how well, silent workers are detected."""

    gap_p50_s: float
    gap_p99_s: float
    gap_p999_s: float
    redistribute_s: float
    redistribute_slow_s: float
    false_alarms: int
    cut_off: int
    watched_s: float
    stalled_s: float
    refused: int
    silent: list[str]
    without_beats: list[str]


class Standing(TypedDict):
    """A stream that stands still before a record."""

    stream: str
    seq: int
    why: str
    fix: str


class Status(TypedDict):
    """What a person asks first; `detection` is None while the dispatcher does not answer."""

    version: str
    seq: int
    graph_version: int
    pipelines: dict[str, int]
    dependencies: int
    undeclared: int
    findings: int
    unresolved: int
    connectors: list[Connector]
    detection: Detection | None
    standing: list[Standing]


class Unresolved(TypedDict):
    """Something that could not be understood, and where."""

    subject: str
    reason: str
    place: str
    detail: str


def status() -> Call[Status]:
    """Counts, and how each source is doing."""
    return get("status")


def unresolved() -> Call[list[Unresolved]]:
    """What could not be understood, with the place and the reason."""
    return get("unresolved")


def quarantine(stream: str, seq: int, *, by: str, reason: str) -> Call[None]:
    """Set aside the record before which a stream stands still (`status()["standing"]`)."""
    body = {"stream": stream, "seq": seq, "by": by, "reason": reason}
    return post("quarantine", body, nothing)


def openapi() -> Call[dict[str, Any]]:
    """The API's own description (OpenAPI 3.1)."""
    return get("openapi.json")


def ready(_: Patience) -> Steps[bool]:
    """Whether the API has caught up and serves; asked once, whatever comes."""
    got: Answer | Broken = yield Request("GET", "readyz")
    if isinstance(got, Broken) or not got.is_success:
        return False
    try:
        return bool(json.loads(got.content)["ready"])
    except (ValueError, KeyError, TypeError):
        return False
