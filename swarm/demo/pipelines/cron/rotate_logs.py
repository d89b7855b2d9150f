"""Looks after old files. Nothing of the warehouse, and not the customers of today."""

with open("lake/crm/archive/customers.csv") as file:
    kept = len(file.readlines())
print(f"{kept} kept; INSERT INTO ops.checks SELECT 'logs', 1 FROM ops.inventory -- said, not done")
