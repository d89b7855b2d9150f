"""Cursors as text that only the connector reads which wrote it. Pure."""

import json
from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING, Self, TypeVar

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

C = TypeVar("C")

FIRST_S = 86_400.0
"""How far back the first pass goes, so that what goes on is seen at once; what ran before that is
read behind it (`Back`)."""

EVENTS_S = 7 * 86_400.0
"""How far back the first pass goes in what is not runs: asset events."""

BACK_PAGES = 5
"""So many pages of what ran before are read in one pass: live work comes first, and a server is
asked little at a time."""

TRIED_RUNS = 100
"""Of so many past runs of a pipeline, the newest, the tries of tasks are wanted: as many as are
kept of each task."""

SET_BACK_S = 3600.0
"""The longest time between two passes. So much is read again when a server's clock was set back:
what it stamped since then lies behind the cursor."""


@dataclass(frozen=True, slots=True)
class Back:
    """How far the runs before the first contact are read, the newest first.

    Read is what ended or changed from `reached_s` on, by the server's clock, until `FIRST_S` before
    the first contact at `begun_s`. It is read window by window, each `width_s` long: twice as long
    as the one before where that had a single page. `page` is the next page of a window under way.
    """

    begun_s: float = 0.0
    reached_s: float = 0.0
    width_s: float = FIRST_S
    page: str = ""

    def begun(self, now_s: float) -> Self:
        """With the first contact at `now_s`, if there was none."""
        return self if self.begun_s else replace(self, begun_s=now_s, reached_s=now_s - FIRST_S)

    def window(self, days: int) -> tuple[float, float] | None:
        """What to read next, from and to, where `days` of history are wanted; None: all is read."""
        oldest_s = self.begun_s - days * 86_400.0
        if self.reached_s <= oldest_s:
            return None
        return max(self.reached_s - self.width_s, oldest_s), self.reached_s

    def after(self, page: str, from_s: float) -> Self:
        """A page is read; `page` is the next one of the window that begins at `from_s`, if any."""
        if page:
            return replace(self, page=page)
        width_s = FIRST_S if self.page else 2 * self.width_s
        return replace(self, reached_s=from_s, width_s=width_s, page="")


def write(cursor: "DataclassInstance") -> str:
    """A dataclass of plain values as text."""
    return json.dumps(asdict(cursor), separators=(",", ":"))


def read(kind: type[C], text: str | None) -> C | None:
    """The cursor; `None` for one of another version, so that everything is sent again.

    What it calls `back`, or something of that ending, is a `Back`.
    """
    try:
        tree = json.loads(text or "null")
        backs = {name: Back(**told) for name, told in tree.items() if name.endswith("back")}
        return kind(**tree | backs)
    except (AttributeError, TypeError, ValueError):
        return None


def resumed(since_s: float, server_s: float | None) -> float:
    """Where to go on from `since_s`, by the server's clock, which says `server_s`."""
    if server_s is not None and since_s > server_s:
        return server_s - SET_BACK_S
    return since_s
