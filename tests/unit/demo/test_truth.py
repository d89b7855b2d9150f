"""The truth is what was touched, less what the orchestrators already order."""

import json

from swarm.demo.truth import Pair, derive
from swarm.model.keys import TaskKey


def touched(task: TaskKey, access: str, name: str) -> str:
    return json.dumps(
        {
            "orchestrator": task.orchestrator,
            "pipeline": task.pipeline,
            "task": task.task,
            "access": access,
            "name": name,
        }
    )


LOAD = TaskKey("airflow", "orders", "load")
CLEAN = TaskKey("airflow", "orders", "clean")
REPORT = TaskKey("airflow", "report", "sum")
CHURN = TaskKey("dagster", "churn_job", "churn")
AUDIT = (
    touched(LOAD, "write", "staging.orders"),
    touched(CLEAN, "read", "staging.orders"),
    touched(CLEAN, "write", "sales.orders"),
    touched(REPORT, "read", "sales.orders"),
    touched(CHURN, "read", "sales.orders"),
    touched(CHURN, "read", "sales.v_orders"),
)


def test_pairs_every_writer_with_every_reader() -> None:
    truth = derive(AUDIT, (), frozenset(), {})
    assert truth.declared == frozenset()
    assert truth.undeclared == {
        Pair(LOAD, CLEAN, "staging.orders"),
        Pair(CLEAN, REPORT, "sales.orders"),
        Pair(CLEAN, CHURN, "sales.orders"),
    }
    assert truth.undeclared_across == {Pair(CLEAN, CHURN, "sales.orders")}


def test_what_is_declared_is_set_apart() -> None:
    edges = [(LOAD, CLEAN), (CLEAN, TaskKey("airflow", "report", ""))]
    truth = derive(AUDIT, edges, frozenset(), {})
    assert truth.undeclared == {Pair(CLEAN, CHURN, "sales.orders")}
    assert truth.declared == {
        Pair(LOAD, CLEAN, "staging.orders"),
        Pair(CLEAN, REPORT, "sales.orders"),
    }


def test_a_declared_path_over_other_tasks_counts() -> None:
    audit = (touched(LOAD, "write", "t"), touched(REPORT, "read", "t"))
    middle = TaskKey("airflow", "orders", "middle")
    whole = TaskKey("airflow", "orders", "")
    edges = [(LOAD, middle), (whole, TaskKey("airflow", "report", ""))]
    assert derive(audit, edges, frozenset(), {}).declared == {Pair(LOAD, REPORT, "t")}


def test_the_end_of_a_pipeline_is_not_its_start() -> None:
    # report starts after orders has ended: nothing of orders runs after report.
    audit = (touched(REPORT, "write", "t"), touched(LOAD, "read", "t"))
    edges = [(TaskKey("airflow", "orders", ""), TaskKey("airflow", "report", ""))]
    assert derive(audit, edges, frozenset(), {}).undeclared == {Pair(REPORT, LOAD, "t")}


def test_a_task_that_reads_what_it_wrote_depends_on_nobody() -> None:
    audit = (touched(LOAD, "write", "t"), touched(LOAD, "read", "t"))
    assert derive(audit, (), frozenset(), {}).undeclared == frozenset()


def test_views_are_no_datasets_of_their_own() -> None:
    audit = (touched(LOAD, "write", "sales.v_orders"), *AUDIT)
    found = derive(audit, (), frozenset({"sales.v_orders"}), {}).undeclared
    assert "sales.v_orders" not in {pair.dataset for pair in found}


def test_ids_get_the_names_people_use() -> None:
    flow = TaskKey("prefect", "margin|1b2c", "margin")
    audit = (touched(flow, "write", "t"), touched(CHURN, "read", "t"))
    truth = derive(audit, (), frozenset(), {"margin|1b2c": "margin/daily"})
    assert truth.undeclared == {Pair(TaskKey("prefect", "margin/daily", "margin"), CHURN, "t")}
