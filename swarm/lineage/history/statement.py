"""One statement that a warehouse remembers, whatever vendor's history it comes from."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime

from swarm.model.keys import DatasetKey
from swarm.model.lineage import Channel


class MalformedRow(ValueError):
    """A row of a history that cannot be used; the message says what is wrong with it."""


@dataclass(frozen=True, slots=True)
class Statement:
    """One statement that ran to its end, or one request to an object store.

    `reads` and `writes` are what the server itself says; `None`: it says nothing. `partial`: it
    does not say everything, so the text counts too. An empty namespace is the warehouse's.
    `temporary`: what it writes is gone with its session. `is_script`: its parts have their own
    statements, with this `id` as their `parent`. `untold` says what it touches that the history
    does not have.
    """

    text: str
    user: str
    started_at_s: float
    ended_at_s: float
    tags: Mapping[str, str] = field(default_factory=dict)
    dialect: str = ""
    database: str = ""
    schema: str = ""
    reads: tuple[DatasetKey, ...] | None = None
    writes: tuple[DatasetKey, ...] | None = None
    partial: bool = False
    temporary: bool = False
    channel: Channel = Channel.QUERY_LOG
    session: str = ""
    id: str = ""
    parent: str = ""
    is_script: bool = False
    untold: str = ""

    @property
    def does_nothing(self) -> bool:
        """It only tells whose the statements are that have it as their parent."""
        return not self.text and not self.reads and not self.writes


def time_s(value: object, name: str) -> float:
    """A time as an export writes it: ISO 8601, with a space, ` UTC` or an offset, or a number of
    seconds, milliseconds or microseconds since the epoch. Without a zone it is UTC."""
    if isinstance(value, int | float) and not isinstance(value, bool):
        number = float(value)
        for unit in (1e15, 1e12):  # no time of today has so many seconds
            if number > unit / 10:
                return number / (unit / 1e9)
        return number
    text = str(value or "").strip().removesuffix(" UTC").removesuffix(" GMT")
    head, space, zone = text.rpartition(" ")
    if space and zone[:1] in "+-":
        text = head + zone
    try:
        return _in_utc(datetime.fromisoformat(text))
    except ValueError:
        pass
    try:
        return time_s(float(text), name)
    except ValueError:
        raise MalformedRow(f"`{name}` is no time: {str(value)[:50]!r}") from None


def _in_utc(at: datetime) -> float:
    return (at if at.tzinfo else at.replace(tzinfo=UTC)).timestamp()
