"""SQL and links out of the values that templates had when a task ran."""

from typing import Any

import pytest

from swarm.config import Settings, SqlConnection
from swarm.connectors.airflow.mapping import TaskTry
from swarm.connectors.airflow.rendered import (
    connection_of,
    context_of,
    links_of,
    run_items,
    sql_of,
)
from swarm.model.keys import DatasetKey, TaskKey
from swarm.model.lineage import Access, Channel, Coverage, Evidence, Unresolved, UnresolvedReason
from swarm.model.pipelines import DeclaredEdge
from swarm.model.runs import RunState, TaskRun

LAKE = SqlConnection(dialect="postgres", namespace="postgres://lake", default_schema="public")
SETTINGS = Settings(connections={"lake": LAKE, "default": SqlConnection(dialect="duckdb")})
TASK = TaskKey("af", "shop", "load")


def a_try(operator: str = "SQLExecuteQueryOperator", **rendered: Any) -> TaskTry:
    run = TaskRun(TASK, "r1", 1, RunState.SUCCEEDED, 10.0, 20.0)
    return TaskTry(run, operator, False, rendered)


def accesses(attempt: TaskTry) -> set[tuple[Access, DatasetKey]]:
    found = [item for item in run_items(attempt, SETTINGS) if isinstance(item, Evidence)]
    assert all(e.channel is Channel.SQL_RUN and e.observed_at_s == 20.0 for e in found)
    return {(e.access, e.dataset) for e in found}


@pytest.mark.parametrize(
    "sql",
    [
        "INSERT INTO orders SELECT * FROM raw",
        ["INSERT INTO orders SELECT 1", "SELECT * FROM raw"],
        "['INSERT INTO orders SELECT 1', 'SELECT * FROM raw']",
    ],
    ids=["text", "list", "list made text"],
)
def test_sql_as_it_ran(sql: object) -> None:
    attempt = a_try(sql=sql, conn_id="lake")
    assert accesses(attempt) == {
        (Access.WRITE, DatasetKey("postgres://lake", "public.orders")),
        (Access.READ, DatasetKey("postgres://lake", "public.raw")),
    }
    assert Coverage(TASK, Channel.SQL_RUN, 20.0) in list(run_items(attempt, SETTINGS))


def test_the_query_of_a_bigquery_job() -> None:
    job = {"query": {"query": "INSERT INTO p.d.t SELECT * FROM `p.d.s`", "useLegacySql": False}}
    texts = ("INSERT INTO p.d.t SELECT * FROM `p.d.s`",)
    assert sql_of("BigQueryInsertJobOperator", {"configuration": job}) == texts
    assert sql_of("BigQueryInsertJobOperator", {"configuration": str(job)}) == texts


def test_query_is_sql_only_where_the_operator_says_so() -> None:
    assert sql_of("AthenaOperator", {"query": "SELECT 1"}) == ("SELECT 1",)
    assert sql_of("ElasticsearchPythonOperator", {"query": "name:x"}) == ()


def test_a_task_without_sql_shows_nothing() -> None:
    assert list(run_items(a_try("BashOperator", bash_command="ls"), SETTINGS)) == []


def test_sql_that_airflow_cut_is_unresolved_and_not_covered() -> None:
    words = "Truncated. You can change this behaviour in [core]max_templated_field_length. "
    (cut,) = run_items(a_try(sql=words + "'SELECT * FROM a... ", conn_id="lake"), SETTINGS)
    assert isinstance(cut, Unresolved)
    assert (cut.subject, cut.reason) == (str(TASK), UnresolvedReason.TOO_LARGE)
    assert "max_templated_field_length" in cut.detail


def test_sql_that_does_not_parse_is_unresolved_in_the_same_words_every_run() -> None:
    def problems(run_id: str) -> list[object]:
        run = TaskRun(TASK, run_id, 1, RunState.FAILED, 10.0, 20.0)
        attempt = TaskTry(run, "", False, {"sql": "INSERT INTO (((", "conn_id": "lake"})
        items = list(run_items(attempt, SETTINGS))
        assert not any(isinstance(item, Coverage) for item in items)
        return [item for item in items if isinstance(item, Unresolved)]

    assert problems("monday")
    assert problems("monday") == problems("tuesday")


def test_a_connection_that_is_not_configured_is_what_its_operator_is() -> None:
    assert context_of(SETTINGS, "BigQueryInsertJobOperator", "warehouse").dialect == "bigquery"
    assert context_of(SETTINGS, "SnowflakeOperator", "").dialect == "snowflake"
    assert context_of(SETTINGS, "SQLExecuteQueryOperator", "warehouse").dialect == "duckdb"
    # What the settings say of a connection is surer than the operator's name.
    assert context_of(SETTINGS, "MySqlOperator", "lake").dialect == "postgres"


def test_connection_of() -> None:
    assert connection_of({"conn_id": "lake", "gcp_conn_id": "g"}) == "lake"
    assert connection_of({"gcp_conn_id": "g"}) == "g"
    assert connection_of({"sql": "SELECT 1"}) == ""


def test_links() -> None:
    started = links_of(TASK, {"trigger_dag_id": "other"})
    assert started == (DeclaredEdge(TASK, TaskKey("af", "other", ""), "trigger"),)
    awaited = links_of(
        TASK,
        {"external_dag_id": "other", "external_task_id": None, "external_task_ids": ["a", "b"]},
    )
    assert awaited == (
        DeclaredEdge(TaskKey("af", "other", "a"), TASK, "sensor"),
        DeclaredEdge(TaskKey("af", "other", "b"), TASK, "sensor"),
    )
    whole = links_of(TASK, {"external_dag_id": "other", "external_task_id": None})
    assert whole == (DeclaredEdge(TaskKey("af", "other", ""), TASK, "sensor"),)
    assert links_of(TASK, {"sql": "SELECT 1"}) == ()
    assert links_of(TASK, {"trigger_dag_id": "{{ params.next }}"}) == ()
