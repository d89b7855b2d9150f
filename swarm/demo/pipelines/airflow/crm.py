"""Customers and what we know of them."""

import csv
import os
import sqlite3
from datetime import datetime, timedelta
from pathlib import Path

from airflow.providers.common.sql.operators.sql import SQLExecuteQueryOperator
from airflow.sdk import DAG, task

COMMON = {"start_date": datetime(2026, 1, 1), "catchup": False, "tags": ["team:crm"]}
OWNER = {"owner": "crm", "retries": 2, "retry_delay": timedelta(seconds=2)}
LAKE = Path("lake")

with DAG("crm_sync_customers", schedule="0 3 * * *", default_args=OWNER, **COMMON):

    @task
    def sync():
        with open(LAKE / "crm" / "customers.csv", newline="") as file:
            rows = [(r["id"], r["name"], r["active"]) for r in csv.DictReader(file)]
        with sqlite3.connect(os.environ["WAREHOUSE"]) as warehouse:
            warehouse.execute("DELETE FROM crm.customers")
            warehouse.cursor().executemany("INSERT INTO crm.customers VALUES (?, ?, ?)", rows)

    sync()

with DAG("crm_segments", schedule="0 4 * * *", default_args=OWNER, **COMMON):
    SQLExecuteQueryOperator(
        task_id="assign",
        conn_id="warehouse",
        sql=[
            "DELETE FROM crm.segments",
            """
            INSERT INTO crm.segments
            SELECT c.id, CASE WHEN count(b.id) > 0 THEN 'big' ELSE 'small' END
            FROM crm.v_active_customers AS c
            LEFT JOIN sales.v_big_orders AS b ON b.customer_id = c.id
            GROUP BY c.id
            """,
        ],
    )
