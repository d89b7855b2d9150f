"""Why a pipeline is held or yields, in one line for a person."""

from collections.abc import Sequence
from datetime import UTC, datetime

from swarm.model.weekdays import DAY_S
from swarm.sequencing.freshness import Need
from swarm.sequencing.history import History


def waiting(history: History, missing: Sequence[Need]) -> str:
    """What the planned start waits for."""
    return "waits for " + "; ".join(_one(history, needed) for needed in missing)


def _one(history: History, needed: Need) -> str:
    live_s = history.live(needed.writer)
    failed = [
        r for r in history.known(needed.writer) if r.failed and r.started_at_s >= needed.from_s
    ]
    if live_s is not None and live_s >= needed.from_s:
        what = f"under way since {_time(live_s)}"
    elif failed:
        what = f"failed at {_time(failed[-1].ended_at_s)}"
    else:
        what = "not begun"
    return f"{needed.writer} ({what}, usually done by {_time(needed.done_s)})"


def until(at_s: float, now_s: float) -> str:
    """A time to come; with its day where that is not the next time it is so late."""
    day = f"{datetime.fromtimestamp(at_s, UTC):%Y-%m-%d} " if at_s - now_s >= DAY_S else ""
    return day + _time(at_s)


def _time(at_s: float) -> str:
    return f"{datetime.fromtimestamp(at_s, UTC):%H:%M} UTC"
