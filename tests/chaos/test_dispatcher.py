"""The dispatcher is killed again and again. Read from the journal: nothing that was acknowledged is
lost, and what ran did not notice."""

import contextlib
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from swarm.actors.dispatcher import STREAM
from swarm.client import Client
from swarm.model.dispatch import Granted, Lost
from swarm.store.journal import open_journal
from tests.actors.test_slot import alive
from tests.chaos.test_processes import Play
from tests.e2e.conftest import Swarm, cli, free_port
from tests.e2e.test_up import actor_process


@contextlib.contextmanager
def a_swarm(folder: Path, store_url: str = "", fence_s: int = 120) -> Iterator[Swarm]:
    settings, state = folder / "swarm.yaml", folder / "state"
    what = {
        "state_dir": str(state),
        "store_url": store_url,
        "api": {"port": free_port()},
        "worker": {"slots": 4, "fence_s": fence_s},
    }
    settings.write_text(yaml.safe_dump(what))
    started = cli("up", SWARM_CONFIG=str(settings))
    assert started.returncode == 0, started.stderr
    token = (state / "token").read_text()
    url = json.loads((state / "up.json").read_text())["url"]
    try:
        with Client(url, token) as client:
            yield Swarm(settings, state, client, url, token)
    finally:
        cli("down", SWARM_CONFIG=str(settings))


class GroundPlay(Play):
    """A play whose journal may be on a server."""

    def __init__(self, swarm: Swarm, folder: Path, store_url: str = "") -> None:
        folder.mkdir()
        super().__init__(swarm, folder)
        self._store_url = store_url

    def of(self, kind: type) -> list[Any]:
        with contextlib.closing(open_journal(self._store_url, self._swarm.state)) as journal:
            entries = journal.read(STREAM, 0, 100_000)
        return [entry.record for entry in entries if isinstance(entry.record, kind)]

    def grants(self) -> dict[str, int]:
        return {record.token.task: record.token.grant for record in self.of(Granted)}


@pytest.fixture(scope="module")
def swarm(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Swarm]:
    with a_swarm(tmp_path_factory.mktemp("swarm")) as running:
        yield running


def test_a_dispatcher_killed_again_and_again_ends_no_task(swarm: Swarm, tmp_path: Path) -> None:
    play = GroundPlay(swarm, tmp_path / "play")
    running = play.submit("unsafe", "unsafe", "unsafe")
    pids = {task: play.pid(task, 1) for task in running}
    for _ in range(2):
        victim = actor_process(swarm, "DispatcherActor")
        victim.kill()
        (probe,) = play.submit("unsafe")  # acknowledged by the next one
        play.pid(probe, 1)
        play.go_one(probe)
    assert play.of(Lost) == []
    assert all(alive(pid) for pid in pids.values())
    play.settle()
    assert {play.grants()[task] for task in running} == {1}
