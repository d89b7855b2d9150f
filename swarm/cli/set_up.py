"""What `swarm doctor` looks at on this machine before anything runs."""

import errno
import os
import shutil
import socket
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from swarm import __version__
from swarm.cli.installed import source
from swarm.cli.look import Look

if TYPE_CHECKING:
    from swarm.config import Agents, Settings

_ROOM_BYTES = 1 << 30
_IMPORT_S = 30.0
_SECRETS = ("token", "payload-key", "beat-key", "ray-token")
_NONE_ELSE = 0o077


def of_machine(settings: "Settings", environ: Mapping[str, str] = os.environ) -> Iterator[Look]:
    """Folders and files, the store, ports, what has to be imported."""
    yield from _of_state(settings.state_dir)
    yield _of_store(settings)
    yield from _of_ports(settings)
    yield _of_slots(settings)
    yield _importable("ray", f"{sys.executable} -m pip install --force-reinstall {source()}")
    yield from map(_of_agent, settings.agents)
    yield from _of_plug_ins(environ)


def _of_state(folder: Path) -> Iterator[Look]:
    # What we may not look into is not there for us; `Path.exists` would fail instead.
    there = next(one for one in (folder, *folder.parents) if os.path.exists(one))
    if not os.access(there, os.W_OK | os.X_OK):
        yield Look("state", f"{there} cannot be written", _given(folder, there))
    elif there == folder and folder.stat().st_mode & _NONE_ELSE:
        yield Look("state", f"others may enter {folder}", f"chmod 700 {folder}")
    else:
        yield Look("state", f"{folder} can be written")
    for name in _SECRETS:
        file = folder / name
        if os.path.exists(file) and file.stat().st_mode & _NONE_ELSE:
            yield Look(f"secret {name}", f"others may read {file}", f"chmod 600 {file}")
    free = shutil.disk_usage(there).free
    fix = "" if free > _ROOM_BYTES else f"du -xh {there} | sort -h | tail    # free some space"
    yield Look("room", f"{free / 1e9:.1f} GB free under {there}", fix)


def _given(folder: Path, there: Path) -> str:
    """What gives us the folder; of those above it, which are for others too, nothing changes."""
    how = "chown -R" if there == folder else "install -d -m 700 -o"
    return f"sudo {how} $(id -un) {folder}    # or set `state_dir`"


def _of_store(settings: "Settings") -> Look:
    from swarm.errors import ConfigError, StoreError
    from swarm.store.versions import versions

    where = "PostgreSQL" if settings.store_url else f"SQLite in {settings.state_dir}"
    try:
        found = versions(settings.store_url, settings.state_dir)
    except (StoreError, ConfigError, OSError) as error:
        fix = f"ls -lR {settings.state_dir}"
        if settings.store_url:
            fix = "pg_isready -d URL    # start the server, or correct `store_url`"
        return Look("store", str(error), fix)
    if newer := [one for one in found if one.is_newer]:
        one = newer[0]
        said = f"{one.place}: its {one.history} tables are of version {one.found}"
        fix = (
            f"{sys.executable} -m pip install --upgrade {source()}    # when the newer one is there"
        )
        return Look("store", f"{said}, this swarm knows {one.known}: a newer one wrote it", fix)
    behind = sorted({f"{o.history} {o.found} to {o.known}" for o in found if o.found < o.known})
    if behind:
        return Look("store", f"{where}, to be migrated by `swarm up`: {', '.join(behind)}")
    return Look("store", where if found else f"{where}, empty")


def _of_ports(settings: "Settings") -> Iterator[Look]:
    """Whether others listen where swarm is going to; while it runs, it does itself."""
    from swarm.cli.process import running_pid

    if running_pid(settings) is not None:
        return
    wanted = [("api.port", settings.api.host, settings.api.port)]
    if settings.metrics_port and not settings.ray_address:
        wanted.append(("metrics_port", "127.0.0.1", settings.metrics_port))
    for key, host, port in wanted:
        error = _refused(host, port)
        if error is None:
            yield Look(f"port {port}", "is free")
        elif error.errno == errno.EADDRINUSE:
            fix = f"ss -ltnp 'sport = :{port}'    # stop what listens there, or set `{key}`"
            yield Look(f"port {port}", f"{host}:{port} is taken", fix)
        else:
            fix = f"swarm config show    # correct `{key}` or its host"
            yield Look(f"port {port}", f"{host}:{port}: {error.strerror}", fix)


