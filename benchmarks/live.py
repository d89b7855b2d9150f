"""How soon is a new undeclared dependency, or a ring of pipelines, a finding?

The lab's real Airflow and Prefect run and `swarm up` watches them. Each round deploys a new file of
DAGs, as a team does: one reads a table that a Prefect flow writes, and writes a table that this
flow reads, which its source shows; the other makes its SQL at run time and is triggered, so that
only Airflow's rendered fields show what it reads. The clock starts when Airflow's own API first
shows the evidence, and ends when swarm's API lists the finding; both are asked all the time.

- `deploy_to_dependency_*_s`, `deploy_to_ring_*_s`: from the new DAG in Airflow's API to findings.
- `run_to_dependency_*_s`: from the rendered SQL in Airflow's API to the finding.
- `airflow_sees_file_*_s`: from the file to the DAG in Airflow's API, which is not swarm's time.
- `rounds`: how many files. `tick_s`: seconds between two passes of swarm.
"""

import concurrent.futures
import contextlib
import shutil
import statistics
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from benchmarks.report import Figures, Options, progress, run
from swarm.bootstrap.files import secret
from swarm.cli.process import launch, stop
from swarm.cli.showcase import settings_for
from swarm.client import Client
from swarm.client.calls.graph import Pipeline
from swarm.config import Api, Settings
from swarm.demo import http
from swarm.demo.lab import Lab
from swarm.demo.processes import LabError, free_ports
from swarm.demo.run_folder import AIRFLOW

FLOW = "prefect/campaign-touches"
_LOOK_S = 0.05
_TIMEOUT_S = 120.0
_TICK_S = 2.0

_DAGS = '''"""Written by benchmarks.live."""

from airflow.providers.common.sql.operators.sql import SQLExecuteQueryOperator
from airflow.sdk import DAG, task

with DAG("live_source_{round}", schedule=None):
    SQLExecuteQueryOperator(
        task_id="copy",
        conn_id="warehouse",
        sql="INSERT INTO marketing.campaigns SELECT * FROM marketing.touches WHERE 1 = 0",
    )

with DAG("live_run_{round}", schedule=None):

    @task
    def ask():
        return "SELECT count(*) FROM " + ".".join(["marketing", "touches"])

    SQLExecuteQueryOperator(
        task_id="count",
        conn_id="warehouse",
        sql="{{{{ ti.xcom_pull(task_ids='ask') }}}}",
    ).set_upstream(ask())
'''


@dataclass(frozen=True, slots=True)
class Times:
    """Seconds of one round; the docstring of the module tells which."""

    airflow_sees_file_s: float
    deploy_to_dependency_s: float
    deploy_to_ring_s: float
    run_to_dependency_s: float


@contextlib.contextmanager
def watched(lab: Lab, state: Path) -> Iterator[Client]:
    """A swarm that watches the lab and has seen all of it."""
    (port,) = free_ports(1)
    shutil.rmtree(state, ignore_errors=True)
    settings = settings_for(lab, Settings(state_dir=state.resolve(), api=Api(port=port)))
    token = secret(settings, "token").read_text()
    pid = launch(settings)
    try:
        with Client(f"http://{settings.api.host}:{port}", token) as swarm:
            names = {f"{AIRFLOW}/{dag}" for dag in _dag_ids(lab)} | {FLOW}
            _wait(lambda: names <= {_name(row) for row in swarm.pipelines()}, "the lab in swarm")
            yield swarm
    finally:
        stop(settings, pid)


def deploy(lab: Lab, swarm: Client, number: int) -> Times:
    """One round. Raises `LabError` when something does not show within two minutes."""
    since_s = time.time() - 1.0
    api = f"{lab.airflow_url}/api/v2"
    source, late = f"live_source_{number}", f"live_run_{number}"
    file = lab.run_folder / "code" / AIRFLOW / f"live_{number}.py"

    def found(kind: str, dag: str) -> bool:
        return any(
            finding["kind"] == kind and f"{AIRFLOW}/{dag}" in finding["subject"]
            for finding in swarm.findings(since_s=since_s)
        )

    written_s = time.monotonic()
    file.write_text(_DAGS.format(round=number), encoding="utf-8")
    with concurrent.futures.ThreadPoolExecutor(3) as pool:
        shown = pool.submit(_when, lambda: http.answers(f"{api}/dags/{source}") is not None)
        dependency = pool.submit(_when, lambda: found("undeclared_dependency", source))
        ring = pool.submit(_when, lambda: found("cycle", source))
        shown_s, dependency_s, ring_s = shown.result(), dependency.result(), ring.result()
    _wait(lambda: http.answers(f"{api}/dags/{late}") is not None, late)
    http.call("PATCH", f"{api}/dags/{late}?update_mask=is_paused", {"is_paused": False})
    http.call("POST", f"{api}/dags/{late}/dagRuns", {"logical_date": None})
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        rendered = pool.submit(_when, lambda: _rendered(api, late))
        late_found = pool.submit(_when, lambda: found("undeclared_dependency", late))
        rendered_s, late_s = rendered.result(), late_found.result()
    return Times(
        airflow_sees_file_s=shown_s - written_s,
        deploy_to_dependency_s=dependency_s - shown_s,
        deploy_to_ring_s=ring_s - shown_s,
        run_to_dependency_s=late_s - rendered_s,
    )


def _rendered(api: str, dag: str) -> bool:
    tries = http.answers(f"{api}/dags/{dag}/dagRuns/~/taskInstances") or {"task_instances": []}
    fields = [
        row["rendered_fields"] for row in tries["task_instances"] if row["task_id"] == "count"
    ]
    return any("FROM marketing" in str(field.get("sql")) for field in fields if field)


def _dag_ids(lab: Lab) -> list[str]:
    answer = http.call("GET", f"{lab.airflow_url}/api/v2/dags?limit=100")
    return [str(dag["dag_id"]) for dag in answer["dags"]]


def _name(row: Pipeline) -> str:
    return f"{row['orchestrator']}/{row['pipeline'].partition('/')[0]}"


def _when(there: Callable[[], bool]) -> float:
    """The time at which `there()` was first true."""
    _wait(there, "what was deployed")
    return time.monotonic()


def _wait(there: Callable[[], bool], what: str) -> None:
    deadline_s = time.monotonic() + _TIMEOUT_S
    while not there():
        if time.monotonic() > deadline_s:
            raise LabError(f"{what} did not show within {_TIMEOUT_S:.0f} s.")
        time.sleep(_LOOK_S)


def measure(lab: Lab, rounds: int) -> Figures:
    """The figures of so many rounds in a running lab."""
    with watched(lab, lab.folder / "live-state") as swarm:
        times = []
        for number in range(rounds):
            times.append(deploy(lab, swarm, number))
            progress(f"  {times[-1]}")
    figures: dict[str, float] = {"rounds": rounds, "tick_s": _TICK_S}
    for name in Times.__slots__:
        taken = [getattr(one, name) for one in times]
        figures[f"{name.removesuffix('_s')}_p50_s"] = statistics.median(taken)
        figures[f"{name.removesuffix('_s')}_max_s"] = max(taken)
    return figures


def main() -> None:
    """Run the benchmark; the lab takes a minute to start."""

    def chosen(options: Options) -> Figures:
        with Lab(Path(".lab"), progress) as lab:
            return measure(lab, 1 if options.quick else 5)

    run("live", "How soon is what is new a finding?", chosen)


if __name__ == "__main__":
    main()
