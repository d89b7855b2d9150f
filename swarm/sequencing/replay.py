"""What would have happened with swarm? The runs of the last days twice: as they were, and held.

Both worlds go through the same turns (`turns.py`). In the one every try begins and ends as it did.
In the other the real engine (`decisions.py`) hears each run begin and end, knowing only what had
happened by then, and what it holds does not begin.

Rules for the world with swarm
1. A first try begins when it did, or when it is released. Where it had begun as a declared upstream
   ended it begins as that ends now, no earlier than the clock lets it on other days; and never
   before a declared upstream that it had begun after.
2. A turn that lacked something and now has all it needs is one good run, as long as the good one
   that made it up (where there was none: as the pipeline's usual one).
3. All else goes as it did, later by as much as the try before it ends later.

What is not replayed: that a machine is free sooner, and that a person did something else then.
"""

import heapq
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from statistics import median

from swarm.model.graph import DependencyChanged, GraphRecord, PipelineSeen, RunSeen, RunsKept
from swarm.model.intents import Act, Intent
from swarm.model.keys import PipelineKey
from swarm.model.policy import Policy
from swarm.model.runs import Ran, Run, RunState
from swarm.model.weekdays import DAY_S
from swarm.sequencing.decisions import Decisions
from swarm.sequencing.turns import Fresh, Turn, TurnId, Went, all_turns, as_it_was, clocks
from swarm.sequencing.world import World

# What begins so soon after an upstream ended had waited for it.
TRIGGERED_S = 120.0
# What swarm hears of a run, and what it wants of an orchestrator, takes so long to get there.
HEARD_S = 2.0
_CLOCKED = 3  # so many starts by the clock tell when it lets a pipeline begin

PolicyOf = Callable[[PipelineKey], Policy]
# Is told the share of the days that is replayed, whenever it has grown by a hundredth.
Reach = Callable[[float], None]
_SHARE = 0.01


@dataclass(frozen=True, slots=True)
class Twice:
    """How each turn planned in a span went without and with swarm, in the order of their plan."""

    from_s: float
    until_s: float
    without: tuple[Went, ...]
    within: tuple[Went, ...]


def replay(
    world: World,
    from_s: float,
    until_s: float,
    policy: PolicyOf,
    reach: Reach = lambda share: None,
) -> Twice:
    """Replay the turns planned in that span; what ran before it is what swarm knew then."""
    before = as_it_was(all_turns(world, until_s))
    turns = [went.turn for went in before.values()]
    after = _Days(world, turns, from_s, policy, before).run(until_s, reach)
    counted = [turn.id for turn in turns if from_s <= turn.planned_s]
    without, within = (tuple(map(went.__getitem__, counted)) for went in (before, after))
    return Twice(from_s, until_s, without, within)


