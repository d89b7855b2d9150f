"""Mornings of three minutes on the lab, whose upstreams come late.

Two DAGs of its Airflow are due every three minutes and each time begin 85 s late; two jobs of its
Dagster read by their own schedules what those write, a minute after these are due. Nobody declared
that. A job may be held where a hand stands beside Dagster.

What they read of before is counted in the warehouse (`stale_rows.py`).
"""

import json
import os
import secrets
import shutil
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass

from swarm.client import Client
from swarm.client.calls.graph import Dependency
from swarm.config import PipelineRule, Settings
from swarm.demo import http
from swarm.demo.lab import Lab
from swarm.demo.processes import LabError, free_ports
from swarm.demo.run_folder import AIRFLOW, DAGSTER, PREFECT
from swarm.demo.stale_rows import Read, StaleRows, Table

EVERY_S, READ_S, LATE_S = 180, 60.0, 85.0
# A held job starts at the latest so long after it is planned: well before its next start.
WAIT_MAX_S = 90.0
_BEGUN_S = 15.0  # a morning that is no older is not too late: the next follows the last
_TIMEOUT_S = 180.0
_LOOK_S = 0.5

# The lab's schedules, and those of these mornings.
_CRONS = (
    ('DAG("sales_orders", schedule="0 1 * * *"', 'DAG("sales_orders", schedule="0-59/3 * * * *"'),
    ('DAG("crm_segments", schedule="0 4 * * *"', 'DAG("crm_segments", schedule="0-59/3 * * * *"'),
    ('"shipments_job": ("30 4 * * *"', '"shipments_job": ("1-59/3 * * * *"'),
    ('"churn_job": ("30 5 * * *"', '"churn_job": ("1-59/3 * * * *"'),
)
_START = """
mutation($selector: ScheduleSelector!) { startSchedule(scheduleSelector: $selector) {
  __typename ... on PythonError { message }
} }
"""


@dataclass(frozen=True, slots=True)
class Pair:
    """A DAG that writes a table and a job that makes another one of it."""

    dag: str
    source: Table
    job: str
    target: Table


PAIRS = (
    Pair(
        "sales_orders",
        Table("sales", "orders", "id"),
        "shipments_job",
        Table("ops", "shipments", "order_id"),
    ),
    Pair(
        "crm_segments",
        Table("crm", "segments", "customer_id"),
        "churn_job",
        Table("crm", "churn", "customer_id"),
    ),
)


def hurried(text: str) -> str:
    """A source file of the lab, with the schedules of these mornings."""
    for usual, ours in _CRONS:
        text = text.replace(usual, ours)
    return text


def _nothing() -> None:
    pass


class Mornings:
    """Their course. To be made while the lab runs, once."""

    def __init__(self, lab: Lab) -> None:
        self._api = f"{lab.airflow_url}/api/v2"
        self._rows = [StaleRows(lab.run_folder, pair.source, pair.target) for pair in PAIRS]
        for pair in PAIRS:
            selector = {
                "repositoryLocationName": "definitions",
                "repositoryName": "__repository__",
                "scheduleName": f"{pair.job}_schedule",
            }
            url = f"{lab.dagster_url}/graphql"
            answer = http.graphql(url, _START, selector=selector)["startSchedule"]
            if answer["__typename"] != "ScheduleStateResult":
                raise LabError(f"Dagster does not start a schedule: {json.dumps(answer)}")

        for pair in PAIRS:  # the first time all DAGs ran at once, some on empty tables
            self._start(pair)

    def live(
        self, mornings: int, say: Callable[[str], None], meanwhile: Callable[[], None] = _nothing
    ) -> list[Read]:
        """So many times both upstreams are late; what the jobs read then. `meanwhile` is called
        each time just before an upstream begins, long after the jobs were planned to."""
        reads: list[Read] = []
        for _ in range(mornings):
            due_s = ((time.time() - _BEGUN_S) // EVERY_S + 1) * EVERY_S
            _sleep_until(due_s + LATE_S)
            meanwhile()
            for pair, rows in zip(PAIRS, self._rows, strict=True):
                rows.fill()
                self._start(pair)
            _sleep_until(due_s + EVERY_S)
            for pair, rows in zip(PAIRS, self._rows, strict=True):
                reads.append(rows.read(due_s + READ_S))
                say(f"  {pair.job}: {reads[-1]}")
        return reads

    def _start(self, pair: Pair) -> None:
        http.call("POST", f"{self._api}/dags/{pair.dag}/dagRuns", {"logical_date": None})


@contextmanager
def hand_beside(lab: Lab, instance: str = DAGSTER) -> Iterator[Mapping[str, object]]:
    """A hand beside the lab's Dagster or Prefect; what swarm's settings say of it."""
    folder = lab.folder / f"hand-{instance}"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    token, (port,) = folder / "token", free_ports(1)
    token.write_text(secrets.token_hex(32))
    url = lab.prefect.url if instance == PREFECT else lab.dagster_url
    source = {"kind": instance, "name": instance, "url": url}
    hand = {"port": port, "token_file": str(token)}
    settings = {"state_dir": str(folder), "sources": [source], "hand": hand}
    file = folder / "hand.yaml"
    file.write_text(json.dumps(settings))  # which is YAML, too
    argv = [sys.executable, "-m", "swarm", "hand", "run", "-c", str(file)]
    server = lab.processes.start(folder.name, argv, dict(os.environ), folder)
    try:
        yield {"hand_url": f"http://127.0.0.1:{port}", "hand_token_file": str(token)}
    finally:
        server.process.terminate()
        server.process.wait()


def with_hand(settings: Settings, instance: str, hand: Mapping[str, object]) -> Settings:
    """`settings` that know of a hand beside one of the sources."""
    sources = tuple(
        one.model_copy(update=dict(hand)) if one.instance == instance else one
        for one in settings.sources
    )
    return settings.model_copy(update={"sources": sources})


def gating(settings: Settings, hand: Mapping[str, object]) -> Settings:
    """`settings` under which swarm may hold the jobs, by this hand."""
    rules = tuple(
        PipelineRule(match=f"{DAGSTER}/{pair.job}", mode="gate", wait_max_s=WAIT_MAX_S)
        for pair in PAIRS
    )
    settings = with_hand(settings, DAGSTER, hand)
    return settings.model_copy(update={"pipelines": (*settings.pipelines, *rules)})


def dependency(swarm: Client, pair: Pair) -> Dependency:
    """The dependency that nobody declared, once swarm has found it. Raises `LabError`."""
    wanted = [(AIRFLOW, pair.dag), (DAGSTER, pair.job)]
    deadline_s = time.monotonic() + _TIMEOUT_S
    while time.monotonic() < deadline_s:
        for edge in swarm.dependencies(declared=False):
            ends = edge["upstream"], edge["downstream"]
            if [(end["orchestrator"], end["pipeline"]) for end in ends] == wanted:
                return edge
        time.sleep(_LOOK_S)
    raise LabError(f"swarm did not find {pair.dag} -> {pair.job} within {_TIMEOUT_S:.0f} s.")


def _sleep_until(at_s: float) -> None:
    time.sleep(max(0.0, at_s - time.time()))
