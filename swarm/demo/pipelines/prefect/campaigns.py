"""Campaigns: who was touched by which, and what they cost."""

import csv
import os
import sqlite3

from prefect import flow
from prefect.assets import materialize


@materialize("warehouse://lab/marketing.touches")
def touch() -> None:
    """Not from crm.customer_360 (SELECT customer_id FROM crm.customer_360): too old."""
    with sqlite3.connect(os.environ["WAREHOUSE"]) as warehouse:
        warehouse.execute("DELETE FROM marketing.touches")
        warehouse.execute(
            "INSERT INTO marketing.touches SELECT e.user_id, c.id"
            " FROM main.web_events AS e CROSS JOIN marketing.campaigns AS c"
        )


@flow(name="campaign-touches")
def campaign_touches() -> None:
    touch()


@flow(name="spend-import")
def spend_import() -> None:
    with open("lake/marketing/spend.csv", newline="") as file:
        rows = [(int(r["campaign"]), float(r["amount"])) for r in csv.DictReader(file)]
    with sqlite3.connect(os.environ["WAREHOUSE"]) as warehouse:
        warehouse.execute("DELETE FROM marketing.spend")
        warehouse.cursor().executemany("INSERT INTO marketing.spend VALUES (?, ?)", rows)
