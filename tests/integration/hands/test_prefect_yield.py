"""The demo's backfill in a real Prefect, with a worker and a hand beside it."""

import asyncio
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from swarm.demo import environments, prefect_server, runs
from swarm.demo.backfill import DEPLOYMENT, RUNS, Backfill, Needed
from swarm.demo.prefect_server import Prefect
from swarm.demo.run_folder import PREFECT, RunFolder
from swarm.model.intents import Act, Carried, Intent
from swarm.model.keys import PipelineKey
from tests.integration.connectors.orchestrators import new_processes
from tests.integration.hands.beside import TTL_S, HandProcess, until
from tests.integration.places import ENVIRONMENTS

pytestmark = [pytest.mark.lab, pytest.mark.timeout(600)]


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


async def test_a_backfill_leaves_room_and_goes_on(prefect: Prefect, tmp_path: Path) -> None:
    target = PipelineKey(*DEPLOYMENT.split("/", 1))
    yields = Intent(target, 1, Act.YIELD, "a report is due", time.time() + TTL_S)
    hand = HandProcess(
        tmp_path / "hand", {"kind": "prefect", "name": "prefect", "url": prefect.url}
    )
    hand.start()
    try:
        async with hand.told() as teller:
            backfill, needed = await asyncio.to_thread(lambda: (Backfill(prefect), Needed(prefect)))
            await until(lambda: backfill.done >= 1, "the backfill is under way")
            assert needed.waits, "its queue is the first, unless it yields"
            answer = await teller.tell(yields)
            assert answer.outcome is Carried.DONE, answer
            assert backfill.comes_last
            waiting = backfill.waiting
            await until(lambda: not needed.waits, "what was behind the backfill begins")
            # A worker may take one more in the moment in which it takes what has waited.
            assert waiting - backfill.waiting <= 1 < waiting
            await until(lambda: needed.is_done, "what was behind the backfill is done")
            done = backfill.done
            release = Intent(target, 2, Act.RELEASE, "it is done", time.time() + TTL_S)
            answer = await teller.tell(release)
            assert answer.outcome is Carried.DONE, answer
            assert not backfill.comes_last
            await until(lambda: backfill.done > done, "the backfill goes on")
            assert backfill.done + backfill.waiting <= RUNS
    finally:
        hand.kill()
