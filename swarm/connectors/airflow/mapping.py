"""What the payloads of Airflow's REST API mean, 3.x (v2) and 2.x (v1). Pure.

Every function reads untyped payloads and raises `KeyError`, `TypeError`, `AttributeError` or
`ValueError` on one that is not shaped like Airflow's; the caller makes one error of them.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from swarm.connectors.payloads import Payload
from swarm.lineage.naming import dataset_from_table, dataset_from_url
from swarm.lineage.text import SqlContext
from swarm.model.keys import DatasetKey, PipelineKey, TaskKey
from swarm.model.lineage import Access, Channel, Evidence, Unresolved, UnresolvedReason
from swarm.model.pipelines import Backfill, Cron, DeclaredEdge, Pool, Task
from swarm.model.runs import Run, RunState, TaskRun
from swarm.model.weekdays import DAY_S
from swarm.sequencing.crons import cron_by_next

_RUN_STATES = {
    "queued": RunState.QUEUED,
    "running": RunState.RUNNING,
    "success": RunState.SUCCEEDED,
    "failed": RunState.FAILED,
}
_TASK_STATES = {
    "scheduled": RunState.QUEUED,
    "queued": RunState.QUEUED,
    "running": RunState.RUNNING,
    "restarting": RunState.RUNNING,
    "deferred": RunState.RUNNING,
    "up_for_reschedule": RunState.RUNNING,  # between two looks of a sensor
    "success": RunState.SUCCEEDED,
    "failed": RunState.FAILED,
    "up_for_retry": RunState.FAILED,  # this try failed, the next has another number
    "upstream_failed": RunState.SKIPPED,
    "skipped": RunState.SKIPPED,
    "removed": RunState.CANCELLED,
}


@dataclass(frozen=True, slots=True)
class Dag:
    """A row of the DAG list. `source_id` is what `/dagSources` wants to be asked for. `logical_s`
    and `run_after_s` are times of day, in seconds of UTC: the logical date of the next run, and
    when it is queued."""

    dag_id: str
    file: str
    source_id: str
    schedule: str
    owner: str
    tags: tuple[str, ...]
    paused: bool
    logical_s: float | None = None
    run_after_s: float | None = None
    crons: tuple[Cron, ...] = ()


@dataclass(frozen=True, slots=True)
class TaskList:
    """The tasks of one DAG and their order."""

    tasks: tuple[Task, ...] = ()
    order: tuple[DeclaredEdge, ...] = ()


@dataclass(frozen=True, slots=True)
class Assets:
    """What assets declare: the edges into each DAG they start, and who reads and writes them.

    Those in `aliased` are also written by tasks that list only an alias. It is not `complete` when
    the row of an asset could not be read.
    """

    edges: Mapping[str, tuple[DeclaredEdge, ...]] = field(default_factory=dict)
    evidence: tuple[Evidence, ...] = ()
    aliased: frozenset[DatasetKey] = frozenset()
    complete: bool = True


@dataclass(frozen=True, slots=True)
class TaskTry:
    """One try of a task with the values its templates had; `rendered` is empty before it ran."""

    run: TaskRun
    operator: str
    mapped: bool
    rendered: Payload

    @property
    def seen_at_s(self) -> float | None:
        return self.run.ended_at_s or self.run.started_at_s


def read_dags(payload: Payload) -> tuple[Dag, ...]:
    """A page of `/dags`."""
    return tuple(_dag(row) for row in payload["dags"])


def _dag(row: Payload) -> Dag:
    dag_id = str(row["dag_id"])
    return Dag(
        dag_id=dag_id,
        file=str(row.get("fileloc") or row.get("relative_fileloc") or ""),
        # Airflow 3 asks for the DAG, 2 for a signed name of the file.
        source_id=str(row["file_token"]) if "schedule_interval" in row else dag_id,
        schedule=_schedule(row),
        owner=", ".join(map(str, row["owners"])),
        tags=tuple(sorted(str(tag["name"]) for tag in row["tags"])),
        paused=bool(row["is_paused"]),
        logical_s=_time_of_day(row.get("next_dagrun_logical_date")),
        run_after_s=_time_of_day(row.get("next_dagrun_run_after")),
        crons=_crons(row),
    )


def _time_of_day(at: object) -> float | None:
    return None if at is None else datetime.fromisoformat(str(at)).timestamp() % DAY_S


def bare_dag(dag_id: str) -> Dag:
    """A DAG of which the list of all says nothing else that can be understood."""
    return Dag(dag_id, file="", source_id=dag_id, schedule="", owner="", tags=(), paused=False)


def _schedule(row: Payload) -> str:
    if "schedule_interval" not in row:
        return str(row.get("timetable_summary") or "")
    interval = row["schedule_interval"]
    if interval is None:
        return ""
    return str(interval.get("value") or row.get("timetable_description") or "")


def _crons(row: Payload) -> tuple[Cron, ...]:
    """Its starts by the clock. The list does not tell the clock of which place: that is the one by
    which the next start that it tells is one."""
    following = row.get("next_dagrun_run_after") or row.get("next_dagrun_create_after")
    next_s = seconds(following)
    made = None if next_s is None else cron_by_next(_schedule(row), next_s)
    return () if made is None else (made,)


def read_tasks(orchestrator: str, dag_id: str, payload: Payload) -> TaskList:
    """The answer of `/dags/{dag_id}/tasks`."""
    tasks: list[Task] = []
    order: list[DeclaredEdge] = []
    for row in payload["tasks"]:
        key = TaskKey(orchestrator, dag_id, str(row["task_id"]))
        kind = row.get("operator_name") or row["class_ref"]["class_name"]
        tasks.append(Task(key, str(kind)))
        below = (TaskKey(orchestrator, dag_id, str(name)) for name in row["downstream_task_ids"])
        order += (DeclaredEdge(key, downstream, "task order") for downstream in below)
    return TaskList(tuple(tasks), tuple(order))


def read_assets(orchestrator: str, pages: list[Payload], now_s: float) -> Assets:
    """All pages of `/assets`, or of `/datasets` in 2.x."""
    edges: dict[str, tuple[DeclaredEdge, ...]] = {}
    evidence: list[Evidence] = []
    aliased: set[DatasetKey] = set()
    for row in (row for page in pages for row in page.get("assets", page.get("datasets"))):
        uri = str(row["uri"])
        dataset = dataset_of(uri)
        if row.get("aliases"):
            aliased.add(dataset)
        producers = _tasks(orchestrator, row["producing_tasks"])
        for access, tasks in (
            (Access.WRITE, producers),
            (Access.READ, _tasks(orchestrator, row.get("consuming_tasks", ()))),
        ):
            evidence += (_declared(task, access, dataset, now_s, uri) for task in tasks)
        for started in row.get("scheduled_dags", row.get("consuming_dags", ())):
            dag_id = str(started["dag_id"])
            into = TaskKey(orchestrator, dag_id, "")
            more = tuple(DeclaredEdge(task, into, f"asset {uri}") for task in producers)
            edges[dag_id] = edges.get(dag_id, ()) + more
    return Assets(edges, tuple(evidence), frozenset(aliased))


def read_asset_events(orchestrator: str, payload: Payload) -> Iterator[Evidence]:
    """A page of `/assets/events`: writes that really happened, also those through an alias."""
    for row in payload.get("asset_events", payload.get("dataset_events")):
        if row.get("source_dag_id") and row.get("source_task_id"):
            task = TaskKey(orchestrator, str(row["source_dag_id"]), str(row["source_task_id"]))
            uri = str(row.get("uri") or row.get("dataset_uri"))
            at_s = seconds(row["timestamp"])
            if at_s is not None:
                yield _declared(task, Access.WRITE, dataset_of(uri), at_s, uri)


def _tasks(orchestrator: str, rows: list[Payload]) -> list[TaskKey]:
    return [TaskKey(orchestrator, str(row["dag_id"]), str(row["task_id"])) for row in rows]


def _declared(
    task: TaskKey, access: Access, dataset: DatasetKey, at_s: float, uri: str
) -> Evidence:
    return Evidence(task, access, dataset, Channel.DECLARED, at_s, f"asset {uri}", uri)


def dataset_of(uri: str) -> DatasetKey:
    """The dataset of an asset. A plain name without a scheme is taken for a table's."""
    return dataset_from_url(uri) if "://" in uri else dataset_from_table(uri, SqlContext())


