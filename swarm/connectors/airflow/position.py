"""How far a connector has followed an Airflow: the cursor, as text that only it reads. Pure."""

import json
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime

from swarm.connectors.cursors import FIRST_S, Back, resumed, write

OVERLAP_S = 3.0  # a change is stamped before it is committed, and the server's date has no fraction


@dataclass(frozen=True, slots=True)
class Feed:
    """One list that is followed by the time of its last change, in the server's time.

    Everything before `since_s` was read. In the middle of a reading `page` is the next page and
    `until_s` the time when its first page was asked for.
    """

    since_s: float = 0.0
    page: str = ""
    until_s: float = 0.0

    def started(self, now_s: float, first_s: float = FIRST_S) -> "Feed":
        """The feed with a reading under way: the one that broke off, else a new one.

        The first one goes `first_s` back.
        When the server's clock was set back, what it stamped since then is behind `since_s`.
        """
        if self.page:
            return self
        return Feed(resumed(self.since_s, now_s) or now_s - first_s, "", now_s)

    def at(self, page: str) -> "Feed":
        """The feed with `page` to be read next; empty: pages cannot be gone back to."""
        return replace(self, page=page)

    def finished(self) -> "Feed":
        """The feed after the last page."""
        return Feed(self.until_s - OVERLAP_S)

    @property
    def since(self) -> str:
        return iso(self.since_s)


def iso(at_s: float) -> str:
    """A time as Airflow wants it."""
    return datetime.fromtimestamp(at_s, UTC).isoformat().replace("+00:00", "Z")


@dataclass(frozen=True, slots=True)
class Position:
    """How far runs, tasks and asset events have been followed, and how far back the runs and tasks
    of before are read.

    `aliased` are the tasks, as DAG and task, that were seen to write what they do not list.
    """

    runs: Feed = Feed()
    tasks: Feed = Feed()
    events: Feed = Feed()
    aliased: tuple[tuple[str, str], ...] = ()
    runs_back: Back = field(default_factory=Back)
    tasks_back: Back = field(default_factory=Back)

    def write(self) -> str:
        return write(self)


def read_position(cursor: str | None) -> Position:
    """The position of a cursor; a cursor of another version begins anew."""
    if cursor is None:
        return Position()
    try:
        tree = json.loads(cursor)
        aliased = tuple((str(dag_id), str(task)) for dag_id, task in tree.get("aliased", ()))
        runs, tasks, events = (Feed(**tree[name]) for name in ("runs", "tasks", "events"))
        backs = (Back(**tree.get(name, {})) for name in ("runs_back", "tasks_back"))
        return Position(runs, tasks, events, aliased, *backs)
    except (ValueError, KeyError, TypeError, AttributeError):
        return Position()
