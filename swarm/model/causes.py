"""The cause of a record that came in over HTTP: who asked for what, in the text of a `cause_id`.

`by:WHO:WHAT:ID` is a change that somebody asked for, `of:WHO:WHAT:ID` something told, which swarm
draws its own conclusions from. Causes inside swarm are names without colons. WHO and WHAT are
percent-encoded, so that no name can forge another cause.
"""

from dataclasses import dataclass
from urllib.parse import quote

_WHAT_MAX = 500  # characters, encoded


@dataclass(frozen=True, slots=True)
class Asked:
    """A change that somebody asked for; `what` stays encoded."""

    by: str
    what: str


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
