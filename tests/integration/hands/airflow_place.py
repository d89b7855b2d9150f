"""DAGs of a real Airflow, 3 and 2.11, that are planned to start soon."""

import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode

from swarm.model.keys import PipelineKey
from tests.integration.connectors.airflow_server import (
    PASSWORD,
    USER,
    AirflowServer,
    running_airflow,
)
from tests.integration.hands.beside import can_be_held, epoch_s

AHEAD_S = 40.0  # of which Airflow needs some to find a new file
AGAIN_S = 3.0
PAIRS_S = 60.0  # where that was not enough there is another chance
SOON_S = 12.0  # a start that is sooner is not held in a story
EVERY_MIN = {3: 1, 2: 2}  # an Airflow 2 is held within one data interval alone
DAGS = """
from datetime import UTC, datetime

try:
    from airflow.sdk import DAG
    from airflow.providers.standard.operators.empty import EmptyOperator
except ImportError:
    from airflow import DAG
    from airflow.operators.empty import EmptyOperator
from airflow.timetables.events import EventsTimetable
from airflow.timetables.interval import CronDataIntervalTimetable

DAY = datetime(2026, 11, 1, tzinfo=UTC)
EVENTS = [datetime.fromtimestamp(at_s, UTC) for at_s in {events}]
FIXED = EventsTimetable(event_dates=EVENTS, restrict_to_events=False)
MINUTES = CronDataIntervalTimetable("{minutes} * * * *", timezone="UTC")


def make(name, schedule):
    with DAG(
        name, schedule=schedule, start_date=DAY, catchup=False, is_paused_upon_creation=False
    ) as dag:
        EmptyOperator(task_id="work") >> EmptyOperator(task_id="more")
    return dag


for name in {names}:
    globals()[name] = make(name, {schedules}.get(name, MINUTES))
triggered = make("triggered", None)
"""


@dataclass
class HeldDag:
    """A DAG that starts soon."""

    server: AirflowServer
    name: str
    due_s: float = 0.0
    logical: str = ""
    firsts: tuple[float, ...] = ()  # of two starts one after the other; any if empty

    @property
    def target(self) -> PipelineKey:
        return PipelineKey("af", self.name)

    def is_there(self) -> bool:
        try:
            dag = self.server.call("GET", f"/dags/{self.name}/details")
        except OSError:
            return False
        names = ("next_dagrun_run_after", "next_dagrun_logical_date")
        if self.server.major == 2:
            names = ("next_dagrun_create_after", "next_dagrun")
        after, logical = (dag[name] for name in names)
        if not after or not can_be_held(epoch_s(after), SOON_S) or self.under_way():
            return False
        if self.firsts and epoch_s(after) not in self.firsts:
            return False
        self.due_s, self.logical = epoch_s(after), logical
        return True

    def second(self) -> "HeldDag":
        """The start after it, of a pair."""
        at_s = self.due_s + AGAIN_S
        return replace(self, due_s=at_s, logical=datetime.fromtimestamp(at_s, UTC).isoformat())

    def under_way(self) -> int:
        path = f"/dags/{self.name}/dagRuns?state=queued&state=running&limit=1"
        return int(self.server.call("GET", path)["total_entries"])

    def runs(self, logical: str = "") -> list[Any]:
        at, name = logical or self.logical, {2: "execution_date", 3: "logical_date"}
        by = name[self.server.major]
        query = urlencode({f"{by}_gte": at, f"{by}_lte": at})
        rows: list[Any] = self.server.call("GET", f"/dags/{self.name}/dagRuns?{query}")["dag_runs"]
        return rows

    def begun(self) -> list[float]:
        return [
            epoch_s(run["start_date"])
            for run in self.runs()
            if run["start_date"] and not self._is_skipped(run)
        ]

    def free(self) -> None:
        self.server.unpause(self.name)

    def is_paused(self) -> bool:
        return bool(self.server.call("GET", f"/dags/{self.name}")["is_paused"])

    def is_left_out(self) -> bool:
        """There is a run, and Airflow is done with it, but not a task of it has begun."""
        runs = self.runs()
        ended = [run for run in runs if run["state"] == "success" and self._is_skipped(run)]
        return len(runs) == len(ended) == 1 and not self.is_paused()

    def goes_on(self) -> bool:
        """The next run is of the data interval that begins where this one ends."""
        following = self.runs(datetime.fromtimestamp(self.due_s, UTC).isoformat())
        return any(run["state"] == "success" for run in following) and not any(
            map(self._is_skipped, following)
        )

    def _is_skipped(self, run: Any) -> bool:
        path = f"/dags/{self.name}/dagRuns/{quote(run['dag_run_id'])}/taskInstances"
        rows = self.server.call("GET", path)["task_instances"]
        return all(row["state"] == "skipped" for row in rows)


@contextmanager
def running_3(folder: Path) -> Iterator[AirflowServer]:
    with running_airflow(3, folder) as server:
        yield server


@contextmanager
def running_2(folder: Path) -> Iterator[AirflowServer]:
    with running_airflow(2, folder) as server:
        (folder / "password").write_text(PASSWORD)
        yield server


def source(server: AirflowServer) -> Mapping[str, object]:
    """What a hand's settings say of it."""
    told: dict[str, object] = {"kind": "airflow", "name": "af", "url": server.url}
    if server.major == 2:
        told |= {"username": USER, "password_file": str(server.dags.parent / "password")}
    return told


def held(server: AirflowServer, names: Sequence[str]) -> Mapping[str, HeldDag]:
    """The DAGs of these names; `twice` has pairs of starts."""
    made = {name: HeldDag(server, name) for name in names}
    at_s = float(int(time.time() + AHEAD_S))
    firsts = [at_s + chance * PAIRS_S for chance in range(4)]
    pairs = {"twice", "goes_on", "skips"} & {*made}
    for name in pairs:
        made[name].firsts = tuple(firsts)
    events = [*firsts, *(first + AGAIN_S for first in firsts)]
    fixed = ("runs_out", "freed", "killed", *pairs) if server.major == 3 else ()
    every = EVERY_MIN[server.major]
    text = DAGS.format(
        events=sorted(events),
        names=tuple(names),
        minutes=f"{int(at_s // 60 + 1) % every}-59/{every}",
        schedules="{%s}" % ", ".join(f"{name!r}: FIXED" for name in fixed),  # noqa: UP031
    )
    (server.dags / "held.py").write_text(text)
    return made
