"""What of the decisions the dispatcher is told."""

import asyncio
from dataclasses import replace

from swarm.actors import guiding
from swarm.actors.guiding import TTL_S, Said, guide, keep_guided
from swarm.clock import SystemClock
from swarm.dispatch.events import Guide, Hold, LeftOut
from swarm.model.intents import Act, Intent, Mode
from swarm.model.keys import PipelineKey

A, B, C, D = (PipelineKey("air", name) for name in "abcd")


def test_each_act_is_said_as_the_queue_takes_it() -> None:
    intents = [
        Intent(A, 1, Act.HOLD, "late", 1_010.0, waits_for=(D,)),
        Intent(B, 1, Act.PROMOTE, "its SLA is close", 9_999.0),
        Intent(C, 1, Act.YIELD, "a backfill", 9_999.0),
        Intent(D, 1, Act.TRIGGER, "its link", 9_999.0),
    ]
    held = Hold(A, 10.0, "late", (D,))
    told = Guide((held,), {A: 7.0, B: 0.0}, frozenset({C}), TTL_S)
    assert guide(intents, {A: 7.0, B: 90.0}, 1_000.0) == told


def test_what_does_not_gate_or_is_over_counts_for_nothing() -> None:
    hold = Intent(A, 1, Act.HOLD, "late", 1_000.0)
    shadow = replace(hold, mode=Mode.SHADOW, valid_until_s=9_999.0)
    assert guide([hold, shadow, replace(hold, act=Act.RELEASE)], {}, 1_000.0) == Guide()


def test_no_hold_is_told_for_longer_than_it_may_stand_unsaid() -> None:
    (held,) = guide([Intent(A, 1, Act.HOLD, "late", 9e9)], {}, 0.0).holds
    assert held.for_s == TTL_S


def test_what_is_wanted_is_said_when_it_changes_and_again_in_time() -> None:
    said, held = Said(), Guide((Hold(A, 60.0, "late"),))
    assert not said.is_news(Guide(), 100.0), "nothing is wanted, nothing was said"
    assert said.is_news(held, 100.0)
    said.note(held, 100.0)
    shorter = Guide((Hold(A, 50.0, "late"),))
    assert not said.is_news(shorter, 101.0), "only its time passes"
    assert said.is_news(shorter, 105.0), "a dispatcher that was restarted has forgotten it"
    assert said.is_news(Guide((Hold(A, 60.0, "later"),)), 101.0)
    assert said.is_news(Guide(), 101.0)
    said.note(Guide(), 101.0)
    assert not said.is_news(Guide(), 999.0)


def test_a_hold_that_goes_on_for_later_starts_is_news() -> None:
    said = Said()
    whole = Intent(A, 1, Act.HOLD, "late", 1_000.0, due_s=(800.0, 900.0))
    said.note(guide([whole], {}, 950.0), 950.0)
    goes_on = replace(whole, number=2, due_s=(900.0,), let_go_s=(800.0,))
    told = guide([goes_on], {}, 950.0)
    assert told.holds == (Hold(A, 50.0, "late", (), 850.0),)
    assert said.is_news(told, 950.5)


def test_slack_that_passes_is_no_news_until_none_is_left() -> None:
    said = Said()
    said.note(Guide(slack_s={A: 7.0}), 100.0)
    assert not said.is_news(Guide(slack_s={A: 6.0}), 101.0)
    assert said.is_news(Guide(slack_s={A: 6.0}), 105.0)
    assert said.is_news(Guide(slack_s={A: 0.0}), 101.0)
    assert said.is_news(Guide(slack_s={A: 6.0, B: 9.0}), 101.0)


def test_what_is_to_be_left_out_is_held_until_that_is_said() -> None:
    hold = Intent(A, 1, Act.HOLD, "late", 1_000.0, waits_for=(D,), skip_at_s=1_000.0)
    assert guide([hold], {}, 1_001.0).holds, "the sequencer has not had its say yet"
    assert guide([hold], {}, 1_100.0) == Guide(), "and never will"
    over = replace(hold, number=2, act=Act.RELEASE, valid_until_s=1_600.0)
    told = guide([over], {}, 1_001.0)
    assert told == Guide(left_out=(LeftOut(A, 1_000.0, "late"),))
    assert Said().is_news(told, 1.0)
    assert guide([replace(over, skip_at_s=None)], {}, 1_001.0) == Guide(), "it came in time"
    assert guide([over], {}, 1_600.0) == Guide()


def test_what_is_left_out_while_the_hold_goes_on_is_said_with_the_time_it_came() -> None:
    starts = {"let_go_s": (600.0,), "left_out_s": (700.0, 800.0), "due_s": (900.0,)}
    goes_on = Intent(A, 3, Act.HOLD, "late", 1_000.0, skip_at_s=1_000.0, **starts)
    told = guide([goes_on], {}, 950.0)
    why = "its latest start has come"
    left_out = (LeftOut(A, 750.0, why, "", 650.0), LeftOut(A, 850.0, why, "", 750.0))
    assert told.left_out == left_out
    assert [hold.from_s for hold in told.holds] == [850.0]
    over = replace(goes_on, number=4, act=Act.RELEASE, skip_at_s=None, valid_until_s=1_600.0)
    assert guide([over], {}, 951.0).left_out == left_out, "it may not have heard it yet"
    ended = replace(over, due_s=(), left_out_s=(700.0, 900.0), skip_at_s=1_000.0)
    assert guide([ended], {}, 1_001.0).left_out[-1] == LeftOut(A, 1_000.0, "late", "", 800.0)


class Dispatcher:
    """Takes what it is told."""

    def __init__(self) -> None:
        self.told: asyncio.Queue[Guide] = asyncio.Queue()

    async def tell(self, guide: Guide, cause_id: str) -> None:
        self.told.put_nowait(guide)


async def test_news_is_told_at_once_and_not_at_the_next_look(monkeypatch) -> None:
    monkeypatch.setattr(guiding, "_LOOK_S", 3_600.0)
    dispatcher, news = Dispatcher(), asyncio.Event()
    wanted = Guide()
    loop = asyncio.create_task(keep_guided(dispatcher, lambda _: wanted, SystemClock(), news))
    for wanted in (Guide((Hold(A, 60.0, "late"),)), Guide((Hold(B, 60.0, "late"),))):
        news.set()
        assert await asyncio.wait_for(dispatcher.told.get(), 30.0) == wanted
    loop.cancel()


async def test_what_time_alone_changes_is_seen_without_news(monkeypatch) -> None:
    monkeypatch.setattr(guiding, "_LOOK_S", 0.001)
    dispatcher = Dispatcher()
    held = Guide((Hold(A, 60.0, "late"),))
    told = keep_guided(dispatcher, lambda _: held, SystemClock(), asyncio.Event())
    loop = asyncio.create_task(told)
    assert await asyncio.wait_for(dispatcher.told.get(), 30.0) == held
    loop.cancel()
