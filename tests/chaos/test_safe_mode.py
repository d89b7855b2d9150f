"""A record of the journal stops the dispatcher, not what runs; a person sets the record aside."""

import contextlib
from collections.abc import Iterator
from pathlib import Path

import pytest

from swarm.actors.dispatcher import STREAM
from swarm.client import ApiError
from swarm.model.dispatch import Ended, Lost
from swarm.model.journal import Quarantined
from swarm.model.work import Outcome, TaskId, Token
from swarm.store.journal import open_journal
from tests.actors.test_slot import alive
from tests.chaos.test_dispatcher import GroundPlay, a_swarm
from tests.e2e.conftest import Swarm
from tests.e2e.test_up import actor_process, eventually


@pytest.fixture(scope="module")
def swarm(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Swarm]:
    with a_swarm(tmp_path_factory.mktemp("swarm")) as running:
        yield running


def plant(swarm: Swarm) -> int:
    """An end of a task that nobody handed in, for the next dispatcher."""
    with contextlib.closing(open_journal("", swarm.state)) as journal:
        end = Ended(Token(TaskId("never"), 1), Outcome.SUCCEEDED)
        seq = journal.open(STREAM).append([end], 1.0, "planted")
    actor_process(swarm, "DispatcherActor").kill()
    return seq


def test_a_record_that_stops_the_dispatcher_stops_no_task(swarm: Swarm, tmp_path: Path) -> None:
    play = GroundPlay(swarm, tmp_path / "play")
    running, ends = play.submit("unsafe", "unsafe")
    pids = [play.pid(task, 1) for task in (running, ends)]
    seq = plant(swarm)
    (stands,) = eventually(lambda: swarm.client.status()["standing"])
    assert (stands["stream"], stands["seq"]) == (STREAM, seq)
    assert "Ended cannot be applied" in stands["why"]
    with pytest.raises(ApiError, match=f"swarm quarantine dispatch {seq} --by") as refused:
        swarm.client.submit([{"argv": ["true"]}])
    assert (refused.value.status, refused.value.code) == (503, "safe-mode")
    eventually(lambda: swarm.client.task(running)["state"] == "running")
    assert all(alive(pid) for pid in pids)
    play.go_one(ends)
    eventually(lambda: not alive(pids[1]))  # its end waits to be told
    said = swarm.cli("status")
    assert said.returncode == 3
    assert f"stands still  dispatch before record {seq}" in said.stdout
    why = ("--by", "ann", "--reason", "planted")
    assert swarm.cli("quarantine", STREAM, str(seq - 1), *why).returncode == 7
    done = swarm.cli("quarantine", STREAM, str(seq), *why)
    assert done.returncode == 0, done.stderr
    eventually(lambda: swarm.client.task(ends)["state"] == "succeeded")
    (after,) = play.submit("unsafe")
    play.pid(after, 1)
    play.settle()
    eventually(lambda: swarm.client.status()["standing"] == [])
    assert play.of(Lost) == []
    assert set(play.grants().values()) == {1}
    (record,) = play.of(Quarantined)
    assert (record.type, record.by, record.reason) == ("Ended", "ann", "planted")
