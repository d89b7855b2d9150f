"""From one OpenLineage event (spec 2-0-2) to evidence, coverage and run states.

Rules
1. Each event is read on its own, so order and duplicates cannot change the set of evidence.
2. Accesses (`datasets`) count whatever became of the run: a dependency is about what
   the task's program does, and a run that failed did the same accesses up to there. Only a
   completed run says that it reported all of them (coverage), and not if its sender could not
   read some of its queries (`extractionError`).
3. A query or child job that a task started (`dag.task.query.1`, a Spark job) belongs to that task.
   Its reads and writes are the task's, its state and its silence are not.
   A pipeline that is told as a whole, by another tool than Airflow, has accesses of its own.
4. Facets that no rule here reads are kept as they are (`facets`); a broken part is
   reported and the rest of the event is used.
5. The text of a task's second or later query may name a temporary table that an earlier query of
   the same session made. An event alone cannot tell, so a name without a schema counts as an
   access with less confidence: it stands where nothing else is known of the task, and falls where
   the task's SQL as it ran was read as a whole and shows no such access.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from datetime import UTC, datetime

from swarm.lineage.openlineage.columns import columns_of
from swarm.lineage.openlineage.datasets import accesses_of, event_columns
from swarm.lineage.openlineage.facets import dataset_facets, event_facets
from swarm.lineage.openlineage.fields import (
    Fields,
    checked_event,
    dataset_of,
    object_at,
    text_of,
)
from swarm.lineage.openlineage.order import job_order
from swarm.lineage.openlineage.subject import (
    Subject,
    below_of,
    bounded,
    is_of_airflow,
    parent_run_of,
    subject_of,
)
from swarm.lineage.openlineage.telling import PRODUCER
from swarm.lineage.sql.extract import extract_sql
from swarm.lineage.text import SqlContext
from swarm.model.connectors import Item
from swarm.model.keys import DatasetKey, PipelineKey, TaskKey
from swarm.model.lineage import Channel, Coverage, Evidence, Unresolved, UnresolvedReason
from swarm.model.runs import Run, RunState, TaskRun

_STATES = {
    "START": RunState.RUNNING,
    "RUNNING": RunState.RUNNING,
    "COMPLETE": RunState.SUCCEEDED,
    "FAIL": RunState.FAILED,
    "ABORT": RunState.CANCELLED,
}
_ENDED = {RunState.SUCCEEDED, RunState.FAILED, RunState.CANCELLED}
_DIALECTS = {"postgresql": "postgres", "mssql": "tsql", "sqlserver": "tsql", "mariadb": "mysql"}
# Even odds (about) once the task's own SQL speaks against it, nine in ten without that.
_MAYBE_TEMPORARY = 0.6
_ERRORS_MAX = 20
_WORDS_MAX = 300
_KNOWN_DIALECTS = frozenset(
    {
        *("athena", "bigquery", "clickhouse", "databricks", "duckdb", "hive", "mysql", "oracle"),
        *("postgres", "presto", "redshift", "snowflake", "spark", "sqlite", "teradata", "trino"),
        "tsql",
    }
)


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
    Raises `InputError` for something that is not an OpenLineage event, and where the names of its
    job are longer than people could write them.
    """
    fields = checked_event(event)
    if fields.get("producer") == PRODUCER:
        return ()  # swarm's own words, come back by way of a catalogue, prove nothing to it
    if "job" not in fields:
        return tuple(_dataset_event(fields, received_at_s))
    job = object_at(fields["job"])
    run = object_at(fields.get("run"))
    subject = bounded(subject_of(job, run, orchestrators))
    at_s, problems = _time(fields, str(subject.task), received_at_s)
    state = _STATES.get(text_of(fields.get("eventType")).upper())
    items: list[Item] = [*problems, *_runs(subject, state, run, at_s)]
    if subject.is_pipeline and not is_of_airflow(run):  # no task of it tells the same again
        items += _lineage(fields, {}, subject, at_s, sql_context)[0]
    elif not subject.is_pipeline:
        said, complete = _lineage(fields, job, subject, at_s, sql_context)
        unread = list(_unread(run, job, subject))
        items += [*said, *unread]
        if state is RunState.SUCCEEDED and complete and not unread and not subject.is_child:
            items.append(Coverage(subject.task, Channel.OPENLINEAGE, at_s))
    items.extend(job_order(run, subject, orchestrators, at_s))
    items.extend(event_columns(fields, subject.task, below_of(job, subject), at_s))
    items.extend(event_facets(fields, subject, at_s))
    return tuple(dict.fromkeys(items))


