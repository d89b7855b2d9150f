"""Orders from the shop to the sales team's tables."""

from datetime import datetime, timedelta

from airflow.providers.common.sql.operators.sql import SQLExecuteQueryOperator
from airflow.sdk import DAG, Asset

ORDERS = Asset(name="sales.orders", uri="warehouse://lab/sales.orders")
COMMON = {"start_date": datetime(2026, 1, 1), "catchup": False, "tags": ["team:sales"]}
OWNER = {
    "conn_id": "warehouse",
    "owner": "sales",
    "retries": 2,
    "retry_delay": timedelta(seconds=2),
}

with DAG("sales_orders", schedule="0 1 * * *", default_args=OWNER, **COMMON):
    load = SQLExecuteQueryOperator(
        task_id="load",
        sql=[
            "DELETE FROM staging.orders_raw",
            """
            INSERT INTO staging.orders_raw (id, customer_id, amount, status, day)
            VALUES (1, 10, 40.0, 'paid', '{{ ds | default("2026-11-20") }}'),
                   (2, 11, 90.0, 'paid', '2026-11-20'), (3, 10, 5.0, 'cancelled', '2026-11-21')
            """,
        ],
    )
    clean = SQLExecuteQueryOperator(
        task_id="clean",
        outlets=[ORDERS],
        sql=[
            "DELETE FROM sales.orders",
            "INSERT INTO sales.orders SELECT id, customer_id, amount, status, day"
            " FROM staging.orders_raw",
        ],
    )
    load >> clean

with DAG("sales_daily_revenue", schedule=[ORDERS], default_args=OWNER, **COMMON):
    SQLExecuteQueryOperator(
        task_id="sum_up",
        sql=[
            "DELETE FROM sales.daily_revenue",
            """
            INSERT INTO sales.daily_revenue
            SELECT day, sum(amount) FROM sales.orders
            /* returns are not taken off yet: LEFT JOIN crm.segments AS g ON g.customer_id = 1 */
            GROUP BY day
            """,
        ],
    )

with DAG("sales_targets_check", schedule="0 6 * * *", default_args=OWNER, **COMMON):
    SQLExecuteQueryOperator(
        task_id="compare",
        sql="""
        WITH web_sessions AS (SELECT day, target FROM sales.targets)
        SELECT r.day, r.revenue - s.target AS ahead, 'finance.ledger' AS source
        FROM sales.daily_revenue AS r JOIN web_sessions AS s ON s.day = r.day
        """,
    )
