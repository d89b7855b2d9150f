"""Pipelines of the connector tests: they parse on Airflow 2.11 and 3."""

from datetime import UTC, datetime, timedelta

try:
    from airflow.sdk import DAG, Asset, task
except ImportError:
    from airflow import DAG, Dataset
    from airflow.decorators import task

    def Asset(name: str, uri: str) -> Dataset:
        return Dataset(uri)


from airflow.providers.common.sql.operators.sql import SQLExecuteQueryOperator

try:
    from airflow.providers.standard.operators.trigger_dagrun import TriggerDagRunOperator
    from airflow.providers.standard.sensors.external_task import ExternalTaskSensor
except ImportError:
    from airflow.operators.trigger_dagrun import TriggerDagRunOperator
    from airflow.sensors.external_task import ExternalTaskSensor

START = datetime(2026, 11, 1, tzinfo=UTC)
orders = Asset(name="orders_tbl", uri="x-lake://lake/orders")

with DAG(
    "shop_orders",
    schedule="0 3 * * *",
    start_date=START,
    catchup=False,
    tags=["team:sales"],
    default_args={"owner": "sales"},
) as shop_orders:
    make = SQLExecuteQueryOperator(
        task_id="make",
        conn_id="lake",
        sql=[
            "CREATE TABLE IF NOT EXISTS raw_orders(id int, amt real, d text)",
            "CREATE TABLE IF NOT EXISTS orders(d text, amt real)",
        ],
    )
    load = SQLExecuteQueryOperator(
        task_id="load",
        conn_id="lake",
        pool="lake_pool",
        outlets=[orders],
        sql="INSERT INTO orders SELECT d, sum(amt) FROM raw_orders"
        " WHERE d <> '{{ run_id }}' GROUP BY d",
    )
    make >> load

with DAG("shop_report", schedule=[orders], start_date=START, catchup=False):
    SQLExecuteQueryOperator(
        task_id="report",
        conn_id="lake",
        sql="CREATE TABLE IF NOT EXISTS order_report AS SELECT d, amt FROM orders",
    )

with DAG("shop_python", schedule=None, start_date=START, catchup=False):

    @task
    def publish():
        import os
        import sqlite3

        with sqlite3.connect(os.environ.get("LAKE_FILE", ":memory:")) as lake:
            lake.execute("CREATE TABLE IF NOT EXISTS raw_orders(id int, amt real, d text)")
            lake.execute("CREATE TABLE IF NOT EXISTS published AS SELECT id FROM raw_orders")

    publish()

with DAG("shop_wait", schedule=timedelta(days=1), start_date=START, catchup=False):
    wait = ExternalTaskSensor(
        task_id="wait",
        external_dag_id="shop_orders",
        external_task_id="load",
        mode="reschedule",
        timeout=5,
    )
    kick = TriggerDagRunOperator(task_id="kick", trigger_dag_id="shop_python")
    wait >> kick

with DAG("shop_idle", schedule=None, start_date=START, catchup=False, is_paused_upon_creation=True):
    SQLExecuteQueryOperator(
        task_id="never",
        conn_id="lake",
        sql="INSERT INTO archive SELECT * FROM orders WHERE d < '{{ ds }}'",
    )
