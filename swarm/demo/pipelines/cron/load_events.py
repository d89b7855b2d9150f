"""Loads the events of the web shop."""

import sqlite3

EVENTS = [(1, 100, 10, "/"), (2, 100, 10, "/chair"), (3, 101, 11, "/")]

warehouse = sqlite3.connect("warehouse/warehouse.db")
warehouse.execute("DELETE FROM web_events")
warehouse.cursor().executemany("INSERT INTO web_events VALUES (?, ?, ?, ?)", EVENTS)
warehouse.commit()
