"""A hand beside a real Dagster."""

import asyncio
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from swarm.model.intents import Carried
from swarm.model.keys import PipelineKey
from tests.integration.connectors.orchestrators import DagsterServer, new_processes, start_dagster
from tests.integration.hands.beside import (
    BEYOND_S,
    TTL_S,
    HandProcess,
    Lived,
    Place,
    Teller,
    a_hold,
    a_release,
    can_be_held,
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
STATE = """
query($name: String!) { scheduleOrError(scheduleSelector: {
  repositoryLocationName: "held", repositoryName: "__repository__", scheduleName: $name
}) { ... on Schedule { scheduleState { status } } } }
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
        """Also: its daemon launches what is due, for it once did."""
        self.due_s = (time.time() // 60 + 1) * 60
        return can_be_held(self.due_s, SOON_S) and bool(
            runs_with(self.server, {"dagster/schedule_name": "released_schedule"})
        )

    def runs(self, at_s: float = 0.0) -> list[Any]:
        at = datetime.fromtimestamp(at_s or self.due_s, UTC).isoformat()
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

    def is_left_out(self) -> bool:
        """Its schedule goes on, and there is no run for that tick."""
        state = self.server.ask(STATE, name=f"{self.name}_schedule")["scheduleOrError"]
        return state["scheduleState"]["status"] == "RUNNING" and not self.runs()

    def goes_on(self) -> bool:
        return bool(self.runs(self.due_s + 60))


def runs_with(server: DagsterServer, tags: dict[str, str]) -> list[Any]:
    asked = [{"key": key, "value": value} for key, value in tags.items()]
    found: list[Any] = server.ask(RUNS, tags=asked)["runsOrError"]["results"]
    return found


@contextmanager
def running(folder: Path) -> Iterator[DagsterServer]:
    processes = new_processes(folder)
    try:
        yield start_dagster(processes, folder, CODE)
    finally:
        processes.stop_all()


def source(server: DagsterServer) -> Mapping[str, object]:
    return {"kind": "dagster", "name": "dg", "url": server.url}


def held(server: DagsterServer, names: Sequence[str]) -> Mapping[str, HeldJob]:
    return {name: HeldJob(server, name) for name in names}


async def the_first_goes(teller: Teller, job: HeldJob) -> None:
    """Two ticks fall into a hold; the first is let go, and the hold goes on for the other."""
    late_s = job.due_s + 60
    await teller.holding(job, late_s + BEYOND_S)
    assert await asyncio.to_thread(job.runs) == []
    goes_on = replace(a_hold(job, TTL_S, 2), due_s=(late_s,), let_go_s=(job.due_s,))
    answer = await teller.tell(goes_on)
    assert answer.outcome is Carried.DONE, answer
    await until(lambda: len(job.runs()) == 1, "what was let go begins")
    for number in (2, 3):  # renewed, and goes on
        again = replace(goes_on, number=number, valid_until_s=time.time() + TTL_S)
        answer = await teller.tell(again)
        assert answer.outcome is Carried.DONE, answer
    assert (len(job.runs()), job.runs(late_s)) == (1, [])
    answer = await teller.tell(a_release(job, 4))
    assert answer.outcome is Carried.DONE, answer
    await until(lambda: len(job.runs(late_s)) == 1, "what was held on begins")


async def the_first_is_left_out(teller: Teller, job: HeldJob) -> None:
    await first_left_out(teller, job, replace(job, due_s=job.due_s + 60))


STORIES = {"goes_on": the_first_goes, "skips": the_first_is_left_out}
PLACE = Place("dagster", running, source, held, STORIES)


def test_what_it_launches_is_told_what_its_tick_says(lived: Lived) -> None:
    (run,) = lived.held["released"].runs()
    tags = {tag["key"]: tag["value"] for tag in run["tags"]}
    assert tags["swarm/held_by"] == "dg/released#1"
    assert datetime.fromisoformat(tags["tick"]).timestamp() == lived.held["released"].due_s
    assert tags["tick"].endswith("+05:30")


async def test_a_trigger_starts_one_run_however_often_it_comes(
    server: DagsterServer, hand: HandProcess, teller: Teller
) -> None:
    def triggered(intent_id: str) -> int:
        return len(runs_with(server, {"swarm/intent": intent_id}))

    await triggers_once(teller, hand, HeldJob(server, "triggered"), triggered)


async def test_what_cannot_be_held_without_loss_is_refused(
    server: DagsterServer, teller: Teller
) -> None:
    answer = await teller.tell(a_hold(HeldJob(server, "triggered"), TTL_S, number=5))
    assert answer.outcome is Carried.REFUSED, answer
    assert "no running schedule" in answer.detail
    answer = await teller.tell(a_hold(HeldJob(server, "nowhere"), TTL_S))
    assert answer.outcome is Carried.GONE, answer
