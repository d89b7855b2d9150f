"""What Dagster's answers about runs, pools and backfills mean. Pure.

Like `dagster_answers`, these functions raise `KeyError` and its like on an answer that is not
shaped like Dagster's.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime

from swarm.connectors.dagster.answers import RepositoryId, asset_key
from swarm.connectors.dagster.mapping import IMPLICIT_JOB, Definitions
from swarm.connectors.payloads import Payload, Payloads
from swarm.connectors.sighting import sighted
from swarm.lineage.sql.extract import extract_sql
from swarm.lineage.text import SqlContext
from swarm.model.connectors import Item
from swarm.model.keys import PipelineKey, TaskKey
from swarm.model.lineage import Channel
from swarm.model.pipelines import Backfill, Pool
from swarm.model.runs import Run, RunState, TaskRun

_RUN_STATES = {
    "NOT_STARTED": RunState.QUEUED,
    "QUEUED": RunState.QUEUED,
    "STARTING": RunState.QUEUED,
    "STARTED": RunState.RUNNING,
    "CANCELING": RunState.RUNNING,
    "SUCCESS": RunState.SUCCEEDED,
    "FAILURE": RunState.FAILED,
    "CANCELED": RunState.CANCELLED,
}
_STEP_STATES = {
    "IN_PROGRESS": RunState.RUNNING,
    "SUCCESS": RunState.SUCCEEDED,
    "FAILURE": RunState.FAILED,
    "SKIPPED": RunState.SKIPPED,
}
_SQL_LABELS = ("query", "sql")
_WORST_LAST = (
    RunState.UNKNOWN,
    RunState.SKIPPED,
    RunState.SUCCEEDED,
    RunState.RUNNING,
    RunState.FAILED,
)


@dataclass(frozen=True, slots=True)
class RunRow:
    """A run in a list, with what is needed to follow the list."""

    run_id: str
    updated_s: float
    row: Payload


def read_runs(answer: Payload, name: str) -> list[RunRow]:
    """The list of runs that an answer has under `name`."""
    return [
        RunRow(str(row["runId"]), float(row["updateTime"] or 0), row)
        for row in answer[name]["results"]
    ]


def map_run(definitions: Definitions, run: Payload, context: SqlContext) -> tuple[Item, ...]:
    """The run, the tries of its tasks and the SQL that its materializations report.

    Nothing for a run of a job that is gone. `context` is where that SQL ran.

    A run of the implicit job that materializes assets of named jobs says something about the
    tasks of those, not about any pipeline as a whole.
    """
    run_id, state = str(run["runId"]), _RUN_STATES.get(str(run["status"]), RunState.UNKNOWN)
    name = definitions.names.get((repository_of(run), str(run["jobName"])))
    items: list[Item] = []
    if name is not None:
        items.append(
            Run(
                PipelineKey(definitions.instance, name),
                run_id,
                state,
                scheduled_for_s=_partition_s(run["tags"]),
                started_at_s=run["startTime"],
                ended_at_s=run["endTime"],
            )
        )
    tries: dict[tuple[TaskKey, int], TaskRun] = {}
    for step in run["stepStats"]:
        for task in _step_tasks(definitions, name, str(step["stepKey"])):
            for number, one in enumerate(_tries(task, run_id, step, state), start=1):
                before = tries.get((task, number))
                tries[task, number] = one if before is None else _both(before, one)
    return (*items, *tries.values(), *_sql_items(definitions, name, run, context))


def repository_of(run: Payload) -> RepositoryId:
    """Where the job of a run is defined."""
    origin = run["repositoryOrigin"] or {}
    return str(origin.get("repositoryLocationName")), str(origin.get("repositoryName"))


def _step_tasks(definitions: Definitions, name: str | None, step: str) -> tuple[TaskKey, ...]:
    handle = step.partition("[")[0]  # a mapped step ends in its key: `op[key]`
    root = handle.partition(".")[0]
    if name is not None:
        found = definitions.steps.get((name, handle)) or definitions.steps.get((name, root))
        if found:
            return found
    if name is not None and name.rpartition("/")[2] != IMPLICIT_JOB:
        return ()
    return definitions.by_op.get(root, ())


def _tries(task: TaskKey, run_id: str, step: Payload, run: RunState) -> Iterator[TaskRun]:
    attempts = step["attempts"]
    last = _STEP_STATES.get(str(step["status"]), RunState.UNKNOWN)
    if last is RunState.RUNNING and run in (RunState.FAILED, RunState.CANCELLED):
        last = run  # the run ended over it
    for number, attempt in enumerate(attempts, start=1):
        state = last if number == len(attempts) else RunState.FAILED
        yield TaskRun(task, run_id, number, state, attempt["startTime"], attempt["endTime"])


def _both(one: TaskRun, other: TaskRun) -> TaskRun:
    """The tries of two steps of the same task, as one."""
    starts = [at for at in (one.started_at_s, other.started_at_s) if at is not None]
    ends = (one.ended_at_s, other.ended_at_s)
    return TaskRun(
        one.task,
        one.run_id,
        one.attempt,
        max(one.state, other.state, key=_WORST_LAST.index),
        min(starts, default=None),
        None if None in ends else max(at for at in ends if at is not None),
    )


def _sql_items(
    definitions: Definitions, name: str | None, run: Payload, context: SqlContext
) -> Iterator[Item]:
    """A materialization may report the SQL that made it. It need not be all that the task did."""
    for event in run["assetMaterializations"]:
        asset = asset_key(event["assetKey"]) if event["assetKey"] else ""
        homes = definitions.homes.get(asset, ())
        for entry in event["metadataEntries"]:
            text = entry.get("text")
            if str(entry["label"]).casefold() not in _SQL_LABELS or not text:
                continue
            # Without the run: what the next one cannot say either replaces this.
            place = f"asset {asset}, metadata {entry['label']}"
            found = extract_sql(str(text), context, place)
            for home in [name] if name in homes else homes:
                task = TaskKey(definitions.instance, str(home), asset)
                yield from sighted(task, found, Channel.SQL_RUN, float(run["updateTime"]))


def map_capacity(definitions: Definitions, answer: Payload, payloads: Payloads) -> tuple[Item, ...]:
    """Pools and backfills, and which of them cannot be read."""
    instance = answer["instance"]
    backfills = answer["partitionBackfillsOrError"].get("results", ())

    def of_limits(limits: Iterable[Payload]) -> tuple[Pool, ...]:
        mine = {**instance, "concurrencyLimits": limits}
        return map_pools(payloads.instance, {**answer, "instance": mine})

    def of_backfills(rows: Iterable[Payload]) -> tuple[Backfill, ...]:
        return map_backfills(definitions, {"partitionBackfillsOrError": {"results": rows}})

    limits, odd = payloads.sift(
        instance["concurrencyLimits"], lambda row: of_limits([row]), "concurrency limits"
    )
    rows, strange = payloads.sift(
        backfills, lambda row: of_backfills([row]), "backfills", lambda row: row.get("jobName")
    )
    return (*of_limits(limits), *of_backfills(rows), *odd, *strange)


def map_pools(instance: str, answer: Payload) -> tuple[Pool, ...]:
    """The limit on runs (`runs`) and those on pools."""
    pools = [
        Pool(
            orchestrator=instance,
            name=str(limit["concurrencyKey"]),
            slots=int(limit["slotCount"]),
            running=int(limit["activeSlotCount"]),
            queued=int(limit["pendingStepCount"]),
        )
        for limit in answer["instance"]["concurrencyLimits"]
    ]
    queue = answer["instance"]["runQueueConfig"]
    if queue is not None:
        limit = int(queue["maxConcurrentRuns"])
        running = sum(run["status"] != "QUEUED" for run in answer["live"]["results"])
        queued = int(answer["queued"]["count"] or 0)
        pools.insert(0, Pool(instance, "runs", limit if limit >= 0 else None, running, queued))
    return tuple(pools)


def map_backfills(definitions: Definitions, answer: Payload) -> tuple[Backfill, ...]:
    """One item for each pipeline that a backfill runs.

    The times are the start of the first and of the last partition, where partitions are times.
    """
    backfills: list[Backfill] = []
    for row in answer["partitionBackfillsOrError"].get("results", ()):
        job = row["jobName"]
        names = {name for (_, known), name in definitions.names.items() if known == job}
        for key in row["assetSelection"] or ():
            names |= set(definitions.homes.get(asset_key(key), ()))
        times = [at for at in map(_iso_s, row["partitionNames"] or ()) if at is not None]
        backfills += (
            Backfill(
                PipelineKey(definitions.instance, name),
                str(row["id"]),
                str(row["status"]).casefold(),
                min(times, default=None),
                max(times, default=None),
            )
            for name in sorted(names)
        )
    return tuple(backfills)


def _partition_s(tags: Iterable[Payload]) -> float | None:
    for tag in tags:
        if tag["key"] == "dagster/partition":
            return _iso_s(str(tag["value"]))
    return None


def _iso_s(text: str) -> float | None:
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        return None
    return (at if at.tzinfo else at.replace(tzinfo=UTC)).timestamp()
