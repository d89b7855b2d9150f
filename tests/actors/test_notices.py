"""A machine that says that it goes away: what its metadata service tells, what a worker does."""

import asyncio
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from swarm.actors.notices import Aws, Gcp, Notice, Notices
from swarm.clock import SystemClock
from swarm.model.work import Effects, LossCause, Outcome
from tests.actors.metadata import Metadata, metadata
from tests.actors.places import a_dispatcher, a_worker, submit
from tests.actors.test_worker import until

CLOCK = SystemClock()
PREEMPTED = "/computeMetadata/v1/instance/preempted"
AGAIN = ["sh", "-c", 'echo; [ "$SWARM_GRANT" = 2 ] || sleep 300']  # it ends where it runs again


def printed(folder: Path, worker: str) -> set[str]:
    """The grants that a worker ran."""
    return {path.name for path in (folder / worker / "output").iterdir()}


def ends_of(notice: Notice | None) -> float:
    assert notice is not None
    assert notice.ends_s is not None
    return notice.ends_s


@pytest.fixture
def service() -> Iterator[Metadata]:
    with metadata() as found:
        yield found


def test_until_there_is_a_notice_aws_tells_nothing(service: Metadata) -> None:
    aws = Aws(service.url, CLOCK)
    assert aws.look() is None
    assert aws.look() is None
    assert [path for path, status in service.asked if status == 200] == ["/latest/api/token"]


def test_of_aws_the_end_is_heard_with_its_time(service: Metadata) -> None:
    began_s = CLOCK.monotonic_s()
    service.ends(time.time() + 60.0)
    ends_s = ends_of(Aws(service.url, CLOCK).look())
    assert ends_s - began_s > 58.0
    assert ends_s - CLOCK.monotonic_s() <= 60.0


@pytest.mark.parametrize("action", ["no json", "{}", '{"time": 7}', '{"time": "2099-01-01"}'])
def test_an_end_whose_time_cannot_be_believed_comes_in_two_minutes(
    service: Metadata, action: str
) -> None:
    service.told["/latest/meta-data/spot/instance-action"] = action
    began_s = CLOCK.monotonic_s()
    ends_s = ends_of(Aws(service.url, CLOCK).look())
    assert began_s + 120.0 <= ends_s <= CLOCK.monotonic_s() + 120.0


def test_of_aws_advice_has_no_time_and_an_end_stands_above_it(service: Metadata) -> None:
    aws = Aws(service.url, CLOCK)
    service.may_end()
    assert aws.look() == Notice()
    service.ends(time.time() + 60.0)
    assert aws.look() != Notice()


def test_a_token_that_is_over_is_asked_for_anew(service: Metadata) -> None:
    aws = Aws(service.url, CLOCK)
    aws.look()
    service.tokens.clear()
    service.may_end()
    assert aws.look() == Notice()


def test_google_tells_of_the_end_alone(service: Metadata) -> None:
    gcp = Gcp(service.url, CLOCK)
    service.told[PREEMPTED] = "FALSE"
    assert gcp.look() is None
    service.told[PREEMPTED] = "TRUE"
    began_s = CLOCK.monotonic_s()
    ends_s = ends_of(gcp.look())
    assert began_s + 30.0 <= ends_s <= CLOCK.monotonic_s() + 30.0


def test_a_service_that_is_away_tells_nothing(service: Metadata) -> None:
    service.shutdown()
    service.server_close()
    for away in (Aws(service.url, CLOCK), Gcp(service.url, CLOCK)):
        with pytest.raises(OSError, match="refused"):
            away.look()


async def test_a_service_that_did_not_answer_is_asked_again_within_the_time_of_a_notice(
    service: Metadata,
) -> None:
    service.silent = 2
    service.told[PREEMPTED] = "TRUE"
    notices = Notices("gcp", CLOCK, service.url)
    notices.open()
    async with asyncio.timeout(20.0):
        await notices.until_heard()
    notices.close()
    assert service.silent == 0


