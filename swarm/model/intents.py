"""What sequencing wants done to a pipeline, and what came of it."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from zoneinfo import ZoneInfo

from swarm.model.keys import PipelineKey


class Act(StrEnum):
    """What is done to a pipeline."""

    HOLD = "hold"  # its next run waits
    RELEASE = "release"  # what was held goes on
    PROMOTE = "promote"  # its runs go before others
    YIELD = "yield"  # its runs leave room to others
    TRIGGER = "trigger"  # a run of it begins


class Mode(StrEnum):
    """How far swarm goes with a pipeline: each does what those before it do."""

    OBSERVE = "observe"  # finds and shows
    WARN = "warn"  # tells of what goes wrong
    SHADOW = "shadow"  # decides and notes it, acts on nothing
    GATE = "gate"  # acts


@dataclass(frozen=True, slots=True)
class Stretch:
    """The time that a run is for, from `start_s` to before `end_s` (seconds since the epoch), by
    the clock of `timezone`. Both are the same where it is for a moment. `label` is for people."""

    start_s: float
    end_s: float
    label: str
    timezone: str

    @property
    def start(self) -> str:
        """Its begin by that clock, ISO 8601."""
        return self._iso(self.start_s)

    @property
    def end(self) -> str:
        return self._iso(self.end_s)

    def _iso(self, at_s: float) -> str:
        return datetime.fromtimestamp(at_s, ZoneInfo(self.timezone)).isoformat()


# A hand ends a hold so much sooner than it was told at most.
_SOONER_S = 15.0


@dataclass(frozen=True, slots=True)
class Intent:
    """A decision about `target`. Of a target the highest `number` counts, under `mode` GATE alone.

    Nothing of it stands after `valid_until_s` (seconds since the epoch), wherever it was carried
    to: who carries it out undoes it then. `due_s` are the planned starts that fall into a hold, or
    the one that a trigger is for; whoever undoes a hold sees to it that each comes into being once.
    `let_go_s` are starts that fell into a hold and wait no longer, though it goes on for the later
    ones of `due_s`: they begin. `left_out_s` are those that never do. Both are planned before
    `from_s`.
    `waits_for` are the pipelines that a hold is for; `reason` is one line for a person. What is
    held until `skip_at_s` is left out, if that was planned first of `due_s`; the others as much
    later as they are planned later. The run that a trigger starts is for `stretch`. What came of it
    has its `cause_id` too.
    """

    target: PipelineKey
    number: int
    act: Act
    reason: str
    valid_until_s: float
    mode: Mode = Mode.GATE
    due_s: tuple[float, ...] = ()
    waits_for: tuple[PipelineKey, ...] = ()
    by: str = "swarm"
    skip_at_s: float | None = None
    stretch: Stretch | None = None
    cause_id: str = ""
    let_go_s: tuple[float, ...] = ()
    left_out_s: tuple[float, ...] = ()

    @property
    def from_s(self) -> float:
        """The starts that a hold is for are planned later than this, seconds since the epoch."""
        gone_s = (*self.let_go_s, *self.left_out_s)
        if not gone_s or not self.due_s:
            return 0.0
        return (max(gone_s) + self.due_s[0]) / 2

    @property
    def id(self) -> str:
        """Names it among all others; targets are asked to honour it as an idempotency key."""
        return f"{self.target}#{self.number}"

    def left_out_at_s(self, start_s: float) -> float | None:
        """When the run of a planned start is left out, if it waits until then; 0: it is already.
        None: it begins. Times are told apart by the start that they are closest to."""
        known = (*self.let_go_s, *self.left_out_s, *self.due_s)
        closest_s = min(known, key=lambda known_s: abs(known_s - start_s), default=None)
        if closest_s in self.left_out_s:
            return 0.0
        if self.skip_at_s is None or closest_s in self.let_go_s:
            return None
        return self.skip_at_s + (closest_s - self.due_s[0] if closest_s is not None else 0.0)

    def leaves_out(self, start_s: float, now_s: float) -> bool:
        """Is the run of a planned start left out, if the hold ends now?"""
        at_s = self.left_out_at_s(start_s)
        return at_s is not None and now_s >= at_s - _SOONER_S


class Carried(StrEnum):
    """What came of an intent."""

    DONE = "done"
    NOT_NEEDED = "not_needed"  # what it asks for is so already
    OVERRULED = "overruled"  # a person changed it since
    REFUSED = "refused"  # the orchestrator would not, or no knob does this without losing a run
    EXPIRED = "expired"  # nobody could act in time
    GONE = "gone"  # there is no such pipeline any more
    DELAYED = "delayed"  # not done yet: tries failed, and it is tried again
