"""The demo's backfill in a real Prefect with a worker and a hand beside it, told by a test and by a
real swarm."""

import asyncio
import json
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from swarm.cli.backfill_yields import backfill_yields
from swarm.client import Client
from swarm.demo import environments, prefect_server, runs
from swarm.demo.backfill import DEPLOYMENT, REPORT, Backfill, Needed, promise
from swarm.demo.prefect_server import Prefect
from swarm.demo.processes import free_ports
from swarm.demo.run_folder import CRON, PREFECT, RunFolder
from swarm.model.intents import Act, Carried, Intent
from swarm.model.keys import PipelineKey
from tests.e2e.conftest import cli
from tests.integration.connectors.orchestrators import new_processes
from tests.integration.hands.beside import HandProcess, until
from tests.integration.places import ENVIRONMENTS

pytestmark = [pytest.mark.lab]
TTL_S = 600.0  # as long as a hand takes: nobody renews it while a run begins


@pytest.fixture
def prefect(tmp_path: Path) -> Iterator[Prefect]:
    """The lab's, alone, with its flows."""
    folder = RunFolder(tmp_path / "run")
    processes = new_processes(folder.path / "logs")
    try:
        folder.make("sqlite", processes, str)
        programs = environments.ensure(ENVIRONMENTS, environments.PREFECT, lambda text: None)
        site = folder.site(PREFECT, programs)
        prefect = prefect_server.start(processes, site, tmp_path / "template")()
        runs.register_flows(prefect, site.code / "deployments.json", folder.path)
        yield prefect
    finally:
        processes.stop_all()


@pytest.fixture
def hand(prefect: Prefect, tmp_path: Path) -> Iterator[HandProcess]:
    hand = HandProcess(tmp_path / "hand", _source(prefect))
    hand.start()
    yield hand
    hand.kill()


def _source(prefect: Prefect) -> dict[str, object]:
    return {"kind": "prefect", "name": PREFECT, "url": prefect.url}


async def test_a_backfill_leaves_room_and_goes_on(prefect: Prefect, hand: HandProcess) -> None:
    target = PipelineKey(*DEPLOYMENT.split("/", 1))
    yields = Intent(target, 1, Act.YIELD, "a report is due", time.time() + TTL_S)
    release = Intent(target, 2, Act.RELEASE, "it is done", time.time() + TTL_S)
    async with hand.told() as teller:
        backfill, needed = await asyncio.to_thread(lambda: (Backfill(prefect), Needed(prefect)))
        await until(lambda: backfill.done >= 1, "the backfill is under way")
        assert needed.waits, "its queue is the first, unless it yields"
        answer = await teller.tell(replace(yields, valid_until_s=time.time() + TTL_S))
        assert answer.outcome is Carried.DONE, answer
        assert backfill.comes_last
        waiting = backfill.waiting
        await until(lambda: not needed.waits, "what was behind the backfill begins")
        # A worker may take one more in the moment in which it takes what has waited.
        assert waiting - backfill.waiting <= 1 < waiting
        await until(lambda: needed.is_done, "what was behind the backfill is done")
        done = backfill.done
        answer = await teller.tell(replace(release, valid_until_s=time.time() + TTL_S))
        assert answer.outcome is Carried.DONE, answer
        await until(lambda: not backfill.comes_last, "its queue is where it was")
        await until(lambda: backfill.done > done, "the backfill goes on")


def test_swarm_has_it_leave_room_to_a_report_that_is_due(
    prefect: Prefect, hand: HandProcess, tmp_path: Path
) -> None:
    due = promise()
    port = free_ports(1)[0]
    settings = {
        "state_dir": str(tmp_path / "swarm"),
        "api": {"port": port},
        "sources": [
            {**_source(prefect), **hand.told_by, "poll_s": 1.0},
            {"kind": "crontab", "name": CRON, "path": str(tmp_path / "run" / "crontab")},
        ],
        "pipelines": [{"match": DEPLOYMENT, "mode": "gate"}],
        "slas": [{"pipeline": due.pipeline, "by": due.by}],
    }
    file = tmp_path / "swarm.yaml"
    file.write_text(json.dumps(settings))  # which is YAML, too
    up = cli("up", SWARM_CONFIG=str(file))
    try:
        assert up.returncode == 0, up.stderr
        token = (tmp_path / "swarm" / "token").read_text()
        with Client(f"http://127.0.0.1:{port}", token) as swarm:
            yielded = backfill_yields(swarm, prefect, print)
    finally:
        cli("down", SWARM_CONFIG=str(file))
    assert yielded.kept, yielded
    assert yielded.before >= 4
    assert f"leaves room to {REPORT}" in yielded.reason
    assert "by its pace so far it is done by" in yielded.reason
