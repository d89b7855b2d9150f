"""What the rendered templates of a task that ran say: its SQL, and the DAGs it waits for. Pure."""

import ast
from collections.abc import Iterator
from dataclasses import replace

from swarm.config import Settings
from swarm.connectors.airflow.mapping import TaskTry
from swarm.connectors.contexts import sql_context
from swarm.connectors.payloads import Payload
from swarm.connectors.sighting import sighted
from swarm.lineage.sql.extract import extract_sql
from swarm.lineage.text import SqlContext
from swarm.model.connectors import Item
from swarm.model.keys import TaskKey
from swarm.model.lineage import Channel, Coverage, Extraction, Unresolved, UnresolvedReason
from swarm.model.pipelines import DeclaredEdge

_SQL_FIELDS = ("sql", "hql", "bql")
_QUERY_OPERATORS = ("Athena", "BigQuery", "Drill", "Flink")  # whose `query` is SQL
# Airflow keeps the first few thousand characters of a long value, behind these words.
_CUT = "Truncated. You can change this behaviour"

# Beginnings of operator names, where the operator works on one kind of server only.
_DIALECTS = {
    "Athena": "athena",
    "BigQuery": "bigquery",
    "ClickHouse": "clickhouse",
    "Databricks": "databricks",
    "Drill": "drill",
    "Hive": "hive",
    "MsSql": "tsql",
    "MySql": "mysql",
    "Oracle": "oracle",
    "Postgres": "postgres",
    "Presto": "presto",
    "Redshift": "redshift",
    "Snowflake": "snowflake",
    "SparkSql": "spark",
    "Sqlite": "sqlite",
    "Teradata": "teradata",
    "Trino": "trino",
}


def context_of(settings: Settings, operator: str, connection: str) -> SqlContext:
    """Where the SQL of a task runs; a connection that nobody configured is what its operator is."""
    context = sql_context(settings, connection)
    if connection in settings.connections:
        return context
    known = next((d for start, d in _DIALECTS.items() if operator.startswith(start)), "")
    return replace(context, dialect=known or context.dialect)


def connection_of(rendered: Payload) -> str:
    """The name of the connection that a task used, empty when it does not say."""
    names = ["conn_id", *sorted(name for name in rendered if name.endswith("_conn_id"))]
    return next((str(rendered[name]) for name in names if rendered.get(name)), "")


def sql_of(operator: str, rendered: Payload) -> tuple[str, ...]:
    """The SQL texts among rendered values: a text, a list, or a list that was made a text."""
    values = [rendered[name] for name in _SQL_FIELDS if rendered.get(name)]
    if operator.startswith(_QUERY_OPERATORS) and rendered.get("query"):
        values.append(rendered["query"])
    values.append(_bigquery_text(rendered.get("configuration")))
    return tuple(text for value in values for text in _texts(value))


def _bigquery_text(configuration: object) -> object:
    """BigQueryInsertJobOperator has the text of the query deep in the description of the job."""
    if isinstance(configuration, str):
        if configuration.startswith(_CUT):
            return configuration  # said to be cut, as any other text is
        configuration = _literal(configuration)
    query = configuration.get("query") if isinstance(configuration, dict) else None
    return query.get("query") if isinstance(query, dict) else None


def _texts(value: object) -> Iterator[str]:
    if isinstance(value, str):
        listed = _literal(value) if value.startswith(("[", "(")) else None
        if isinstance(listed, list | tuple):
            yield from _texts(listed)
        elif value.strip():
            yield value
    elif isinstance(value, list | tuple):
        for part in value:
            yield from _texts(part)


def _literal(text: str) -> object:
    try:
        return ast.literal_eval(text)
    except (ValueError, SyntaxError, MemoryError, RecursionError):
        return None


def run_items(attempt: TaskTry, settings: Settings) -> Iterator[Item]:
    """Evidence of the SQL as it ran; nothing for a task that showed none."""
    texts = sql_of(attempt.operator, attempt.rendered)
    seen_at_s = attempt.seen_at_s
    if not texts or seen_at_s is None:
        return
    task = attempt.run.task
    context = context_of(settings, attempt.operator, connection_of(attempt.rendered)).of(task)
    complete = True
    for number, text in enumerate(texts, 1):
        # The same in every run: what cannot be understood is then said once, not once a run.
        place = "rendered sql" if len(texts) == 1 else f"rendered sql {number}"
        found = _cut(place) if text.startswith(_CUT) else extract_sql(text, context, place)
        complete = complete and not found.unresolved
        yield from sighted(task, found, Channel.SQL_RUN, seen_at_s)
    if complete:
        yield Coverage(task, Channel.SQL_RUN, seen_at_s)


def _cut(place: str) -> Extraction:
    detail = "Airflow kept only the beginning of the SQL; raise [core] max_templated_field_length"
    return Extraction(unresolved=(Unresolved("", UnresolvedReason.TOO_LARGE, place, detail),))


def links_of(task: TaskKey, values: Payload) -> tuple[DeclaredEdge, ...]:
    """Which tasks of other DAGs a sensor waits for, or which DAG a trigger starts, by the values
    of its arguments. A template that is still in a value names nothing."""
    started = _known(values.get("trigger_dag_id"))
    if started:
        return (DeclaredEdge(task, TaskKey(task.orchestrator, started, ""), "trigger"),)
    awaited = _known(values.get("external_dag_id"))
    if not awaited:
        return ()
    given = values.get("external_task_ids") or values.get("external_task_id")
    names = [name for name in _texts(given) if _known(name)]
    above = [TaskKey(task.orchestrator, awaited, name) for name in names or [""]]
    return tuple(DeclaredEdge(upstream, task, "sensor") for upstream in above)


def _known(value: object) -> str:
    return value if isinstance(value, str) and "{{" not in value else ""
