"""Tickets from the help desk, and mail to customers who may leave."""

import os
import sqlite3

from prefect import flow, get_run_logger, task

DESK = [(1, 10, 1), (2, 10, 0), (3, 11, 1)]


@task
def fetch_tickets() -> list[tuple[int, int, int]]:
    return DESK


@task
def store_tickets(tickets: list[tuple[int, int, int]]) -> None:
    with sqlite3.connect(os.environ["WAREHOUSE"]) as warehouse:
        warehouse.execute("DELETE FROM crm.tickets")
        warehouse.cursor().executemany("INSERT INTO crm.tickets VALUES (?, ?, ?)", tickets)


@task
def enrich_tickets() -> None:
    """Planned: needs the ledger. No flow calls it."""
    with sqlite3.connect(os.environ["WAREHOUSE"]) as warehouse:
        warehouse.execute("INSERT INTO crm.tickets SELECT 0, amount, 1 FROM finance.ledger")


@flow(name="tickets")
def tickets() -> None:
    store_tickets(fetch_tickets())


@task
def choose_audience() -> None:
    sql = """
        INSERT INTO marketing.audience
        SELECT c.customer_id FROM crm.churn AS c
        JOIN crm.v_active_customers AS a ON a.id = c.customer_id
    """
    with sqlite3.connect(os.environ["WAREHOUSE"]) as warehouse:
        warehouse.execute("DELETE FROM marketing.audience")
        warehouse.execute(sql)


@flow(name="churn-mail")
def churn_mail() -> None:
    get_run_logger().info("like SELECT id FROM marketing.customers, but those who may leave")
    choose_audience()
