"""What each task of an Airflow DAG file runs."""

from textwrap import dedent

from swarm.lineage.code.airflow import (
    airflow_tasks,
    extract_airflow_file,
    extract_airflow_task,
)
from swarm.lineage.text import CodeContext, SqlContext
from swarm.model.keys import DatasetKey
from swarm.model.lineage import Extraction, UnresolvedReason

CONTEXT = CodeContext({"lake": SqlContext("sqlite", "lake")}, SqlContext("sqlite", "w"))
HEAD = """
import sqlite3
from datetime import datetime
from airflow.sdk import DAG, Asset, TaskGroup, asset, dag, task, task_group
from airflow.operators.python import PythonOperator
from airflow.operators.bash import BashOperator
from airflow.models import BaseOperator
from airflow.providers.common.sql.operators.sql import SQLExecuteQueryOperator
"""


def files(source: str, **more: str) -> dict[str, str]:
    found = {"dags/d.py": HEAD + dedent(source)}
    return found | {n.replace("__", "/") + ".py": dedent(t) for n, t in more.items()}


def seen(found: Extraction) -> set[str]:
    return {f"{t.access} {t.dataset}" for t in found.touches}


def by_task(source: str, **more: str) -> dict[str, set[str]]:
    found = extract_airflow_file(files(source, **more), "dags/d.py", CONTEXT)
    assert [u for one in found.values() for u in one.unresolved] == []
    return {f"{dag}/{task}": seen(one) for (dag, task), one in found.items()}


def test_task_functions_sql_python_and_bash_operators():
    found = by_task(
        """
        def load(table, limit=1):
            sqlite3.connect("lake").execute(f"INSERT INTO {table} SELECT * FROM raw")

        with DAG("d", schedule=None) as d:
            @task
            def extract():
                open("/in/a.csv")
            @task(task_id="renamed")
            def other():
                open("/in/b.csv")
            SQLExecuteQueryOperator(task_id="sql", conn_id="lake",
                sql="INSERT INTO x SELECT * FROM y WHERE d = '{{ ds }}'")
            py = PythonOperator(task_id="py", python_callable=load, op_kwargs={"table": "t"})
            PythonOperator(task_id="py2", python_callable=load, op_args=["t2"])
            BashOperator(task_id="sh", bash_command="sqlite3 lake 'DELETE FROM z'")
            extract() >> other() >> py
        """
    )
    assert found == {
        "d/extract": {"read file//in/a.csv"},
        "d/renamed": {"read file//in/b.csv"},
        "d/sql": {"write lake/x", "read lake/y"},
        "d/py": {"write lake/t", "read lake/raw"},
        "d/py2": {"write lake/t2", "read lake/raw"},
        "d/sh": {"write lake/z"},
    }


def test_dag_functions_groups_and_dag_argument():
    found = by_task(
        """
        @dag(schedule=None)
        def flow():
            prefix = "s"
            @task
            def a():
                open(f"/{prefix}/a")
            with TaskGroup("g"):
                a()
                with TaskGroup(group_id="h"):
                    SQLExecuteQueryOperator(task_id="b", sql="DELETE FROM b")
            @task_group
            def part(name):
                a.override(task_id="c")()
            part("x")
            with TaskGroup("flat", prefix_group_id=False):
                a()
        flow()

        @dag(dag_id="never_called")
        def unused():
            SQLExecuteQueryOperator(task_id="b", sql="DELETE FROM b")

        d2 = DAG(dag_id="d2")
        SQLExecuteQueryOperator(task_id="x", sql="DELETE FROM x", dag=d2)
        SQLExecuteQueryOperator(task_id="no_dag", sql="DELETE FROM x")
        """
    )
    assert found == {
        "flow/g.a": {"read file//s/a"},
        "flow/g.h.b": {"write w/b"},
        "flow/part.c": {"read file//s/a"},
        "flow/a": {"read file//s/a"},
        "d2/x": {"write w/x"},
    }


def test_loops_factories_and_helpers_of_other_files():
    found = by_task(
        """
        from lib.factory import make_load, TEAMS
        for team in TEAMS:
            with DAG(f"load_{team}"):
                make_load(team, "orders")
        def build(name):
            with DAG(name) as d:
                @task
                def run():
                    open(f"/{name}")
                run()
            return d
        a, b = build("a"), build("b")
        """,
        dags__lib__factory="""
        from airflow.providers.common.sql.operators.sql import SQLExecuteQueryOperator
        TEAMS = ["x", "y"]
        def make_load(team, table):
            return SQLExecuteQueryOperator(
                task_id=f"load_{table}", conn_id="lake", sql=f"DELETE FROM {team}.{table}")
        """,
    )
    assert found == {
        "load_x/load_orders": {"write lake/x.orders"},
        "load_y/load_orders": {"write lake/y.orders"},
        "a/run": {"read file//a"},
        "b/run": {"read file//b"},
    }


