"""What is held, until when, and why.

`apply` follows the records of the graph stream after the world has, and what was decided; `decide`
answers with the intents that are new. It asks what time and the records moved, so a crash between
the two loses nothing: it is decided when it is asked again.

Rules
1. A pipeline whose mode is `gate` (or `shadow`, which acts on nothing) is held from `LEAD_S` before
   a planned start on, while a run that this start needs of a gating upstream is not there
   (`gates.py`, `planned.py`, `freshness.py`). Nobody else is held.
2. It is released as soon as all of them are there, nothing gates it any more, its mode is another
   one, it began in spite of the hold, or its latest start has come. No planned start is held twice.
3. Starts that fall into a hold are listed in it, each with a latest start and needs of its own;
   what becomes of them is said in `holds.py`.
4. A person's hold stands until the time they gave or they release it; what a person released is
   not held again for that start. A person's word counts in every mode.
5. Who changes in the orchestrator what is held there has decided too: that hold is over. For an
   upstream that cannot be seen (`sight.py`) nobody is held.
6. Who is not held may be promoted, or yield (`precedence.py`).
"""

import heapq
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace

from swarm.model.connectors import ConnectorChanged, ConnectorRecord, IntentEnded
from swarm.model.graph import (
    CapacitySeen,
    DependencyChanged,
    DependencyGone,
    GraphRecord,
    PipelineGone,
    PipelineSeen,
    RunSeen,
    RunsKept,
)
from swarm.model.intents import Act, Carried, Intent, Mode
from swarm.model.keys import PipelineKey
from swarm.model.policy import Policy
from swarm.model.runs import Run
from swarm.model.sequencing import IntentMade
from swarm.model.sla import Sla
from swarm.sequencing.gates import Gates
from swarm.sequencing.holds import LEAD_S, Holds, Over, made_s
from swarm.sequencing.planned import planned_start, starts_between
from swarm.sequencing.precedence import Precedence, may_begin
from swarm.sequencing.world import World

# Whoever missed nothing before a start looks for the next one when it has begun, or then, or in
# time for that one.
_NEXT_LOOK_S = 1_800.0
_DECIDING = frozenset({Mode.SHADOW, Mode.GATE})
_TURNS = frozenset({Act.PROMOTE, Act.YIELD})


