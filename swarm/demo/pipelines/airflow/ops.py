"""Warehouse floor: stock, machines, exports."""

import json
import os
import sqlite3
from datetime import datetime, timedelta

from airflow.providers.common.sql.operators.sql import SQLExecuteQueryOperator
from airflow.providers.standard.operators.empty import EmptyOperator
from airflow.sdk import DAG, task

COMMON = {"start_date": datetime(2026, 1, 1), "catchup": False, "tags": ["team:ops"]}
OWNER = {"owner": "ops", "retries": 2, "retry_delay": timedelta(seconds=2)}

with DAG("ops_inventory", schedule="0 * * * *", default_args=OWNER, **COMMON):
    SQLExecuteQueryOperator(
        task_id="count_stock",
        conn_id="warehouse",
        sql=[
            "DELETE FROM ops.inventory",
            "INSERT INTO ops.inventory SELECT sku, sum(delta) FROM ops.stock_moves GROUP BY sku",
        ],
    )

with DAG("ops_machine_orders", schedule="0 1 * * *", default_args=OWNER, **COMMON):
    plan = SQLExecuteQueryOperator(
        task_id="plan",
        conn_id="warehouse",
        sql=[
            "DELETE FROM ops.orders",
            "INSERT INTO ops.orders (id, machine) VALUES (1, 'press'), (2, 'saw')",
        ],
    )
    plan >> SQLExecuteQueryOperator(
        task_id="list_orders", conn_id="warehouse", sql="SELECT id, machine FROM ops.v_orders"
    )

with DAG("ops_export_shipments", schedule="30 5 * * *", default_args=OWNER, **COMMON):

    @task
    def export():
        schema = "ops"
        target = f"lake/{schema}/shipments.json"
        warehouse = sqlite3.connect(os.environ["WAREHOUSE"])
        try:
            rows = warehouse.execute(f"SELECT order_id, days FROM {schema}.shipments").fetchall()
        finally:
            warehouse.close()
        with open(target, "w") as file:
            json.dump(rows, file)

    export()

# Same hours as sales_orders and finance_ledger, and nothing else in common with them.
with DAG("ops_heartbeat", schedule="0 1 * * *", default_args=OWNER, **COMMON):
    EmptyOperator(task_id="beat")

with DAG(
    "ops_season_closing",
    schedule="0 2 * * *",
    default_args=OWNER,
    doc_md="Will read `sales.orders` and `finance.ledger` and write `ops.late_orders`.",
    **COMMON,
):
    EmptyOperator(task_id="close")
