"""The numbers for the board's breakfast."""

import json
import os
import sqlite3

PARTS = {
    "revenue": "SELECT sum(revenue) FROM finance.revenue_report",
    "margin": "SELECT sum(margin) FROM finance.margin",
}


def main() -> None:
    warehouse = sqlite3.connect(os.environ["WAREHOUSE"])
    numbers = {name: warehouse.execute(sql).fetchone()[0] for name, sql in PARTS.items()}
    with open("lake/ops/shipments.json") as file:
        numbers["shipments"] = len(json.load(file))
    print(numbers, "(ops.inventory and sales.targets follow next quarter)")


if __name__ == "__main__":
    main()
