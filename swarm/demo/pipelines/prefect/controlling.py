"""The margin, and nothing at the same hour."""

import os
import sqlite3

from prefect import flow, task

TARGET = "finance.margin"
SOURCE = "v_margin"


def query(sql: str) -> list[tuple[str, float]]:
    with sqlite3.connect(os.environ["WAREHOUSE"]) as warehouse:
        return warehouse.execute(sql).fetchall()


@flow(name="margin")
def margin() -> None:
    query(f"DELETE FROM {TARGET}")
    query(f"INSERT INTO {TARGET} SELECT account, margin FROM {SOURCE}")


@task
def say_hello() -> None:
    print("hello from controlling, where lake/crm/customers.csv is only a word")


@flow(name="hello")
def hello() -> None:
    say_hello()
