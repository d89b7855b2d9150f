"""What becomes of a hold: which of its starts go on, which are left out, and when it is over.

Rules
1. A hold is over when nothing gates its pipeline any more, its mode is another one, it began in
   spite of the hold, a person changed it in the orchestrator, or none of its starts waits.
2. A start waits no longer when all that it needs is there (`freshness.py`) or cannot be seen
   (`sight.py`), or when its own latest start has come: then it begins, or is left out where the
   hold says so. The hold goes on, under the next number, for those that still wait.
3. The release lists those that are still to come into being and those that never will; what is
   settled by it is not held again.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace

from swarm.model.connectors import ConnectorChanged
from swarm.model.intents import Act, Intent
from swarm.model.keys import PipelineKey
from swarm.model.policy import AtLatest, Policy
from swarm.sequencing.freshness import Need, is_there, need_of
from swarm.sequencing.gates import Gates
from swarm.sequencing.planned import Settled, began, starts_between
from swarm.sequencing.sight import Sight
from swarm.sequencing.wording import waiting
from swarm.sequencing.world import World

# A hold has to reach the orchestrator before the run begins.
LEAD_S = 120.0
# So long after it was decided a release is handed out; what is held without swarm ends by itself.
RELEASE_TOLD_S = 600.0
# So many of the starts that a hold let go, and left out, are told.
_TOLD_MOST = 20
SWARM = "swarm"


@dataclass(frozen=True, slots=True)
class Over:
    """Why a hold is over; `at_latest`: because the latest start has come."""

    reason: str
    at_latest: bool = False


class Holds:
    """The course of holds; who decides anew keeps them. `gates` moves with its graph elsewhere."""

    def __init__(self, world: World, policy: Callable[[PipelineKey], Policy], gates: Gates) -> None:
        self._world = world
        self._policy = policy
        self._gates = gates
        self._released: dict[PipelineKey, Intent] = {}  # the last release of a hold
        self._sight = Sight()
        self._overruled: set[PipelineKey] = set()  # what is held, and a person changed

    def note(self, intent: Intent) -> None:
        """It was decided."""
        self._overruled.discard(intent.target)
        of_hold = intent.waits_for or intent.due_s or intent.by != SWARM
        if intent.act is Act.RELEASE and of_hold:
            self._released[intent.target] = intent

    def overrule(self, target: PipelineKey) -> None:
        """A person changed in the orchestrator what is held there."""
        self._overruled.add(target)

    def see(self, changed: ConnectorChanged, at_s: float) -> None:
        """A connector told at `at_s` that it can or cannot see."""
        self._sight.apply(changed, at_s)

    def released(self, key: PipelineKey) -> Intent | None:
        """The last release of a hold."""
        return self._released.get(key)

    def missing(self, key: PipelineKey, start_s: float, now_s: float) -> list[Need]:
        """What a start needs, is not there, and would be seen if it were."""
        return self._seen(self._missing(key, start_s), now_s)

    def first(
        self, key: PipelineKey, number: int, start_s: float, missing: Sequence[Need]
    ) -> Intent:
        """The hold of a start, which misses something."""
        policy = self._policy(key)
        until_s = start_s + policy.wait_max_s
        reason = waiting(self._world.history, missing)
        waits_for, due_s = tuple(one.writer for one in missing), (start_s,)
        held = Intent(key, number, Act.HOLD, reason, until_s, policy.mode, due_s, waits_for)
        return replace(held, skip_at_s=until_s) if policy.at_latest is AtLatest.SKIP else held

    def following(self, held: Intent, now_s: float) -> Intent | None:
        """What follows a hold that stands: its release, or how it goes on; None: it stands."""
        over, free = self._why_no_more(held, now_s), 0
        if over is None and held.by == SWARM:
            free, why = self._free(held, now_s)
            over = Over(why, at_latest=True) if free == len(held.due_s) else None
        if over is not None:
            return self.ended(held, over, now_s)
        starts = starts_between(self._world, held.target, now_s, now_s + LEAD_S)
        new = tuple(s for s in starts if not held.due_s or s > held.due_s[-1] + LEAD_S)
        return self._goes_on(held, free, new, now_s) if free or new else None

    def looks_s(self, held: Intent, now_s: float) -> float:
        """When time alone may move a hold that stands next."""
        key, looks_s = held.target, [held.valid_until_s]
        if held.by == SWARM:
            looks_s.append(held.due_s[0] + self._policy(key).wait_max_s)
        next_s = starts_between(self._world, key, now_s + LEAD_S, held.valid_until_s)[:1]
        looks_s += [start_s - LEAD_S for start_s in next_s]
        blind_s = (self._sight.blind_from_s(up.orchestrator) for up in held.waits_for)
        looks_s += [at_s for at_s in blind_s if at_s > now_s]
        return min(looks_s)

    def ended(self, held: Intent, over: Over, now_s: float, by: str = SWARM) -> Intent:
        """The release."""
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

    def settled(self, key: PipelineKey) -> Settled:
        """What was released last: of the starts that fell into a hold those that had come by then,
        for the others are looked at anew; and those that were left out."""
        released = self._released.get(key)
        if released is None:
            return Settled()
        at_s = made_s(released)
        come_s = [start_s for start_s in released.due_s if start_s <= at_s + LEAD_S]
        newest_s = max([*come_s, *released.left_out_s], default=0.0)
        return Settled(newest_s, at_s, len(come_s))

    # --- its starts ------------------------------------------------------------------------------

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

    def _why_no_more(self, held: Intent, now_s: float) -> Over | None:
        """Why a hold is over; None while it is not."""
        key = held.target
        if key not in self._world.graph.pipelines:
            return Over("there is no such pipeline any more")
        if now_s >= held.valid_until_s:
            if held.by != SWARM:
                return Over("the time it was held for is over")
            return Over("its latest start has come", at_latest=True)
        if key in self._overruled:
            return Over("a person changed it since")
        if held.by != SWARM:
            return None
        policy = self._policy(key)
        if policy.mode is not held.mode:
            return Over(f"its mode is {policy.mode} now")
        since_s = (*held.let_go_s, *held.due_s)[0] - LEAD_S
        if began(self._world.history, key, since_s, self.settled(key), len(held.let_go_s)):
            return Over("it began in spite of the hold")
        if set(self._gates.upstream(key)).isdisjoint(held.waits_for):
            for_whom = _listed(held.waits_for)
            return Over(f"nothing sure says any more that it waits for {for_whom}")
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

    def _missing(self, key: PipelineKey, start_s: float) -> list[Need]:
        """What the start needs and is not there."""
        world = self._world
        needs = (need_of(world, writer, key, start_s) for writer in self._gates.upstream(key))
        return [one for one in needs if one is not None and not is_there(world.history, one)]

    def _seen(self, missing: list[Need], now_s: float) -> list[Need]:
        """Of what is missing, that which would be seen if it were there."""
        return [one for one in missing if not self._sight.is_blind(one.writer.orchestrator, now_s)]


def made_s(release: Intent) -> float:
    """When a release was decided."""
    return release.valid_until_s - RELEASE_TOLD_S


def _late(held: Intent, starts: Iterable[float], now_s: float) -> tuple[float, ...]:
    """Those of its planned starts that are left out by now."""
    at_s = ((start_s, held.left_out_at_s(start_s)) for start_s in starts)
    return tuple(start_s for start_s, late_s in at_s if late_s is not None and late_s <= now_s)


def _told(before: tuple[float, ...], more: Iterable[float]) -> tuple[float, ...]:
    return (*before, *more)[-_TOLD_MOST:]


def _listed(keys: Iterable[PipelineKey]) -> str:
    return ", ".join(map(str, keys))