async def test_what_may_run_twice_is_handed_over_at_once_and_no_more_is_taken(
    tmp_path: Path, service: Metadata
) -> None:
    async with a_dispatcher(tmp_path) as dispatcher:
        floor = dispatcher._dispatcher.floor
        async with a_worker(dispatcher, tmp_path, "spot", metadata_url=service.url) as spot:
            task = await submit(dispatcher, "t", AGAIN, Effects.IDEMPOTENT)
            await until(lambda: task in floor.tasks and floor.tasks[task].state == "running")
            assert floor.tasks[task].worker == spot.id
            await until(lambda: (tmp_path / "spot" / "output" / "t.1").read_text() != "")
            async with a_worker(dispatcher, tmp_path, "sure"):
                service.ends(time.time() + 120.0)
                await until(lambda: task in floor.ended)
                assert (floor.ended[task].outcome, floor.ended[task].grant) == (
                    Outcome.SUCCEEDED,
                    2,
                )
                assert floor.workers[spot.id].draining
                late = await submit(dispatcher, "late", ["echo"])
                await until(lambda: late in floor.ended)
    assert printed(tmp_path, "spot") == {"t.1"}
    assert printed(tmp_path, "sure") == {"t.2", "late.1"}


async def test_what_may_not_run_twice_ends_in_time_or_is_ended_before_the_machine(
    tmp_path: Path, service: Metadata
) -> None:
    """It is granted elsewhere only once it runs no more."""
    marks = tmp_path / "marks"
    overlap = f'mkdir {marks} || exit 9; trap "" TERM; [ "$SWARM_GRANT" = 2 ] || sleep 300'
    async with a_dispatcher(tmp_path) as dispatcher:
        floor = dispatcher._dispatcher.floor
        async with a_worker(dispatcher, tmp_path, "spot", metadata_url=service.url) as spot:
            gate = tmp_path / "gate"
            wait = ["sh", "-c", f"until [ -e {gate} ]; do sleep 0.05; done"]
            ends = await submit(dispatcher, "ends", wait)
            runs_on = await submit(dispatcher, "runs-on", ["sh", "-c", overlap])
            await until(lambda: all(one.state == "running" for one in floor.tasks.values()))
            await until(marks.exists)
            service.ends(time.time() + 60.0)
            await until(lambda: floor.workers[spot.id].interrupted)
            assert {floor.tasks[one].worker for one in (ends, runs_on)} == {spot.id}
            gate.touch()
            await until(lambda: ends in floor.ended)
            assert (floor.ended[ends].outcome, floor.ended[ends].grant) == (Outcome.SUCCEEDED, 1)
            await until(lambda: floor.tasks[runs_on].state == "queued")
            marks.rmdir()
            losses = floor.tasks[runs_on].losses
            assert [loss.cause for loss in losses] == [LossCause.INTERRUPTED]
            async with a_worker(dispatcher, tmp_path, "sure"):
                await until(lambda: runs_on in floor.ended)
            assert (floor.ended[runs_on].outcome, floor.ended[runs_on].grant) == (
                Outcome.SUCCEEDED,
                2,
            )


async def test_advice_drains_and_takes_nothing_away(tmp_path: Path, service: Metadata) -> None:
    gate = tmp_path / "gate"
    wait = ["sh", "-c", f"until [ -e {gate} ]; do sleep 0.05; done"]
    async with a_dispatcher(tmp_path) as dispatcher:
        floor = dispatcher._dispatcher.floor
        async with a_worker(dispatcher, tmp_path, "spot", metadata_url=service.url) as spot:
            task = await submit(dispatcher, "t", wait, Effects.IDEMPOTENT)
            await until(lambda: floor.tasks[task].state == "running")
            service.may_end()
            await until(lambda: floor.workers[spot.id].draining)
            assert not floor.workers[spot.id].interrupted
            gate.touch()
            await until(lambda: task in floor.ended)
    assert (floor.ended[task].outcome, floor.ended[task].grant) == (Outcome.SUCCEEDED, 1)


async def test_without_a_notice_work_goes_on(tmp_path: Path, service: Metadata) -> None:
    async with a_dispatcher(tmp_path) as dispatcher:
        floor = dispatcher._dispatcher.floor
        async with a_worker(dispatcher, tmp_path, "spot", metadata_url=service.url) as spot:
            await until(lambda: any(status == 404 for _, status in service.asked))
            task = await submit(dispatcher, "t", ["true"])
            await until(lambda: task in floor.ended)
            assert not floor.workers[spot.id].draining
    assert floor.ended[task].outcome is Outcome.SUCCEEDED
