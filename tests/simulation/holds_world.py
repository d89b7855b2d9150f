"""A morning of pipelines that are held, with everything that may go wrong in between.

The engine is the real one. A hand stands beside each orchestrator, keeps what it was told and lets
go by itself when that runs out. The sequencer dies and comes back with its journal, hands are cut
off, runs are long, fail and run again, dependencies are rejected, pipelines vanish, people release
and start what is held.
"""

import random
from collections.abc import Callable
from dataclasses import dataclass, field

from swarm.model.graph import GraphRecord, PipelineGone
from swarm.model.intents import Act, Intent, Mode
from swarm.model.keys import PipelineKey
from swarm.model.policy import Policy
from swarm.model.sequencing import IntentMade
from swarm.sequencing.decisions import Decisions
from swarm.sequencing.world import World
from tests.unit.sequencing.mornings import DAY_S, HOUR_S, MIN_S, MONDAY, begun, depends, listed, ran

STEP_S, TTL_S, WAIT_MAX_S = 20.0, 60.0, 2 * HOUR_S
HISTORY_DAYS = 12
TODAY_S = (MONDAY + HISTORY_DAYS) * DAY_S
FROM_S, UNTIL_S = TODAY_S + 3 * HOUR_S, TODAY_S + 15 * HOUR_S
# From the latest start to where a hand has heard of it, if all goes well, and lets go if not.
SLACK_S = 2 * STEP_S + TTL_S
GATE = Policy(Mode.GATE, WAIT_MAX_S)

Made = Callable[[World], Decisions]


def real(world: World) -> Decisions:
    return Decisions(world, lambda _: GATE)


@dataclass(slots=True)
class Line:
    """A pipeline and its run of today."""

    key: PipelineKey
    planned_s: float
    takes_s: float
    ups: list[int] = field(default_factory=list)
    fails: int = 0  # so often, before it ends well
    began_s: list[float] = field(default_factory=list)
    ends_s: float | None = None
    is_done: bool = False
    is_gone: bool = False


@dataclass(slots=True)
class Hand:
    """What stands beside an orchestrator. `holds` are its own copies."""

    holds: dict[PipelineKey, Intent] = field(default_factory=dict)
    newest: dict[PipelineKey, int] = field(default_factory=dict)
    cut_until_s: float = 0.0

    def take(self, intents: list[Intent]) -> None:
        for intent in intents:
            if intent.number < self.newest.get(intent.target, 0):
                continue
            self.newest[intent.target] = intent.number
            if intent.act is Act.HOLD:
                self.holds[intent.target] = intent
            else:
                self.holds.pop(intent.target, None)

    def let_go(self, now_s: float) -> None:
        """By itself, of what nobody renewed."""
        for key, intent in list(self.holds.items()):
            if now_s >= intent.valid_until_s:
                del self.holds[key]


