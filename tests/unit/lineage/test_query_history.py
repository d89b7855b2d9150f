"""Whose a statement is, and what it then shows."""

from typing import Any

import pytest

from swarm.lineage.history.evidence import WINDOW_CONFIDENCE, Found, History
from swarm.lineage.history.statement import Statement
from swarm.lineage.history.tags import Known
from swarm.lineage.text import SqlContext
from swarm.model.keys import DatasetKey, TaskKey
from swarm.model.lineage import Access, Channel
from swarm.model.runs import RunState, TaskRun

LOAD = TaskKey("airflow", "load", "copy")
SQL = "INSERT INTO mart.a SELECT * FROM raw.b"
CONTEXT = SqlContext("postgres", "postgres://w:5432", "db", "public")


def statement(text: str = SQL, at_s: float = 10.0, **fields: Any) -> Statement:
    return Statement(text, "etl", at_s, at_s + 5, dialect="postgres", **fields)


def found(*statements: Statement, known: Known | None = None, runs: tuple = ()) -> Found:
    history = History(known or Known(), lambda _dialect: CONTEXT, runs)
    for number, item in enumerate(statements, start=1):
        history.add(item, f"log:{number}")
    return history.finish()


def accesses(result: Found) -> set[tuple[str, str, str]]:
    return {(str(e.task), e.access.value, e.dataset.name) for e in result.evidence}


BOTH = {("airflow/load/copy", "write", "db.mart.a"), ("airflow/load/copy", "read", "db.raw.b")}


@pytest.mark.parametrize(
    ("tags", "text"),
    [
        ({"airflow-dag": "load", "airflow-task": "copy"}, SQL),
        ({"dag_id": "load", "task_id": "copy"}, SQL),
        ({"query_tag": '{"dag_id": "load", "task_id": "copy", "x": 1}'}, SQL),
        ({"query_tag": "airflow: load.copy"}, SQL),
        ({"query_group": "airflow/load/copy"}, SQL),
        ({"query_group": "dag_id=load, task_id=copy"}, SQL),
        ({"application_name": "airflow/load/copy"}, SQL),
        ({"role_session_name": "airflow@load@copy"}, SQL),
        ({"role_session_name": "airflow.load.copy"}, SQL),
        ({"user_agent": "Boto3/1.40 md/Botocore#1.40 app/airflow/load/copy lang/py"}, SQL),
        ({}, '/* {"dag_id": "load", "task_id": "copy"} */ ' + SQL),
        ({}, SQL + "\n-- airflow: load.copy"),
        ({}, SQL + " /*dag_id='load',task_id='copy'*/"),
        ({}, "-- nightly\n" + SQL + " /* airflow/load/copy */"),
        ({"query_tag": "nightly"}, "-- airflow: load.copy\n" + SQL),
        # The statement's own words go before those of its session.
        ({"application_name": "airflow/load/other"}, "-- airflow: load.copy\n" + SQL),
        ({"query_tag": "airflow/load/copy"}, "-- airflow: load.other\n" + SQL),
    ],
)
def test_a_tag_names_the_task_for_certain(tags: dict[str, str], text: str) -> None:
    result = found(statement(text, tags=tags))
    assert accesses(result) == BOTH
    assert {e.confidence for e in result.evidence} == {1.0}
    assert {(e.channel, e.observed_at_s, e.place) for e in result.evidence} == {
        (Channel.QUERY_LOG, 15.0, "log:1")
    }
    assert result.unattributed == 0


@pytest.mark.parametrize(
    ("tags", "text"),
    [
        ({}, SQL),
        ({"application_name": "psql"}, SQL),
        ({"application_name": "home/ann/laptop"}, SQL),
        ({"query_group": "default"}, SQL),
        ({"dag_id": "load"}, SQL),
        ({"query_tag": '{"dag_id": "load"}'}, SQL),
        ({"query_tag": '{"dag_id": "load", "task_id": '}, SQL),
        ({"user_agent": "Airflow/2.9.0 Boto3/1.40"}, SQL),
        ({}, "-- see airflow: the load.copy task\n" + SQL),
        ({}, SQL + ' WHERE x = \'/* {"dag_id": "load", "task_id": "copy"} */\''),
        ({}, SQL + " WHERE x = '-- airflow: load.copy'"),
    ],
)
def test_what_names_no_task_is_only_counted(tags: dict[str, str], text: str) -> None:
    one = statement(text, tags=tags)
    assert found(one) == Found((), (), (), 1, ((one, "log:1"),))


