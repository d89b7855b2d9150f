"""A hand beside a real Airflow 3."""

import asyncio
import time
from dataclasses import replace
from typing import Any

import pytest

from swarm.model.intents import Act, Carried
from tests.integration.connectors.airflow_server import AirflowServer
from tests.integration.hands.airflow_place import PAIRS_S, HeldDag, held, running_3, source
from tests.integration.hands.beside import (
    BEYOND_S,
    TTL_S,
    HandProcess,
    Lived,
    Place,
    Teller,
    a_hold,
    a_release,
    first_left_out,
    until,
)
from tests.integration.hands.every_hand import (
    test_a_held_run_starts_when_it_may_and_once as test_a_held_run_starts_when_it_may_and_once,
)
from tests.integration.hands.every_hand import (
    test_what_is_late_is_left_out as test_what_is_late_is_left_out,
)
from tests.integration.hands.every_hand import triggers_once

pytestmark = [pytest.mark.lab]


async def held_over_two_starts(teller: Teller, held: HeldDag) -> None:
    """Without `catchup` Airflow makes one run of all that it missed while paused, at best."""
    second_s = held.second().due_s

    def a_hold_of_both() -> Any:
        hold = a_hold(held, TTL_S)
        dues = tuple(due for due in (held.due_s, second_s) if due <= hold.valid_until_s)
        return replace(hold, due_s=dues)

    while time.time() < second_s + BEYOND_S:
        assert (await teller.tell(a_hold_of_both())).outcome is Carried.DONE
        await asyncio.sleep(2.0)
    assert (await teller.tell(a_release(held))).outcome is Carried.DONE
    await until(lambda: bool(held.begun()), "the first start")
    await until(lambda: len(held.second().runs()) == 1, "the second start")


async def the_first_goes(teller: Teller, held: HeldDag) -> None:
    """No run of a paused DAG begins: the hold is refused, and both starts come."""
    second = held.second()
    await teller.holding(held, second.due_s + BEYOND_S)
    assert await asyncio.to_thread(held.begun) == []
    goes_on = replace(a_hold(held, TTL_S, 2), due_s=(second.due_s,), let_go_s=(held.due_s,))
    answer = await teller.tell(goes_on)
    assert answer.outcome is Carried.REFUSED, answer
    assert "all begin" in answer.detail
    await until(lambda: bool(held.begun() and second.begun()), "each start")
    assert await asyncio.to_thread(held.is_paused) is False
    assert (len(second.begun()), len(second.runs())) == (1, 1)
    await until(lambda: not held.under_way(), "both runs end")
    until_s = time.time() + TTL_S
    again = replace(goes_on, number=3, due_s=(second.due_s + PAIRS_S,), valid_until_s=until_s)
    answer = await teller.tell(again)  # what comes later may be held again
    assert answer.outcome in (Carried.DONE, Carried.NOT_NEEDED), answer
    assert (await teller.tell(a_release(held, 4))).outcome is not Carried.REFUSED


async def the_first_is_left_out(teller: Teller, held: HeldDag) -> None:
    second = held.second()
    await first_left_out(teller, held, second)
    held.logical = second.logical


STORIES = {
    "twice": held_over_two_starts,
    "goes_on": the_first_goes,
    "skips": the_first_is_left_out,
}
PLACE = Place("airflow", running_3, source, held, STORIES)


def test_nothing_stays_paused(lived: Lived) -> None:
    assert not any(lived.held[name].is_paused() for name in PLACE.begin)


async def test_a_trigger_starts_one_run_however_often_it_comes(
    server: AirflowServer, hand: HandProcess, teller: Teller
) -> None:
    def triggered(intent_id: str) -> int:
        return int(server.call("GET", "/dags/triggered/dagRuns")["total_entries"])

    await triggers_once(teller, hand, HeldDag(server, "triggered"), triggered)


async def test_what_cannot_be_held_without_loss_is_refused(
    server: AirflowServer, teller: Teller
) -> None:
    for name, why in (("shop_report", "assets"), ("triggered", "no next tick")):
        server.unpause(name)
        answer = await teller.tell(a_hold(HeldDag(server, name), TTL_S, number=5))
        assert answer.outcome is Carried.REFUSED, answer
        assert why in answer.detail
    answer = await teller.tell(a_hold(HeldDag(server, "nowhere"), TTL_S))
    assert answer.outcome is Carried.GONE


async def test_a_backfill_yields_and_goes_on(server: AirflowServer, teller: Teller) -> None:
    backfill = server.backfill("shop_orders", "2026-11-02")

    def is_paused() -> bool:
        return bool(server.call("GET", f"/backfills/{backfill}")["is_paused"])

    held = HeldDag(server, "shop_orders")
    turned = await teller.tell(replace(a_hold(held, TTL_S), act=Act.YIELD))
    assert turned.outcome is Carried.DONE, turned
    assert is_paused()
    assert (await teller.tell(a_release(held))).outcome is Carried.DONE
    assert not is_paused()