def read_runs(orchestrator: str, payload: Payload) -> Iterator[Run]:
    """A page of `/dags/~/dagRuns`."""
    for row in payload["dag_runs"]:
        yield Run(
            pipeline=PipelineKey(orchestrator, str(row["dag_id"])),
            run_id=str(row["dag_run_id"]),
            state=_run_state(row),
            scheduled_for_s=seconds(row.get("logical_date") or row.get("run_after")),
            started_at_s=seconds(row["start_date"]),
            ended_at_s=seconds(row["end_date"]),
        )


def is_left_out(row: Payload) -> bool:
    """Whether a run is one of which a hand has skipped all."""
    told = (row.get("conf") or {}).get("swarm")
    return isinstance(told, Mapping) and "left_out" in told


def _run_state(row: Payload) -> RunState:
    """What is left out ends as a success that has made nothing."""
    state = _RUN_STATES.get(str(row["state"]), RunState.UNKNOWN)
    return RunState.SKIPPED if state is RunState.SUCCEEDED and is_left_out(row) else state


def backfilled_dags(payload: Payload) -> set[str]:
    """The DAGs of a page of `/dags/~/dagRuns` that are being backfilled."""
    return {str(row["dag_id"]) for row in payload["dag_runs"] if row["run_type"] == "backfill"}


