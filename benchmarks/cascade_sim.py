"""The days of a fleet of `benchmarks.cascade_world`, event by event, with or without decisions.

What an orchestrator knows of a run reaches swarm after its connector's next look, what swarm wants
reaches the orchestrator after the hand's next question; both ask every two seconds. The engine is
the real one and is asked after each event and whenever it says that time alone moves something.
"""

import heapq
import random
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field

from benchmarks.cascade_world import Fleet, Line, Luck
from benchmarks.warnings_world import DAY_S, FIRST_DAY, NOTICED_S, RETRIED_S
from swarm.model.graph import GraphRecord, RunSeen, RunsKept
from swarm.model.intents import Act, Intent, Mode
from swarm.model.keys import PipelineKey
from swarm.model.past_runs import ran_of
from swarm.model.policy import Policy
from swarm.model.runs import Ran, Run, RunState
from swarm.model.sequencing import IntentMade
from swarm.sequencing.decisions import Decisions
from swarm.sequencing.world import World

ASKED_EVERY_S, CALL_S = 2.0, 0.3
AFTER_DAYS = 4  # what began is seen to its end
WAIT_MAX_S = 4 * 3_600.0

Tick = tuple[int, float]  # a pipeline and a planned start


@dataclass(slots=True)
class Outcome:
    """What happened from the first day that counts on. `done_s` is when each planned run had its
    data; `stale` and `failed` are those that read old data first, or failed without the new;
    `false_holds` were held though nothing they read was missing; `healthy_delay_s` is how much
    later than it could each run began that missed nothing."""

    done_s: dict[Tick, float] = field(default_factory=dict)
    runs: int = 0
    stale: set[Tick] = field(default_factory=set)
    failed: set[Tick] = field(default_factory=set)
    held: set[Tick] = field(default_factory=set)
    false_holds: set[Tick] = field(default_factory=set)
    healthy_delay_s: list[float] = field(default_factory=list)
    past_latest: int = 0
    never_begun: int = 0


def history(fleet: Fleet, days: int) -> Iterator[Run]:
    """The runs of the first days, as orchestrators tell them at first contact."""
    lived = Days(fleet, days, days, ())
    lived.run()
    for key, runs in lived.past.items():
        for number, ran in enumerate(runs):
            state = RunState.FAILED if ran.failed else RunState.SUCCEEDED
            at_s, end_s = ran.started_at_s, ran.ended_at_s
            yield Run(key, str(number), state, ran.scheduled_for_s, at_s, end_s)


