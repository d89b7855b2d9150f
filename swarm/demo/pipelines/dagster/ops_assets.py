"""Shipments and suppliers."""

import json
import sqlite3

import dagster as dg

WAREHOUSE = "warehouse/warehouse.db"
ORDERS = "sales.orders"


def table(name: str) -> dict[str, str]:
    return {"dagster/table_name": name}


@dg.asset(
    key=["ops", "shipments"],
    metadata=table("ops.shipments"),
    kinds={"sqlite"},
    owners=["team:ops"],
    group_name="ops",
    description="One row per shipped order. Is not priced: see finance.fx_rates.",
)
def shipments() -> None:
    with sqlite3.connect(WAREHOUSE) as warehouse:
        warehouse.execute("DELETE FROM ops.shipments")
        warehouse.execute(f"INSERT INTO ops.shipments SELECT id, id * 2 FROM {ORDERS}")
        if False:
            warehouse.execute("INSERT INTO ops.shipments SELECT id, 0 FROM crm.tickets")


@dg.asset(
    key=["ops", "late_orders"],
    deps=[shipments],
    metadata=table("ops.late_orders"),
    kinds={"sqlite"},
    owners=["team:ops"],
    group_name="ops",
)
def late_orders() -> None:
    with sqlite3.connect(WAREHOUSE) as warehouse:
        warehouse.execute("DELETE FROM ops.late_orders")
        warehouse.execute("INSERT INTO ops.late_orders SELECT order_id FROM ops.v_late_shipments")


@dg.asset(
    key=["ops", "supplier_scores"],
    metadata=table("ops.supplier_scores"),
    kinds={"sqlite"},
    owners=["team:ops"],
    group_name="ops",
)
def supplier_scores() -> None:
    with open("lake/ops/suppliers.json") as file:
        suppliers = json.load(file)
    rows = [(s["name"], 10.0 / s["delay"]) for s in suppliers]
    with sqlite3.connect(WAREHOUSE) as warehouse:
        warehouse.execute("DELETE FROM ops.supplier_scores")
        warehouse.cursor().executemany("INSERT INTO ops.supplier_scores VALUES (?, ?)", rows)


def rebuild_from_archive() -> None:
    """Nobody calls this any more."""
    with sqlite3.connect(WAREHOUSE) as warehouse:
        warehouse.execute("INSERT INTO ops.shipments SELECT order_id, 0 FROM finance.invoices")
