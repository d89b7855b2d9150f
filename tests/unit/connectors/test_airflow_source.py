"""Evidence and links out of the source of DAG files."""

from pathlib import Path

from swarm.config import Settings, SqlConnection
from swarm.connectors.airflow.mapping import Dag, TaskList
from swarm.connectors.airflow.source import Sources, declared_reads, links_in
from swarm.connectors.code_folders import CodeFolders
from swarm.model.connectors import Item
from swarm.model.keys import DatasetKey, TaskKey
from swarm.model.lineage import Access, Channel, Coverage, Evidence, Unresolved, UnresolvedReason
from swarm.model.pipelines import DeclaredEdge, Task

DAG = Dag("shop", "/opt/airflow/dags/shop.py", "shop", "", "", (), False)
CONTENT = """
from airflow.sdk import DAG, Asset, task
from airflow.providers.common.sql.operators.sql import SQLExecuteQueryOperator
from airflow.providers.google.cloud.operators.bigquery import BigQueryExecuteQueryOperator
from airflow.providers.standard.operators.trigger_dagrun import TriggerDagRunOperator
from airflow.providers.standard.sensors.external_task import ExternalTaskSensor
from loaders import load_all

with DAG("shop"):
    SQLExecuteQueryOperator(
        task_id="load", conn_id="lake", sql="INSERT INTO orders SELECT * FROM raw",
        inlets=[Asset(name="raw", uri="s3://bucket/raw")],
    )
    BigQueryExecuteQueryOperator(task_id="big", sql="SELECT * FROM `p.d.t`")
    ExternalTaskSensor(task_id="wait", external_dag_id="other", external_task_id="done")
    TriggerDagRunOperator(task_id="kick", trigger_dag_id="next")
    TriggerDagRunOperator(task_id="guess", trigger_dag_id="{{ params.next }}")

    @task
    def copy():
        load_all()

    copy()
"""
HELPER = """
import duckdb

def load_all():
    duckdb.connect("/lake.db").execute("CREATE TABLE copied AS SELECT * FROM orders")
"""
KINDS = {
    "load": "SQLExecuteQueryOperator",
    "big": "BigQueryExecuteQueryOperator",
    "wait": "ExternalTaskSensor",
    "kick": "TriggerDagRunOperator",
    "guess": "TriggerDagRunOperator",
    "copy": "@task",
}
TASKS = TaskList(tuple(Task(TaskKey("af", "shop", name), kind) for name, kind in KINDS.items()))
SETTINGS = Settings(connections={"lake": SqlConnection(dialect="postgres", namespace="lake")})


def key(name: str) -> TaskKey:
    return TaskKey("af", "shop", name)


def some_sources(*folders: Path) -> Sources:
    sources = Sources(SETTINGS, CodeFolders(folders))
    sources.refresh()
    return sources


def items(sources: Sources, content: str | None = CONTENT) -> tuple[Item, ...]:
    return sources.items(DAG, TASKS, sources.read(DAG, content), 7.0)


def touched(found: tuple[Item, ...]) -> set[tuple[str, Access, str, Channel]]:
    return {
        (e.task.task, e.access, e.dataset.name, e.channel) for e in found if isinstance(e, Evidence)
    }


def test_sql_and_code_are_read_also_through_the_teams_own_modules(tmp_path: Path) -> None:
    (tmp_path / "loaders.py").write_text(HELPER)
    found = items(some_sources(tmp_path))
    assert touched(found) == {
        ("load", Access.READ, "raw", Channel.SQL_SOURCE),
        ("load", Access.WRITE, "orders", Channel.SQL_SOURCE),
        # Backticks around all three parts: only BigQuery's dialect reads this as one table.
        ("big", Access.READ, "p.d.t", Channel.SQL_SOURCE),
        ("copy", Access.READ, "orders", Channel.CODE),
        ("copy", Access.WRITE, "copied", Channel.CODE),
    }
    covered = {(c.task.task, c.channel) for c in found if isinstance(c, Coverage)}
    assert covered >= {("load", Channel.SQL_SOURCE), ("copy", Channel.CODE)}
    assert not any(isinstance(item, Unresolved) for item in found)


def test_sql_that_was_seen_as_it_ran_is_not_read_in_the_source() -> None:
    sources = some_sources()
    sources.ran.add(key("load"))
    assert "load" not in {name for name, *_ in touched(items(sources))}


def test_without_a_source_each_task_with_data_says_so() -> None:
    sources = some_sources()
    sources.ran.add(key("load"))
    problems = items(sources, content=None)
    assert {p.subject for p in problems if isinstance(p, Unresolved)} == {
        str(key("big")),
        str(key("copy")),
    }
    assert {p.reason for p in problems if isinstance(p, Unresolved)} == {
        UnresolvedReason.MISSING_SOURCE
    }


def test_a_task_that_the_source_does_not_show_says_so() -> None:
    found = items(some_sources(), content="from airflow.sdk import DAG\n")
    assert {p.subject for p in found if isinstance(p, Unresolved)} == {
        str(key(name)) for name in ("load", "big", "copy")
    }


def test_a_file_is_found_in_the_teams_code_by_name_and_folder(tmp_path: Path) -> None:
    (tmp_path / "dags").mkdir()
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "dags" / "shop.py").write_text(CONTENT)
    (tmp_path / "elsewhere" / "shop.py").write_text("")
    assert "load" in {name for name, *_ in touched(items(some_sources(tmp_path), content=None))}


def test_changed_content_is_read_again() -> None:
    sources = some_sources()
    items(sources)
    changed = items(sources, CONTENT.replace("FROM raw", "FROM raw2"))
    assert ("load", Access.READ, "raw2", Channel.SQL_SOURCE) in touched(changed)


def test_links_of_sensors_and_triggers_with_constant_names() -> None:
    sources = some_sources()
    file = sources.read(DAG, CONTENT)
    assert file is not None
    assert dict(links_in(file, TASKS)) == {
        key("wait"): (DeclaredEdge(TaskKey("af", "other", "done"), key("wait"), "sensor"),),
        key("kick"): (DeclaredEdge(key("kick"), TaskKey("af", "next", ""), "trigger"),),
    }


def test_a_task_id_that_two_sensors_share_names_no_link() -> None:
    twice = CONTENT + '\nExternalTaskSensor(task_id="wait", external_dag_id="third")\n'
    file = some_sources().read(DAG, twice)
    assert file is not None
    assert set(dict(links_in(file, TASKS))) == {key("kick")}


def test_inlets_are_declared_reads() -> None:
    file = some_sources().read(DAG, CONTENT)
    assert file is not None
    (read,) = declared_reads(file, TASKS, 7.0)
    assert (read.task, read.access, read.channel) == (key("load"), Access.READ, Channel.DECLARED)
    assert read.dataset == DatasetKey("s3://bucket", "raw")


def test_source_that_does_not_parse_is_no_error() -> None:
    found = items(some_sources(), content="def (:")
    assert all(isinstance(item, Unresolved) for item in found)
    assert found