class Days:
    """Runs the fleet over `days`; from `counted` on, `known` is what swarm knows of the graph and
    acts on. None: there is no swarm."""

    def __init__(
        self, fleet: Fleet, days: int, counted: int, known: Iterable[GraphRecord] | None
    ) -> None:
        self._fleet = fleet
        self._from_s = (FIRST_DAY + counted) * DAY_S
        self._until_s = (FIRST_DAY + days) * DAY_S
        self._known = known
        self._world = World()
        self._decisions = Decisions(
            self._world, lambda _: Policy(mode=Mode.GATE, wait_max_s=WAIT_MAX_S)
        )
        self._acts = False
        # Before it acts: what a connector brings at first contact.
        self.past: dict[PipelineKey, list[Ran]] = {}
        self._live: dict[tuple[PipelineKey, str], RunSeen] = {}
        self._events: list[tuple[float, int, Callable[[], None]]] = []
        self._number = 0
        self._now_s = FIRST_DAY * DAY_S
        self._waiting: dict[Tick, list[Callable[[], None]]] = {}
        self._holds: dict[int, Intent] = {}
        self._queued: dict[int, list[tuple[float, Callable[[], None]]]] = {}
        self._delays = random.Random(1)
        self._asked: set[float] = set()
        self.outcome = Outcome()

    def run(self) -> Outcome:
        for number, line in enumerate(self._fleet.lines):
            for tick_s in line.ticks(FIRST_DAY * DAY_S, self._until_s):
                luck = self._fleet.luck(number, tick_s, 0)
                self._at(tick_s + luck.late_s, self._ready, number, tick_s, 0)
        if self._known is not None:
            self._at(self._from_s, self._begin)
        end_s = self._until_s + AFTER_DAYS * DAY_S
        while self._events and self._events[0][0] < end_s:
            self._now_s, _, event = heapq.heappop(self._events)
            event()
        self.outcome.never_begun = sum(len(queue) for queue in self._queued.values())
        return self.outcome

    def _at(self, at_s: float, event: Callable[..., None], *arguments: object) -> None:
        self._number += 1
        heapq.heappush(self._events, (at_s, self._number, lambda: event(*arguments)))

    # --- how the fleet runs ----------------------------------------------------------------------

    def _ready(self, number: int, tick_s: float, attempt: int) -> None:
        """Its time has come: it begins, unless it waits for what is declared, or is held."""
        line = self._fleet.lines[number]
        for read in line.reads:
            need = self._need(line, read.up, tick_s)
            if read.waits and not self._is_there(need):
                again = self._waiting.setdefault(need, [])
                again.append(lambda: self._ready(number, tick_s, attempt))
                return
        ready_s = self._now_s
        healthy = all(self._is_there(self._need(line, r.up, tick_s)) for r in line.reads)
        counts = tick_s >= self._from_s and attempt == 0

        def begin() -> None:
            if counts and healthy:
                self.outcome.healthy_delay_s.append(self._now_s - ready_s)
            self._start(number, tick_s, attempt)

        if counts:
            self.outcome.runs += 1
        if number not in self._holds:
            begin()
            return
        self._queued.setdefault(number, []).append((tick_s, begin))
        if counts:
            (self.outcome.false_holds if healthy else self.outcome.held).add((number, tick_s))

    def _start(self, number: int, tick_s: float, attempt: int) -> None:
        line, luck = self._fleet.lines[number], self._fleet.luck(number, tick_s, attempt)
        reads = self._fleet.luck(number, tick_s, 0).reads
        missing = [
            (read, need)
            for read, happens in zip(line.reads, reads, strict=True)
            if happens and not self._is_there(need := self._need(line, read.up, tick_s))
        ]
        breaks = any(read.fails for read, _ in missing)
        if tick_s >= self._from_s and missing:
            (self.outcome.failed if breaks else self.outcome.stale).add((number, tick_s))
        failed = breaks or luck.fails_after is not None
        took_s = luck.takes_s * _share(luck, breaks=breaks)
        began_s = self._now_s
        self._tell(line, tick_s, attempt, RunState.RUNNING, began_s, None)

        def end() -> None:
            state = RunState.FAILED if failed else RunState.SUCCEEDED
            self._tell(line, tick_s, attempt, state, began_s, self._now_s)
            if failed:
                self._at(self._now_s + RETRIED_S, self._ready, number, tick_s, attempt + 1)
            elif missing:
                self._again((number, tick_s), attempt + 1, [need for _, need in missing])
            else:
                self._put((number, tick_s))

        self._at(began_s + took_s, end)

    def _again(self, tick: Tick, attempt: int, needs: list[Tick]) -> None:
        """What was made of old data is made anew once somebody has noticed."""
        for need in needs:
            if not self._is_there(need):
                later = self._waiting.setdefault(need, [])
                later.append(lambda: self._again(tick, attempt, needs))
                return
        self._at(self._now_s + NOTICED_S, self._ready, *tick, attempt)

    def _put(self, tick: Tick) -> None:
        self.outcome.done_s.setdefault(tick, self._now_s)
        for waiting in self._waiting.pop(tick, ()):
            waiting()

    def _need(self, line: Line, up: int, tick_s: float) -> Tick:
        return up, self._fleet.lines[up].needed(tick_s)

    def _is_there(self, need: Tick) -> bool:
        return need in self.outcome.done_s or need[1] < FIRST_DAY * DAY_S

    # --- what swarm hears and does ---------------------------------------------------------------

    def _tell(
        self,
        line: Line,
        tick_s: float,
        attempt: int,
        state: RunState,
        began_s: float,
        ended_s: float | None,
    ) -> None:
        if self._known is None:
            return
        planned = {"airflow": tick_s - line.every_s, "prefect": tick_s}
        scheduled_s = planned.get(line.key.orchestrator)  # the others do not tell
        run = Run(line.key, f"{tick_s}.{attempt}", state, scheduled_s, began_s, ended_s)
        self._at(self._now_s + self._latency_s(), self._hear, RunSeen(run))

    def _latency_s(self) -> float:
        return self._delays.uniform(0, ASKED_EVERY_S) + CALL_S

    def _begin(self) -> None:
        self._acts = True
        for record in self._known or ():
            self._take(record)
        for key, runs in self.past.items():
            self._take(RunsKept(key, tuple(runs)))
        for seen in self._live.values():
            self._take(seen)
        self._decide()

    def _take(self, record: GraphRecord) -> None:
        self._world.apply(record)
        self._decisions.apply(record)

    def _hear(self, record: GraphRecord) -> None:
        if self._acts:
            self._take(record)
            self._decide()
        elif isinstance(record, RunSeen) and isinstance(record.run, Run):
            self._recall(record, record.run)

    def _recall(self, seen: RunSeen, run: Run) -> None:
        ran = ran_of(run)
        if ran is None:
            self._live[run.pipeline, run.run_id] = seen
        else:
            self._live.pop((run.pipeline, run.run_id), None)
            self.past.setdefault(run.pipeline, []).append(ran)

    def _look(self) -> None:
        self._asked.discard(self._now_s)
        self._decide()

    def _decide(self) -> None:
        for record in self._decisions.decide(self._now_s):
            self._decisions.apply(record)
            self._at(self._now_s + self._latency_s(), self._turn, record)
        next_s = self._decisions.next_s
        at_s = self._now_s if next_s is None else max(next_s, self._now_s)
        if next_s is not None and at_s not in self._asked:
            self._asked.add(at_s)
            self._at(at_s, self._look)

    def _turn(self, record: IntentMade) -> None:
        intent = record.intent
        number = self._fleet.number[intent.target]
        known = self._holds.get(number)
        if known is not None and known.number > intent.number:
            return
        is_held = intent.act is Act.HOLD
        if is_held:
            self._holds[number] = intent
        else:
            self._holds.pop(number, None)
        for tick_s, begin in self._queued.pop(number, []):
            if is_held and tick_s >= intent.from_s:
                self._queued.setdefault(number, []).append((tick_s, begin))
                continue
            late_s = self._now_s - tick_s
            self.outcome.past_latest += late_s > WAIT_MAX_S + 2 * (ASKED_EVERY_S + CALL_S)
            begin()


def _share(luck: Luck, *, breaks: bool) -> float:
    """Which part of its duration a try goes on for."""
    if breaks:
        return 0.5
    return luck.fails_after if luck.fails_after is not None else 1.0
