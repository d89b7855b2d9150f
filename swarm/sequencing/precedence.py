"""Who goes before others, and which backfills leave them room.

Rules
1. A pipeline presses while it is not done with today's data and has no more than `TIGHT_S` of slack
   left (`slack.py`), under way or not. It is promoted until it is done.
2. While anything presses, pipelines that a backfill runs in yield. None yields for more than
   `YIELD_S` at a time, and then goes on for `GOES_ON_S`: a tenth of the time at least is its own.
3. Slack is divided by the value of the SLAs that stand on it: of two that are equally pressed, the
   more valuable goes first.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from swarm.model.graph import CapacitySeen, GraphRecord
from swarm.model.intents import Act
from swarm.model.keys import PipelineKey
from swarm.model.pipelines import Backfill
from swarm.model.sla import Sla
from swarm.sequencing.backfills import Backfills
from swarm.sequencing.days import today
from swarm.sequencing.deadlines import next_deadline_s
from swarm.sequencing.slack import Due, Place, long_s, places
from swarm.sequencing.wording import until
from swarm.sequencing.world import World

AHEAD_S = 12 * 3_600.0
LOOK_EVERY_S = 30.0
TIGHT_S = 1_800.0
YIELD_S, GOES_ON_S = 2_700.0, 300.0


@dataclass(frozen=True, slots=True)
class Wish:
    """What a pipeline is to do until `until_s`, and why."""

    act: Act
    reason: str
    until_s: float


class Precedence:
    """The backfills there are and what presses, in a world that somebody else moves."""

    def __init__(self, world: World, slas: Callable[[], Iterable[Sla]]) -> None:
        self._world = world
        self._slas = slas
        self._backfills = Backfills()
        self._places: Mapping[PipelineKey, Place] = {}
        self._due: Mapping[PipelineKey, Due] = {}
        self._wanted: dict[PipelineKey, Wish] = {}
        self._looked_s = float("-inf")

    def apply(self, record: GraphRecord) -> None:
        match record:
            case CapacitySeen(Backfill() as backfill):
                if self._backfills.apply(backfill):
                    self._looked_s = float("-inf")
            case _:
                pass

    @property
    def next_s(self) -> float | None:
        """When to look again; None where nothing has a deadline."""
        return self._looked_s + LOOK_EVERY_S if self._wanted or any(self._slas()) else None

    def look(self, now_s: float) -> set[PipelineKey]:
        """Whose turn may be another one now."""
        if now_s - self._looked_s < LOOK_EVERY_S:
            return set()
        self._looked_s = now_s
        before, self._wanted = self._wanted, {}
        due: dict[PipelineKey, Due] = {}
        for sla in self._slas():
            at_s = next_deadline_s(sla, now_s)
            if at_s is not None and at_s - now_s <= AHEAD_S:
                own = Due(at_s, sla.value)
                due[sla.pipeline] = min(due.get(sla.pipeline, own), own, key=_at_s)
        self._due = due
        self._places = places(self._world.graph, self._world.history, due)
        pressing = [
            (key, place)
            for key, place in sorted(self._places.items())
            if self._presses(key, place, due[place.first].at_s, now_s)
        ]
        for key, place in pressing:
            reason = f"{place.first} is due, and {key} has no more than {_min(TIGHT_S)} to spare"
            self._wanted[key] = Wish(Act.PROMOTE, reason, due[place.first].at_s)
        if pressing:
            most = min(pressing, key=lambda one: one[1].latest_start_s)
            for key in set(self._backfills.pipelines) - self._wanted.keys():
                reason = f"its backfill leaves room to {most[0]}, for {most[1].first} is due"
                done_s = self._backfills.done_s(self._world, key, now_s)
                if done_s is not None:
                    reason += f"; by its pace so far it is done by {until(done_s, now_s)}"
                self._wanted[key] = Wish(Act.YIELD, reason, now_s + YIELD_S)
        return before.keys() | self._wanted.keys()

    def wanted(self, key: PipelineKey) -> Wish | None:
        """What a pipeline is to do."""
        return self._wanted.get(key)

    def slack_s(self, now_s: float) -> dict[PipelineKey, float]:
        """How long the start of each pipeline that a deadline stands on may be put off, over the
        value of what stands on it; less than 0 where it is too late for that."""
        found = {}
        for key, place in self._places.items():
            slack_s, value = place.latest_start_s - now_s, max(place.value, 1e-3)
            found[key] = slack_s / value if slack_s > 0 else slack_s * value
        return found

    def end_by(self, key: PipelineKey, now_s: float) -> tuple[float, float] | None:
        """By when a run has to end for all that stands on it to be in time, and what that is worth;
        None where nothing is due, or it is done with what is."""
        place = self._places.get(key)
        if place is None:
            return None
        stands = today(self._world.history, key, self._due[place.first].at_s, now_s)
        if stands is not None and stands.done:
            return None
        return place.latest_start_s + long_s(self._world.history, key), place.value

    def _presses(self, key: PipelineKey, place: Place, deadline_s: float, now_s: float) -> bool:
        stands = today(self._world.history, key, deadline_s, now_s)
        if stands is None or stands.done:
            return False
        begins_s = now_s if stands.begun_s is None else stands.begun_s
        return place.latest_start_s - begins_s <= TIGHT_S


def may_begin(wish: Wish, released_s: float, now_s: float) -> bool:
    """Has what yielded gone on for long enough? `released_s` is when it began to."""
    return wish.act is not Act.YIELD or now_s >= released_s + GOES_ON_S


def _at_s(due: Due) -> float:
    return due.at_s


def _min(seconds: float) -> str:
    return f"{seconds / 60:.0f} min"
