"""From one OpenLineage event (spec 2-0-2) to evidence, coverage and run states.

Rules
1. Each event is read on its own, so order and duplicates cannot change the set of evidence.
2. Inputs are reads and outputs are writes whatever became of the run: a dependency is about what
   the task's program does, and a run that failed did the same accesses up to there. Only a
   completed run says that it reported all of them (coverage).
3. A query or child job that a task started (`dag.task.query.1`, a Spark job) belongs to that task.
   Its reads and writes are the task's, its state and its silence are not.
4. Unknown facets are skipped; a broken part is reported and the rest of the event is used.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from swarm.errors import InputError
from swarm.lineage.sql import extract_sql
from swarm.lineage.text import SqlContext
from swarm.model.journal import Item
from swarm.model.keys import DatasetKey, PipelineKey, TaskKey
from swarm.model.lineage import Access, Channel, Coverage, Evidence, Unresolved, UnresolvedReason
from swarm.model.runs import Run, RunState, TaskRun

_STATES = {
    "START": RunState.RUNNING,
    "RUNNING": RunState.RUNNING,
    "COMPLETE": RunState.SUCCEEDED,
    "FAIL": RunState.FAILED,
    "ABORT": RunState.CANCELLED,
}
_ENDED = {RunState.SUCCEEDED, RunState.FAILED, RunState.CANCELLED}
_EVENT_TYPES = {*_STATES, "OTHER"}
_QUERY = re.compile(r"\.query\.\d+$")
_DIALECTS = {"postgresql": "postgres", "mssql": "tsql", "sqlserver": "tsql", "mariadb": "mysql"}
_KNOWN_DIALECTS = frozenset(
    {
        *("athena", "bigquery", "clickhouse", "databricks", "duckdb", "hive", "mysql", "oracle"),
        *("postgres", "presto", "redshift", "snowflake", "spark", "sqlite", "teradata", "trino"),
        "tsql",
    }
)
Fields = Mapping[str, object]


@dataclass(frozen=True, slots=True)
class _Subject:
    """Whom an event is about. `is_child`: a part of the task and not the task itself."""

    task: TaskKey
    run_id: str
    attempt: int = 1
    is_pipeline: bool = False
    is_child: bool = False


def read_event(
    event: object,
    orchestrators: Mapping[str, str],
    received_at_s: float,
    sql_context: Callable[[TaskKey], SqlContext],
) -> tuple[Item, ...]:
    """Map a RunEvent, JobEvent or DatasetEvent to what it says.

    `orchestrators` maps a job namespace to the name of an orchestrator instance (others keep the
    namespace as their name), `sql_context` tells where a task's SQL runs when an event carries
    the text only. An event time that is broken or lies after `received_at_s` counts as received.
    Raises `InputError` for something that is not an OpenLineage event.
    """
    fields = _event(event)
    if "job" not in fields:
        return ()  # a DatasetEvent: what a dataset is like, not who uses it
    job = _fields(fields["job"])
    run = _fields(fields.get("run"))
    subject = _subject(job, run, orchestrators)
    at_s, problems = _time(fields, subject, received_at_s)
    state = _STATES.get(_text(fields.get("eventType")).upper())
    items: list[Item] = [*problems, *_runs(subject, state, run, at_s)]
    if subject.is_pipeline:
        return tuple(items)
    said, complete = _lineage(fields, job, subject, at_s, sql_context)
    items.extend(said)
    if state is RunState.SUCCEEDED and complete and not subject.is_child:
        items.append(Coverage(subject.task, Channel.OPENLINEAGE, at_s))
    return tuple(dict.fromkeys(items))


# --- the shape -------------------------------------------------------------------------------


def _event(event: object) -> Fields:
    """The fields of an event, checked as far as they are needed to tell what it is."""
    if not isinstance(event, Mapping):
        raise InputError(
            f"$ is {_kind(event)} and not an OpenLineage event: send one JSON object per request"
        )
    if "job" not in event and "dataset" in event:
        _named(event["dataset"], "$.dataset")
        return event
    if "job" not in event:
        raise InputError(
            "$.job is missing, so this is not an OpenLineage event: "
            'add "job": {"namespace": ..., "name": ...}'
        )
    _named(event["job"], "$.job")
    if "run" in event and not isinstance(event["run"], Mapping):
        raise InputError(f'$.run is {_kind(event["run"])}: it must be an object with "runId"')
    event_type = event.get("eventType")
    if event_type is not None and _text(event_type).upper() not in _EVENT_TYPES:
        raise InputError(
            f"$.eventType is {event_type!r}: use one of {', '.join(sorted(_EVENT_TYPES))}"
        )
    return event


def _named(part: object, path: str) -> None:
    if not isinstance(part, Mapping):
        raise InputError(f'{path} is {_kind(part)}: it must be an object with "namespace", "name"')
    for field in ("namespace", "name"):
        if not _text(part.get(field)):
            raise InputError(f"{path}.{field} is missing or no text: every {path[2:]} needs one")


def _kind(value: object) -> str:
    return "null" if value is None else f"of type {type(value).__name__}"


def _fields(value: object, *path: str) -> Fields:
    """The object at `path` below `value`; an empty one where there is none."""
    for step in path:
        value = value.get(step) if isinstance(value, Mapping) else None
    return value if isinstance(value, Mapping) else {}


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""


def _time(
    fields: Fields, subject: _Subject, received_at_s: float
) -> tuple[float, tuple[Unresolved, ...]]:
    text = _text(fields.get("eventTime"))
    try:
        moment = datetime.fromisoformat(text)
        known = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
        return min(known.timestamp(), received_at_s), ()
    except (ValueError, OverflowError):
        detail = f"eventTime {text!r} is not an ISO 8601 time; the time of arrival is used"
        broken = Unresolved(str(subject.task), UnresolvedReason.MALFORMED, "$.eventTime", detail)
        return received_at_s, (broken,)


# --- who -------------------------------------------------------------------------------------


def _subject(job: Fields, run: Fields, orchestrators: Mapping[str, str]) -> _Subject:
    name = _text(job.get("name"))
    run_id = _text(run.get("runId"))
    orchestrator = _orchestrator(job, orchestrators)
    airflow = _fields(run, "facets", "airflow")
    dag_id = _text(_fields(airflow, "dag").get("dag_id"))
    task_id = _text(_fields(airflow, "task").get("task_id"))
    if dag_id and task_id:
        attempt = _fields(airflow, "taskInstance").get("try_number")
        return _Subject(
            TaskKey(orchestrator, dag_id, task_id),
            _text(_fields(airflow, "dagRun").get("run_id")) or _parent_run(run) or run_id,
            attempt if isinstance(attempt, int) else 1,
            # Airflow's facet is copied into the query children of newer providers
            is_child=_QUERY.search(name) is not None and name != f"{dag_id}.{task_id}",
        )
    if _is_pipeline(job, run):
        dag_run = _fields(run, "facets", "airflowDagRun")
        pipeline = _text(_fields(dag_run, "dag").get("dag_id")) or name
        known = _text(_fields(dag_run, "dagRun").get("run_id")) or run_id
        return _Subject(TaskKey(orchestrator, pipeline, ""), known, is_pipeline=True)
    return _by_parent(name, run, run_id, orchestrator, orchestrators)


def _orchestrator(job: Fields, orchestrators: Mapping[str, str]) -> str:
    namespace = _text(job.get("namespace"))
    return orchestrators.get(namespace, namespace)


def _parent_run(run: Fields) -> str:
    return _text(_fields(run, "facets", "parent", "run").get("runId"))


def _is_pipeline(job: Fields, run: Fields) -> bool:
    kind = _text(_fields(job, "facets", "jobType").get("jobType")).upper()
    facets = _fields(run, "facets")
    return kind == "DAG" or "airflowDagRun" in facets or "airflowState" in facets


def _by_parent(
    name: str, run: Fields, run_id: str, orchestrator: str, orchestrators: Mapping[str, str]
) -> _Subject:
    """The parent facet names the pipeline, or the task when a root stands above it."""
    facet = _fields(run, "facets", "parent")
    parent_job = _fields(facet, "job")
    parent = _text(parent_job.get("name"))
    if not parent:
        return _Subject(TaskKey(orchestrator, name, name), run_id)
    owner = _orchestrator(parent_job, orchestrators) or orchestrator
    root = _text(_fields(facet, "root", "job").get("name"))
    if root and parent.startswith(f"{root}."):
        task = TaskKey(owner, root, parent.removeprefix(f"{root}."))
        root_run = _text(_fields(facet, "root", "run").get("runId"))
        return _Subject(task, root_run or _parent_run(run) or run_id, is_child=True)
    if _QUERY.search(name) and name.startswith(f"{parent}.") and "." in parent:
        pipeline, _, task_name = parent.partition(".")
        return _Subject(TaskKey(owner, pipeline, task_name), _parent_run(run), is_child=True)
    task = TaskKey(owner, parent, name.removeprefix(f"{parent}."))
    return _Subject(task, _parent_run(run) or run_id)


# --- what ------------------------------------------------------------------------------------


def _runs(subject: _Subject, state: RunState | None, run: Fields, at_s: float) -> Iterator[Item]:
    """The state the event tells; a job of its own is a pipeline of one task."""
    if state is None or subject.is_child or not subject.run_id:
        return
    started = at_s if state is RunState.RUNNING else None
    ended = at_s if state in _ENDED else None
    key = subject.task
    if subject.is_pipeline or (key.pipeline == key.task and not _parent_run(run)):
        pipeline = PipelineKey(key.orchestrator, key.pipeline)
        yield Run(pipeline, subject.run_id, state, None, started, ended)
    if not subject.is_pipeline:
        yield TaskRun(key, subject.run_id, subject.attempt, state, started, ended)


def _lineage(
    fields: Fields,
    job: Fields,
    subject: _Subject,
    at_s: float,
    sql_context: Callable[[TaskKey], SqlContext],
) -> tuple[list[Item], bool]:
    """The accesses an event tells, and whether it told something and all of it was understood."""
    run_id = _text(_fields(fields.get("run")).get("runId"))
    place = f"OpenLineage run {run_id}" if run_id else f"OpenLineage job {_text(job.get('name'))}"
    items: list[Item] = []
    for field, access in (("inputs", Access.READ), ("outputs", Access.WRITE)):
        for found in _datasets(fields.get(field), field, str(subject.task)):
            if isinstance(found, Unresolved):
                items.append(found)
            else:
                items.append(
                    Evidence(subject.task, access, found, Channel.OPENLINEAGE, at_s, place)
                )
    if items:
        return items, not any(isinstance(item, Unresolved) for item in items)
    sql = _fields(job, "facets", "sql")
    query = _text(sql.get("query"))
    if not query.strip():
        return [], False
    return _from_sql(query, _text(sql.get("dialect")), subject, at_s, place, sql_context)


def _datasets(listed: object, field: str, subject: str) -> Iterator[DatasetKey | Unresolved]:
    if listed is None:
        return
    if not isinstance(listed, list | tuple):
        yield _broken(subject, f"$.{field}", f"{field} is {_kind(listed)} and not a list")
        return
    for index, one in enumerate(listed):
        dataset = _fields(one)
        namespace, name = _text(dataset.get("namespace")), _text(dataset.get("name"))
        if not namespace or not name:
            detail = "a dataset needs the texts `namespace` and `name`"
            yield _broken(subject, f"$.{field}[{index}]", detail)
            continue
        yield DatasetKey(namespace, name)
        yield from _tables_of(dataset)


def _tables_of(dataset: Fields) -> Iterator[DatasetKey]:
    """The tables that a catalog knows a path by."""
    listed = _fields(dataset, "facets", "symlinks").get("identifiers")
    for one in listed if isinstance(listed, list | tuple) else ():
        known = _fields(one)
        namespace, name = _text(known.get("namespace")), _text(known.get("name"))
        if namespace and name and _text(known.get("type")).upper() == "TABLE":
            yield DatasetKey(namespace, name)


def _broken(subject: str, place: str, detail: str) -> Unresolved:
    return Unresolved(subject, UnresolvedReason.MALFORMED, place, detail)


def _from_sql(
    query: str,
    dialect: str,
    subject: _Subject,
    at_s: float,
    place: str,
    sql_context: Callable[[TaskKey], SqlContext],
) -> tuple[list[Item], bool]:
    """An event with the SQL text and no datasets: the text is read instead."""
    context = sql_context(subject.task)
    told = _DIALECTS.get(dialect.lower(), dialect.lower())
    if told in _KNOWN_DIALECTS:
        context = replace(context, dialect=told)
    found = extract_sql(query, context, place)
    items: list[Item] = [
        Evidence(
            subject.task,
            touch.access,
            touch.dataset,
            Channel.OPENLINEAGE,
            at_s,
            touch.place,
            touch.excerpt,
            touch.confidence,
        )
        for touch in found.touches
    ]
    items.extend(found.views)
    items.extend(replace(one, subject=str(subject.task)) for one in found.unresolved)
    return items, not found.unresolved