def test_dbt_names_the_node_that_ran() -> None:
    def tasks(node: str) -> set[str]:
        comment = f'/* {{"app": "dbt", "dbt_version": "1.9", "node_id": "{node}"}} */ '
        return {str(e.task) for e in found(statement(comment + SQL)).evidence}

    assert tasks("model.shop.orders") == {"dbt/shop/orders"}
    assert tasks("model.shop.orders.v2") == {"dbt/shop/orders.v2"}
    assert tasks("test.shop.unique_orders_id.fed79b3a6e") == {"dbt/shop/unique_orders_id"}


def test_the_only_source_of_a_kind_is_meant_and_two_are_asked_about() -> None:
    tagged = statement(tags={"query_tag": "airflow/load/copy"})
    one = found(tagged, known=Known({"airflow": ("eu",)}))
    assert {e.task.orchestrator for e in one.evidence} == {"eu"}
    two = found(tagged, tagged, known=Known({"airflow": ("eu", "us")}))
    assert (two.evidence, two.unattributed) == ((), 2)
    (said,) = two.unresolved
    assert "`eu/load/copy`" in said.detail
    named = statement(tags={"query_tag": "us/load/copy"})
    both = Known({"airflow": ("eu", "us")})
    assert {str(e.task) for e in found(named, known=both).evidence} == {"us/load/copy"}
    known = Known({"airflow": ("eu", "us")}, frozenset({TaskKey("us", "load", "copy")}))
    assert {str(e.task) for e in found(tagged, known=known).evidence} == {"us/load/copy"}


def test_known_tasks_give_back_the_spelling_that_a_label_lost() -> None:
    task = TaskKey("airflow", "Load_EU", "copy.Orders")
    labels = statement(tags={"airflow-dag": "load_eu", "airflow-task": "copy-orders"})
    result = found(labels, known=Known(tasks=frozenset({task})))
    assert {e.task for e in result.evidence} == {task}
    twin = TaskKey("airflow", "load_eu", "copy.orders")
    unsure = found(labels, known=Known(tasks=frozenset({task, twin})))
    assert {str(e.task) for e in unsure.evidence} == {"airflow/load_eu/copy-orders"}


def run(task: str, start: float | None, end: float | None) -> TaskRun:
    return TaskRun(TaskKey("cron", "p", task), "r", 1, RunState.SUCCEEDED, start, end)


@pytest.mark.parametrize(
    ("runs", "task"),
    [
        ((run("a", 0, 100),), "a"),
        ((run("a", 0, None),), "a"),
        ((run("a", 0, 100), run("b", 100, 200)), "a"),
        ((run("a", 0, 100), run("b", 11, 12)), "a"),  # it does not cover the statement
        ((run("a", 12, 100),), None),
        ((run("a", 0, 12),), None),
        ((run("a", 0, 12), run("b", 12, 100)), None),
        ((run("a", 0, 100), run("b", 9, 16)), None),
        ((run("a", 0, 100), run("b", 0, 12)), None),
        ((run("a", 0, 100), run("a", 0, 100)), None),
        ((run("a", None, None),), None),
        ((), None),
    ],
)
def test_else_the_only_run_of_its_time_is_a_weak_hint(runs: tuple, task: str | None) -> None:
    result = found(statement(), runs=runs)
    assert {e.task.task for e in result.evidence} == ({task} if task else set())
    assert {e.confidence for e in result.evidence} <= {WINDOW_CONFIDENCE}
    assert result.unattributed == (0 if task else 1)


def test_a_tag_goes_before_the_time() -> None:
    result = found(statement(tags={"query_tag": "airflow/load/copy"}), runs=(run("a", 0, 100),))
    assert accesses(result) == BOTH


