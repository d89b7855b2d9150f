"""The lab: real orchestrators running real pipelines over one warehouse, all on this machine.

    with Lab(Path(".lab")) as lab:
        lab.run_pipelines()
        lab.truth()

`python -m swarm.demo.lab --exit` does that and prints times and truth as JSON.
"""

import argparse
import contextlib
import fcntl
import json
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import asdict, replace
from io import TextIOWrapper
from pathlib import Path
from types import TracebackType
from typing import Self, TypeVar, get_args

from swarm.demo import (
    airflow_server,
    cron,
    dagster_server,
    declared,
    environments,
    postgres_server,
    prefect_server,
    runs,
    survivor,
    truth,
)
from swarm.demo.airflow_server import Airflow, Receiver
from swarm.demo.dagster_server import Dagster
from swarm.demo.environments import Requirements
from swarm.demo.prefect_server import Prefect
from swarm.demo.processes import LabError, Processes
from swarm.demo.progress import Progress
from swarm.demo.run_folder import AIRFLOW, CRON, DAGSTER, PREFECT, RunFolder, decoys
from swarm.demo.survivor import Workers
from swarm.demo.warehouse import Database, view_names

T = TypeVar("T")


class Lab:
    """One lab in `folder`: `envs` and `templates` stay there, `run` is made anew at each start.

    `receiver` is where Airflow sends OpenLineage events, nowhere by default. `environments_in`
    shares the orchestrators' environments with other labs. On `postgres` the warehouse is a
    database of a server that the lab starts itself. With `workers` one more DAG is there, whose
    task runs on them. `edit`, set before it starts, is what becomes of the text of each pipeline's
    source.
    """

    def __init__(
        self,
        folder: Path,
        say: Callable[[str], None] = print,
        receiver: Receiver | None = None,
        environments_in: Path | None = None,
        warehouse: Database = "sqlite",
        workers: Workers | None = None,
    ) -> None:
        self.folder = folder.resolve()
        self.run = RunFolder(self.folder / "run")
        self.run_folder = self.run.path
        self.seconds: dict[str, float] = {}
        self.processes = Processes(str(self.run_folder), self.run_folder / "logs")
        self._say = say
        self._receiver = receiver
        self._environments = (environments_in or self.folder / "envs").resolve()
        self._database = warehouse
        self._workers = workers
        self.edit: Callable[[str], str] = str
        self._lock: TextIOWrapper | None = None
        self._airflow: Airflow | None = None
        self._dagster: Dagster | None = None
        self._prefect: Prefect | None = None

    # What swarm is told about the lab.

    @property
    def airflow(self) -> Airflow:
        return _running(self._airflow)

    @property
    def airflow_url(self) -> str:
        return self.airflow.url

    @property
    def dagster_url(self) -> str:
        return _running(self._dagster).url

    @property
    def prefect(self) -> Prefect:
        return _running(self._prefect)

    # What one does with it.

    def __enter__(self) -> Self:
        try:
            self._start()
        except BaseException:
            self.stop()
            raise
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()

    def run_pipelines(self) -> int:
        """Run every pipeline once and return their number. Raises `LabError` with the log of
        the first one that fails."""
        airflow, dagster = _running(self._airflow), _running(self._dagster)
        prefect = _running(self._prefect)
        progress = Progress(self._say)
        with self._phase("Running all pipelines"):
            counts = _together(
                {
                    "airflow runs": lambda: runs.run_airflow(airflow, progress),
                    "dagster runs": lambda: runs.run_dagster(dagster, progress),
                    "prefect runs": lambda: runs.run_prefect(prefect, progress),
                    "cron runs": lambda: self._run_cron(progress),
                },
                progress.cancel,
                self.seconds,
            )
        return sum(counts.values())

    def truth(self) -> truth.Truth:
        """What depends on what, from the audit of the runs so far."""
        edges = declared.airflow_edges(_running(self._airflow), AIRFLOW)
        edges |= declared.dagster_edges(_running(self._dagster), DAGSTER)
        names = {}
        flows = _running(self._prefect)
        for deployment in runs.deployments(flows):
            name = runs.flow_name(flows, deployment["flow_id"])
            names[f"{name}|{deployment['id']}"] = f"{name}/{deployment['name']}"
        return truth.derive(self.run.touched(), edges, view_names(self.run.catalog), names)

    def stop(self) -> None:
        """End all servers. Safe to call at any time, and twice."""
        started_s = time.monotonic()
        self.processes.stop_all()
        self.run.close()
        if self._lock is not None:
            self._lock.close()
            self._lock = None
        self.seconds["stop"] = time.monotonic() - started_s

    def survivors(self) -> list[int]:
        """Ids of processes of this lab that are alive."""
        return self.processes.left()

    # How it starts.

    def _start(self) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        self._lock = _only_one(self.folder / "lock")
        self.processes.stop_all()  # what a lab that was killed has left behind
        if self._database == "postgres":
            postgres_server.find_programs()  # before anything that takes long
        with self._phase("Preparing the orchestrators' environments"):
            bins = {
                wanted.name: environments.ensure(self._environments, wanted, self._say)
                for wanted in environments.ORCHESTRATORS
            }
        with self._phase("Making the warehouse"):
            self.run.make(self._database, self.processes, self.edit)
        with self._phase("Starting Airflow, Dagster and Prefect"):
            _together(
                {
                    AIRFLOW: lambda: self._start_airflow(bins),
                    DAGSTER: lambda: self._start_dagster(bins),
                    PREFECT: lambda: self._start_prefect(bins),
                },
                self.processes.stop_all,  # nobody waits for a server that has ended
                self.seconds,
            )

    def _start_airflow(self, bins: Mapping[str, Path]) -> None:
        site = self.run.site(AIRFLOW, bins[AIRFLOW])
        template = self._template(environments.AIRFLOW)
        more: Mapping[str, str] = {}
        if self._workers is not None:
            plugins = self.run_folder / "plugins"
            more = survivor.install(self._workers, site.code, plugins)
            site = replace(site, env=_with_path(site.env, plugins))
        airflow = airflow_server.start(self.processes, site, self._receiver, template, more)()
        runs.wait_for_dags(airflow, site.code)
        self._airflow = airflow
        self._say(f"  Airflow is healthy: {airflow.url}")

    def _start_dagster(self, bins: Mapping[str, Path]) -> None:
        site = self.run.site(DAGSTER, bins[DAGSTER])
        template = self._template(environments.DAGSTER)
        self._dagster = dagster_server.start(self.processes, site, "definitions", template)()
        self._say(f"  Dagster is healthy: {self._dagster.url}")

    def _start_prefect(self, bins: Mapping[str, Path]) -> None:
        site = self.run.site(PREFECT, bins[PREFECT])
        template = self._template(environments.PREFECT)
        prefect = prefect_server.start(self.processes, site, template)()
        runs.register_flows(prefect, site.code / "deployments.json", self.run_folder)
        self._prefect = prefect
        self._say(f"  Prefect is healthy: {prefect.url}")

    def _run_cron(self, progress: Progress) -> int:
        env = self.run.site(CRON, self.run_folder / "bin").environ()
        return cron.run_all(self.processes, self.run.crontab, env, progress)

    def _template(self, wanted: Requirements) -> Path:
        """Tied to the environment's release: another one may want other tables."""
        return self.folder / "templates" / f"{wanted.name}-{environments.digest(wanted)[:12]}"

    @contextlib.contextmanager
    def _phase(self, what: str) -> Iterator[None]:
        self._say(f"{what} ...")
        started_s = time.monotonic()
        yield
        self.seconds[what] = time.monotonic() - started_s
        self._say(f"{what}: {self.seconds[what]:.1f} s")


