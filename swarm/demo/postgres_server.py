"""Starts a PostgreSQL server of the lab's own, from the programs of the Debian package.

It refuses to run as root; then it runs as the package's user `postgres`.
"""

import os
import secrets
import shutil
import stat
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import psycopg

from swarm.demo.processes import LabError, Processes, free_ports, wait_for

HOST = "127.0.0.1"
OWNER = "lab"
_START_TIMEOUT_S = 60.0
_USER = "postgres"
_SETTINGS = {
    "listen_addresses": HOST,
    "unix_socket_directories": "",
    "fsync": "off",  # made anew at each start
    "full_page_writes": "off",
    "max_connections": "60",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "logging_collector": "on",
    "log_destination": "csvlog",
    "log_directory": "log",
    "log_filename": "server.log",
    "log_rotation_age": "0",
    "log_rotation_size": "0",
    # Says of each statement of the roles that want it what it really goes through.
    "shared_preload_libraries": "auto_explain",
    "auto_explain.log_format": "json",
    "auto_explain.log_verbose": "on",
    "auto_explain.log_nested_statements": "on",
}


@dataclass(frozen=True, slots=True)
class Postgres:
    """A running server: `programs` is the folder of its binaries, `home` holds all its files,
    `password` is the one of `OWNER`, its superuser."""

    programs: Path
    home: Path
    port: int
    password: str

    @property
    def log(self) -> Path:
        """What it logs, in its CSV format."""
        return self.home / "data" / "log" / "server.csv"

    def url(self, database: str) -> str:
        """The superuser's address of a database."""
        return f"postgresql://{OWNER}:{self.password}@{HOST}:{self.port}/{database}"


def make_home(folder: Path) -> TemporaryDirectory[str]:
    """A new folder for a server, inside `folder` unless it is closed to the server's user: then
    in the system's folder for temporary files."""
    root = os.geteuid() == 0
    closed = root and not all(p.stat().st_mode & stat.S_IXOTH for p in (folder, *folder.parents))
    home = TemporaryDirectory(
        prefix="swarm-postgres-", dir=None if closed else folder, ignore_cleanup_errors=True
    )
    if root:
        try:
            shutil.chown(home.name, _USER, _USER)
        except LookupError:
            home.cleanup()
            raise LabError(
                f"PostgreSQL refuses to run as root, and there is no user `{_USER}`; "
                "the Debian package `postgresql` makes it."
            ) from None
    return home


def start(processes: Processes, home: Path) -> Postgres:
    """Make an empty server in the folder and wait until it answers.

    Raises `LabError` when PostgreSQL is not installed, or with the log.
    """
    programs = find_programs()
    user = []
    if os.geteuid() == 0:
        user = ["setpriv", f"--reuid={_USER}", f"--regid={_USER}", "--clear-groups"]
    (port,) = free_ports(1)
    postgres = Postgres(programs, home, port, secrets.token_hex(16))
    env = {"PATH": os.environ.get("PATH", os.defpath), "LANG": "C.UTF-8"}
    password = home / "password"
    password.write_text(postgres.password)
    if user:
        shutil.chown(password, _USER)
    data = str(home / "data")
    make = [str(programs / "initdb"), "-D", data, "-U", OWNER, "-E", "UTF8", "--locale=C"]
    make += ["--auth=scram-sha-256", f"--pwfile={password}", "--no-sync"]
    processes.run("postgres-initdb", [*user, *make], env, home)
    settings = {**_SETTINGS, "port": str(port)}
    options = [word for name, value in settings.items() for word in ("-c", f"{name}={value}")]
    run = [*user, str(programs / "postgres"), "-D", data, *options]
    server = processes.start("postgres", run, env, home)
    wait_for("PostgreSQL", [server], lambda: _answers(postgres), _START_TIMEOUT_S)
    return postgres


def find_programs(releases: Path = Path("/usr/lib/postgresql")) -> Path:
    """The folder of the binaries of the newest release that is installed.

    Raises `LabError` that names the missing package.
    """
    found = [file.parent for file in releases.glob("*/bin/initdb")]
    if not found:
        raise LabError(
            "A lab on PostgreSQL needs the Debian package `postgresql`: there is no "
            f"{releases}/*/bin/initdb. Install it, or use the warehouse on SQLite."
        )
    return max(found, key=lambda folder: float(folder.parent.name))


def _answers(postgres: Postgres) -> bool:
    try:
        psycopg.connect(postgres.url("postgres"), connect_timeout=5).close()
    except psycopg.OperationalError:
        return False
    return True