def read_tries(orchestrator: str, payload: Payload) -> Iterator[TaskTry]:
    """A page of `/dags/~/dagRuns/~/taskInstances`; instances that nobody scheduled yet are left
    out. Each instance of a mapped task is a run of its own: `run_id[map_index]`.
    """
    for row in payload["task_instances"]:
        if row["state"] is None:
            continue
        map_index = int(row["map_index"])
        mapped = map_index >= 0
        run_id = str(row["dag_run_id"]) + (f"[{map_index}]" if mapped else "")
        run = TaskRun(
            task=TaskKey(orchestrator, str(row["dag_id"]), str(row["task_id"])),
            run_id=run_id,
            attempt=int(row["try_number"]),
            state=_TASK_STATES.get(str(row["state"]), RunState.UNKNOWN),
            started_at_s=seconds(row["start_date"]),
            ended_at_s=seconds(row["end_date"]),
            process=_process(row),
        )
        operator = str(row.get("operator_name") or row.get("operator") or "")
        yield TaskTry(run, operator, mapped, dict(row.get("rendered_fields") or {}))


def _process(row: Payload) -> str:
    """What runs a try, while it runs."""
    host, pid = row.get("hostname"), row.get("pid")
    return f"{host}:{pid}" if row["state"] == "running" and host and pid else ""


def read_pools(orchestrator: str, payload: Payload) -> Iterator[Pool]:
    """A page of `/pools`; -1 slots mean no limit."""
    for row in payload["pools"]:
        slots = int(row["slots"])
        yield Pool(
            orchestrator=orchestrator,
            name=str(row["name"]),
            slots=slots if slots >= 0 else None,
            running=int(row["running_slots"]),
            queued=int(row["queued_slots"]),
        )


def read_backfills(orchestrator: str, payload: Payload) -> Iterator[Backfill]:
    """A page of `/backfills`."""
    for row in payload["backfills"]:
        state = "paused" if row["is_paused"] else "running"
        yield Backfill(
            pipeline=PipelineKey(orchestrator, str(row["dag_id"])),
            backfill_id=str(row["id"]),
            state="completed" if row["completed_at"] else state,
            from_s=seconds(row["from_date"]),
            to_s=seconds(row["to_date"]),
        )


def read_import_errors(orchestrator: str, payload: Payload) -> Iterator[Unresolved]:
    """A page of `/importErrors`. The subject is the Airflow: nobody knows which DAGs the file has.

    Together with the inventory they are complete, so an error that was fixed goes.
    """
    for row in payload["import_errors"]:
        lines = str(row["stack_trace"]).strip().splitlines()
        detail = lines[-1].strip() if lines else "Airflow cannot load the file"
        yield Unresolved(orchestrator, UnresolvedReason.IMPORT_ERROR, str(row["filename"]), detail)


def read_versions(payload: Payload) -> Iterator[tuple[str, str]]:
    """A page of `/dags/~/dagVersions`: id of the version, DAG."""
    for row in payload["dag_versions"]:
        yield str(row["id"]), str(row["dag_id"])


def seconds(text: str | None) -> float | None:
    """Seconds since the epoch of an ISO time."""
    return datetime.fromisoformat(text).timestamp() if text else None
