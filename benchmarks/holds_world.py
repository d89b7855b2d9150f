"""Days of pipelines in mode `gate`, event by event.

The decisions are the real ones, and so are what a hand does with them and swarm's own queue
(`benchmarks.holds_places`). Everything random comes from one seed. What goes wrong besides is in
`benchmarks.holds_mishaps`, what must never happen in `benchmarks.holds_judge`. After the last
planned start two more days pass, in which every run has to begin.
"""

import heapq
import random
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from benchmarks.holds_fleet import FROM_S, MIN_S, ORCHESTRATORS, OWN, Fleet, Line, Turn
from benchmarks.holds_judge import TTL_S, WAIT_MAX_S, Judge
from benchmarks.holds_places import Hand, Queue
from swarm.actors.guiding import guide
from swarm.dispatch.events import Guide
from swarm.model.connectors import ConnectorChanged, ConnectorRecord
from swarm.model.graph import GraphRecord, RunSeen
from swarm.model.intents import Mode
from swarm.model.keys import PipelineKey
from swarm.model.policy import Policy
from swarm.model.runs import Run, RunState
from swarm.model.sequencing import IntentMade
from swarm.model.weekdays import DAY_S
from swarm.model.work import TaskId, Token
from swarm.sequencing.decisions import Decisions
from swarm.sequencing.world import World

HEAL_S = 2 * DAY_S
ASKED_S, RENEWED_S, RETRIED_S = 2.0, 20.0, 20 * MIN_S
QUEUE_WAIT_MAX_S = 3_600.0  # of every other run in swarm's own queue; the others have patience

PolicyOf = Callable[[PipelineKey], Policy]


@dataclass(frozen=True, slots=True)
class Parts:
    """What is tried out; a test puts what is broken in their place."""

    decisions: Callable[[World, PolicyOf], Decisions] = Decisions
    guide: Callable[..., Guide] = guide
    hand: type[Hand] = Hand


