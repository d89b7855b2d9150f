"""A hand beside a real Dagster."""

import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from swarm.model.intents import Act, Carried
from swarm.model.keys import PipelineKey
from tests.integration.connectors.orchestrators import DagsterServer, new_processes, start_dagster
from tests.integration.hands.beside import (
    TTL_S,
    HandProcess,
    Teller,
    a_hold,
    can_be_held,
    freed_by_a_person,
    held_until_it_runs_out,
    held_until_released,
    killed_while_holding,
    live,
    until,
)

pytestmark = [pytest.mark.lab, pytest.mark.timeout(900)]

CODE = Path(__file__).parent / "dagster_code"
SOON_S = 15.0  # a start that is sooner is not held in a story
RUNS = """
query($tags: [ExecutionTag!]!) { runsOrError(filter: { tags: $tags }) { ... on Runs { results {
  runId creationTime jobName tags { key value }
} } } }
"""
START = """
mutation($name: String!) { startSchedule(scheduleSelector: {
  repositoryLocationName: "held", repositoryName: "__repository__", scheduleName: $name
}) { __typename } }
"""


@dataclass
class HeldJob:
    """A job that starts with the next minute."""

    server: DagsterServer
    name: str
    due_s: float = 0.0

    @property
    def target(self) -> PipelineKey:
        return PipelineKey("dg", self.name)

    def is_there(self) -> bool:
        """Whether its next start is far enough away; notes which it is."""
        self.due_s = (time.time() // 60 + 1) * 60
        return can_be_held(self.due_s, SOON_S)

    def runs(self) -> list[Any]:
        at = datetime.fromtimestamp(self.due_s, UTC).isoformat()
        tags = {
            "dagster/schedule_name": f"{self.name}_schedule",
            ".dagster/scheduled_execution_time": at,
        }
        return runs_with(self.server, tags)

    def begun(self) -> list[float]:
        return [float(run["creationTime"]) for run in self.runs()]

    def free(self) -> None:
        started = self.server.ask(START, name=f"{self.name}_schedule")
        assert started["startSchedule"]["__typename"] == "ScheduleStateResult", started


def runs_with(server: DagsterServer, tags: dict[str, str]) -> list[Any]:
    asked = [{"key": key, "value": value} for key, value in tags.items()]
    found: list[Any] = server.ask(RUNS, tags=asked)["runsOrError"]["results"]
    return found


@pytest.fixture(scope="module")
def dagster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[DagsterServer]:
    folder = tmp_path_factory.mktemp("dagster")
    processes = new_processes(folder)
    try:
        yield start_dagster(processes, folder, CODE)
    finally:
        processes.stop_all()


@pytest.fixture(scope="module")
def hand(dagster: DagsterServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[HandProcess]:
    source = {"kind": "dagster", "name": "dg", "url": dagster.url}
    hand = HandProcess(tmp_path_factory.mktemp("beside") / "hand", source)
    hand.start()
    yield hand
    hand.kill()


@pytest.fixture(scope="module")
def lived(dagster: DagsterServer, hand: HandProcess) -> Any:
    """How each story ended, and the jobs they were about."""
    figures: dict[str, float] = {}
    told = {
        "released": held_until_released,
        "runs_out": held_until_it_runs_out,
        "freed": freed_by_a_person,
        "killed": partial(killed_while_holding, hand=hand),
    }
    held = {name: HeldJob(dagster, name) for name in told}

    def story(name: str, tell: Any) -> Any:
        async def lives() -> None:
            await until(lambda: runs_of_any(dagster), "the daemon launches what is due")
            await until(held[name].is_there, "its next start is known")
            async with hand.told(figures) as teller:
                await tell(teller, held[name])

        return lives

    ended = live({name: story(name, tell) for name, tell in told.items()})
    print(figures)  # noqa: T201
    return ended, held


def runs_of_any(server: DagsterServer) -> bool:
    return bool(runs_with(server, {"dagster/schedule_name": "released_schedule"}))


@pytest.mark.parametrize("name", ["released", "runs_out", "freed", "killed"])
def test_a_held_run_starts_when_it_may_and_once(lived: Any, hand: HandProcess, name: str) -> None:
    ended, held = lived
    if ended[name] is not None:
        raise AssertionError("\n".join([*hand.acts(), hand.log()[-2000:]])) from ended[name]
    assert len(held[name].runs()) == 1


def test_what_it_launches_is_told_what_its_tick_says(lived: Any) -> None:
    _, held = lived
    (run,) = held["released"].runs()
    tags = {tag["key"]: tag["value"] for tag in run["tags"]}
    assert tags["swarm/held_by"] == "dg/released#1"
    assert datetime.fromisoformat(tags["tick"]).timestamp() == held["released"].due_s
    assert tags["tick"].endswith("+05:30")


async def test_a_trigger_starts_one_run_however_often_it_comes(
    dagster: DagsterServer, hand: HandProcess, teller: Teller
) -> None:
    held = HeldJob(dagster, "triggered")
    trigger = replace(a_hold(held, TTL_S), act=Act.TRIGGER)
    assert (await teller.tell(trigger)).outcome is Carried.DONE
    hand.forget()
    assert (await teller.tell(trigger)).outcome is Carried.DONE
    assert len(runs_with(dagster, {"swarm/intent": trigger.id})) == 1


async def test_what_cannot_be_held_without_loss_is_refused(
    dagster: DagsterServer, hand: HandProcess, teller: Teller
) -> None:
    answer = await teller.tell(a_hold(HeldJob(dagster, "triggered"), TTL_S, number=5))
    assert answer.outcome is Carried.REFUSED, answer
    assert "no running schedule" in answer.detail
    answer = await teller.tell(a_hold(HeldJob(dagster, "nowhere"), TTL_S))
    assert answer.outcome is Carried.GONE, answer
