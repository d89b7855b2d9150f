"""What flow runs and asset events of a pass say, and of which pipelines. Pure.

Like `prefect_mapping`, these functions read untyped answers; a row that is not shaped like
Prefect's costs itself alone, and that is said.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from typing import NamedTuple

from swarm.connectors.cursors import TRIED_RUNS
from swarm.connectors.payloads import Payload, Payloads
from swarm.connectors.prefect.mapping import (
    AssetEvent,
    Definitions,
    Deployment,
    epoch_s,
    map_asset_event,
    map_run,
    map_task_run,
    task_name,
)
from swarm.model.connectors import Item
from swarm.model.keys import PipelineKey
from swarm.model.lineage import Unresolved, UnresolvedReason
from swarm.model.pipelines import Backfill

_MAX_DEPTH = 20  # of flows that call flows
FETCHED_S = 12.0  # workers fetch runs 10 s before they are due, unless set otherwise
BACKFILL = "backfill"  # a tag
_BY_HAND = 5  # so many runs at once that nobody scheduled are a backfill without the tag too
_UNDER_WAY = frozenset({"SCHEDULED", "PENDING", "RUNNING", "PAUSED", "CANCELLING"})


class ByHand(NamedTuple):
    """A run under way that somebody made, tagged as a backfill or not."""

    pipeline: PipelineKey
    is_tagged: bool
    due_s: float | None = None


class UnderWay(NamedTuple):
    """A backfill: since when its runs are due, as far as they are known, and how many have not
    ended."""

    since_s: float
    left: int


class Homes:
    """Where the runs of one pass belong: flow runs to deployments, task runs to tasks."""

    def __init__(self, found: Definitions, payloads: Payloads) -> None:
        self._found = found
        self._payloads = payloads
        self._deployments: dict[str, Deployment] = {}
        self._tasks: dict[str, str] = {}

    def sound_runs(self, page: Iterable[Payload]) -> tuple[list[Payload], list[Unresolved]]:
        """The flow runs that can be read, and what to say of the others."""

        def read(row: Payload) -> None:
            str(row["id"])
            Homes(self._found, self._payloads).groups([row], ())

        def named(row: Payload) -> str:
            home = self._found.deployments.get(str(row.get("deployment_id")))
            return home.pipeline.key.name if home else ""

        return self._payloads.sift(page, read, "flow runs", named)

    def name_tasks(self, rows: Iterable[Payload]) -> tuple[list[Payload], list[Unresolved]]:
        """Take in task runs; the answer is those that can be read and what to say of the others."""

        def read(row: Payload) -> None:
            map_task_run(PipelineKey("", ""), row)
            self._tasks[str(row["id"])] = task_name(row)

        return self._payloads.sift(rows, read, "task runs")

    def unnamed(self, events: Iterable[AssetEvent]) -> list[str]:
        """The task runs that events are about and whose task is not known."""
        return sorted({e.task_run_id for e in events if e.task_run_id} - self._tasks.keys())

    def groups(
        self, rows: Iterable[Payload], below: Iterable[Payload]
    ) -> list[tuple[str, tuple[Item, ...]]]:
        """The items of each flow run that belongs to a deployment; `below` are its task runs.

        A subflow belongs to the deployment of the run that called it, where that is among `rows`.
        """
        below = list(below)
        callers = {str(row["id"]): str(row["flow_run_id"]) for row in below}
        by_id = {str(row["id"]): row for row in rows}
        groups: dict[str, list[Item]] = {}
        for run_id, row in by_id.items():
            root, steps = row, 0
            while root.get("parent_task_run_id") and steps < _MAX_DEPTH:
                root = by_id.get(callers.get(str(root["parent_task_run_id"]), ""), {})
                steps += 1
            if root:
                deployment = self._found.deployment_of(root["deployment_id"], root["flow_id"])
                if deployment is not None:
                    self._deployments[run_id] = deployment
                    run = map_run(self._found, row)
                    groups[run_id] = [] if run is None else [run]
        for row in below:
            home = self._deployments.get(str(row["flow_run_id"]))
            if home is not None:
                group = groups.setdefault(str(row["flow_run_id"]), [])
                group.append(map_task_run(home.pipeline.key, row))
        return [(run_id, tuple(items)) for run_id, items in groups.items()]

    def wanted(self, rows: Iterable[Payload], tried: Counter[PipelineKey]) -> list[Payload]:
        """The past flow runs, newest first, whose task runs are wanted: of each deployment so many,
        which `tried` counts, and flows that these may have called."""
        own, called = [], []
        for row in rows:
            if row.get("parent_task_run_id"):
                called.append(row)
                continue
            home = self._found.deployment_of(row["deployment_id"], row["flow_id"])
            if home is not None and tried[home.pipeline.key] < TRIED_RUNS:
                tried[home.pipeline.key] += 1
                own.append(row)
        return [*own, *called] if own else []

    def by_hand(self, rows: Iterable[Payload]) -> Iterator[ByHand]:
        """The runs under way that no schedule and no automation made. Without a schedule runs by
        hand are the usual ones, unless they are tagged."""
        for row in rows:
            home = self._found.deployments.get(str(row["deployment_id"]))
            maker = (row.get("created_by") or {}).get("type")
            if home is None or row.get("auto_scheduled") or maker == "AUTOMATION":
                continue
            if row.get("parent_task_run_id") or str(row["state_type"]) not in _UNDER_WAY:
                continue
            tags = {str(tag).casefold() for tag in row.get("tags") or ()}
            if "swarm" not in tags and (home.pipeline.schedule or BACKFILL in tags):
                is_tagged = BACKFILL in tags
                due_s = epoch_s(row.get("expected_start_time"))
                yield ByHand(home.pipeline.key, is_tagged, due_s)

    def said(self, events: Iterable[AssetEvent]) -> Iterator[Item]:
        """What asset events say of tasks, or that nobody knows whose they are."""
        for event in events:
            deployment = self._deployments.get(event.flow_run_id) or self._found.deployment_of(
                event.deployment_id or None, event.flow_id
            )
            if deployment is not None:
                task = self._tasks.get(event.task_run_id, "")
                yield from map_asset_event(deployment, event, task)
            else:
                flow = self._found.flows.get(event.flow_id, event.flow_id)
                detail = "the run that touched it belongs to no deployment, or its flow has several"
                yield Unresolved(
                    subject=f"{self._found.instance}/{flow}",
                    reason=UnresolvedReason.AMBIGUOUS,
                    place=f"asset {event.asset}",
                    detail=detail,
                )


def backfills(
    by_hand: Iterable[ByHand], open_: Mapping[PipelineKey, UnderWay], now_s: float
) -> tuple[dict[PipelineKey, UnderWay], list[Backfill]]:
    """The backfills under way at `now_s`, and what is news after those `open_` before. One begins
    with a tagged run, or many at once, and is over with the last of them. Of which time it is
    Prefect does not know."""
    runs: dict[PipelineKey, list[ByHand]] = {}
    for run in by_hand:
        runs.setdefault(run.pipeline, []).append(run)
    going = {
        key: open_.get(key, UnderWay(_since_s(of, now_s), 0))._replace(left=len(of))
        for key, of in sorted(runs.items())
        if key in open_ or len(of) >= _BY_HAND or any(run.is_tagged for run in of)
    }
    news = [
        Backfill(key, BACKFILL, "running", since_s=one.since_s, left=one.left)
        for key, one in going.items()
        if open_.get(key) != one
    ]
    news += (Backfill(key, BACKFILL, "completed") for key in sorted(open_.keys() - going.keys()))
    return going, news


def _since_s(runs: Iterable[ByHand], now_s: float) -> float:
    """Since when they are due: those that were over before anybody looked began after that, too."""
    return min((run.due_s for run in runs if run.due_s is not None), default=now_s)


def live_or_ended(since: str, fetched: str) -> dict[str, object]:
    """The filter for flow runs that are live or ended after an ISO time. Live is also what a worker
    would have fetched by now, being due before `fetched`, if there were one."""
    live = {
        "operator": "or_",
        "type": {"any_": ["PENDING", "RUNNING", "CANCELLING", "PAUSED"]},
        "name": {"any_": ["Late", "AwaitingRetry", "AwaitingConcurrencySlot"]},
    }
    wanted = {
        "operator": "or_",
        "state": live,
        "next_scheduled_start_time": {"before_": fetched},  # they are late for Prefect after 15 s
        "end_time": {"after_": since},
    }
    return {"flow_runs": wanted, "sort": "ID_DESC"}


def ended_between(from_: str, to: str) -> dict[str, object]:
    """The filter for the flow runs that ended between two ISO times."""
    ended = {"after_": from_, "before_": to}
    return {"flow_runs": {"end_time": ended}, "sort": "END_TIME_DESC"}


def of_flow_runs(rows: Iterable[Payload]) -> dict[str, object]:
    """The filter for the task runs of flow runs."""
    ids = [str(row["id"]) for row in rows]
    return {"flow_runs": {"id": {"any_": ids}}, "sort": "ID_DESC"}