class Decisions:
    """The newest intent of each pipeline, and what it follows from."""

    def __init__(
        self,
        world: World,
        policy: Callable[[PipelineKey], Policy],
        slas: Callable[[], Iterable[Sla]] = tuple,
    ) -> None:
        self._world = world
        self._policy = policy
        self._gates = Gates(world.graph)
        self._precedence = Precedence(world, slas)
        self._last: dict[PipelineKey, Intent] = {}
        self._holds = Holds(world, policy, self._gates)
        self._touched: set[PipelineKey] = set()
        self._graph_moved = True
        self._agenda: list[tuple[float, PipelineKey]] = []
        self._due_s: dict[PipelineKey, float] = {}

    def apply(self, record: GraphRecord | IntentMade) -> None:
        match record:
            case IntentMade(intent):
                self._put(intent)
            case RunSeen(Run(pipeline=key)) | RunsKept(key):
                self._touched.add(key)
                if not self._graph_moved:  # who is not held yet looks before it begins
                    downs = self._gates.downstream(key)
                    self._touched.update(down for down in downs if self._held(down))
            case DependencyChanged() | DependencyGone() | PipelineSeen() | PipelineGone():
                self._gates.apply(record)
                self._graph_moved = True
            case CapacitySeen():
                self._precedence.apply(record)
            case _:
                pass

    def hear(self, record: ConnectorRecord, at_s: float) -> None:
        """What a connector told at `at_s`: that it can or cannot see, that a person acted."""
        match record:
            case ConnectorChanged():
                self._holds.see(record, at_s)
                self._touched.update(filter(self._held, self._last))
            case IntentEnded(intent, Carried.OVERRULED):
                held = self._held(intent.target)
                if held is not None and held.id == intent.id:
                    self._holds.overrule(intent.target)
                    self._touched.add(intent.target)
            case _:
                pass

    def _put(self, intent: Intent) -> None:
        self._holds.note(intent)
        self._last[intent.target] = intent
        self._touched.add(intent.target)

    def decide(self, now_s: float) -> list[IntentMade]:
        """What is to be done now."""
        if self._graph_moved:
            self._touched.update(self._gates.readers, self._last)
            self._graph_moved = False
        self._touched |= self._precedence.look(now_s)
        while self._agenda and self._agenda[0][0] <= now_s:
            at_s, key = heapq.heappop(self._agenda)
            if self._due_s.get(key) == at_s:
                self._touched.add(key)
        touched, self._touched = self._touched, set()
        found = (self._about(key, now_s) for key in sorted(touched))
        return [IntentMade(intent) for intent in found if intent is not None]

    @property
    def next_s(self) -> float | None:
        """When time alone may move something next; 0 where it is to be asked again at once: what
        it decided itself moves when it looks next."""
        if self._touched or self._graph_moved:
            return 0.0
        while self._agenda and self._due_s.get(self._agenda[0][1]) != self._agenda[0][0]:
            heapq.heappop(self._agenda)
        first = [self._agenda[0][0]] if self._agenda else []
        looks_s = self._precedence.next_s
        return min([*first, looks_s] if looks_s is not None else first, default=None)

    def slack_s(self, now_s: float) -> dict[PipelineKey, float]:
        """How long the start of pipelines may be put off, over what that is worth."""
        return self._precedence.slack_s(now_s)

    def end_by(self, key: PipelineKey, now_s: float) -> tuple[float, float] | None:
        """By when a run of a pipeline has to end, and what that is worth; None: nothing is due."""
        return self._precedence.end_by(key, now_s)

    @property
    def newest(self) -> Iterable[Intent]:
        """The newest intent of each pipeline."""
        return self._last.values()

    def records(self) -> Iterator[IntentMade]:
        """A snapshot."""
        for key, intent in self._last.items():
            released = self._holds.released(key)
            if released is not None and released is not intent:
                yield IntentMade(released)
            yield IntentMade(intent)

    def intents(self, orchestrator: str, now_s: float, ttl_s: float) -> list[Intent]:
        """What is to be carried out in an orchestrator, each valid for `ttl_s` at most."""
        return [
            replace(intent, valid_until_s=min(intent.valid_until_s, now_s + ttl_s))
            for intent in self._last.values()
            if intent.target.orchestrator == orchestrator
            and intent.mode is Mode.GATE
            and now_s < intent.valid_until_s
        ]

    @property
    def rings(self) -> Sequence[tuple[PipelineKey, ...]]:
        """The rings for whose edges nothing is held."""
        return self._gates.rings

    # --- what a person wants ---------------------------------------------------------------------

    def hold(self, target: PipelineKey, by: str, until_s: float, now_s: float) -> IntentMade:
        """Hold a pipeline until a time, whatever its mode."""
        starts = starts_between(self._world, target, now_s, until_s)
        reason = f"held by {by}"
        number = self._number(target)
        return IntentMade(Intent(target, number, Act.HOLD, reason, until_s, due_s=starts, by=by))

    def release(self, target: PipelineKey, by: str, now_s: float) -> IntentMade | None:
        """Release a pipeline; None where it is not held."""
        held = self._held(target)
        if held is None:
            return None
        return IntentMade(self._holds.ended(held, Over(f"released by {by}"), now_s, by=by))

    # --- deciding --------------------------------------------------------------------------------

    def _about(self, key: PipelineKey, now_s: float) -> Intent | None:
        self._due_s.pop(key, None)
        held = self._held(key)
        if held is not None:
            found = self._holds.following(held, now_s)
            if found is None:
                self._look_at(key, self._holds.looks_s(held, now_s))
            return found
        return self._about_start(key, now_s) or self._about_turn(key, now_s)

    def _about_turn(self, key: PipelineKey, now_s: float) -> Intent | None:
        """Who is not held may go before others, or leave them room."""
        policy, last = self._policy(key), self._last.get(key)
        listed = key in self._world.graph.pipelines
        wanted = self._precedence.wanted(key) if listed and policy.mode in _DECIDING else None
        if last is not None and last.act in _TURNS:
            if now_s >= last.valid_until_s:
                return self._holds.ended(last, Over("its time is over"), now_s)
            if wanted is None or wanted.act is not last.act or policy.mode is not last.mode:
                return self._holds.ended(last, Over("nothing presses any more"), now_s)
            self._look_at(key, last.valid_until_s)
            return None
        if wanted is None or not may_begin(wanted, made_s(last) if last else 0.0, now_s):
            return None
        number, until_s = self._number(key), wanted.until_s
        return Intent(key, number, wanted.act, wanted.reason, until_s, policy.mode)

    def _about_start(self, key: PipelineKey, now_s: float) -> Intent | None:
        policy = self._policy(key)
        pipeline = self._world.graph.pipelines.get(key)
        if policy.mode not in _DECIDING or pipeline is None or pipeline.paused:
            return None
        if not self._gates.upstream(key):
            return None
        settled = self._holds.settled(key)
        start_s = planned_start(self._world, key, now_s, policy.wait_max_s, settled)
        if start_s is None:
            return None
        if now_s < start_s - LEAD_S:
            self._look_at(key, start_s - LEAD_S)
            return None
        missing = self._holds.missing(key, start_s, now_s)
        if not missing:
            looks_s = max(start_s, now_s) + _NEXT_LOOK_S
            following = starts_between(self._world, key, start_s, looks_s + LEAD_S)[:1]
            before_s = [next_s - LEAD_S for next_s in following if next_s - LEAD_S > now_s]
            self._look_at(key, min([looks_s, *before_s]))
            return None
        return self._holds.first(key, self._number(key), start_s, missing)

    def _number(self, target: PipelineKey) -> int:
        last = self._last.get(target)
        return 1 if last is None else last.number + 1

    def _held(self, key: PipelineKey) -> Intent | None:
        last = self._last.get(key)
        return last if last is not None and last.act is Act.HOLD else None

    def _look_at(self, key: PipelineKey, at_s: float) -> None:
        if at_s < self._due_s.get(key, float("inf")):
            self._due_s[key] = at_s
            heapq.heappush(self._agenda, (at_s, key))
