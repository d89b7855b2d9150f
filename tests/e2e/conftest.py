"""A real swarm: the command line starts it, HTTP and the SDK use it, the command line stops it."""

import contextlib
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import psycopg
import pytest
import yaml

from swarm.client import Client
from swarm.demo.processes import free_ports

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

# What a swarm that plans for its nodes is told of them.
PLACEMENT = {
    "pool": "static",
    "offerings": [{"name": "night", "slots": 1, "price_usd_per_h": 0.05, "market": "spot"}],
}

# `swarm up` by itself makes a Ray that no other node can join.
JOINED = {"RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER": "1"}

PATIENCE_MS = 120_000  # of a browser

# The close is promised so soon after swarm starts.
SLA_IN_MIN = 50

MANIFEST = [
    {
        "pipeline": "crm_export",
        "task": "load",
        "kind": "sql",
        "files": {"load.sql": "INSERT INTO dwh.orders SELECT * FROM crm.raw_orders"},
    },
    {
        "pipeline": "finance_close",
        "task": "report",
        "kind": "sql",
        "files": {"report.sql": "CREATE TABLE fin.revenue AS SELECT sum(x) AS s FROM dwh.orders"},
    },
    {
        "pipeline": "board_deck",
        "task": "draw",
        "kind": "sql",
        "files": {"draw.sql": "INSERT INTO board.deck SELECT s FROM fin.revenue"},
        "upstream": [{"pipeline": "finance_close", "task": "report"}],
    },
]


@dataclass(frozen=True)
class Swarm:
    """A running swarm and the folder of its state."""

    settings: Path
    state: Path
    client: Client
    url: str
    token: str

    def cli(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run `swarm ...` against it."""
        return cli(*arguments, SWARM_CONFIG=str(self.settings))

    @property
    def pid(self) -> int:
        return int(json.loads((self.state / "up.json").read_text())["pid"])


def cli(*arguments: str, **environ: str) -> subprocess.CompletedProcess[str]:
    """Run the command line in a process of its own, as a user does."""
    return subprocess.run(
        [sys.executable, "-m", "swarm", *arguments],
        env=os.environ | {"NO_COLOR": "1", "COLUMNS": "200"} | environ,
        capture_output=True,
        text=True,
        timeout=600,
        check=False,
    )


def free_port() -> int:
    """One that nobody takes by chance until a server does, half a minute later."""
    (port,) = free_ports(1)
    return port


def own_database(server: str, name: str) -> str:
    """An empty one: what the modules before told swarm is none of this one's."""
    with contextlib.closing(psycopg.connect(server, autocommit=True)) as connection:
        connection.execute(f'CREATE DATABASE "{name}"')
    return f"{server.rsplit('/', 1)[0]}/{name}"


@pytest.fixture(scope="module", params=["sqlite", "postgres"])
def swarm(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Swarm]:
    """`shared`: the one of all modules that leave it as they found it; else the module's own."""
    if request.param == "shared":
        yield request.getfixturevalue("shared_swarm")
        return
    with _running(tmp_path_factory.mktemp("swarm"), request) as running:
        yield running


@pytest.fixture(scope="session")
def shared_swarm(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Swarm]:
    with _running(tmp_path_factory.mktemp("shared"), request) as running:
        yield running


@contextlib.contextmanager
def _running(folder: Path, request: pytest.FixtureRequest) -> Iterator[Swarm]:
    kind = getattr(request, "param", "sqlite")
    server = request.getfixturevalue("postgres") if kind == "postgres" else ""
    store_url = own_database(server, folder.name) if server else ""
    manifest = folder / "tasks.jsonl"
    due = datetime.now(UTC) + timedelta(minutes=SLA_IN_MIN)
    manifest.write_text("".join(json.dumps(line) + "\n" for line in MANIFEST))
    settings = folder / "swarm.yaml"
    state = folder / "state"
    settings.write_text(
        yaml.safe_dump(
            {
                "state_dir": str(state),
                "store_url": store_url,
                "api": {"port": free_port()},
                "slas": [{"pipeline": "manifest/finance_close", "by": f"{due:%H:%M}"}],
                "pipelines": [{"match": "manifest/finance_*", "mode": "gate"}],
                # A machine that runs other tests may take long to start a dispatcher again.
                "worker": {"fence_s": 60},
                "placement": PLACEMENT if kind == "placement" else {},
                "sources": [
                    {"kind": "manifest", "path": str(manifest), "poll_s": 0.5},
                    {"kind": "airflow", "url": "http://127.0.0.1:9", "poll_s": 0.5},
                ],
            }
        )
    )
    try:
        environ = JOINED if kind in ("placement", "nodes") else {}
        started = cli("up", SWARM_CONFIG=str(settings), **environ)
        assert started.returncode == 0, started.stderr
        token = (state / "token").read_text()
        url = json.loads((state / "up.json").read_text())["url"]
        with Client(url, token) as client:
            yield Swarm(settings, state, client, url, token)
    finally:
        cli("down", SWARM_CONFIG=str(settings))


@pytest.fixture(scope="module")
def chromium() -> Iterator["Browser"]:
    """Debian's own browser; `CI` wants it to be there."""
    from playwright.sync_api import sync_playwright

    program = shutil.which("chromium")
    if program is None:
        reason = "Chromium is not installed (the Debian package `chromium`)"
        if os.environ.get("CI"):
            pytest.fail(reason)
        pytest.skip(reason)
    with sync_playwright() as play:
        # Its sandbox wants namespaces that containers do not give; it opens our own pages only.
        browser = play.chromium.launch(executable_path=program, args=["--no-sandbox"])
        yield browser
        browser.close()


@pytest.fixture
def page(chromium: "Browser") -> Iterator["Page"]:
    """At its end its console may not have told of an error."""
    from playwright.sync_api import expect

    told: list[str] = []
    context = chromium.new_context(viewport={"width": 1360, "height": 820})
    context.set_default_timeout(PATIENCE_MS)
    expect.set_options(timeout=PATIENCE_MS)
    page = context.new_page()
    page.on("console", lambda said: said.type in ("error", "warning") and told.append(said.text))
    page.on("pageerror", lambda error: told.append(str(error)))
    yield page
    context.close()
    assert told == []
