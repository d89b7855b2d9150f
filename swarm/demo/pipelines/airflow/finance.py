"""Invoices and the ledger."""

import logging
import os
import sqlite3
from datetime import datetime, timedelta

from airflow.providers.common.sql.operators.sql import SQLExecuteQueryOperator
from airflow.sdk import DAG, task

log = logging.getLogger(__name__)
COMMON = {"start_date": datetime(2026, 1, 1), "catchup": False, "tags": ["team:finance"]}
OWNER = {"owner": "finance", "retries": 2, "retry_delay": timedelta(seconds=2)}

# What the ledger was made of before the invoices; kept for the auditors.
LEGACY_SQL = "INSERT INTO finance.ledger SELECT 'churn', score FROM crm.churn"

with DAG("finance_invoices", schedule="30 1 * * *", default_args=OWNER, **COMMON):

    @task
    def write_invoices():
        """Used to come from ops.shipments; SELECT * FROM ops.shipments is no longer needed."""
        with sqlite3.connect(os.environ["WAREHOUSE"]) as warehouse:
            rows = warehouse.execute("SELECT id, amount FROM sales.v_orders_clean").fetchall()
            warehouse.execute("DELETE FROM finance.invoices")
            # warehouse.execute("INSERT INTO finance.budgets SELECT name, 0 FROM crm.customers")
            warehouse.cursor().executemany("INSERT INTO finance.invoices VALUES (?, ?, 1)", rows)
        log.info(
            "to repair: INSERT INTO finance.invoices SELECT order_id, 0, 1 FROM ops.late_orders"
        )

    write_invoices()

with DAG("finance_ledger", schedule="0 2 * * *", default_args=OWNER, **COMMON):
    SQLExecuteQueryOperator(
        task_id="post",
        conn_id="warehouse",
        split_statements=True,
        sql="""
        CREATE TEMP TABLE work_rows AS
        SELECT i.amount * r.rate AS amount
        FROM finance.invoices AS i JOIN finance.fx_rates AS r ON r.currency = 'EUR';
        DELETE FROM finance.ledger;
        INSERT INTO finance.ledger SELECT 'revenue', sum(amount) FROM work_rows;
        DROP TABLE work_rows;
        """,
    )

with DAG("finance_budget_alert", schedule="0 7 * * *", default_args=OWNER, **COMMON):

    @task
    def compare():
        with sqlite3.connect(os.environ["WAREHOUSE"]) as warehouse:
            (margin,) = warehouse.execute("SELECT sum(margin) FROM finance.margin").fetchone()
            (budget,) = warehouse.execute("SELECT sum(amount) FROM finance.budgets").fetchone()
        if budget is None:
            raise ValueError("no rows in finance.budgets; look at marketing.attribution first")
        log.info("margin %s of budget %s", margin, budget)

    compare()