class _Days:
    """The days with swarm, event by event."""

    def __init__(
        self,
        world: World,
        turns: Sequence[Turn],
        from_s: float,
        policy: PolicyOf,
        before: Mapping[TurnId, Went],
    ) -> None:
        self._turns = turns
        self._from_s = from_s
        self._before = before
        self._clock_s = clocks(turns, TRIGGERED_S, _CLOCKED)
        self._known = World()
        self._decisions = Decisions(self._known, policy)
        for pipeline in world.graph.pipelines.values():
            self._apply(PipelineSeen(pipeline))
        for dependency in world.graph.dependencies.values():
            self._apply(DependencyChanged(0, dependency))
        self._fresh = Fresh()
        self._went = {turn.id: Went(turn) for turn in turns}
        self._events: list[tuple[float, int, Callable[[], None]]] = []
        self._number = 0
        self._now_s = from_s
        self._holds: dict[PipelineKey, Intent] = {}
        self._queued: dict[PipelineKey, list[tuple[Went, float]]] = {}
        self._waiting: dict[tuple[TurnId, int], list[tuple[_Start, float]]] = {}
        self._looks: set[float] = set()

    def run(self, until_s: float, reach: Reach) -> dict[TurnId, Went]:
        """All turns to their ends."""
        self._learn()
        for turn in self._turns:
            if turn.planned_s >= self._from_s:
                self._plan(self._went[turn.id])
        self._decide()
        share = 0.0
        while self._events:
            self._now_s, _, event = heapq.heappop(self._events)
            event()
            done = min(1.0, (self._now_s - self._from_s) / (until_s - self._from_s))
            if done >= share + _SHARE:
                share = done
                reach(share)
        return self._went

    def _learn(self) -> None:
        """What was before the days that count is as it was, and known."""
        past: dict[PipelineKey, list[Ran]] = {}
        for turn in self._turns:
            if turn.planned_s < self._from_s:
                went = self._went[turn.id] = self._before[turn.id]
                past.setdefault(turn.key, []).extend(turn.tries)
                if went.fresh_s is not None:
                    self._fresh.put(turn.key, turn.planned_s, went.fresh_s)
        for key, runs in past.items():
            self._apply(RunsKept(key, tuple(runs)))

    def _at(self, at_s: float, event: Callable[[], None]) -> None:
        self._number += 1
        heapq.heappush(self._events, (at_s, self._number, event))

    # --- how turns go ----------------------------------------------------------------------------

    def _plan(self, went: Went) -> None:
        """Its first try begins by the clock, behind what it stands behind."""
        turn = went.turn
        clock_s = turn.planned_s
        if any(one.gap_s <= TRIGGERED_S for one in turn.behind):
            second_s = self._clock_s.get(turn.key)
            behind_s = (turn.planned_s - second_s) % DAY_S if second_s is not None else DAY_S / 2
            clock_s -= behind_s if behind_s < DAY_S / 2 else 0.0
        live = [one for one in turn.behind if one.turn[1] >= self._from_s]
        start = _Start(went, max(clock_s, self._from_s), len(live))
        for one in live:
            gap_s = one.gap_s if one.gap_s <= TRIGGERED_S else 0.0
            self._waiting.setdefault((one.turn, one.number), []).append((start, gap_s))
        if not live:
            self._at(start.at_s, lambda: self._ready(went))

    def _ready(self, went: Went) -> None:
        """Its time has come: it begins, unless it is held."""
        key = went.turn.key
        if key in self._holds and went.turn.planned_s >= self._holds[key].from_s:
            self._queued.setdefault(key, []).append((went, self._now_s))
        else:
            self._begin(went, went.turn.tries, 0)

    def _begin(self, went: Went, tries: tuple[Ran, ...], number: int) -> None:
        """The try `number` of `tries`, now."""
        turn = went.turn
        missing = self._fresh.missing(turn.needs, self._now_s)
        if number == 0 and self._before[turn.id].missing and not missing:
            tries = (self._made_up(turn),)
        was = tries[number]
        end_s = self._now_s + was.ended_at_s - was.started_at_s
        ran = Ran(was.scheduled_for_s, self._now_s, end_s, was.failed)
        self._hear(turn.key, ran, RunState.RUNNING)
        self._at(end_s, lambda: self._end(went, ran, missing, tries, number))

    def _made_up(self, turn: Turn) -> Ran:
        """The one good run in place of the tries of a turn that lacked something."""
        good = [ran for ran in turn.tries if not ran.failed]
        one = good[-1] if good else turn.tries[-1]
        took_s = one.ended_at_s - one.started_at_s
        if not good:
            all_good = self._known.history.good_durations_s(turn.key)
            took_s = median(all_good) if all_good else took_s
        began_s = one.started_at_s
        return Ran(turn.tries[0].scheduled_for_s, began_s, began_s + took_s, failed=False)

    def _end(
        self,
        went: Went,
        ran: Ran,
        missing: tuple[PipelineKey, ...],
        tries: tuple[Ran, ...],
        number: int,
    ) -> None:
        turn = went.turn
        went.end(ran, missing, self._fresh)
        self._hear(turn.key, ran, RunState.FAILED if ran.failed else RunState.SUCCEEDED)
        if number + 1 < len(tries):
            later_s = max(0.0, ran.ended_at_s - tries[number].ended_at_s)
            again_s = max(self._now_s, tries[number + 1].started_at_s + later_s)
            self._at(again_s, lambda: self._begin(went, tries, number + 1))
        ended = [number] if len(tries) == len(turn.tries) else range(len(turn.tries))
        for one in ended:
            for start, gap_s in self._waiting.pop((turn.id, one), ()):
                self._there(start, gap_s)

    def _there(self, start: "_Start", gap_s: float) -> None:
        """One of those that it stands behind is there."""
        start.at_s = max(start.at_s, self._now_s + gap_s)
        start.waits -= 1
        if not start.waits:
            self._at(start.at_s, lambda: self._ready(start.went))

    # --- what swarm hears and does ---------------------------------------------------------------

    def _hear(self, key: PipelineKey, ran: Ran, state: RunState) -> None:
        ended_s = None if state is RunState.RUNNING else ran.ended_at_s
        name = f"{ran.started_at_s}"
        run = Run(key, name, state, ran.scheduled_for_s, ran.started_at_s, ended_s)
        self._at(self._now_s + HEARD_S, lambda: self._heard(RunSeen(run)))

    def _heard(self, record: GraphRecord) -> None:
        self._apply(record)
        self._decide()

    def _apply(self, record: GraphRecord) -> None:
        self._known.apply(record)
        self._decisions.apply(record)

    def _decide(self) -> None:
        # Asked again until there is no more: what was decided moves when it wants to be asked next.
        while made := self._decisions.decide(self._now_s):
            for record in made:
                self._decisions.apply(record)
                self._at(self._now_s + HEARD_S, partial(self._turn, record.intent))
        next_s = self._decisions.next_s
        if next_s is not None and next_s not in self._looks:
            self._looks.add(next_s)
            self._at(max(next_s, self._now_s), partial(self._look, next_s))

    def _look(self, at_s: float) -> None:
        self._looks.discard(at_s)
        if self._went_on():
            self._decide()

    def _went_on(self) -> bool:
        """Time alone goes on without an end; the replay ends with its turns."""
        return len(self._events) > len(self._looks)

    def _turn(self, intent: Intent) -> None:
        key = intent.target
        known = self._holds.get(key)
        if known is not None and known.number > intent.number:
            return
        is_held = intent.act is Act.HOLD
        if is_held:
            self._holds[key] = intent
        else:
            self._holds.pop(key, None)
        for went, ready_s in self._queued.pop(key, []):
            if is_held and went.turn.planned_s >= intent.from_s:
                self._queued.setdefault(key, []).append((went, ready_s))
                continue
            went.held_s = self._now_s - ready_s
            self._begin(went, went.turn.tries, 0)


@dataclass(slots=True)
class _Start:
    """A first try that is to begin at `at_s` at the earliest, behind so many more tries."""

    went: Went
    at_s: float
    waits: int
