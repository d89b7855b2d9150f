"""A hand beside a real Airflow."""

import asyncio
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import partial
from typing import Any
from urllib.parse import urlencode

import pytest

from swarm.model.intents import Act, Carried
from swarm.model.keys import PipelineKey
from tests.integration.connectors.airflow_server import AirflowServer, running_airflow
from tests.integration.hands.beside import (
    BEYOND_S,
    TTL_S,
    HandProcess,
    Teller,
    a_hold,
    a_release,
    can_be_held,
    freed_by_a_person,
    held_until_it_runs_out,
    held_until_released,
    killed_while_holding,
    live,
    until,
)

pytestmark = [pytest.mark.lab, pytest.mark.timeout(900)]

AHEAD_S = 40.0  # of which Airflow needs some to find a new file
AGAIN_S = 3.0
PAIRS_S = 60.0  # where that was not enough there is another chance
SOON_S = 12.0  # a start that is sooner is not held in a story
DAG = """
from datetime import UTC, datetime

from airflow.sdk import DAG
from airflow.providers.standard.operators.empty import EmptyOperator
from airflow.timetables.events import EventsTimetable
from airflow.timetables.interval import CronDataIntervalTimetable

DAY = datetime(2026, 11, 1, tzinfo=UTC)
EVENTS = [datetime.fromtimestamp(at_s, UTC) for at_s in {events}]
FIXED = EventsTimetable(event_dates=EVENTS, restrict_to_events=False)
MINUTES = CronDataIntervalTimetable("* * * * *", timezone="UTC")


def make(name, schedule):
    with DAG(
        name, schedule=schedule, start_date=DAY, catchup=False, is_paused_upon_creation=False
    ) as dag:
        EmptyOperator(task_id="work")
    return dag


released = make("released", MINUTES)
runs_out = make("runs_out", FIXED)
freed = make("freed", FIXED)
killed = make("killed", FIXED)
twice = make("twice", FIXED)
triggered = make("triggered", None)
"""


@dataclass
class HeldDag:
    """A DAG that starts soon."""

    server: AirflowServer
    name: str
    due_s: float = 0.0
    logical: str = ""
    firsts: tuple[float, ...] = ()  # of two starts one after the other; any if empty

    @property
    def target(self) -> PipelineKey:
        return PipelineKey("af", self.name)

    def is_there(self) -> bool:
        """Whether its next start is far enough away; notes which it is."""
        try:
            dag = self.server.call("GET", f"/dags/{self.name}/details")
        except OSError:
            return False
        after, logical = dag["next_dagrun_run_after"], dag["next_dagrun_logical_date"]
        if not after or not can_be_held(epoch_s(after), SOON_S) or self.under_way():
            return False
        if self.firsts and epoch_s(after) not in self.firsts:
            return False
        self.due_s, self.logical = epoch_s(after), logical
        return True

    def under_way(self) -> int:
        path = f"/dags/{self.name}/dagRuns?state=queued&state=running&limit=1"
        return int(self.server.call("GET", path)["total_entries"])

    def runs(self, logical: str = "") -> list[Any]:
        at = logical or self.logical
        query = urlencode({"logical_date_gte": at, "logical_date_lte": at})
        rows: list[Any] = self.server.call("GET", f"/dags/{self.name}/dagRuns?{query}")["dag_runs"]
        return rows

    def begun(self) -> list[float]:
        return [epoch_s(run["start_date"]) for run in self.runs() if run["start_date"]]

    def free(self) -> None:
        self.server.unpause(self.name)


def epoch_s(text: str) -> float:
    return datetime.fromisoformat(text).timestamp()


@pytest.fixture(scope="module")
def airflow(tmp_path_factory: pytest.TempPathFactory) -> Iterator[AirflowServer]:
    with running_airflow(3, tmp_path_factory.mktemp("airflow3")) as server:
        yield server


