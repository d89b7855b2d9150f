"""Dagster pipelines that the connector's tests read; they really touch a SQLite warehouse."""

import os
import sqlite3

import dagster as dg

LAKE = os.environ.get("TEST_LAKE", "/tmp/lake.db")
DAYS = dg.DailyPartitionsDefinition(start_date="2026-11-01")


@dg.asset(
    kinds={"sqlite", "table"},
    metadata={"dagster/table_name": "lake.sales.orders"},
    group_name="sales",
    owners=["team:sales"],
    description="Orders of the day.",
)
def orders() -> None:
    with sqlite3.connect(LAKE) as db:
        db.execute("CREATE TABLE IF NOT EXISTS orders (d text, amount real)")
        db.execute("INSERT INTO orders SELECT d, amount FROM raw_orders")


@dg.asset(
    deps=[orders, dg.AssetKey(["ext", "raw_customers"])],
    kinds={"sqlite"},
    pool="db",
    group_name="sales",
    metadata={"dagster/table_name": "lake.sales.report"},
)
def report() -> dg.MaterializeResult:
    query = "CREATE TABLE report AS SELECT d, sum(amount) AS total FROM orders GROUP BY d"
    with sqlite3.connect(LAKE) as db:
        db.execute("DROP TABLE IF EXISTS report")
        db.execute(query)
    return dg.MaterializeResult(metadata={"query": query})


@dg.asset(partitions_def=DAYS, deps=[orders], key_prefix="finance")
def daily(context: dg.AssetExecutionContext) -> None:
    with sqlite3.connect(LAKE) as db:
        db.execute("CREATE TABLE IF NOT EXISTS finance_daily (d text, amount real)")
        db.execute(
            "INSERT INTO finance_daily SELECT d, amount FROM orders WHERE d = ?",
            (context.partition_key,),
        )


@dg.asset(deps=[report])
def adhoc() -> None:
    """Only in the implicit job: no job of the team selects it."""
    with sqlite3.connect(LAKE) as db:
        db.execute("SELECT total FROM report").fetchall()


@dg.op
def fetch() -> int:
    with sqlite3.connect(LAKE) as db:
        db.execute("CREATE TABLE IF NOT EXISTS raw_orders (d text, amount real)")
        db.execute("INSERT INTO raw_orders VALUES ('2026-11-01', 2.5)")
    return 1


@dg.op
def check(rows: int) -> int:
    with sqlite3.connect(LAKE) as db:
        db.execute("SELECT count(*) FROM raw_orders").fetchone()
    return rows


@dg.op
def explode(rows: int) -> None:
    raise RuntimeError(f"{rows} is one too many")


@dg.job(tags={"team": "ingest"})
def ingest() -> None:
    check(fetch())


@dg.job
def broken() -> None:
    explode(fetch())


@dg.graph
def load() -> int:
    return check(fetch())


@dg.job
def graphs() -> None:
    explode(load())


sales_job = dg.define_asset_job("sales_job", [orders, report])
daily_job = dg.define_asset_job("daily_job", [daily], partitions_def=DAYS)


@dg.sensor(job=sales_job, minimum_interval_seconds=3600)
def new_files(context: dg.SensorEvaluationContext) -> dg.SkipReason:
    return dg.SkipReason("nothing new")


@dg.asset_sensor(asset_key=orders.key, job=daily_job, minimum_interval_seconds=3600)
def orders_changed(context: dg.SensorEvaluationContext) -> dg.SkipReason:
    return dg.SkipReason("never in the test")


defs = dg.Definitions(
    assets=dg.with_source_code_references([orders, report, daily, adhoc]),
    jobs=[ingest, broken, graphs, sales_job, daily_job],
    sensors=[new_files, orders_changed],
    schedules=[
        dg.ScheduleDefinition(name="nightly", job=sales_job, cron_schedule="0 3 * * *"),
        dg.ScheduleDefinition(
            name="hourly",
            job=ingest,
            cron_schedule="5 * * * *",
            default_status=dg.DefaultScheduleStatus.RUNNING,
        ),
    ],
)