def _dataset_event(fields: Fields, received_at_s: float) -> Iterator[Item]:
    """What a dataset is like, not who uses it."""
    dataset = object_at(fields["dataset"])
    at_s, problems = _time(fields, str(dataset_of(dataset)), received_at_s)
    yield from problems
    yield from columns_of(dataset, "$.dataset", at_s, None)
    yield from dataset_facets(dataset, at_s)


def _time(
    fields: Fields, subject: str, received_at_s: float
) -> tuple[float, tuple[Unresolved, ...]]:
    text = text_of(fields.get("eventTime"))
    try:
        moment = datetime.fromisoformat(text)
        known = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
        return min(known.timestamp(), received_at_s), ()
    except (ValueError, OverflowError):
        detail = (
            f"eventTime {text[:_WORDS_MAX]!r} is not an ISO 8601 time; the time of arrival is used"
        )
        broken = Unresolved(subject, UnresolvedReason.MALFORMED, "$.eventTime", detail)
        return received_at_s, (broken,)


def _runs(subject: Subject, state: RunState | None, run: Fields, at_s: float) -> Iterator[Item]:
    """The state the event tells; a job of its own is a pipeline of one task."""
    if state is None or subject.is_child or not subject.run_id:
        return
    started = at_s if state is RunState.RUNNING else None
    ended = at_s if state in _ENDED else None
    key = subject.task
    if subject.is_pipeline or (key.pipeline == key.task and not parent_run_of(run)):
        pipeline = PipelineKey(key.orchestrator, key.pipeline)
        yield Run(pipeline, subject.run_id, state, None, started, ended)
    if not subject.is_pipeline:
        yield TaskRun(key, subject.run_id, subject.attempt, state, started, ended)


def _lineage(
    fields: Fields,
    job: Fields,
    subject: Subject,
    at_s: float,
    sql_context: Callable[[TaskKey], SqlContext],
) -> tuple[list[Item], bool]:
    """The accesses an event tells, and whether it told something and all of it was understood."""
    run_id = text_of(object_at(fields.get("run")).get("runId"))
    place = f"OpenLineage run {run_id}" if run_id else f"OpenLineage job {text_of(job.get('name'))}"
    sql = object_at(job, "facets", "sql")
    query = text_of(sql.get("query"))
    items: list[Item] = []
    for found in accesses_of(fields, subject.task):
        if isinstance(found, Unresolved):
            items.append(found)
            continue
        access, key = found
        sure = _certainty(key, query, subject)
        items.append(
            Evidence(subject.task, access, key, Channel.OPENLINEAGE, at_s, place, "", sure)
        )
    if items:
        return items, not any(isinstance(item, Unresolved) for item in items)
    if not query.strip():
        return [], False
    return _from_sql(query, text_of(sql.get("dialect")), subject, at_s, place, sql_context)


def _unread(run: Fields, job: Fields, subject: Subject) -> Iterator[Unresolved]:
    """What the sender itself could not read of the task's queries."""
    facet = object_at(run, "facets", "extractionError")
    listed = facet.get("errors")
    errors = list(listed) if isinstance(listed, list | tuple) else []
    place = f"OpenLineage job {text_of(job.get('name'))}"
    for index, one in enumerate(errors[:_ERRORS_MAX]):
        error = object_at(one)
        number = error.get("taskNumber")
        line = (number if isinstance(number, int) else index) + 1
        words = " ".join(text_of(error.get("errorMessage")).split())[:_WORDS_MAX]
        detail = f"the sender could not read it: {words or 'it does not say why'}"
        yield Unresolved(str(subject.task), UnresolvedReason.SYNTAX, f"{place}:{line}", detail)
    failed = facet.get("failedTasks")
    more = (failed if isinstance(failed, int) else len(errors)) - len(errors[:_ERRORS_MAX])
    if more > 0:
        detail = f"the sender could not read {more} more of its queries"
        yield Unresolved(str(subject.task), UnresolvedReason.SYNTAX, place, detail)


def _from_sql(
    query: str,
    dialect: str,
    subject: Subject,
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
            touch.confidence * _certainty(touch.dataset, query, subject),
        )
        for touch in found.touches
    ]
    items.extend(found.views)
    items.extend(replace(one, subject=str(subject.task)) for one in found.unresolved)
    return items, not found.unresolved


def _certainty(dataset: DatasetKey, query: str, subject: Subject) -> float:
    """Rule 5. A name is bare where no schema stands before it in the text."""
    if subject.query < 2:
        return subject.certainty
    name = re.escape(dataset.name.rpartition(".")[2])
    bare = re.search(rf"(?<![\w.])(?<!\.[\"`\[])[\"`\[]?{name}\b", query, re.IGNORECASE)
    return subject.certainty * (_MAYBE_TEMPORARY if bare else 1.0)
