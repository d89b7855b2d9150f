"""The text of a `cause_id`: what entered swarm, and by whom.

`by:WHO:WHAT:ID` is a change that somebody asked for over HTTP, `of:WHO:WHAT:ID` something told, or
what follows from either; a bare ID is a pass of a connector. WHO and WHAT are percent-encoded, so
that no name can forge another cause. An ID is made once, where something enters, and stays the same
in all that follows from it; it begins with the time. Other causes, `settings` and the like, are
names and not the ID of anything that entered.
"""

import re
from dataclasses import dataclass
from urllib.parse import quote

_WHAT_MAX = 500  # characters, encoded
_TIME_DIGITS = 12  # of an ID, in base 16: milliseconds since the epoch
_ID = re.compile(r"[0-9a-f]{32}")


@dataclass(frozen=True, slots=True)
class Asked:
    """A change that somebody asked for; `what` stays encoded."""

    by: str
    what: str


def cause_no(at_s: float, unique: str) -> str:
    """The ID of what enters at `at_s` (seconds since the epoch); `unique` has 20 digits in base 16
    and is given to nothing else."""
    return f"{int(at_s * 1000):0{_TIME_DIGITS}x}{unique}"[:32]


def id_of(cause_id: str) -> str:
    """The ID in a cause; empty for one that is only a name."""
    last = cause_id.rpartition(":")[2]
    return last if _ID.fullmatch(last) else ""


def entered_at_s(cause_id: str) -> float | None:
    """When that entered, seconds since the epoch; None for a cause that is only a name."""
    id_ = id_of(cause_id)
    return int(id_[:_TIME_DIGITS], 16) / 1000 if id_ else None


def follows(cause_id: str) -> str:
    """The cause of what swarm concludes from a change that was asked for: nobody asked for that."""
    return "of:" + cause_id.removeprefix("by:") if cause_id.startswith("by:") else cause_id


def asked_cause(by: str, what: str, id_: str) -> str:
    """The cause of what follows from a change that was asked for."""
    return f"by:{_safe(by)}:{_safe(what)[:_WHAT_MAX]}:{id_}"


def told_cause(by: str, what: str, id_: str) -> str:
    """The cause of what follows from something told."""
    return f"of:{_safe(by)}:{_safe(what)[:_WHAT_MAX]}:{id_}"


def asked_by(cause_id: str) -> Asked | None:
    """Who asked for what; None where nobody did."""
    parts = cause_id.split(":")
    return Asked(parts[1], parts[2]) if len(parts) == 4 and parts[0] == "by" else None


def _safe(text: str) -> str:
    return quote(text.encode(errors="replace"), safe="/ {}[]().@,=-_")
