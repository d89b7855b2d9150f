"""A real Airflow with thousands of small generated DAGs, for the benchmarks of polling.

Airflow takes minutes to parse thousands of DAGs: what it knows of them is kept in `folder` after
the first start, its DAG files too, whose paths are part of that knowledge.
"""

import contextlib
import shutil
import sqlite3
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from swarm.demo import airflow_server, environments, http
from swarm.demo.airflow_server import Airflow
from swarm.demo.processes import LabError, Processes, Site

_DAGS_PER_FILE = 10
_PARSE_S_PER_DAG = 2.0

_HEAD = '''"""Written by benchmarks.airflow_fleet."""

from airflow.providers.common.sql.operators.sql import SQLExecuteQueryOperator
from airflow.sdk import DAG
'''
_DAG = """
with DAG("{dag}", schedule=None, is_paused_upon_creation={paused}):
    load = SQLExecuteQueryOperator(
        task_id="load",
        conn_id="lake",
        sql="INSERT INTO {dag} SELECT id, value FROM {source} WHERE id > 0",
    )
    check = SQLExecuteQueryOperator(
        task_id="check", conn_id="lake", sql="SELECT count(*) FROM {dag}"
    )
    load >> check
"""


def dag_name(number: int) -> str:
    return f"fleet_{number:05}"


def write_dags(folder: Path, count: int, awake: int) -> None:
    """`count` DAGs, ten a file, each of which reads the table of the one before; the first
    `awake` are not paused."""
    folder.mkdir(parents=True, exist_ok=True)
    for start in range(0, count, _DAGS_PER_FILE):
        text = _HEAD
        for number in range(start, min(start + _DAGS_PER_FILE, count)):
            source = dag_name(number - 1) if number else "landing"
            text += _DAG.format(dag=dag_name(number), source=source, paused=number >= awake)
        (folder / f"fleet_{start:05}.py").write_text(text, encoding="utf-8")


@contextlib.contextmanager
def running_fleet(
    folder: Path, count: int, awake: int, say: Callable[[str], None]
) -> Iterator[Airflow]:
    """The Airflow when it has parsed all DAGs; the process that parses is then ended, so that it
    takes nothing from what is measured. Raises `LabError`."""
    folder = folder.resolve() / f"{count}-{awake}"
    kept, home, code = folder / "kept", folder / "home", folder / "dags"
    write_dags(code, count, awake)
    shutil.rmtree(home, ignore_errors=True)
    logs = folder / "logs"
    logs.mkdir(exist_ok=True)
    processes = Processes(str(folder), logs)
    processes.stop_all()  # what a benchmark that was killed has left behind
    programs = environments.ensure(folder.parents[1] / "envs", environments.AIRFLOW, say)
    lake = _lake(folder / "lake.db", count)
    variables = {"AIRFLOW_CONN_LAKE": f"sqlite:///{lake}"}
    site = Site(programs, home, code, folder, variables)
    wanted = environments.digest(environments.AIRFLOW)[:12]
    template = folder.parents[1] / "templates" / f"{environments.AIRFLOW.name}-{wanted}"
    try:
        airflow = airflow_server.start(processes, site, None, kept if kept.is_dir() else template)()
        _wait_until_parsed(airflow, count, say)
        processes.stop([s for s in airflow.servers if s.name.endswith("dag-processor")])
        if not kept.is_dir():
            _keep(home / "airflow.db", kept)
        yield airflow
    finally:
        processes.stop_all()


def _wait_until_parsed(airflow: Airflow, count: int, say: Callable[[str], None]) -> None:
    deadline_s = time.monotonic() + 120.0 + _PARSE_S_PER_DAG * count
    while (parsed := http.call("GET", f"{airflow.api}/dags?limit=1")["total_entries"]) < count:
        if time.monotonic() > deadline_s:
            raise LabError(f"Airflow has parsed {parsed} of {count} DAGs only.")
        say(f"  {parsed} of {count} DAGs are parsed")
        time.sleep(5.0)


def _keep(database: Path, kept: Path) -> None:
    """A copy of a database that is in use."""
    part = kept.with_suffix(".part")
    shutil.rmtree(part, ignore_errors=True)
    part.mkdir()
    with (
        contextlib.closing(sqlite3.connect(database)) as source,
        contextlib.closing(sqlite3.connect(part / database.name)) as target,
    ):
        source.backup(target)
    part.rename(kept)


def _lake(path: Path, count: int) -> Path:
    path.unlink(missing_ok=True)
    with contextlib.closing(sqlite3.connect(path)) as lake:
        for table in ("landing", *map(dag_name, range(count))):
            lake.execute(f"CREATE TABLE {table} (id INTEGER, value TEXT)")
        lake.commit()
    return path
