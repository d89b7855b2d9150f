"""A PostgreSQL server of the test session's own, from the Debian package."""

import contextlib
import os
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg
import pytest
from xdist.scheduler import LoadScopeScheduling

from swarm.demo.processes import free_ports
from tests import suites

_SETTINGS = {
    "listen_addresses": "127.0.0.1",
    "unix_socket_directories": "",
    "fsync": "off",  # the machine does not lose power in a test
    "full_page_writes": "off",
    "max_connections": "60",
}


@dataclass(frozen=True)
class PostgresServer:
    """A running server: the URL of its own database, its data folder, and how to start it again
    after a test has killed it."""

    url: str
    data: Path
    start: Callable[[], None]


class Sharing(LoadScopeScheduling):  # type: ignore[misc]
    """What shares servers, or the one folder of the lab, runs in one process of those that test
    side by side."""

    def _split_scope(self, nodeid: str) -> str:
        return _shares(nodeid)


def _shares(nodeid: str) -> str:
    """A name for what a test shares: its module's own, if nothing more."""
    path = Path(nodeid.partition("::")[0])
    if path.parent.name == "lab" or path.stem in ("test_demo", "test_live"):
        return "lab"
    if "[shared" in nodeid:
        return "shared"
    return path.parent.name if path.parent.name in ("hands", "plugins") else str(path)


def pytest_configure() -> None:
    """What a shell starts in the background ignores Ctrl-C, and so would the commands of tests."""
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> LoadScopeScheduling | None:
    """For `-n 2 --dist loadscope`."""
    return Sharing(config, log) if config.getvalue("dist") == "loadscope" else None


def pytest_terminal_summary(terminalreporter: Any) -> None:
    """What each suite took beside its budget."""
    reports = [one for of in terminalreporter.stats.values() for one in of]
    spent = suites.spent((one.nodeid, one.duration) for one in reports if hasattr(one, "duration"))
    for line in suites.lines(spent):
        terminalreporter.write_line(line)


@pytest.hookimpl(trylast=True)
def pytest_runtest_teardown(item: pytest.Item, nextitem: pytest.Item | None) -> None:
    """A swarm that modules share ends with the last of them: idle it takes a quarter of a core,
    until the end of the session."""
    sharing = _shares(item.nodeid)
    name = {"shared": "shared_swarm", "plugins": "swarm"}.get(sharing)
    if name and nextitem and _shares(nextitem.nodeid) != sharing:
        for fixture in item.session._fixturemanager.getfixturedefs(name, item) or ():
            fixture.finish(item._request)  # type: ignore[attr-defined]


@pytest.fixture(scope="session")
def postgres(start_postgres: Callable[..., PostgresServer]) -> str:
    """URL of the own database of the server that tests share."""
    return start_postgres().url


@pytest.fixture(scope="session")
def start_postgres() -> Iterator[Callable[..., PostgresServer]]:
    """Starts a server of its own with the settings given; stopped and deleted at the end."""
    with contextlib.ExitStack() as servers:
        yield lambda **settings: servers.enter_context(_server(settings))


@contextlib.contextmanager
def _server(extra: Mapping[str, str]) -> Iterator[PostgresServer]:
    programs = _programs()
    if programs is None:
        reason = "PostgreSQL is not installed (no /usr/lib/postgresql/*/bin/initdb)"
        if os.environ.get("CI"):
            pytest.fail(reason)
        pytest.skip(reason)
    folder = Path(tempfile.mkdtemp(prefix="swarm-postgres-"))
    user = _unprivileged(folder)
    data = folder / "data"

    def run(program: str, *arguments: str) -> None:
        subprocess.run(
            [programs / program, *arguments],
            check=True,
            cwd=folder,
            stdout=subprocess.DEVNULL,
            timeout=300,
            **user,
        )

    try:
        run("initdb", "-D", str(data), "-U", "swarm", "-A", "trust", "-E", "UTF8", "--no-sync")
        (port,) = free_ports(1)
        settings = _SETTINGS | {"port": str(port), **extra}
        options = " ".join(f"-c {name}='{value}'" for name, value in settings.items())
        control = ("-D", str(data), "-w", "-t", "240", "-l", str(folder / "log"))

        def start() -> None:
            run("pg_ctl", "start", *control, "-o", options)

        start()
        try:
            yield PostgresServer(f"postgresql://swarm@127.0.0.1:{port}/postgres", data, start)
        finally:
            run("pg_ctl", "stop", "-D", str(data), "-t", "240", "-m", "immediate")
    finally:
        shutil.rmtree(folder)


@pytest.fixture
def new_database(postgres: str) -> Iterator[Callable[[], str]]:
    """Makes an empty database on the server and returns its URL."""
    with contextlib.closing(psycopg.connect(postgres, autocommit=True)) as connection:
        names: list[str] = []

        def make() -> str:
            row = connection.execute("SELECT count(*) FROM pg_database").fetchone()
            name = f"test_{row[0] if row else 0}_{len(names)}"
            connection.execute(f'CREATE DATABASE "{name}"')
            names.append(name)
            return postgres.removesuffix("postgres") + name

        yield make
        for name in names:
            connection.execute(f'DROP DATABASE "{name}" WITH (FORCE)')


def _programs() -> Path | None:
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
    return found[-1].parent if found else None


def _unprivileged(folder: Path) -> dict[str, Any]:
    """How to start programs that refuse to run as root; gives them `folder`."""
    if os.geteuid() != 0:
        return {}
    shutil.chown(folder, "postgres", "postgres")
    return {"user": "postgres", "group": "postgres", "extra_groups": []}
