"""Reports: jobs of ops, without assets."""

import csv
import sqlite3

import dagster as dg
from ops_assets import WAREHOUSE

OLD_FEED = "lake/marketing/spend.csv"


@dg.op
def build_revenue_report() -> None:
    with sqlite3.connect(WAREHOUSE) as warehouse:
        warehouse.execute("DELETE FROM finance.revenue_report")
        warehouse.execute(
            "INSERT INTO finance.revenue_report SELECT d.day, d.revenue"
            " FROM sales.daily_revenue AS d JOIN main.calendar AS c ON c.day = d.day"
        )


@dg.op(ins={"after": dg.In(dg.Nothing)})
def publish_revenue_report() -> None:
    with sqlite3.connect(WAREHOUSE) as warehouse:
        rows = warehouse.execute("SELECT day, revenue FROM finance.revenue_report").fetchall()
    with open("lake/reports/revenue.csv", "w", newline="") as file:
        csv.writer(file).writerows(rows)


@dg.job(executor_def=dg.in_process_executor, tags={"team": "finance"})
def revenue_report() -> None:
    publish_revenue_report(after=build_revenue_report())


@dg.op
def count_rows() -> None:
    names = ("finance.invoices", "crm.segments")
    with sqlite3.connect(WAREHOUSE) as warehouse:
        warehouse.execute("DELETE FROM ops.checks")
        for name in names:
            (found,) = warehouse.execute(f"SELECT count(*) FROM {name}").fetchone()
            warehouse.execute("INSERT INTO ops.checks VALUES (?, ?)", (name, found))


@dg.job(executor_def=dg.in_process_executor, tags={"team": "platform"})
def quality_checks() -> None:
    count_rows()


@dg.op
def ping(context: dg.OpExecutionContext) -> None:
    context.log.info("alive; finance.margin and ops.inventory are not my business")


@dg.job(executor_def=dg.in_process_executor, tags={"team": "platform"})
def pulse() -> None:
    """Same hour as revenue_report, no data."""
    ping()
