"""Where runs of `benchmarks.holds_world` wait while they are held: beside an orchestrator, and in
swarm's own queue.

What follows from an intent, from time and from an answer is the hand's own code
(`swarm.hands.copies`), what the queue does is the real dispatcher's. The orchestrator is made up:
its clock makes no run of a pipeline that is stopped, and at the release those are made that the
hand knows of, which are the ticks that were to come until its hold would run out as it last looked;
those that a hold lets go while it goes on are made then.
"""

from collections.abc import Callable, Iterator
from dataclasses import replace

from swarm.connectors.knobs import Look
from swarm.dispatch.detector import Patience
from swarm.dispatch.dispatcher import Dispatcher, Policy
from swarm.dispatch.events import (
    Acquire,
    Event,
    Finish,
    Grants,
    Guide,
    Now,
    Register,
    Renew,
    Submit,
)
from swarm.hands.copies import WAITING, Copy, Stage, outcome_of_release, run_out, seen, take, undone
from swarm.model.intents import Act, Carried, Intent
from swarm.model.keys import PipelineKey
from swarm.model.work import (
    Offer,
    Outcome,
    Resources,
    SlaClass,
    Submission,
    TaskId,
    Token,
    WorkerId,
)

SLOTS = 4
_KEPT = 4  # copies of a pipeline
_WORKER = WorkerId("worker")

Ticks = Callable[[PipelineKey, float, float], list[float]]


class Hand:
    """A hand and its orchestrator: who is stopped, and which ticks are made up for at the release.
    `ticks` tells those of a pipeline in a span."""

    def __init__(self, ticks: Ticks) -> None:
        self._ticks = ticks
        self._copies: dict[PipelineKey, dict[int, Copy]] = {}
        self._marks: dict[PipelineKey, set[float]] = {}
        self.reached_s = 0.0  # when a living swarm spoke last

    def is_held(self, key: PipelineKey) -> bool:
        return self.standing(key) is not None

    def standing(self, key: PipelineKey) -> Copy | None:
        """The hold that a pipeline is under."""
        held = (c for c in self._copies.get(key, {}).values() if c.intent.act is Act.HOLD)
        return next((c for c in held if c.mark and c.stage is not Stage.ENDED), None)

    def held(self) -> list[Copy]:
        """All holds that stand."""
        return [copy for key in self._copies if (copy := self.standing(key)) is not None]

    def tell(self, intents: list[Intent], now_s: float) -> list[tuple[PipelineKey, list[float]]]:
        """Take in what swarm wants; who is free now, with the ticks to make up for."""
        self.reached_s = now_s
        for intent in intents:
            copies = self._copies.setdefault(intent.target, {})
            for copy in take(list(copies.values()), intent, now_s):
                copies[copy.intent.number] = copy
        return self.look(now_s)

    def look(self, now_s: float) -> list[tuple[PipelineKey, list[float]]]:
        """The same for what time brought about."""
        freed = []
        for key, copies in self._copies.items():
            for number in sorted(n for n, copy in copies.items() if copy.stage is not Stage.ENDED):
                over = run_out(copies[number])
                if copies[number].intent.valid_until_s <= now_s and over is not None:
                    copies[number] = over
                if copies[number].stage in WAITING:
                    copies[number] = self._moved(copies, copies[number], now_s)
            for number in sorted(copies)[:-_KEPT]:
                del copies[number]
            if key in self._marks:
                standing = self.standing(key)
                until_s = now_s if standing is None else min(now_s, standing.intent.from_s)
                let_go = {at_s for at_s in self._marks[key] if at_s <= until_s}
                if standing is None:
                    del self._marks[key]
                else:
                    self._marks[key] -= let_go
                if let_go or standing is None:
                    freed.append((key, sorted(let_go)))
        return freed

    def overrule(self, key: PipelineKey, now_s: float) -> list[tuple[PipelineKey, list[float]]]:
        """A person starts what is held."""
        copy = self.standing(key)
        if copy is None or copy.stage is not Stage.STANDING:
            return []
        looked = seen(copy.to(Stage.RENEWED), Look(copy.mark, Carried.OVERRULED, "a person"))
        self._copies[key][copy.intent.number] = looked
        return self.look(now_s)

    def _moved(self, copies: dict[int, Copy], copy: Copy, now_s: float) -> Copy:
        if copy.stage is Stage.ENDING:
            return undone(copy, Carried.DONE, "")
        if copy.intent.act is Act.RELEASE:
            return outcome_of_release(copies.values(), copy)
        if copy.intent.act is not Act.HOLD:
            return seen(copy, Look("", Carried.NOT_NEEDED))
        key, until_s = copy.intent.target, copy.intent.valid_until_s
        self._marks.setdefault(key, set()).update(self._ticks(key, now_s, until_s))
        return seen(copy, Look("stopped", Carried.DONE))


class Queue:
    """Swarm's own queue with one worker that is always well."""

    def __init__(self) -> None:
        self._engine = Dispatcher(Policy(patience=Patience(self_fence_s=1e9, guard_s=1.0)))
        self._asked = 0
        self._running: set[Token] = set()
        self.waiting: dict[TaskId, float] = {}
        self.reached_s = 0.0
        self._decide(Register(Offer(_WORKER, "node", SLOTS, Resources(cpu=SLOTS))), 0.0)

    @property
    def has_room(self) -> bool:
        return self._engine.floor.workers[_WORKER].free_slots > 0

    def submit(
        self,
        key: PipelineKey,
        run: str,
        patience_s: float,
        now_s: float,
        sla: SlaClass = SlaClass.STANDARD,
    ) -> TaskId:
        """The orchestrator hands in a run; it gives it up after `patience_s` in the queue."""
        task = TaskId(f"{key} {run}")
        of = Submission(task, "team", "body", now_s, sla=sla, pipeline=key, run=run)
        submission = replace(of, queue_wait_max_s=patience_s)
        self._decide(Submit((submission,)), now_s)
        self.waiting[task] = now_s
        return task

    def tell(self, told: Guide, now_s: float) -> None:
        """What the sequencer says."""
        self.reached_s = now_s
        self._decide(told, now_s)

    def begun(self, now_s: float) -> Iterator[Token]:
        """What its worker is granted."""
        held = tuple(self._running)
        self._decide(Renew(_WORKER, self._asked, held, held), now_s)
        self._asked += 1
        reply = self._decide(Acquire(_WORKER, self._asked), now_s)
        assert isinstance(reply, Grants)
        for token in reply.tokens:
            del self.waiting[token.task]
            self._running.add(token)
            yield token

    def finish(self, token: Token, now_s: float) -> None:
        self._running.discard(token)
        self._decide(Finish(token, Outcome.SUCCEEDED), now_s)

    def _decide(self, event: Event, now_s: float) -> object:
        decision = self._engine.decide(event, Now(now_s, now_s))
        for record in decision.records:
            self._engine.apply(record)
        return decision.reply
