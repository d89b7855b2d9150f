"""Who is held and why, who starts by what others make, and a person's word on both."""

from collections.abc import Sequence
from typing import TypedDict

from swarm.client.call import Call, get, nothing, part, post, said


class Decision(TypedDict):
    """What is done about a pipeline; `by` is `swarm`, or who wanted it."""

    pipeline: str
    number: int
    act: str
    mode: str
    reason: str
    waits_for: list[str]
    due_s: list[float]
    until_s: float
    by: str
    outcome: str | None
    detail: str


class Waited(TypedDict):
    """A planned start that swarm held, which had begun without it; `until_s` None: it waits."""

    pipeline: str
    due_s: float
    until_s: float | None
    latest_s: float
    left_out: bool
    waits_for: list[str]
    reason: str


class Held(TypedDict):
    """Whether a run is to wait that came at `from_s` or later: `for_s` seconds more at most."""

    for_s: float
    reason: str
    from_s: float
    left_out_in_s: float | None
    left_out: bool


class Missing(TypedDict):
    """Of whom successes are missing, and how many."""

    pipeline: str
    runs: int


class Link(TypedDict):
    """A link and how it stands."""

    upstreams: list[str]
    downstream: str
    every: str
    per: str
    timezone: str
    shift_s: float
    holidays: list[str]
    by: str
    made_at_s: float
    waits_in: str
    missing: list[Missing]
    last: str
    ring: list[str]


def decisions(*, every: bool = False) -> Call[list[Decision]]:
    """What is held now and why; with `every` the last decision about each pipeline."""
    return get("decisions", every=every)


def waited(*, since_s: float = 0.0) -> Call[list[Waited]]:
    """The planned starts that swarm held, of those that waited then or later."""
    return get("decisions/waited", since_s=since_s)


def held(pipeline: str, *, came_s: float | None = None) -> Call[Held]:
    """Whether a run of a pipeline (`orchestrator/name`) is to wait now, which came then."""
    return get(f"holds/{part(pipeline)}", came_s=came_s)


def hold(pipeline: str, *, by: str, for_s: float = 3_600.0) -> Call[Decision]:
    """Hold a pipeline, whatever its mode, until it is released or the time is over."""
    return post("decisions/hold", {"pipeline": pipeline, "by": by, "for_s": for_s})


def release(pipeline: str, *, by: str) -> Call[Decision]:
    """Let a pipeline go on; it is not held again for the same planned start."""
    return post("decisions/release", {"pipeline": pipeline, "by": by})


def links() -> Call[list[Link]]:
    """Which pipelines start by what others make, and what each waits for."""
    return get("links")


def link(  # noqa: PLR0913  # as many as a link of the settings has
    upstreams: Sequence[str],
    downstream: str,
    *,
    by: str,
    every: str | None = None,
    per: str | None = None,
    timezone: str | None = None,
    shift_s: float | None = None,
    holidays: Sequence[str] | None = None,
) -> Call[None]:
    """Have `downstream` start when `upstreams` (`orchestrator/name` each) have succeeded, in
    place of the link it may have. The others as in the settings."""
    body = {"upstreams": list(upstreams), "downstream": downstream, "by": by}
    free = None if holidays is None else list(holidays)
    how = said(every=every, per=per, timezone=timezone, shift_s=shift_s, holidays=free)
    return post("links", body | how, nothing)


def unlink(downstream: str, *, by: str) -> Call[None]:
    """Take a pipeline's link away."""
    return post("links/remove", {"downstream": downstream, "by": by}, nothing)