def _refused(host: str, port: int) -> OSError | None:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            return error
    return None


def _of_slots(settings: "Settings") -> Look:
    slots = settings.worker.slots
    if slots or settings.ray_address or settings.agents:
        return Look("slots", f"{slots} tasks at a time on this machine")
    return Look("slots", "none: swarm observes, and runs no tasks itself (`worker.slots`)")


def _importable(name: str, fix: str) -> Look:
    import importlib.util

    found = importlib.util.find_spec(name) is not None
    return Look(name, "is installed" if found else "is not installed", "" if found else fix)


def _of_agent(agents: "Agents") -> Look:
    """Whether the class can be imported, in a process of its own: importing runs its code."""
    module, what = agents.path.partition(":")[0], f"agent {agents.path}"
    folder = agents.cwd or "."
    program = "from swarm.actors.resident_process import found; found(__import__('sys').argv[1])"
    try:
        done = subprocess.run(
            [sys.executable, "-c", program, agents.path],
            cwd=folder,
            env={**os.environ, "PYTHONPATH": _with_swarm(os.environ.get("PYTHONPATH", ""))},
            capture_output=True,
            text=True,
            timeout=_IMPORT_S,
            check=False,
        )
    except OSError as error:
        return Look(what, f"{folder}: {error.strerror}", f"mkdir -p {folder}    # or correct `cwd`")
    except subprocess.TimeoutExpired:
        why = f"its import takes over {_IMPORT_S:.0f} s"
        return Look(what, why, f"cd {folder} && python -X importtime -c 'import {module}'")
    if done.returncode == 0:
        return Look(what, "can be imported")
    said = done.stderr.strip().splitlines() or ["it ended without a word"]
    return Look(what, said[-1], f"cd {folder} && python -c 'import {module}'")


def _with_swarm(before: str) -> str:
    """The folders to import from, and the one that this swarm is in."""
    import swarm

    return os.pathsep.join([*filter(None, [before]), str(Path(swarm.__file__).parents[1])])


def _of_plug_ins(environ: Mapping[str, str]) -> Iterator[Look]:
    """Whether orchestrators on this machine that are told to use swarm's plug-ins have them."""
    for kind, text in _told(environ):
        if "swarm.plugins" not in text:
            continue
        program = shutil.which(kind, path=environ.get("PATH"))
        python = None if program is None else _interpreter(Path(program))
        if python is None:
            continue  # its environment is not on this machine's path
        done = subprocess.run(
            [python, "-c", f"import swarm.plugins.{kind}"], capture_output=True, check=False
        )
        if done.returncode == 0:
            yield Look(f"plug-in for {kind}", f"is in {python}")
        else:
            fix = f"{python} -m pip install --no-deps {source()}    # swarm {__version__}"
            yield Look(f"plug-in for {kind}", f"{python} has no swarm", fix)


def _told(environ: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    """What the orchestrators of this machine are told, as far as this user can see."""
    home = Path(environ.get("AIRFLOW_HOME") or Path(environ.get("HOME", "~")) / "airflow")
    executor = environ.get("AIRFLOW__CORE__EXECUTOR", "")
    yield "airflow", executor or _text(home.expanduser() / "airflow.cfg")
    if folder := environ.get("DAGSTER_HOME"):
        yield "dagster", _text(Path(folder) / "dagster.yaml")


def _text(file: Path) -> str:
    try:
        return file.read_text(errors="replace")
    except OSError:
        return ""


def _interpreter(program: Path) -> str | None:
    """Which Python a console script runs in; of one that a shell starts nothing is known."""
    with program.open("rb") as script:
        first = script.readline(1_000).decode(errors="replace").strip()
    python = first.removeprefix("#!").strip()
    is_one = first.startswith("#!") and Path(python).name.startswith("python")
    return python if is_one and os.access(python, os.X_OK) else None
