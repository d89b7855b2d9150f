"""What customers do and are worth."""

import sqlite3

import dagster as dg
from ops_assets import WAREHOUSE, table


def refill(target: str, select: str) -> None:
    """Replace the rows of a table."""
    with sqlite3.connect(WAREHOUSE) as warehouse:
        warehouse.execute(f"DELETE FROM {target}")
        warehouse.execute(f"INSERT INTO {target} {select}")


@dg.asset(
    key="web_sessions",
    metadata=table("main.web_sessions"),
    kinds={"sqlite"},
    owners=["team:marketing"],
    group_name="web",
)
def web_sessions() -> None:
    refill(
        "web_sessions",
        "SELECT session_id, user_id, count(*) FROM web_events GROUP BY session_id, user_id",
    )


@dg.asset(
    key=["crm", "customer_360"],
    metadata=table("crm.customer_360"),
    kinds={"sqlite"},
    owners=["team:crm"],
    group_name="crm",
)
def customer_360() -> None:
    refill("crm.customer_360", "SELECT customer_id, name, spent FROM v_customer_360")


@dg.asset(
    key=["crm", "churn"],
    metadata=table("crm.churn"),
    kinds={"sqlite"},
    owners=["team:crm"],
    group_name="crm",
)
def churn(context: dg.AssetExecutionContext) -> None:
    columns = ", ".join(("s.customer_id", "count(t.id) / 10.0"))
    context.log.info("next: INSERT INTO crm.churn SELECT id, 0 FROM marketing.customers")
    refill(
        "crm.churn",
        f"SELECT {columns} FROM crm.segments AS s"
        " LEFT JOIN crm.tickets AS t ON t.customer_id = s.customer_id GROUP BY s.customer_id",
    )
