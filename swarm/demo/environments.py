"""Each orchestrator's own Python environment: their requirements contradict each other."""

import hashlib
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from filelock import FileLock

import swarm
from swarm.demo.processes import LabError

_INSTALL_TIMEOUT_S = 900
_SAY_EVERY_S = 5.0
_MARKER = ".requirements"
_PSYCOPG = "psycopg[binary]>=3.3,<4"  # what the pipelines themselves connect with


@dataclass(frozen=True, slots=True)
class Requirements:
    """What one environment holds. Both bounds, so that a new major version is a decision."""

    name: str
    packages: tuple[str, ...]


AIRFLOW = Requirements(
    "airflow",
    (
        "apache-airflow>=3.3,<3.4",
        "apache-airflow-providers-common-sql>=1.28,<3",
        "apache-airflow-providers-sqlite>=4.1,<6",
        "apache-airflow-providers-postgres>=7.1,<8",
        "apache-airflow-providers-openlineage>=2.7,<3",
        _PSYCOPG,
    ),
)
AIRFLOW_2 = Requirements("airflow2", ("apache-airflow>=2.11,<2.12",))
DAGSTER = Requirements(
    "dagster", ("dagster>=1.13,<1.14", "dagster-webserver>=1.13,<1.14", _PSYCOPG)
)
# Prefect 3.8 admits more than it works with: with the newest fastapi its server does not import,
# with sqlalchemy 2.1 its scheduler makes no runs.
PREFECT = Requirements(
    "prefect",
    ("prefect>=3.8,<3.9", "fastapi>=0.139,<0.151", "sqlalchemy>=2.0,<2.1", _PSYCOPG),
)
ORCHESTRATORS = (AIRFLOW, DAGSTER, PREFECT)


def ensure(folder: Path, wanted: Requirements, say: Callable[[str], None]) -> Path:
    """Return the `bin` folder of the environment, made now unless an equal one is there. Of several
    processes that want it one makes it and the others wait.

    Raises `LabError` with the installer's output.
    """
    home = folder / wanted.name
    folder.mkdir(parents=True, exist_ok=True)
    with FileLock(home.with_name(f"{wanted.name}.lock")):
        if not _is_there(home, wanted):
            _make(home, wanted, say)
    return home / "bin"


def _is_there(home: Path, wanted: Requirements) -> bool:
    marker = home / _MARKER
    return marker.is_file() and marker.read_text() == digest(wanted)


def _make(home: Path, wanted: Requirements, say: Callable[[str], None]) -> None:
    say(f"Installing {wanted.packages[0]} into {home} ...")
    shutil.rmtree(home, ignore_errors=True)
    uv = _uv()
    if uv is None:
        _run([sys.executable, "-m", "venv", str(home)], say)
        _run([str(home / "bin" / "pip"), "install", "--quiet", *wanted.packages], say)
    else:
        _run([uv, "venv", "--quiet", "--python", sys.executable, str(home)], say)
        python = str(home / "bin" / "python")
        _run([uv, "pip", "install", "--quiet", "--python", python, *wanted.packages], say)
    (home / _MARKER).write_text(digest(wanted))


def plugins(programs: Path, folder: Path, say: Callable[[str], None]) -> Path:
    """Install this swarm alone, as `pip install --no-deps` does, into `folder`, for the PYTHONPATH
    of an orchestrator's `programs`. Raises `LabError` with the installer's output."""
    source = str(Path(swarm.__file__).parents[1])
    pip, uv = programs / "pip", _uv()
    installer = [str(pip)] if uv is None or pip.is_file() else [uv, "pip"]
    _run([*installer, "install", "--quiet", "--no-deps", "--target", str(folder), source], say)
    return folder


def _uv() -> str | None:
    beside = Path(sys.executable).with_name("uv")
    return str(beside) if beside.is_file() else shutil.which("uv")


def digest(wanted: Requirements) -> str:
    """Changes when the environment has to be made anew."""
    text = "\n".join((sys.version, *wanted.packages))
    return hashlib.sha256(text.encode()).hexdigest()


def _run(argv: list[str], say: Callable[[str], None]) -> None:
    started_s = time.monotonic()
    with subprocess.Popen(
        argv,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    ) as installer:
        while True:
            try:
                output, _ = installer.communicate(timeout=_SAY_EVERY_S)
                break
            except subprocess.TimeoutExpired:
                seconds = time.monotonic() - started_s
                if seconds > _INSTALL_TIMEOUT_S:
                    installer.kill()
                    raise LabError(f"`{' '.join(argv)}` took over {seconds:.0f} s.") from None
                say(f"  still installing ({seconds:.0f} s)")
            except BaseException:
                installer.kill()
                raise
    if installer.returncode != 0:
        raise LabError(f"`{' '.join(argv)}` failed:\n{output[-4000:]}")