def test_what_is_not_understood_is_reported_of_tasks_that_are_certain_only() -> None:
    broken = statement("CALL mystery()", tags={"query_tag": "airflow/load/copy"})
    (said,) = found(broken).unresolved
    assert (said.subject, said.place) == ("airflow/load/copy", "log:1")
    assert found(statement("CALL mystery()"), runs=(run("a", 0, 100),)).unresolved == ()


def test_what_the_server_tells_goes_before_the_text() -> None:
    told = (DatasetKey("", "db.raw.x"),)
    tags = {"query_tag": "airflow/load/copy"}
    exact = found(statement(tags=tags, reads=told, writes=()))
    assert accesses(exact) == {("airflow/load/copy", "read", "db.raw.x")}
    assert exact.evidence[0].dataset.namespace == CONTEXT.namespace
    both = found(statement(tags=tags, reads=told, writes=(), partial=True))
    assert accesses(both) == BOTH | {("airflow/load/copy", "read", "db.raw.x")}


def test_the_parts_of_a_script_belong_to_its_task_wherever_they_stand() -> None:
    tags = {"query_tag": "airflow/load/copy"}
    script = statement("BEGIN ... END", id="p", is_script=True, tags=tags)
    part = statement(id="c", parent="p")
    below = statement("DELETE FROM mart.c", id="d", parent="c")
    expected = BOTH | {("airflow/load/copy", "write", "db.mart.c")}
    for order in ((script, part, below), (below, part, script)):
        result = found(*order)
        assert accesses(result) == expected
        assert (result.unattributed, result.unresolved) == (0, ())
    assert found(part).unattributed == 1
    alone = statement(SQL, id="p", is_script=True, tags=tags)
    assert accesses(found(alone)) == BOTH


def test_a_session_keeps_its_temporary_tables_and_its_search_path() -> None:
    tags = {"query_tag": "airflow/load/copy"}
    texts = (
        "SET search_path TO mart",
        "CREATE TEMP TABLE t AS SELECT * FROM raw.b",
        "INSERT INTO a\nSELECT * FROM t",
    )
    session = [statement(text, 10 + n, tags=tags, session="1") for n, text in enumerate(texts)]
    other = statement("SELECT * FROM t", tags=tags, session="2")
    result = found(*session, other)
    assert accesses(result) == BOTH | {("airflow/load/copy", "read", "db.public.t")}
    places = {e.dataset.name: (e.place, e.observed_at_s) for e in result.evidence}
    assert places["db.mart.a"] == ("log:3", 17.0)
    assert places["db.raw.b"] == ("log:2", 16.0)


def test_temporary_tables_that_the_server_names_are_no_datasets() -> None:
    tags = {"query_tag": "airflow/load/copy"}
    made = (DatasetKey("", "db.s.tmp"),)
    source, target = (DatasetKey("", "db.s.b"),), (DatasetKey("", "db.s.a"),)
    make = statement(tags=tags, session="1", reads=source, writes=made, temporary=True)
    use = statement(tags=tags, session="1", reads=made, writes=target)
    assert {e.dataset.name for e in found(make, use).evidence} == {"db.s.a", "db.s.b"}


def test_what_is_repeated_is_one_observation_with_the_newest_time() -> None:
    tags = {"query_tag": "airflow/load/copy"}
    result = found(*(statement(at_s=at, tags=tags, session=str(at % 7)) for at in (10, 90, 50)))
    assert len(result.evidence) == 2
    assert {(e.place, e.observed_at_s) for e in result.evidence} == {("log:1", 95.0)}


def test_the_better_attribution_gives_the_confidence() -> None:
    task = TaskRun(LOAD, "r", 1, RunState.RUNNING, 0.0, None)
    weak = statement("SELECT * FROM raw.b")
    sure = statement("SELECT * FROM raw.b", at_s=2.0, tags={"query_tag": "airflow/load/copy"})
    for order in ((weak, sure), (sure, weak)):
        (only,) = found(*order, runs=(task,)).evidence
        assert (only.access, only.confidence, only.observed_at_s) == (Access.READ, 1.0, 15.0)
