"""What an alert says, for people."""

from swarm.model.alerts import Alert, Line, Told
from swarm.model.findings import Finding, FindingKind
from swarm.model.lineage import Level
from swarm.sequencing.telling import remedy, story

_TEXT_MAX = 300  # characters: names come from outside and may have any length


def line(finding: Finding, told: Told, url: str) -> Line:
    """What to say of a finding; `url` is where the dashboard is, empty for none."""
    closed = finding.closed_at_s is not None
    text = story(finding) or str(finding)
    if closed and finding.outcome is not None:
        text += f" ({finding.outcome.replace('_', ' ')})"
    return Line(
        told,
        finding.kind,
        finding.level,
        closed,
        _short(text),
        "" if closed else _short(remedy(finding)),
        f"{url.rstrip('/')}/findings?open={finding.id}" if url else "",
        can_be_rated=finding.hazard is not None and not closed,
    )


def title(alert: Alert) -> str:
    """The alert in one line."""
    if len(alert.opened) + len(alert.closed) == 1:
        only = alert.lines[0]
        return f"swarm: {'closed: ' if only.is_closed else ''}{_kind(only)}: {only.text}"
    counts = ((len(alert.opened), "new"), (len(alert.closed), "closed"))
    return "swarm: " + ", ".join(f"{count} {word}" for count, word in counts if count)


def body(alert: Alert) -> str:
    """All of it, in plain text: a line for each finding, and below it what to do about it."""
    told: list[str] = []
    for one in alert.lines:
        state = "closed" if one.is_closed else str(one.level)
        told.append(f"[{state}] {_kind(one)}: {one.text}")
        told += [f"  {more}" for more in (one.remedy, one.link) if more]
        if one.can_be_rated:
            told.append(f"  Was it right to tell? swarm rate {one.told.finding} right (or wrong)")
    if alert.left_out:
        told.append(f"and {alert.left_out} more: swarm findings")
    return "\n".join(told)


def _kind(one: Line) -> str:
    return one.kind.replace("_", " ")


def _short(text: str) -> str:
    text = " ".join(text.split())  # a name with a line break in it must not look like another line
    return text if len(text) <= _TEXT_MAX else text[: _TEXT_MAX - 1] + "…"


def trial(target: str, now_s: float) -> tuple[Alert, Alert]:
    """A message that only shows that messages arrive, and the one that closes it."""
    told = Told("test", now_s)
    text = "a trial of `swarm alerts test`; nothing is wrong"
    opens = Line(told, FindingKind.HELD, Level.SHOW, False, text)
    closes = Line(told, FindingKind.HELD, Level.SHOW, True, text)
    return (
        Alert(f"{target}-{told}-test", target, now_s, (told,), (), (opens,)),
        Alert(f"{target}-{told}-test-closed", target, now_s, (), (told,), (closes,)),
    )
