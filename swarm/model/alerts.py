"""What people are told of findings outside of swarm, and the records of the alerts' journal
stream: what came of telling them.
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple

from swarm.model.findings import Finding, FindingKind
from swarm.model.lineage import Level


class Told(NamedTuple):
    """One time that a finding was open: what is found again later has another `first_seen_s`."""

    finding: str
    first_seen_s: float

    def __str__(self) -> str:
        return f"{self.finding}-{self.first_seen_s:.0f}"


@dataclass(frozen=True, slots=True)
class Line:
    """What an alert says of one finding, for people. `remedy` and `link` may be empty;
    `can_be_rated`: somebody may say whether it was right to tell."""

    told: Told
    kind: FindingKind
    level: Level
    is_closed: bool
    text: str
    remedy: str = ""
    link: str = ""
    can_be_rated: bool = False


@dataclass(frozen=True, slots=True)
class Alert:
    """A message to one target; `id` stays the same however often it is sent.

    `opened` and `closed` are all findings it tells of, `lines` the first of them in words,
    `causes` what led to them, each once.
    """

    id: str
    target: str
    made_at_s: float
    opened: tuple[Told, ...]
    closed: tuple[Told, ...]
    lines: tuple[Line, ...]
    causes: tuple[str, ...] = ()

    @property
    def left_out(self) -> int:
        """Of how many findings it says nothing in words."""
        return len(self.opened) + len(self.closed) - len(self.lines)


class Delivery(StrEnum):
    """What came of an alert."""

    SENT = "sent"  # its target took it, at least once
    GIVEN_UP = "given_up"  # it did not, for too long


@dataclass(frozen=True, slots=True)
class AlertHeard:
    """A finding that somebody may have to be told of opened, changed or closed; the log of all
    streams was read up to `seq`."""

    finding: Finding
    seq: int
    cause_id: str = ""


@dataclass(frozen=True, slots=True)
class AlertComposed:
    """An alert is to be sent."""

    alert: Alert


@dataclass(frozen=True, slots=True)
class AlertEnded:
    """What came of an alert; `detail` says why where it was not sent."""

    alert: str
    target: str
    outcome: Delivery
    detail: str = ""


@dataclass(frozen=True, slots=True)
class AlertsKept:
    """In snapshots: the log of all streams was read up to `seq`, and what targets were told of and
    is still open."""

    seq: int
    told: tuple[tuple[str, tuple[Told, ...]], ...]


AlertsRecord = AlertHeard | AlertComposed | AlertEnded | AlertsKept
