"""A dispatcher with workers and tasks in a line of words each."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from swarm.dispatch.dispatcher import Dispatcher, Policy
from swarm.dispatch.events import Acquire, Event, Grants, Now, Register, Renew, Reply, Submit
from swarm.model.dispatch import DispatchRecord
from swarm.model.work import (
    Needs,
    Offer,
    Resources,
    Submission,
    TaskId,
    Token,
    WorkerId,
)

WALL_S = 1_000_000.0


class Desk:
    """Feeds events to a dispatcher as its actor does, and keeps the records."""

    def __init__(self, policy: Policy | None = None) -> None:
        self.dispatcher = Dispatcher(policy or Policy())
        self.journal: list[DispatchRecord] = []
        self.now_s = 0.0
        self._numbers: dict[str, int] = {}

    def tell(self, event: Event) -> Reply:
        now = Now(self.now_s, WALL_S + self.now_s)
        decision = self.dispatcher.decide(event, now)
        for record in decision.records:
            self.dispatcher.apply(record)
        self.journal += decision.records
        self.dispatcher.check()
        return decision.reply

    def pass_time(self, seconds: float, step_s: float = 0.05) -> None:
        """Let time pass as the actor's loop sees it: a question every `step_s`."""
        end_s = self.now_s + seconds
        while self.now_s < end_s:
            self.now_s = min(end_s, self.now_s + step_s)
            for event in self.dispatcher.due(Now(self.now_s, WALL_S + self.now_s)):
                self.tell(event)

    def worker(self, name: str, slots: int = 4, cpu: float = 4.0, **more: Any) -> None:
        offer = Offer(WorkerId(name), f"node-of-{name}", slots, Resources(cpu=cpu), **more)
        self.tell(Register(offer))
        self.dispatcher.beat(offer.worker, self.now_s)

    def submit(self, *tasks: Submission) -> None:
        self.tell(Submit(tasks))

    def acquire(self, worker: str) -> list[str]:
        """The tasks that the worker is granted now."""
        return [str(token.task) for token in self.acquire_tokens(worker)]

    def acquire_tokens(self, worker: str, ahead: int = 0) -> Sequence[Token]:
        self._numbers[worker] = self._numbers.get(worker, 0) + 1
        self.beat(worker)
        reply = self.tell(Acquire(WorkerId(worker), self._numbers[worker], ahead))
        assert isinstance(reply, Grants)
        return reply.tokens

    def beat(self, worker: str, started: Sequence[Token] = ()) -> Reply:
        """The worker renews all it holds."""
        known = self.dispatcher.floor.workers[WorkerId(worker)]
        held = tuple(self.dispatcher.floor.tasks[id_].token for id_ in known.held)
        acquired = known.acquire_no
        return self.tell(Renew(WorkerId(worker), acquired, held, tuple(started)))


def a_task(name: str, cpu: float = 1.0, **more: Any) -> Submission:
    needs = Needs(
        resources=Resources(cpu=cpu),
        **{key: more.pop(key) for key in ("capability", "capacity", "pool") if key in more},
    )
    task = Submission(TaskId(name), "team", f"body of {name}", WALL_S, needs)
    return replace(task, **more)