class Morning:
    """One seed. `run` raises AssertionError where a promise is broken."""

    def __init__(self, seed: int, make: Made = real, *, calm: bool = False) -> None:
        self._dice = random.Random(seed)
        self._make, self._calm = make, calm
        self.lines: list[Line] = []
        self.journal: list[IntentMade] = []
        self._graph: list[GraphRecord] = []
        self._hands = {name: Hand() for name in ("air", "dag", "pre")}
        self._back_s = FROM_S
        self._state: Decisions | None = None
        self._world = World()
        self._alive_s = FROM_S
        self._free_s: dict[PipelineKey, float] = {}
        self.held = 0
        self._build()

    def _build(self) -> None:
        dice = self._dice
        for number in range(dice.randint(3, 8)):
            ups = dice.sample(range(number), min(number, dice.randint(0, 2)))
            ready_s = max(
                (self.lines[up].planned_s + self.lines[up].takes_s for up in ups), default=0
            )
            planned_s = (
                ready_s + dice.uniform(5, 30) * MIN_S if ups else dice.uniform(3.5, 5) * HOUR_S
            )
            key = PipelineKey(dice.choice(tuple(self._hands)), f"p{number}")
            line = Line(key, planned_s, dice.uniform(5, 30) * MIN_S, ups)
            self.lines.append(line)
            self._tell(listed(key))
            for up in ups:
                self._tell(depends(self.lines[up].key, key))
            for day in range(MONDAY, MONDAY + HISTORY_DAYS):
                self._tell(ran(key, day * DAY_S + planned_s, line.takes_s))
        if not self._calm and len(self.lines) > 2 and dice.random() < 0.2:
            self._tell(depends(self.lines[-1].key, self.lines[0].key))  # a ring, maybe
        for line in self.lines:
            if dice.random() < 0.3:
                line.takes_s += dice.uniform(0.5, 4) * HOUR_S
            line.fails = dice.choice((0, 0, 0, 1, 8))

    def _tell(self, record: GraphRecord) -> None:
        self._graph.append(record)
        if self._state is not None:
            self._world.apply(record)
            self._state.apply(record)

    def run(self) -> None:
        now_s = FROM_S
        while now_s < UNTIL_S:
            if not self._calm:
                self._mishap(now_s)
            self._decide(now_s)
            self._hand_out(now_s)
            for line in self.lines:
                self._move(line, now_s)
            self._check(now_s)
            now_s += STEP_S
        for line in self.lines:
            assert line.began_s or line.is_gone, f"{line.key} never began"

    def _decide(self, now_s: float) -> None:
        if now_s < self._back_s:
            return
        if self._state is None:
            self._world = World()
            self._state = self._make(self._world)
            for made in self.journal:
                self._state.apply(made)
            for record in self._graph:
                self._world.apply(record)
                self._state.apply(record)
        for made in self._state.decide(now_s):
            self._state.apply(made)
            self.journal.append(made)

    def _hand_out(self, now_s: float) -> None:
        for name, hand in self._hands.items():
            if self._state is not None and now_s >= hand.cut_until_s:
                hand.take(self._state.intents(name, now_s, TTL_S))
            hand.let_go(now_s)

    def _mishap(self, now_s: float) -> None:
        dice, state = self._dice, self._state
        happens = dice.random()
        if happens < 0.002:
            self._state, self._back_s = None, now_s + dice.choice((40.0, 300.0, 3 * HOUR_S))
        elif happens < 0.004:
            dice.choice(list(self._hands.values())).cut_until_s = now_s + dice.uniform(30, 1_200)
        elif happens < 0.005:
            line = dice.choice(self.lines)
            for up in line.ups:
                self._tell(depends(self.lines[up].key, line.key, 0.0))
            line.ups = []
        elif happens < 0.0055:
            line = dice.choice(self.lines)
            line.is_gone = True
            self._tell(PipelineGone(line.key))
        elif happens < 0.007 and state is not None:
            made = state.release(dice.choice(self.lines).key, "kim", now_s)
            if made is not None:
                state.apply(made)
                self.journal.append(made)

    def _move(self, line: Line, now_s: float) -> None:
        if line.is_gone:
            return
        if line.ends_s is not None and now_s >= line.ends_s:
            failed = line.fails > 0
            self._tell(
                ran(line.key, line.began_s[-1], line.ends_s - line.began_s[-1], failed=failed)
            )
            line.ends_s = None
            line.fails -= failed
            line.is_done = not failed
            line.planned_s += 0 if line.is_done else now_s - TODAY_S - line.planned_s + 20 * MIN_S
        if line.ends_s is None and not line.is_done and now_s >= TODAY_S + line.planned_s:
            if self.is_held(line):
                self.held += 1
            else:
                self._check_start(line, now_s)
                line.began_s.append(now_s)
                line.ends_s = now_s + line.takes_s
                self._tell(begun(line.key, now_s))

    def _check_start(self, line: Line, now_s: float) -> None:
        """With nothing in the way, nobody reads what is not there before the latest start."""
        if self._calm and not line.began_s and not all(self.lines[up].is_done for up in line.ups):
            waited_s = now_s - TODAY_S - line.planned_s
            assert waited_s >= WAIT_MAX_S - STEP_S, f"{line.key} read what was not there"

    def is_held(self, line: Line) -> bool:
        return line.key in self._hands[line.key.orchestrator].holds

    def _check(self, now_s: float) -> None:
        if self._state is not None:
            self._alive_s = now_s
        for line in self.lines:
            hand = self._hands[line.key.orchestrator]
            held = hand.holds.get(line.key)
            if held is None:
                self._free_s.pop(line.key, None)
                continue
            assert now_s - self._alive_s <= TTL_S, f"{line.key} is held though swarm is dead"
            late_s = now_s - held.due_s[0]
            assert late_s <= WAIT_MAX_S + SLACK_S, f"{line.key} is held past its latest start"
            reached = self._state is not None and now_s >= hand.cut_until_s
            if reached and all(self.lines[up].is_done for up in line.ups):
                free_s = now_s - self._free_s.setdefault(line.key, now_s)
                assert free_s <= SLACK_S, f"{line.key} is held for nobody"
            else:
                self._free_s.pop(line.key, None)
