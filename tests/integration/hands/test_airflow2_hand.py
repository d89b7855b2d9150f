"""A hand beside a real Airflow 2.11."""

from dataclasses import replace

import pytest

from swarm.model.intents import Act, Carried
from tests.integration.connectors.airflow_server import AirflowServer
from tests.integration.hands.airflow_place import EVERY_MIN, HeldDag, held, running_2, source
from tests.integration.hands.beside import (
    TTL_S,
    HandProcess,
    Lived,
    Place,
    Teller,
    a_hold,
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


async def refused_beyond_a_tick(teller: Teller, held: HeldDag) -> None:
    """A pause across two ticks would lose one: it is not made, and the run begins by itself."""
    answer = await teller.tell(a_hold(held, TTL_S + 60 * EVERY_MIN[2]))
    assert answer.outcome is Carried.REFUSED, answer
    assert "lose" in answer.detail
    assert not held.is_paused()
    await until(lambda: bool(held.begun()), "what is not held begins")


PLACE = Place("airflow2", running_2, source, held, {"refused": refused_beyond_a_tick})


def test_nothing_stays_paused(lived: Lived) -> None:
    assert not any(lived.held[name].is_paused() for name in PLACE.begin)


async def test_a_trigger_starts_one_run_however_often_it_comes(
    server: AirflowServer, hand: HandProcess, teller: Teller
) -> None:
    def triggered(intent_id: str) -> int:
        return int(server.call("GET", "/dags/triggered/dagRuns")["total_entries"])

    await triggers_once(teller, hand, HeldDag(server, "triggered"), triggered)


async def test_what_it_has_no_knob_for_is_refused(server: AirflowServer, teller: Teller) -> None:
    held = HeldDag(server, "shop_orders")
    answer = await teller.tell(replace(a_hold(held, TTL_S), act=Act.YIELD))
    assert answer.outcome is Carried.REFUSED, answer
    assert "no backfills" in answer.detail
