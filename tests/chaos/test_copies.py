"""A second copy of work that is about to be late, and the death of the first one's worker."""

import contextlib
import json
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest
import yaml

from benchmarks import failover_task
from swarm.actors.dispatcher import STREAM
from swarm.client import Client
from swarm.model.dispatch import Copied, CopyLeads, Ended, Granted, Lost
from swarm.store.journal import open_journal
from tests.actors.test_slot import alive
from tests.e2e.conftest import JOINED, Swarm, cli, free_port
from tests.e2e.test_nodes import SPOT, a_node
from tests.e2e.test_tasks import in_state
from tests.e2e.test_up import eventually

DEDICATED = {"ray.io/market-type": "on-demand", "swarm/pool": "sure"}
PLACEMENT = {
    "pool": "static",
    "offerings": [
        {"name": "night", "slots": 1, "price_usd_per_h": 0.05, "market": "spot"},
        {"name": "sure", "slots": 1, "price_usd_per_h": 0.1},
    ],
}
DUE_IN_S, TAKES_S = 1_200.0, 1_170.0  # lost half a minute after its start, it would be late


@pytest.fixture
def swarm(tmp_path: Path) -> Iterator[Swarm]:
    """Its own machine works for none: two nodes are to join."""
    settings, state = tmp_path / "swarm.yaml", tmp_path / "state"
    tree = {
        "state_dir": str(state),
        "api": {"port": free_port()},
        "worker": {"slots": 0, "fence_s": 60},
        "placement": PLACEMENT,
    }
    settings.write_text(yaml.safe_dump(tree))
    try:
        started = cli("up", SWARM_CONFIG=str(settings), **JOINED)
        assert started.returncode == 0, started.stderr
        url = json.loads((state / "up.json").read_text())["url"]
        token = (state / "token").read_text()
        with Client(url, token) as client:
            yield Swarm(settings, state, client, url, token)
    finally:
        cli("down", SWARM_CONFIG=str(settings))


def pids(beats: Path) -> list[int]:
    """Of the programs, in the order in which they began."""
    lines = beats.read_text().splitlines() if beats.exists() else []
    return list(dict.fromkeys(int(line.split()[1]) for line in lines if len(line.split()) == 2))


def worker_of(node: psutil.Process) -> psutil.Process:
    """Its process, which Ray titles after its class."""
    for one in node.children(recursive=True):
        with contextlib.suppress(psutil.Error):
            if (one.cmdline() or [""])[0].startswith("ray::WorkerActor"):
                return one
    raise AssertionError("no worker runs there")


def records(swarm: Swarm) -> list[object]:
    with contextlib.closing(open_journal("", swarm.state)) as journal:
        return [entry.record for entry in journal.read(STREAM, 0, 100_000)]


def test_the_copy_of_critical_work_goes_on_when_the_first_worker_is_killed(
    swarm: Swarm, tmp_path: Path
) -> None:
    program = f"{sys.executable} -I -S {failover_task.__file__} {tmp_path} commits"
    with contextlib.ExitStack() as nodes:
        first = nodes.enter_context(a_node(swarm, "first", SPOT))
        eventually(swarm.client.workers)
        body = {
            "id": "close",
            "argv": ["sh", "-c", f"echo by $$; exec {program}"],
            "effects": "fenced",
            "sla": "critical",
            "deadline_s": time.time() + DUE_IN_S,
            "expected_duration_s": TAKES_S,
            "wait_for_capacity": True,
        }
        swarm.client.submit([body])
        story = in_state(swarm, "close", "running")
        beats = tmp_path / "close.1"
        (pid,) = eventually(lambda: pids(beats))
        nodes.enter_context(a_node(swarm, "second", DEDICATED))
        both = eventually(lambda: len(found := pids(beats)) == 2 and found)
        assert both[0] == pid
        copied = [one for one in records(swarm) if isinstance(one, Copied)]
        assert [one.token.grant for one in copied] == [1]
        assert copied[0].worker != story["worker"]

        worker_of(first).kill()
        eventually(lambda: any(isinstance(one, CopyLeads) for one in records(swarm)))
        eventually(lambda: not alive(pid))
        assert alive(both[1]), "nothing of it has to run again"
        (tmp_path / "close.go").touch()
        ended = in_state(swarm, "close", "succeeded", "failed")
        logs = [
            f"==> grant 1 on {story['worker']} <==",
            f"by {pid}",
            f"==> grant 1 on {copied[0].worker}, second copy <==",
            f"by {both[1]}",
        ]
        # What it printed is shipped some time after, and only while its node is there.
        eventually(lambda: swarm.cli("tasks", "logs", "close").stdout.splitlines() == logs)
    assert (ended["state"], ended["grant"]) == ("succeeded", 1)
    told = records(swarm)
    assert [sum(isinstance(one, kind) for one in told) for kind in (Granted, Lost, Ended)] == [
        1,
        0,
        1,
    ]
    with contextlib.closing(failover_task.effects(tmp_path)) as database:
        assert database.execute("SELECT task, grant_no FROM effects").fetchall() == [("close", 1)]
        assert database.execute("SELECT * FROM refused").fetchall() == []
    assert swarm.client.output("close").decode() == f"by {both[1]}\n"
