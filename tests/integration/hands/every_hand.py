"""Tests of every hand; a module that takes them in says with `PLACE` beside what."""

from collections.abc import Callable
from dataclasses import replace

from swarm.model.intents import Act, Carried
from tests.integration.hands.beside import DEADLINE_S, HandProcess, Held, Lived, Teller, a_hold


def test_a_held_run_starts_when_it_may_and_once(lived: Lived, story: str) -> None:
    lived.check(story)
    held = lived.held[story]
    assert (len(held.begun()), len(held.runs())) == (1, 1)


def test_what_is_late_is_left_out(lived: Lived) -> None:
    lived.check("left_out")
    assert lived.held["left_out"].begun() == []


async def triggers_once(
    teller: Teller, hand: HandProcess, held: Held, triggered: Callable[[str], int]
) -> None:
    """A trigger starts one run however often it comes; `triggered` counts those of an intent."""
    trigger = replace(a_hold(held, DEADLINE_S), act=Act.TRIGGER)
    answer = await teller.tell(trigger)
    assert answer.outcome is Carried.DONE, answer
    hand.forget()
    answer = await teller.tell(trigger)
    assert answer.outcome is Carried.DONE, answer
    assert triggered(trigger.id) == 1