@pytest.fixture(scope="module")
def hand(airflow: AirflowServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[HandProcess]:
    source = {"kind": "airflow", "name": "af", "url": airflow.url}
    hand = HandProcess(tmp_path_factory.mktemp("beside") / "hand", source)
    hand.start()
    yield hand
    hand.kill()


async def held_over_two_starts(teller: Teller, held: HeldDag) -> None:
    """Without `catchup` Airflow makes one run of all that it missed while paused, at best."""
    second_s = held.due_s + AGAIN_S

    def a_hold_of_both() -> Any:
        hold = a_hold(held, TTL_S)
        dues = tuple(due for due in (held.due_s, second_s) if due <= hold.valid_until_s)
        return replace(hold, due_s=dues)

    while time.time() < second_s + BEYOND_S:
        assert (await teller.tell(a_hold_of_both())).outcome is Carried.DONE
        await asyncio.sleep(2.0)
    assert (await teller.tell(a_release(held))).outcome is Carried.DONE
    second = datetime.fromtimestamp(second_s, UTC).isoformat()
    await until(lambda: bool(held.begun()), "the first start")
    await until(lambda: len(held.runs(second)) == 1, "the second start")


@pytest.fixture(scope="module")
def lived(airflow: AirflowServer, hand: HandProcess) -> Any:
    """How each story ended, and the DAGs they were about."""
    figures: dict[str, float] = {}
    told = {
        "released": held_until_released,
        "runs_out": held_until_it_runs_out,
        "freed": freed_by_a_person,
        "killed": partial(killed_while_holding, hand=hand),
        "twice": held_over_two_starts,
    }
    held = {name: HeldDag(airflow, name) for name in told}
    at_s = float(int(time.time() + AHEAD_S))
    firsts = [at_s + chance * PAIRS_S for chance in range(4)]
    held["twice"].firsts = tuple(firsts)
    events = [*firsts, *(first + AGAIN_S for first in firsts)]
    (airflow.dags / "held.py").write_text(DAG.format(events=sorted(events)))

    def story(name: str, tell: Any) -> Any:
        async def lives() -> None:
            await until(held[name].is_there, "its next start is known")
            async with hand.told(figures) as teller:
                await tell(teller, held[name])

        return lives

    ended = live({name: story(name, tell) for name, tell in told.items()})
    print(figures)  # noqa: T201
    return ended, held


@pytest.mark.parametrize("name", ["released", "runs_out", "freed", "killed", "twice"])
def test_a_held_run_starts_when_it_may_and_once(lived: Any, hand: HandProcess, name: str) -> None:
    ended, held = lived
    if ended[name] is not None:
        raise AssertionError("\n".join([*hand.acts(), hand.log()[-2000:]])) from ended[name]
    assert len(held[name].begun()) == 1
    assert len(held[name].runs()) == 1
    assert not held[name].server.call("GET", f"/dags/{name}")["is_paused"]


async def test_a_trigger_starts_one_run_however_often_it_comes(
    lived: Any, airflow: AirflowServer, hand: HandProcess, teller: Teller
) -> None:
    held = HeldDag(airflow, "triggered")
    trigger = replace(a_hold(held, TTL_S), act=Act.TRIGGER)
    assert (await teller.tell(trigger)).outcome is Carried.DONE
    hand.forget()
    assert (await teller.tell(trigger)).outcome is Carried.DONE
    assert airflow.call("GET", "/dags/triggered/dagRuns")["total_entries"] == 1


async def test_what_cannot_be_held_without_loss_is_refused(
    lived: Any, airflow: AirflowServer, hand: HandProcess, teller: Teller
) -> None:
    for name, why in (("shop_report", "assets"), ("triggered", "no next tick")):
        airflow.unpause(name)
        answer = await teller.tell(a_hold(HeldDag(airflow, name), TTL_S, number=5))
        assert answer.outcome is Carried.REFUSED, answer
        assert why in answer.detail
    answer = await teller.tell(a_hold(HeldDag(airflow, "nowhere"), TTL_S))
    assert answer.outcome is Carried.GONE


async def test_a_backfill_yields_and_goes_on(
    lived: Any, airflow: AirflowServer, hand: HandProcess, teller: Teller
) -> None:
    backfill = airflow.backfill("shop_orders", "2026-11-02")

    def is_paused() -> bool:
        return bool(airflow.call("GET", f"/backfills/{backfill}")["is_paused"])

    held = HeldDag(airflow, "shop_orders")
    turned = await teller.tell(replace(a_hold(held, TTL_S), act=Act.YIELD))
    assert turned.outcome is Carried.DONE, turned
    assert is_paused()
    assert (await teller.tell(a_release(held))).outcome is Carried.DONE
    assert not is_paused()
