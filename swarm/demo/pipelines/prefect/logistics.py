"""Stock moves and suppliers."""

import json
import os
import sqlite3
from pathlib import Path

from prefect import flow, task

LAKE = Path("lake")


@task
def book_moves() -> int:
    with sqlite3.connect(os.environ["WAREHOUSE"]) as warehouse:
        shipped = warehouse.execute("SELECT count(*) FROM ops.shipments").fetchone()[0]
        warehouse.execute("DELETE FROM ops.stock_moves")
        warehouse.execute("INSERT INTO ops.stock_moves VALUES ('chair', ?)", (-shipped,))
    return shipped
    with sqlite3.connect(os.environ["WAREHOUSE"]) as warehouse:
        warehouse.execute("SELECT id FROM sales.orders")


@flow(name="stock-moves")
def stock_moves() -> None:
    book_moves()


@flow(name="suppliers")
def suppliers() -> None:
    known = [{"name": "Oak & Sons", "delay": 2}, {"name": "Steel Ltd", "delay": 5}]
    (LAKE / "ops" / "suppliers.json").write_text(json.dumps(known))
