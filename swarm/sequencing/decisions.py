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
3. Starts that fall into a hold are listed in it, each with a latest start and needs of its own: the
   first ones are let go as these come, or left out where the policy says so of what is late, and
   the hold goes on for those that still wait. Its release lists those that are still to come into
   being, and those that never will. The hold says what is left out when, for the hand that ends it
   by itself.
4. A person's hold stands until the time they gave or they release it; what a person released is
   not held again for that start. A person's word counts in every mode.
5. Who changes in the orchestrator what is held there has decided too: that hold is over. For an
   upstream that cannot be seen (`sight.py`) nobody is held.
6. Who is not held may be promoted, or yield (`precedence.py`).
"""

import heapq
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

from swarm.model.intents import Act, Carried, Intent, Mode
from swarm.model.journal import (
    CapacitySeen,
    ConnectorChanged,
    ConnectorRecord,
    DependencyChanged,
    DependencyGone,
    GraphRecord,
    IntentEnded,
    IntentMade,
    PipelineGone,
    PipelineSeen,
    RunSeen,
    RunsKept,
)
from swarm.model.keys import PipelineKey
from swarm.model.policy import AtLatest, Policy
from swarm.model.runs import Run
from swarm.model.sla import Sla
from swarm.sequencing.freshness import Need, is_there, need_of
from swarm.sequencing.gates import Gates
from swarm.sequencing.planned import Settled, began, planned_start, starts_between
from swarm.sequencing.precedence import Precedence, may_begin
from swarm.sequencing.sight import Sight
from swarm.sequencing.wording import waiting
from swarm.sequencing.world import World

# A hold has to reach the orchestrator before the run begins.
LEAD_S = 120.0
# So long after it was decided a release is handed out; what is held without swarm ends by itself.
RELEASE_TOLD_S = 600.0
# Whoever missed nothing before a start looks for the next one when it has begun, or then, or in
# time for that one.
_NEXT_LOOK_S = 1_800.0
# So many of the starts that a hold let go, and left out, are told.
_TOLD_MOST = 20
_DECIDING = frozenset({Mode.SHADOW, Mode.GATE})
_TURNS = frozenset({Act.PROMOTE, Act.YIELD})
SWARM = "swarm"


@dataclass(frozen=True, slots=True)
class _Over:
    """Why a hold is over; `at_latest`: because the latest start has come."""

    reason: str
    at_latest: bool = False


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
        self._released: dict[PipelineKey, Intent] = {}  # the last release of a hold
        self._sight = Sight()
        self._overruled: set[PipelineKey] = set()  # what is held, and a person changed
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
                self._sight.apply(record, at_s)
                self._touched.update(filter(self._held, self._last))
            case IntentEnded(intent, Carried.OVERRULED):
                held = self._held(intent.target)
                if held is not None and held.id == intent.id:
                    self._overruled.add(intent.target)
                    self._touched.add(intent.target)
            case _:
                pass

    def _put(self, intent: Intent) -> None:
        self._overruled.discard(intent.target)
        of_hold = intent.waits_for or intent.due_s or intent.by != SWARM
        if intent.act is Act.RELEASE and of_hold:
            self._released[intent.target] = intent
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
        """When time alone may move something next."""
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
            if key in self._released and self._released[key] is not intent:
                yield IntentMade(self._released[key])
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
        return IntentMade(self._ended(held, _Over(f"released by {by}"), now_s, by=by))

    # --- deciding --------------------------------------------------------------------------------

    def _about(self, key: PipelineKey, now_s: float) -> Intent | None:
        self._due_s.pop(key, None)
        held = self._held(key)
        if held is not None:
            return self._about_held(held, now_s)
        return self._about_start(key, now_s) or self._about_turn(key, now_s)

    def _about_turn(self, key: PipelineKey, now_s: float) -> Intent | None:
        """Who is not held may go before others, or leave them room."""
        policy, last = self._policy(key), self._last.get(key)
        listed = key in self._world.graph.pipelines
        wanted = self._precedence.wanted(key) if listed and policy.mode in _DECIDING else None
        if last is not None and last.act in _TURNS:
            if now_s >= last.valid_until_s:
                return self._ended(last, _Over("its time is over"), now_s)
            if wanted is None or wanted.act is not last.act or policy.mode is not last.mode:
                return self._ended(last, _Over("nothing presses any more"), now_s)
            self._look_at(key, last.valid_until_s)
            return None
        if wanted is None or not may_begin(wanted, _made_s(last) if last else 0.0, now_s):
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
        history = self._world.history
        start_s = planned_start(self._world, key, now_s, policy.wait_max_s, self._settled(key))
        if start_s is None:
            return None
        if now_s < start_s - LEAD_S:
            self._look_at(key, start_s - LEAD_S)
            return None
        missing = self._seen(self._missing(key, start_s), now_s)
        if not missing:
            looks_s = max(start_s, now_s) + _NEXT_LOOK_S
            following = starts_between(self._world, key, start_s, looks_s + LEAD_S)[:1]
            before_s = [next_s - LEAD_S for next_s in following if next_s - LEAD_S > now_s]
            self._look_at(key, min([looks_s, *before_s]))
            return None
        until_s = start_s + policy.wait_max_s
        reason = waiting(history, missing)
        waits_for = tuple(one.writer for one in missing)
        number, due_s = self._number(key), (start_s,)
        held = Intent(key, number, Act.HOLD, reason, until_s, policy.mode, due_s, waits_for)
        return replace(held, skip_at_s=until_s) if policy.at_latest is AtLatest.SKIP else held

    def _about_held(self, held: Intent, now_s: float) -> Intent | None:
        over, free = self._why_no_more(held, now_s), 0
        if over is None and held.by == SWARM:
            free, why = self._free(held, now_s)
            over = _Over(why, at_latest=True) if free == len(held.due_s) else None
        if over is not None:
            return self._ended(held, over, now_s)
        starts = starts_between(self._world, held.target, now_s, now_s + LEAD_S)
        new = tuple(s for s in starts if not held.due_s or s > held.due_s[-1] + LEAD_S)
        if free or new:
            return self._goes_on(held, free, new, now_s)
        self._look_again(held, now_s)
        return None

    def _goes_on(self, held: Intent, free: int, new: tuple[float, ...], now_s: float) -> Intent:
        """The hold without its first starts, which are `free`, and with those that are `new`."""
        gone_s, due_s = held.due_s[:free], (*held.due_s[free:], *new)
        late_s = _late(held, gone_s, now_s)
        held = replace(
            held,
            number=held.number + 1,
            due_s=due_s,
            let_go_s=_told(held.let_go_s, (s for s in gone_s if s not in late_s)),
            left_out_s=_told(held.left_out_s, late_s),
        )
        if held.by != SWARM:
            return held
        if free:
            missing = self._missing(held.target, due_s[0])
            waits_for = tuple(one.writer for one in missing)
            held = replace(held, reason=waiting(self._world.history, missing), waits_for=waits_for)
        wait_max_s = self._policy(held.target).wait_max_s
        skip_at_s = None if held.skip_at_s is None else due_s[0] + wait_max_s
        return replace(held, valid_until_s=due_s[-1] + wait_max_s, skip_at_s=skip_at_s)

    def _look_again(self, held: Intent, now_s: float) -> None:
        key, looks_s = held.target, [held.valid_until_s]
        if held.by == SWARM:
            looks_s.append(held.due_s[0] + self._policy(key).wait_max_s)
        next_s = starts_between(self._world, key, now_s + LEAD_S, held.valid_until_s)[:1]
        looks_s += [start_s - LEAD_S for start_s in next_s]
        blind_s = (self._sight.blind_from_s(up.orchestrator) for up in held.waits_for)
        looks_s += [at_s for at_s in blind_s if at_s > now_s]
        self._look_at(key, min(looks_s))

    def _why_no_more(self, held: Intent, now_s: float) -> _Over | None:
        """Why a hold is over; None while it is not."""
        key = held.target
        if key not in self._world.graph.pipelines:
            return _Over("there is no such pipeline any more")
        if now_s >= held.valid_until_s:
            if held.by != SWARM:
                return _Over("the time it was held for is over")
            return _Over("its latest start has come", at_latest=True)
        if key in self._overruled:
            return _Over("a person changed it since")
        if held.by != SWARM:
            return None
        policy = self._policy(key)
        if policy.mode is not held.mode:
            return _Over(f"its mode is {policy.mode} now")
        since_s = (*held.let_go_s, *held.due_s)[0] - LEAD_S
        if began(self._world.history, key, since_s, self._settled(key), len(held.let_go_s)):
            return _Over("it began in spite of the hold")
        if set(self._gates.upstream(key)).isdisjoint(held.waits_for):
            for_whom = _listed(held.waits_for)
            return _Over(f"nothing sure says any more that it waits for {for_whom}")
        return None

    def _free(self, held: Intent, now_s: float) -> tuple[int, str]:
        """How many of its starts, the first ones, wait no longer; and why the last of them."""
        why = ""
        for number, start_s in enumerate(held.due_s):
            free = self._why_free(held, start_s, now_s)
            if not free:
                return number, why
            why = free
        return len(held.due_s), why

    def _why_free(self, held: Intent, start_s: float, now_s: float) -> str:
        """Why a start waits for nobody any more; empty while it does."""
        if now_s >= start_s + self._policy(held.target).wait_max_s:
            return "its latest start has come"
        missing = self._missing(held.target, start_s)
        if not missing:
            return _listed(held.waits_for) + " is there"
        if not self._seen(missing, now_s):
            unseen = sorted({one.writer.orchestrator for one in missing})
            return f"what ends in {', '.join(unseen)} cannot be seen"
        return ""

    def _ended(self, held: Intent, over: _Over, now_s: float, by: str = SWARM) -> Intent:
        late_s = _late(held, held.due_s, now_s) if over.at_latest else ()
        due_s = tuple(start_s for start_s in held.due_s if start_s not in late_s)
        return replace(
            held,
            number=held.number + 1,
            act=Act.RELEASE,
            reason=f"{over.reason}; what is late is left out" if late_s else over.reason,
            valid_until_s=now_s + RELEASE_TOLD_S,
            due_s=due_s,
            by=by,
            skip_at_s=held.left_out_at_s(held.due_s[-1]) if late_s and not due_s else None,
            left_out_s=_told(held.left_out_s, late_s),
        )

    def _number(self, target: PipelineKey) -> int:
        last = self._last.get(target)
        return 1 if last is None else last.number + 1

    def _held(self, key: PipelineKey) -> Intent | None:
        last = self._last.get(key)
        return last if last is not None and last.act is Act.HOLD else None

    def _missing(self, key: PipelineKey, start_s: float) -> list[Need]:
        """What the start needs and is not there."""
        world = self._world
        needs = (need_of(world, writer, key, start_s) for writer in self._gates.upstream(key))
        return [one for one in needs if one is not None and not is_there(world.history, one)]

    def _seen(self, missing: list[Need], now_s: float) -> list[Need]:
        """Of what is missing, that which would be seen if it were there."""
        return [one for one in missing if not self._sight.is_blind(one.writer.orchestrator, now_s)]

    def _settled(self, key: PipelineKey) -> Settled:
        """What was released last: of the starts that fell into a hold those that had come by then,
        for the others are looked at anew; and those that were left out."""
        released = self._released.get(key)
        if released is None:
            return Settled()
        at_s = _made_s(released)
        come_s = [start_s for start_s in released.due_s if start_s <= at_s + LEAD_S]
        newest_s = max([*come_s, *released.left_out_s], default=0.0)
        return Settled(newest_s, at_s, len(come_s))

    def _look_at(self, key: PipelineKey, at_s: float) -> None:
        if at_s < self._due_s.get(key, float("inf")):
            self._due_s[key] = at_s
            heapq.heappush(self._agenda, (at_s, key))


def _made_s(release: Intent) -> float:
    return release.valid_until_s - RELEASE_TOLD_S


def _late(held: Intent, starts: Iterable[float], now_s: float) -> tuple[float, ...]:
    """Those of its planned starts that are left out by now."""
    at_s = ((start_s, held.left_out_at_s(start_s)) for start_s in starts)
    return tuple(start_s for start_s, late_s in at_s if late_s is not None and late_s <= now_s)


def _told(before: tuple[float, ...], more: Iterable[float]) -> tuple[float, ...]:
    return (*before, *more)[-_TOLD_MOST:]


def _listed(keys: Iterable[PipelineKey]) -> str:
    return ", ".join(map(str, keys))
