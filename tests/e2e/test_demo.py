"""The whole of it: `swarm demo` on real orchestrators finds what an audit of the warehouse saw, and
the dashboard's pages show it."""

import contextlib
import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

import psutil
import pytest
from playwright.sync_api import Page, expect

from swarm.cli.output import name_of
from swarm.client import Client
from tests.e2e.test_walk import let_in, walk
from tests.integration.places import LAB

PLACE = re.compile(r"The API is at (\S+)/api/v1, its token in (\S+)")
LAST = "Ctrl-C stops everything."


@pytest.mark.lab
@pytest.mark.timeout(1_800)
def test_the_demo_finds_everything_and_nothing_else_and_leaves_no_process(
    tmp_path: Path, page: Page
) -> None:
    with demo(tmp_path) as process:
        said = ""
        for line in process.stderr or ():
            said += line
            if LAST in line:
                break
        place = PLACE.search(said)
        assert place is not None, said[-5_000:]
        look_at_each_page(page, place[1], Path(place[2]).read_text())
        process.send_signal(signal.SIGINT)
        printed, left = process.communicate()
    assert process.returncode == 0, printed + left[-5_000:]
    report = json.loads(printed)
    assert report["missed"] == []
    assert report["false"] == []
    assert report["undeclared_found"] == report["undeclared_expected"] >= 12
    assert 0 < report["agent_death_seen_s"] < report["agent_death_replaced_s"] < 30
    assert 0 < report["worker_death_seen_s"] < report["worker_death_running_again_s"] < 30
    assert (report["airflow_outcome"], report["airflow_tries"]) == ("success", 1)
    assert report["airflow_running_again_s"] > 0
    assert report["pipelines"] >= 30
    assert report["orchestrators"] == 4
    # Ray and Airflow write titles over their command lines; where they work stays to be seen.
    assert [p for p in psutil.process_iter() if {tmp_path, LAB} & set(_places(p))] == []


@contextlib.contextmanager
def demo(folder: Path) -> Iterator[subprocess.Popen[str]]:
    """It stays up until Ctrl-C, which it gets in any case."""
    with subprocess.Popen(
        [sys.executable, "-m", "swarm", "demo", "-o", "json", "--folder", str(LAB)],
        cwd=folder,
        env=os.environ | {"NO_COLOR": "1"},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        try:
            yield process
        finally:
            if process.poll() is None:
                process.send_signal(signal.SIGINT)
                process.communicate()


def look_at_each_page(page: Page, url: str, token: str) -> None:
    """What real servers of four orchestrators told, and what swarm made of it."""
    with Client(url, token) as client:
        edge = max(client.dependencies(declared=False), key=lambda one: len(one["evidence"]))
        [worker] = client.workers()
    up, down = (edge[end] for end in ("upstream", "downstream"))
    pair = "\n".join(f"{end['orchestrator']}/{end['pipeline']}" for end in (up, down))
    let_in(page, f"{url}/graph?edge={quote(pair)}", token)
    for words in (edge["dataset"], name_of(up), edge["evidence"][0]["place"]):
        expect(page.locator("#drawer")).to_contain_text(words)
    page.keyboard.press("Escape")
    walk(
        page,
        {
            "n": ("Held and waiting", f"{worker['slots']} slots"),
            "g": ("declared", "implicit", "As a table"),
            "t": ("survivor", "shipments_job", "spend-import/daily", " ran"),
            "f": (worker["worker"], "airflow", "dagster", "prefect", "cron", "false alarms in"),
            "c": ("Utilisation",),
            "i": ("reads what",),
        },
    )
    page.close()  # before what it listens to goes


def _places(process: psutil.Process) -> tuple[Path, ...]:
    """The folder in which a process works, and those around it."""
    try:
        place = Path(process.cwd())
    except psutil.Error:
        return ()  # it has ended, or is somebody else's
    return (place, *place.parents)
