"""What is found: what people should know, and how right that was."""

from typing import TypedDict

from swarm.client.call import Call, Pages, get, nothing, part, post
from swarm.client.calls.graph import Dependency, TaskName
from swarm.client.calls.slas import Sla


class RanOn(TypedDict):
    """A run, or one task of it where `task` is not empty."""

    pipeline: str
    run_id: str
    task: str


class ForeignWorker(TypedDict):
    """A process of an orchestrator, as `seen_by` tells of it."""

    orchestrator: str
    name: str
    role: str
    seen_by: str
    presence: str
    heard_s: float
    started_s: float
    silent_after_s: float
    group: str
    host: str
    detail: str
    runs: list[RanOn]
    advice: str


class Hazard(TypedDict):
    """What the runs of two pipelines show, and what to do about it. `slack_s` (tightest twentieth,
    middle) and `every_s` (writer, reader) are pairs."""

    story: str
    remedy: str
    behind: int
    seen: int
    of: int
    last_s: float | None
    chance: float
    slack_s: list[float] | None
    every_s: list[float] | None


class Mute(TypedDict):
    """A person's word that a finding is known; `until_s` None: as long as it is open."""

    by: str
    until_s: float | None
    note: str


class Finding(TypedDict):
    """Something that is open, or was."""

    id: str
    kind: str
    subject: str
    level: str
    orchestrators: list[str]
    pipelines: list[TaskName]
    evidence: list[Dependency]
    first_seen_s: float
    changed_at_s: float
    closed_at_s: float | None
    worker: ForeignWorker | None
    sla: Sla | None
    hazard: Hazard | None
    outcome: str | None
    mute: Mute | None


class KindScore(TypedDict):
    """What became of the findings of one kind of hazard."""

    kind: str
    came_true: int
    acted_on: int
    rejected: int
    refuted: int
    confirmed: int
    precision: float | None
    muted: str


def findings(*, since_s: float | None = None) -> Pages[Finding]:
    """What is open now; with `since_s` (seconds since the epoch) all that opened, changed or
    closed since then. The newest last."""
    return Pages("findings", {"since_s": since_s})


def rate(finding: str, *, right: bool, by: str) -> Call[None]:
    """Say whether it was right to tell of an open hazard."""
    return post(f"findings/{part(finding)}/feedback", {"right": right, "by": by}, nothing)


def mute(finding: str, *, by: str, for_s: float | None = None, note: str = "") -> Call[None]:
    """Have nobody told of an open finding for so many seconds, or as long as it is open."""
    body = {"by": by, "for_s": for_s, "note": note}
    return post(f"findings/{part(finding)}/mute", body, nothing)


def unmute(finding: str, *, by: str) -> Call[None]:
    """Have people told of it again."""
    return post(f"findings/{part(finding)}/unmute", {"by": by}, nothing)


def findings_score() -> Call[list[KindScore]]:
    """What became of the findings of each kind of hazard, and which kinds are muted."""
    return get("findings/score")


def foreign_workers() -> Call[list[ForeignWorker]]:
    """The workers of orchestrators that swarm watches: schedulers, daemons, pool workers."""
    return get("foreign-workers")
