"""Which past runs of a Dagster are asked for their steps, and what becomes of those it fails to
tell."""

from collections.abc import Mapping, Sequence
from typing import Any, cast

import pytest

from swarm.connectors.cursors import TRIED_RUNS
from swarm.connectors.dagster.client import DagsterClient
from swarm.connectors.dagster.past_steps import RUNS_AT_ONCE, TRIED_ASSET_RUNS, PastSteps
from swarm.connectors.dagster.runs import RunRow
from swarm.connectors.http_answers import TooLarge
from swarm.errors import Unavailable
from swarm.model.connectors import Item
from swarm.model.lineage import Unresolved
from swarm.model.runs import RunState, TaskRun
from tests.unit.connectors.test_dagster_mapping import DAGSTER, defined, run_of, task

FOUND = defined()


class Server:
    """Knows the steps of every run; fails with what `fails` says of the runs it is asked for."""

    def __init__(self) -> None:
        self.asked: list[list[str]] = []
        self.step = run_of("broken")["stepStats"][1]
        self.fails: Mapping[str, Exception] = {}
        self.most = 1_000

    async def ask(self, query: str, ids: list[str], limit: int) -> dict[str, Any]:
        assert "stepStats" in query
        assert limit == len(ids)
        self.asked.append(ids)
        if len(ids) > self.most:
            raise TooLarge("too long")
        for run_id in ids:
            if run_id in self.fails:
                raise self.fails[run_id]
        rows = [{"runId": run_id, "stepStats": [self.step]} for run_id in ids]
        return {"past": {"results": rows}}


@pytest.fixture
def server() -> Server:
    return Server()


@pytest.fixture
def steps(server: Server) -> PastSteps:
    return PastSteps(cast("DagsterClient", server), DAGSTER)


def page(count: int, job: str = "broken", first: int = 0, **other: object) -> list[RunRow]:
    rows = [
        {**run_of("broken"), "jobName": job, "runId": f"{job}{number}"} | other
        for number in range(first, first + count)
    ]
    for row in rows:  # as the list of past runs tells them
        del row["stepStats"], row["assetMaterializations"]
    return [RunRow(str(row["runId"]), 5.0, row) for row in rows]


def runs_of(items: Sequence[Item]) -> list[str]:
    return [item.run_id for item in items if isinstance(item, TaskRun)]


async def test_a_past_run_tells_of_its_tasks_and_not_again_of_itself(
    server: Server, steps: PastSteps
) -> None:
    items, asked = await steps.of(FOUND, page(1))
    (attempt,) = server.step["attempts"]
    assert asked == 1
    assert items == (
        TaskRun(
            task("broken", "explode"),
            "broken0",
            1,
            RunState.FAILED,
            attempt["startTime"],
            attempt["endTime"],
        ),
    )


async def test_of_each_job_so_many_runs_are_asked_for_as_are_kept(
    server: Server, steps: PastSteps
) -> None:
    wanted = [run.run_id for run in page(TRIED_RUNS)]
    first, asked = await steps.of(FOUND, page(60))
    second, more = await steps.of(FOUND, page(140, first=60))
    assert [*runs_of(first), *runs_of(second)] == wanted
    assert [name for ids in server.asked for name in ids] == wanted
    assert (asked, more) == (2, 1)
    assert max(map(len, server.asked)) == RUNS_AT_ONCE
    assert await steps.of(FOUND, page(200, first=200)) == ((), 0)
    others, _ = await steps.of(FOUND, page(3, "sales_job"))
    assert server.asked[-1] == [run.run_id for run in page(3, "sales_job")]
    assert others == ()  # it has no such step


async def test_the_implicit_job_makes_the_assets_of_many(server: Server, steps: PastSteps) -> None:
    await steps.of(FOUND, page(TRIED_ASSET_RUNS + 7, "__ASSET_JOB"))
    assert sum(map(len, server.asked)) == TRIED_ASSET_RUNS


@pytest.mark.parametrize(
    "other",
    [
        {"jobName": "gone"},
        {"status": "STARTED"},
        {"startTime": None},
        {"repositoryOrigin": 7},
    ],
)
async def test_a_run_that_says_nothing_of_a_task_is_not_asked_for(
    server: Server, steps: PastSteps, other: Mapping[str, object]
) -> None:
    assert await steps.of(FOUND, page(1, **other)) == ((), 0)
    assert server.asked == []


async def test_a_run_that_dagster_no_longer_has_is_passed_over(
    server: Server, steps: PastSteps
) -> None:
    async def nothing(query: str, **asked: object) -> dict[str, Any]:
        return {"past": {"results": []}}

    server.ask = nothing  # type: ignore[method-assign, assignment]
    assert await steps.of(FOUND, page(1)) == ((), 1)


async def test_what_is_too_much_for_one_answer_is_asked_for_in_parts(
    server: Server, steps: PastSteps
) -> None:
    server.most = 10
    items, _ = await steps.of(FOUND, page(50))
    assert runs_of(items) == [run.run_id for run in page(50)]


async def test_a_run_whose_log_is_damaged_costs_itself_alone(
    server: Server, steps: PastSteps
) -> None:
    server.fails = {"broken31": TooLarge("its log")}
    items, asked = await steps.of(FOUND, page(50))
    told = [run.run_id for run in page(50) if run.run_id != "broken31"]
    assert runs_of(items) == told
    (problem,) = [item for item in items if isinstance(item, Unresolved)]
    assert (problem.subject, problem.place) == ("dg/broken", "run broken31")
    assert asked < 25
    assert await steps.of(FOUND, page(1, first=31)) == ((), 0)


async def test_steps_that_are_strange_cost_themselves_alone(
    server: Server, steps: PastSteps
) -> None:
    server.step = {"stepKey": "explode"}
    (problem,), _ = await steps.of(FOUND, page(1))
    assert isinstance(problem, Unresolved)
    assert (problem.subject, problem.place) == ("dg/broken", "steps")


async def test_a_run_that_takes_too_long_does_not_stop_the_reading(
    server: Server, steps: PastSteps
) -> None:
    """Each pass asks for less, and the last one without it."""
    server.fails = {"broken3": Unavailable("no answer in 20 s")}
    told: tuple[Item, ...] = ()
    for _ in range(8):
        try:
            told, _ = await steps.of(FOUND, page(TRIED_RUNS + 1))
        except Unavailable:
            continue
        break
    wanted = [run.run_id for run in page(TRIED_RUNS + 1) if run.run_id != "broken3"]
    assert runs_of(told) == wanted
    (problem,) = [item for item in told if isinstance(item, Unresolved)]
    assert problem.place == "run broken3"
    assert "no answer in 20 s" in problem.detail


async def test_what_failed_does_not_count(server: Server, steps: PastSteps) -> None:
    server.fails = {f"broken{number}": Unavailable("down") for number in range(60, 70)}
    with pytest.raises(Unavailable):
        await steps.of(FOUND, page(TRIED_RUNS))
    server.fails = {}
    items, _ = await steps.of(FOUND, page(TRIED_RUNS))
    assert len(runs_of(items)) == TRIED_RUNS
