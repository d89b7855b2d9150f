"""A backfill in the lab's Prefect, and a report that is due meanwhile.

The backfill is many runs of a deployment at once, in a queue of its own that is the first of its
pool: what else that pool is to run waits for all of them. So does the margin, which the report
needs. The report is one of cron's; what it did on the days before, and that it is under way today,
is pushed as a home-made scheduler pushes it: the lab itself has no days before.
"""

import time
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Any

from swarm.client import Client
from swarm.config.rules import Promise
from swarm.demo import http
from swarm.demo.prefect_server import POOL, Prefect
from swarm.demo.processes import LabError
from swarm.demo.run_folder import CRON, PREFECT

BACKFILLED, NEEDED = "spend-import/daily", "margin/daily"
DEPLOYMENT, REPORT = f"{PREFECT}/{BACKFILLED}", f"{CRON}/exec_report"
RUNS = 16
_TAG = "backfill"  # by which swarm knows one
_PAST_DAYS = 21
_DUE_IN_S, _TAKES_S = 3_600.0, 2_400.0  # so the report has no half hour to spare from now on


def promise() -> Promise:
    """The report is due an hour from now."""
    by = datetime.now(UTC) + timedelta(seconds=_DUE_IN_S)
    return Promise(pipeline=REPORT, by=f"{by:%H:%M}")


class Backfill:
    """One under way, from where it is made. In Prefect's own words."""

    def __init__(self, prefect: Prefect) -> None:
        self._api = prefect.api
        deployment = _deployment(prefect, BACKFILLED)
        self._queue = deployment["work_queue_name"]
        self._runs = [_begin(prefect, deployment, _TAG)["id"] for _ in range(RUNS)]

    @property
    def comes_last(self) -> bool:
        """Does its queue, of those of the pool?"""
        queues = http.call("POST", f"{self._api}/work_pools/{POOL}/queues/filter", {})
        last = max(queues, key=lambda queue: int(queue["priority"]))
        return bool(last["name"] == self._queue)

    @property
    def waiting(self) -> int:
        """How many of its runs no worker has begun."""
        return self._count("SCHEDULED")

    @property
    def done(self) -> int:
        """How many of its runs are."""
        return self._count("COMPLETED")

    def _count(self, state: str) -> int:
        runs = {"id": {"any_": self._runs}, "state": {"type": {"any_": [state]}}}
        return int(http.call("POST", f"{self._api}/flow_runs/count", {"flow_runs": runs}))


class Needed:
    """What the report needs of Prefect: a run that waits in the same pool."""

    def __init__(self, prefect: Prefect) -> None:
        run = _begin(prefect, _deployment(prefect, NEEDED))
        self._url = f"{prefect.api}/flow_runs/{run['id']}"

    @property
    def waits(self) -> bool:
        return self._state() == "SCHEDULED"

    @property
    def is_done(self) -> bool:
        """Raises `LabError` where it failed."""
        state = self._state()
        if state in {"FAILED", "CRASHED", "CANCELLED"}:
            raise LabError(f"{NEEDED} ended {state}.")
        return state == "COMPLETED"

    def _state(self) -> str:
        return str(http.call("GET", self._url)["state_type"])


def _deployment(prefect: Prefect, name: str) -> Any:
    return http.call("GET", f"{prefect.api}/deployments/name/{name}")


def _begin(prefect: Prefect, deployment: Any, *tags: str) -> Any:
    url = f"{prefect.api}/deployments/{deployment['id']}/create_flow_run"
    return http.call("POST", url, {"tags": tags})


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