class Days:
    """`run` counts, as `Judge` does."""

    def __init__(self, seed: int, days: int, parts: Parts) -> None:
        self.dice = random.Random(seed)
        self.until_s = FROM_S + days * DAY_S
        self.now_s = FROM_S
        self.fleet = Fleet(self.dice, self.until_s)
        self.judge = Judge(self.fleet)
        self.queue = Queue()
        names = (name for name in ORCHESTRATORS if name != OWN)
        self.hands = {name: parts.hand(self._made_between) for name in names}
        self.state: Decisions | None = None
        self.cut_s = dict.fromkeys(ORCHESTRATORS, 0.0)  # until when a place is not reached
        self.blind_s = dict.fromkeys(ORCHESTRATORS, 0.0)
        self._parts = parts
        self._events: list[tuple[float, int, Callable[[], None]]] = []
        self._number = self._open = 0  # so many runs have not begun
        self._stopped: dict[PipelineKey, list[Turn]] = {}
        self._queued: dict[TaskId, tuple[Line, Turn]] = {}
        self._waiting: dict[tuple[int, float], list[Callable[[], None]]] = {}
        self._due: set[object] = set()
        self._unread: dict[str, list[GraphRecord]] = {name: [] for name in ORCHESTRATORS}
        self._graph: list[GraphRecord] = []
        self._told: list[tuple[float, ConnectorRecord]] = []
        self._journal: list[IntentMade] = []
        self._world = World()
        self._modes: dict[PipelineKey, tuple[Mode, float]] = {}  # since when
        for record in self.fleet.records():
            self.hear(record)

    def run(self) -> Counter[str]:
        for line in self.fleet.lines:
            for turn in line.turns.values():
                self._open += 1
                self.at(turn.ready_s, self._tick, line, turn)
        self.start()
        while self._events and self._open and self._events[0][0] < self.until_s + HEAL_S:
            self.now_s, _, event = heapq.heappop(self._events)
            event()
        return self.judge.counts()

    def at(self, at_s: float, event: Callable[..., None], *arguments: object) -> None:
        self._number += 1
        heapq.heappush(self._events, (at_s, self._number, lambda: event(*arguments)))

    # --- how runs go -----------------------------------------------------------------------------

    def _made_between(self, key: PipelineKey, after_s: float, until_s: float) -> list[float]:
        return self.fleet.of(key).made_between(after_s, until_s)

    def _tick(self, line: Line, turn: Turn) -> None:
        """Its time has come; whoever is stopped makes no run."""
        hand = self.hands.get(line.key.orchestrator)
        copy = hand.standing(line.key) if hand else None
        if copy is None:
            self._make(line, turn)
        else:
            self.judge.stopped(copy.intent, turn)
            self._stopped.setdefault(line.key, []).append(turn)

    def freed(self, freed: list[tuple[PipelineKey, list[float]]]) -> None:
        """Who is stopped no longer, or not for all, and the runs to make up for."""
        for key, ticks in freed:
            is_held = self.hands[key.orchestrator].is_held(key)
            for turn in self._stopped.pop(key, []):
                if turn.ready_s in ticks:
                    self._make(self.fleet.of(key), turn)
                elif is_held:
                    self._stopped.setdefault(key, []).append(turn)
                else:
                    self.judge.lost(key, turn)

    def _make(self, line: Line, turn: Turn) -> None:
        turn.made += 1
        self._ready(line, turn)

    def _ready(self, line: Line, turn: Turn) -> None:
        """It waits for what is declared, then in swarm's own queue if it is one of those."""
        for up in line.waits:
            needed = self.fleet.lines[up].needed(turn.planned_s)
            if needed is not None and not needed.done and not self.fleet.lines[up].is_gone:
                again = self._waiting.setdefault((up, needed.planned_s), [])
                again.append(partial(self._ready, line, turn))
                return
        if line.key.orchestrator != OWN:
            self._begin(line, turn, None)
            return
        patience_s = QUEUE_WAIT_MAX_S if len(self._queued) % 2 else 0.0
        task = self.queue.submit(line.key, f"{turn.planned_s}", patience_s, self.now_s)
        self._queued[task] = line, turn
        self._ask(OWN, RENEWED_S)
        self._work()

    def _begin(self, line: Line, turn: Turn, token: Token | None) -> None:
        self._open -= not turn.began
        turn.began.append(self.now_s)
        self._try(line, turn, token)

    def _try(self, line: Line, turn: Turn, token: Token | None) -> None:
        began_s = self.now_s
        self._tell(line.key, turn, RunState.RUNNING, began_s, None)
        self.at(began_s + turn.takes_s, self._end, line, turn, token, began_s)

    def _end(self, line: Line, turn: Turn, token: Token | None, began_s: float) -> None:
        state = RunState.FAILED if turn.fails else RunState.SUCCEEDED
        self._tell(line.key, turn, state, began_s, self.now_s)
        if turn.fails:
            turn.fails -= 1
            self.at(self.now_s + RETRIED_S, self._try, line, turn, token)
            return
        turn.done = True
        if token is not None:
            self.queue.finish(token, self.now_s)
            self._work()
        self.wake(line, turn)

    def wake(self, line: Line, turn: Turn) -> None:
        """Nobody waits for a run any more."""
        for waiting in self._waiting.pop((line.number, turn.planned_s), ()):
            waiting()

    def _work(self) -> None:
        """The worker of swarm's own queue asks for what it may run."""
        for token in self.queue.begun(self.now_s):
            self._begin(*self._queued.pop(token.task), token)

    # --- what swarm hears ------------------------------------------------------------------------

    def _tell(
        self, key: PipelineKey, turn: Turn, state: RunState, at_s: float, end_s: float | None
    ) -> None:
        record = RunSeen(Run(key, f"{turn.planned_s} {at_s}", state, None, at_s, end_s))
        if self.now_s < self.blind_s[key.orchestrator]:
            self._unread[key.orchestrator].append(record)
        else:
            self.at(self.now_s + self._latency_s(), self.hear, record)

    def _latency_s(self) -> float:
        return self.dice.uniform(0.3, 0.3 + ASKED_S)

    def hear(self, record: GraphRecord) -> None:
        """A record of the graph stream."""
        self.judge.saw(record)
        self._graph.append(record)
        if self.state is not None:
            self._world.apply(record)
            self.state.apply(record)
            self._decide()

    def told(self, record: ConnectorRecord) -> None:
        """A record of a connector's stream."""
        self._told.append((self.now_s, record))
        if self.state is not None:
            self.state.hear(record, self.now_s)
            self._decide()

    def sees_again(self, changed: ConnectorChanged) -> None:
        """An orchestrator can be read again, with what came meanwhile."""
        unread, self._unread[changed.source] = self._unread[changed.source], []
        self.told(changed)
        for record in unread:
            self.hear(record)

    # --- what swarm does -------------------------------------------------------------------------

    def start(self) -> None:
        """Swarm comes up, with what it wrote and with the settings of now."""
        for line in self.fleet.lines:
            if self._modes.get(line.key, (None,))[0] is not line.mode:
                self._modes[line.key] = line.mode, self.now_s
        modes = {key: mode for key, (mode, _) in self._modes.items()}
        self._world = World()
        state = self._parts.decisions(self._world, lambda key: Policy(modes[key], WAIT_MAX_S))
        for made in self._journal:
            state.apply(made)
        for record in self._graph:
            self._world.apply(record)
            state.apply(record)
        for at_s, told in self._told:
            state.hear(told, at_s)
        self.state = state
        self._decide()
        self.ask_all()

    def ask_all(self) -> None:
        """All places hear of swarm again."""
        for name in ORCHESTRATORS:
            self._ask(name, self._latency_s())

    def write(self, made: IntentMade) -> None:
        """A decision."""
        assert self.state is not None, "the dead decide nothing"
        self.judge.decided(made.intent, self.now_s)
        self._journal.append(made)
        self.state.apply(made)
        self._ask(made.intent.target.orchestrator, self._latency_s())

    def _decide(self) -> None:
        if self.state is None:
            return
        for made in self.state.decide(self.now_s):
            self.write(made)
        next_s = self.state.next_s
        if next_s is not None and next_s not in self._due:
            self._due.add(next_s)
            self.at(max(next_s, self.now_s), self._look, next_s)

    def _look(self, at_s: float) -> None:
        self._due.discard(at_s)
        self._decide()

    def _ask(self, name: str, in_s: float) -> None:
        """A place is told what swarm wants, and again while it holds something."""
        due = name, in_s == RENEWED_S
        if due not in self._due:
            self._due.add(due)
            self.at(self.now_s + in_s, self._asked, name, due)

    def _asked(self, name: str, due: object) -> None:
        self._due.discard(due)
        state = self.state if self.now_s >= self.cut_s[name] else None
        if name == OWN:
            self._guide(state)
            return
        hand = self.hands[name]
        if state is not None:
            self.freed(hand.tell(state.intents(name, self.now_s, TTL_S), self.now_s))
        for copy in hand.held():
            self.at(copy.intent.valid_until_s, self._let_go, name)
            self._ask(name, RENEWED_S)
        self._judge(hand)

    def _let_go(self, name: str) -> None:
        """What nobody renewed is over."""
        self.freed(self.hands[name].look(self.now_s))
        self._judge(self.hands[name])

    def _judge(self, hand: Hand) -> None:
        for copy in hand.held():
            mode, since_s = self._modes[copy.intent.target]
            mode = mode if hand.reached_s - since_s > TTL_S else Mode.GATE
            self.judge.stands(copy.intent, hand.reached_s, mode, self.now_s)

    def _guide(self, state: Decisions | None) -> None:
        if state is not None:
            told = self._parts.guide(state.newest, {}, self.now_s)
            self.queue.tell(told, self.now_s)
            for hold in told.holds:
                self.at(self.now_s + hold.for_s, self._work)
        self._work()
        if not self.queue.waiting:
            return
        self._ask(OWN, RENEWED_S)
        for task, since_s in self.queue.waiting.items() if self.queue.has_room else ():
            self.judge.queued(*self._queued[task], since_s, self.queue.reached_s, self.now_s)