def _together(
    acts: Mapping[str, Callable[[], T]], give_up: Callable[[], None], seconds: dict[str, float]
) -> dict[str, T]:
    """Do all at once and note how long each took. The first failure, or Ctrl-C, has the others
    give up and is raised."""

    def timed(name: str) -> T:
        started_s = time.monotonic()
        result = acts[name]()
        seconds[name] = time.monotonic() - started_s
        return result

    with ThreadPoolExecutor(len(acts)) as pool:
        try:
            waiting = {pool.submit(timed, name): name for name in acts}
            return {waiting[done]: done.result() for done in as_completed(waiting)}
        except BaseException:
            give_up()
            raise


def _with_path(env: Mapping[str, str], folder: Path) -> Mapping[str, str]:
    return {**env, "PYTHONPATH": f"{env['PYTHONPATH']}:{folder}"}


def _running(server: T | None) -> T:
    if server is None:
        raise LabError("The lab is not running; use it inside `with Lab(...) as lab:`.")
    return server


def _only_one(path: Path) -> TextIOWrapper:
    lock = path.open("w")
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        lock.close()
        raise LabError(
            f"Another lab runs in {path.parent}; stop it or use another folder."
        ) from None
    return lock


def main() -> None:
    """Start the lab, run its pipelines, print times and truth as JSON; stop at once or at
    Ctrl-C."""
    parser = argparse.ArgumentParser(prog="python -m swarm.demo.lab")
    parser.add_argument("--folder", type=Path, default=Path(".lab"))
    parser.add_argument("--exit", action="store_true", help="stop when the pipelines have run")
    parser.add_argument("--warehouse", choices=get_args(Database), default="sqlite")
    wanted = parser.parse_args()

    def say(line: str) -> None:
        print(line, file=sys.stderr, flush=True)

    with Lab(wanted.folder, say, warehouse=wanted.warehouse) as lab:
        count = lab.run_pipelines()
        found = lab.truth()
        if not wanted.exit:
            say(f"{lab.airflow_url} {lab.dagster_url} {lab.prefect.url}; Ctrl-C stops them.")
            with contextlib.suppress(KeyboardInterrupt):
                threading.Event().wait()
    report = {
        "pipelines": count,
        "decoys": len(decoys()),
        "seconds": {what: round(seconds, 1) for what, seconds in lab.seconds.items()},
        "undeclared": [asdict(pair) for pair in sorted(found.undeclared)],
        "undeclared_across": len(found.undeclared_across),
        "declared": [asdict(pair) for pair in sorted(found.declared)],
        "survivors": lab.survivors(),
    }
    print(json.dumps(report, indent=1))


if __name__ == "__main__":
    main()
