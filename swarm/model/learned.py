"""What placement has learned of work, as its journal keeps it: from then on nothing is learned
twice, and nothing is forgotten because the dispatcher's stream was trimmed."""

from dataclasses import dataclass
from enum import StrEnum

from swarm.model.keys import PipelineKey
from swarm.model.work import Needs, SlaClass


@dataclass(frozen=True, slots=True)
class Habit:
    """How long the last tasks of a kind took, in seconds, the newest last: `name` of a pipeline or
    a team."""

    of: str
    name: str
    took_s: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class Part:
    """A kind within its pipeline: how long after the first of a run it is handed in."""

    pipeline: PipelineKey
    name: str
    offset_s: float
    needs: Needs
    sla: SlaClass


@dataclass(frozen=True, slots=True)
class DayBooked:
    """A day (its number since the epoch, UTC) in slot-seconds by quarter of an hour: what was known
    of when the quarter began, and what came. So many quarters were looked at, `newest` last."""

    number: int
    looks: int
    newest: int
    planned: tuple[float, ...]
    came: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class PoolKept:
    """A pool of spot: since when it counts its age, until when it was watched, and since when it
    was empty if it is; when the last loss began that several may share, and at which age."""

    name: str
    since_s: float
    seen_s: float
    empty_s: float
    lost_s: float | None = None
    lost_age_s: float = 0.0


@dataclass(frozen=True, slots=True)
class SurvivalKept:
    """Hours watched of the nodes of a pool (of all: empty) by class of age, and losses: of all by
    class of age too."""

    pool: str
    hours: tuple[float, ...]
    losses: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class Learned:
    """What is new since the last record of this kind, of the dispatcher's stream up to `seq`. What
    is known of spot is told as a whole, where `survival` is not empty."""

    seq: int
    habits: tuple[Habit, ...] = ()
    parts: tuple[Part, ...] = ()
    days: tuple[DayBooked, ...] = ()
    pools: tuple[PoolKept, ...] = ()
    survival: tuple[SurvivalKept, ...] = ()


class Trust(StrEnum):
    """Whether the forecast of work that nobody announced is planned by."""

    TOO_NEW = "too_new"  # too few days like this one were seen
    TRUSTED = "trusted"
    UNTRUSTED = "untrusted"  # it was right too rarely, or too often, to be worth anything


@dataclass(frozen=True, slots=True)
class Foretold:
    """Slots that are planned for beside all that is known, each from when on (seconds since the
    epoch). `coverage` is the share of quarters of the last two weeks that stayed below what was
    said for nine of ten; None where nothing was said in them."""

    trust: Trust = Trust.TOO_NEW
    coverage: float | None = None
    slots: tuple[tuple[float, int], ...] = ()
