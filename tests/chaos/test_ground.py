"""What swarm stands on fails: its disk, its database, its head. Read from the journal: nothing that
was acknowledged is lost, and what ran goes on where its machine does."""

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest

from swarm.client import ApiError, Client, Unreachable
from swarm.model.dispatch import Lost
from tests.actors.test_slot import alive
from tests.chaos.test_dispatcher import GroundPlay, a_swarm
from tests.conftest import PostgresServer
from tests.e2e.conftest import cli
from tests.e2e.test_up import eventually, kill_all
from tests.small_disk import filled, small_disk


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    """A folder whose disk has room for a state, and can be filled."""
    with small_disk(tmp_path / "small", "64m") as folder:
        yield folder


def submitted(play: GroundPlay) -> list[str]:
    """What is handed in once that is possible."""
    try:
        return play.submit("unsafe")
    except (ApiError, Unreachable):
        return []


def test_a_full_disk_is_named_and_costs_nothing(disk: Path, tmp_path: Path) -> None:
    with a_swarm(disk) as swarm:
        play = GroundPlay(swarm, tmp_path / "play")
        running = play.submit("unsafe", "unsafe")
        pids = [play.pid(task, 1) for task in running]
        # Readers have it: they hear of nothing more while the disk is full.
        eventually(lambda: {swarm.client.task(task)["state"] for task in running} == {"running"})
        large = {"argv": ["true"], "files": {"large": os.urandom(500_000).hex()}}
        taken: list[str] = []
        with filled(disk), Client(swarm.url, swarm.token, timeout_s=90.0) as client:

            def hand_in() -> None:
                for number in range(200):  # the journal may have some room of its own
                    taken.extend(client.submit([large], idempotency_key=f"large{number}"))

            with pytest.raises(ApiError, match="the disk is full; free some space") as refused:
                hand_in()
            assert (refused.value.status, refused.value.code) == (507, "no-room")
            assert client.task(running[0])["state"] == "running"
            assert all(alive(pid) for pid in pids)
        (after,) = eventually(lambda: submitted(play))
        play.pid(after, 1)
        assert play.of(Lost) == []
        play.settle()
        assert {play.grants()[task] for task in running} == {1}
        for task in taken:
            eventually(lambda task=task: swarm.client.task(task)["state"] == "succeeded")


def test_a_killed_database_ends_no_task(
    start_postgres: Callable[..., PostgresServer], tmp_path: Path
) -> None:
    server = start_postgres()
    with a_swarm(tmp_path, server.url) as swarm:
        play = GroundPlay(swarm, tmp_path / "play", server.url)
        running = play.submit("unsafe", "unsafe")
        pids = [play.pid(task, 1) for task in running]
        postmaster = psutil.Process(int((server.data / "postmaster.pid").read_text().split()[0]))
        backends = postmaster.children()
        postmaster.kill()
        psutil.wait_procs([postmaster, *backends], timeout=180)
        with Client(swarm.url, swarm.token, timeout_s=2.0, retry_for_s=0.0) as impatient:
            with pytest.raises((ApiError, Unreachable)):
                impatient.submit([{"argv": ["true"]}], idempotency_key="meanwhile")
            server.start()
        (after,) = eventually(lambda: submitted(play), 180.0)
        play.pid(after, 1)
        assert play.of(Lost) == []
        assert all(alive(pid) for pid in pids)
        play.settle()
        assert {play.grants()[task] for task in running} == {1}
        assert len(swarm.client.submit([{"argv": ["true"]}], idempotency_key="meanwhile")) == 1


@pytest.mark.parametrize("victims", ["gcs_server", ""], ids=["gcs", "head"])
def test_a_head_that_died_goes_on_where_it_was(victims: str, tmp_path: Path) -> None:
    with a_swarm(tmp_path, fence_s=15) as swarm:
        play = GroundPlay(swarm, tmp_path / "play")
        for task in (tasks := play.submit("unsafe", "fenced")):
            play.pid(task, 1)
        swarm_itself = psutil.Process(swarm.pid)
        family = [*swarm_itself.children(recursive=True), swarm_itself]
        names = {one.pid: one.info["name"] for one in psutil.process_iter(["name"])}
        kill_all([process for process in family if victims in names.get(process.pid, "")])
        cli("down", SWARM_CONFIG=str(swarm.settings))
        again = cli("up", SWARM_CONFIG=str(swarm.settings))
        assert again.returncode == 0, again.stderr
        for task in tasks:
            play.pid(task, 2, 180.0)  # after workers have come up, too
        play.settle()
