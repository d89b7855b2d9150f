"""Which campaign brought which visit."""

from datetime import datetime, timedelta

from airflow.providers.common.sql.operators.sql import SQLExecuteQueryOperator
from airflow.sdk import DAG

COMMON = {"start_date": datetime(2026, 1, 1), "catchup": False, "tags": ["team:marketing"]}
OWNER = {
    "conn_id": "warehouse",
    "owner": "marketing",
    "retries": 2,
    "retry_delay": timedelta(seconds=2),
}

with DAG("marketing_attribution", schedule="0 6 * * *", default_args=OWNER, **COMMON):
    SQLExecuteQueryOperator(
        task_id="attribute",
        sql=[
            "DELETE FROM marketing.attribution",
            """
            INSERT INTO marketing.attribution
            SELECT orders.campaign_id, count(*)          -- not the orders of sales: an alias
            FROM marketing.touches AS orders
            JOIN web_sessions AS s ON s.user_id = orders.user_id
            GROUP BY orders.campaign_id
            """,
        ],
    )

with DAG("marketing_opt_in", schedule="0 3 * * *", default_args=OWNER, **COMMON):
    SQLExecuteQueryOperator(
        task_id="refresh",
        sql=[
            "DELETE FROM marketing.customers",
            "INSERT INTO marketing.customers (id, opted_in) VALUES (10, 1), (11, 0)",
        ],
    )
