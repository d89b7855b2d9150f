"""A backfill in the lab's Airflow, and a report that is due meanwhile.

The backfill makes some days of a DAG again, one after the other. The report is one of cron's;
what it did on the days before, and that it is under way today, is pushed as a home-made scheduler
pushes it: the lab itself has no days before.
"""

import time
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Any

from swarm.client import Client
from swarm.config.rules import Promise
from swarm.demo import http
from swarm.demo.lab import AIRFLOW, CRON, Lab

DAG, REPORT = f"{AIRFLOW}/finance_ledger", f"{CRON}/exec_report"
DAYS = 20
_PAST_DAYS = 21
_DUE_IN_S, _TAKES_S = 3_600.0, 2_400.0  # so the report has no half hour to spare from now on


def promise() -> Promise:
    """The report is due an hour from now."""
    by = datetime.now(UTC) + timedelta(seconds=_DUE_IN_S)
    return Promise(pipeline=REPORT, by=f"{by:%H:%M}")


class Backfill:
    """One under way, from where it is made."""

    def __init__(self, lab: Lab) -> None:
        self._api = f"{lab.airflow_url}/api/v2"
        self._dag = DAG.partition("/")[2]
        today = datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
        body = {
            "dag_id": self._dag,
            "from_date": (today - timedelta(days=DAYS)).isoformat(),
            "to_date": (today - timedelta(seconds=1)).isoformat(),
            "max_active_runs": 1,
            "reprocess_behavior": "completed",
            "run_backwards": False,
            "dag_run_conf": {},
        }
        self._id = http.call("POST", f"{self._api}/backfills", body)["id"]

    @property
    def is_paused(self) -> bool:
        """In Airflow's own words."""
        return bool(self._row()["is_paused"])

    @property
    def is_over(self) -> bool:
        return self._row()["completed_at"] is not None

    @property
    def done(self) -> int:
        """How many of its days are."""
        wanted = "run_type=backfill&state=success&limit=1"
        return int(
            http.call("GET", f"{self._api}/dags/{self._dag}/dagRuns?{wanted}")["total_entries"]
        )

    def _row(self) -> Any:
        return http.call("GET", f"{self._api}/backfills/{self._id}")


class Report:
    """The one that is due."""

    def __init__(self, swarm: Client) -> None:
        self._swarm = swarm
        self._name = REPORT.partition("/")[2]
        self._began_s = time.time()

    def begin(self) -> None:
        """As on each of the days before, on which it was done in time, and not done yet."""
        past = (self._began_s - day * 86_400.0 for day in range(1, _PAST_DAYS + 1))
        runs = [self._run(at_s, "succeeded", at_s + _TAKES_S) for at_s in past]
        self._push([*runs, self._run(self._began_s, "running")])

    def end(self) -> None:
        """It is done, sooner than usual."""
        self._push([self._run(self._began_s, "succeeded", time.time())])

    def _run(self, at_s: float, state: str, ended_s: float | None = None) -> dict[str, Any]:
        run = {"pipeline": self._name, "run_id": f"{at_s:.0f}", "state": state}
        return run | {"started_at_s": at_s, "ended_at_s": ended_s}

    def _push(self, runs: Iterable[dict[str, Any]]) -> None:
        self._swarm.push(CRON, runs=list(runs))
