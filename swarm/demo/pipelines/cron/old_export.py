"""Switched off in the crontab when the shop system took over."""

import csv
import os
import sqlite3

with sqlite3.connect(os.environ["WAREHOUSE"]) as warehouse:
    rows = warehouse.execute("SELECT customer_id, segment FROM crm.segments").fetchall()
with open("lake/crm/customers.csv", "w", newline="") as file:
    csv.writer(file).writerows(rows)