def test_operator_classes_of_the_program():
    found = by_task(
        """
        class Load(BaseOperator):
            def __init__(self, table, **kwargs):
                super().__init__(**kwargs)
                self.table = table
            def execute(self, context):
                sqlite3.connect("lake").execute(f"DELETE FROM {self.table}")
        class Clear(SQLExecuteQueryOperator):
            def __init__(self, table, **kwargs):
                super().__init__(sql=f"DELETE FROM {table}", conn_id="lake", **kwargs)
        with DAG("d"):
            Load(task_id="a", table="ta")
            Clear(task_id="b", table="tb")
        """
    )
    assert found == {"d/a": {"write lake/ta"}, "d/b": {"write lake/tb"}}


def test_mapped_tasks():
    found = by_task(
        """
        with DAG("d"):
            @task
            def load(table, to):
                sqlite3.connect("lake").execute(f"INSERT INTO {to} SELECT * FROM {table}")
            load.partial(to="t").expand(table=["a", "b"])
            SQLExecuteQueryOperator.partial(task_id="m", conn_id="lake").expand(
                sql=["DELETE FROM x", "DELETE FROM y"])
        """
    )
    assert found == {
        "d/load": {"write lake/t", "read lake/a", "read lake/b"},
        "d/m": {"write lake/x", "write lake/y"},
    }


def test_same_task_function_twice_is_numbered_as_airflow_does():
    found = by_task(
        """
        with DAG("d"):
            @task
            def load(table):
                sqlite3.connect("lake").execute(f"DELETE FROM {table}")
            load("a")
            load("b")
        """
    )
    assert found == {"d/load": {"write lake/a"}, "d/load__1": {"write lake/b"}}


def test_default_args_assets_params_and_bash_task():
    modules = files(
        """
        orders = Asset("s3://b/orders")
        with DAG("d", default_args={"conn_id": "lake", "owner": "x"}):
            SQLExecuteQueryOperator(task_id="a", sql="DELETE FROM {{ params.t }}",
                params={"t": "tt"}, outlets=[orders], inlets=[Asset("name_only")])
            @task.bash
            def sh() -> str:
                return "cp /a /b"
            sh()
        @asset(schedule=None, uri="s3://b/x")
        def made():
            open("/made", "w")
        """
    )
    tasks = airflow_tasks(modules, "dags/d.py")
    a = tasks["d", "a"]
    assert (a.conn_ids, a.sql, a.operator) == (
        ("lake",),
        ("DELETE FROM {{ params.t }}",),
        "SQLExecuteQueryOperator",
    )
    assert (a.outlets, a.inlets) == ((DatasetKey("s3://b", "orders"),), ())
    assert tasks["d", "sh"].entry == "dags/d.py:sh"
    assert seen(extract_airflow_task(a, modules, CONTEXT)) == {"write lake/tt"}
    sh = extract_airflow_task(tasks["d", "sh"], modules, CONTEXT)
    assert seen(sh) == {"read file//a", "write file//b"}
    made = extract_airflow_task(tasks["made", "made"], modules, CONTEXT)
    assert seen(made) == {"write file//made"}


def test_sql_file_of_an_operator():
    modules = files(
        """
        with DAG("d"):
            SQLExecuteQueryOperator(task_id="a", sql="sql/a.sql")
        """
    )
    modules["dags/sql/a.sql"] = "DELETE FROM a"
    found = extract_airflow_file(modules, "dags/d.py", CONTEXT)
    assert seen(found["d", "a"]) == {"write w/a"}


def test_unknown_operator_and_missing_function_are_reported_and_empty_ones_are_not():
    found = extract_airflow_file(
        files(
            """
            from airflow.operators.empty import EmptyOperator
            from vendor import StrangeOperator, run_it
            with DAG("d"):
                EmptyOperator(task_id="a")
                StrangeOperator(task_id="b")
                PythonOperator(task_id="c", python_callable=run_it)
            """
        ),
        "dags/d.py",
        CONTEXT,
    )
    assert found["d", "a"] == Extraction()
    for name, word in (("b", "StrangeOperator"), ("c", "function of task `c`")):
        (one,) = found["d", name].unresolved
        assert one.reason is UnresolvedReason.MISSING_SOURCE
        assert word in one.detail


def test_ids_known_only_at_run_time_are_left_out():
    found = by_task(
        """
        import json
        NAMES = json.load(open("names.json"))
        with DAG("d"):
            for name in NAMES:
                SQLExecuteQueryOperator(task_id=f"load_{name}", sql="DELETE FROM x")
            SQLExecuteQueryOperator(task_id="known", sql="DELETE FROM y")
        """
    )
    assert found == {"d/known": {"write w/y"}}


def test_files_that_are_no_dag_files():
    for source in ("", "def broken(:", "x = 1", "\x00"):
        assert airflow_tasks({"d.py": source}, "d.py") == {}
    assert airflow_tasks({}, "d.py") == {}
