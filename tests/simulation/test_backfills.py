"""A backfill beside pipelines that an SLA presses: neither starves the other.

A queue of four slots, with more of a backfill than it can run. The export is late, so from shortly
after five until its deadline at seven runs press that come one by one; others come all the time.
The decisions and the queue are the real ones.
"""

import random
from dataclasses import dataclass, field, replace

import pytest

from benchmarks.holds_places import SLOTS, Queue
from swarm.actors.guiding import guide
from swarm.dispatch import choice
from swarm.model.intents import Act
from swarm.model.keys import PipelineKey
from swarm.model.work import SlaClass, TaskId, Token
from swarm.sequencing import precedence
from tests.unit.sequencing.mornings import MIN_S
from tests.unit.sequencing.test_decisions import EXPORT, at_s
from tests.unit.sequencing.test_precedence import OLD, OTHER, Mornings, morning

STEP_S = 15.0
FROM_S, PRESSES_S, UNTIL_S, END_S = at_s(5.0), at_s(5.6), at_s(7.0), at_s(8.0)
LONGEST_S = 5 * MIN_S
FLOOR, CEILING = 0.05, 0.5


@dataclass
class Counted:
    """While something pressed: of the slots what the backfill had, at most and in all, and how
    long a pressing run waited at the longest; and what the backfill had afterwards."""

    most: int = 0
    had_s: float = 0.0
    waited_s: float = 0.0
    after_s: float = 0.0


@dataclass
class Day:
    dice: random.Random
    yields: bool = True  # else it is told of nobody who yields
    queue: Queue = field(default_factory=Queue)
    running: dict[Token, tuple[PipelineKey, float]] = field(default_factory=dict)
    waits: dict[TaskId, tuple[PipelineKey, float]] = field(default_factory=dict)
    number: int = 0

    def run(self) -> Counted:
        shell, counted = Mornings(*morning()), Counted()
        calm_s = FROM_S  # since when the backfill is told to yield
        now_s = FROM_S
        while now_s < END_S:
            for record in shell.decisions.decide(now_s):
                shell.decisions.apply(record)
            newest = {one.target: one.act for one in shell.decisions.newest}
            told = guide(shell.decisions.newest, shell.decisions.slack_s(now_s), now_s)
            self.queue.tell(told if self.yields else replace(told, yielding=frozenset()), now_s)
            self._come(now_s)
            self._go_on(now_s)
            had = sum(key == OLD for key, _ in self.running.values())
            calm_s = calm_s if newest.get(OLD) is Act.YIELD else now_s
            if PRESSES_S <= now_s < UNTIL_S:
                counted.had_s += had * STEP_S
                if now_s - calm_s > LONGEST_S:  # what ran before has ended
                    counted.most = max(counted.most, had)
                waits = [now_s - since_s for key, since_s in self.waits.values() if key == EXPORT]
                counted.waited_s = max([counted.waited_s, *waits])
            elif now_s >= UNTIL_S:
                counted.after_s += had * STEP_S
            now_s += STEP_S
        return counted

    def _come(self, now_s: float) -> None:
        while sum(key == OLD for key, _ in self.waits.values()) < 2 * SLOTS:
            self._submit(OLD, now_s)
        if self.dice.random() < STEP_S / (4 * MIN_S):
            self._submit(OTHER, now_s)
        if PRESSES_S <= now_s < UNTIL_S and self.dice.random() < STEP_S / (3 * MIN_S):
            self._submit(EXPORT, now_s)

    def _submit(self, key: PipelineKey, now_s: float) -> None:
        self.number += 1
        sla = SlaClass.BACKFILL if key == OLD else SlaClass.STANDARD
        self.waits[self.queue.submit(key, str(self.number), 0.0, now_s, sla)] = key, now_s

    def _go_on(self, now_s: float) -> None:
        for token, (_, end_s) in list(self.running.items()):
            if now_s >= end_s:
                del self.running[token]
                self.queue.finish(token, now_s)
        for token in self.queue.begun(now_s):
            key, _ = self.waits.pop(token.task)
            takes_s = self.dice.uniform(1.0, 2.0) * MIN_S
            takes_s = self.dice.uniform(0.2, 1.0) * LONGEST_S if key == OLD else takes_s
            self.running[token] = key, now_s + takes_s


def test_a_backfill_neither_starves_nor_is_starved() -> None:
    for seed in range(6):
        counted = Day(random.Random(seed)).run()
        pressed_s = (UNTIL_S - PRESSES_S) * SLOTS
        assert counted.had_s >= FLOOR * pressed_s, seed
        assert counted.most <= CEILING * SLOTS, seed
        assert counted.waited_s <= LONGEST_S, seed
        assert counted.after_s > CEILING * (END_S - UNTIL_S) * SLOTS, seed


def test_a_backfill_that_does_not_yield_is_seen() -> None:
    assert Day(random.Random(0), yields=False).run().most > CEILING * SLOTS


def test_a_backfill_that_starves_is_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    """It has a floor of slots and one of time, of which each is enough."""
    monkeypatch.setattr(choice.Fleet, "rank", lambda *_: choice.Rank.NOT_NOW)
    monkeypatch.setattr(precedence, "GOES_ON_S", 0.0)
    starved = Day(random.Random(0)).run()
    assert starved.had_s < FLOOR * (UNTIL_S - PRESSES_S) * SLOTS
