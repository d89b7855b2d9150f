"""The margin, and nothing at the same hour."""

import os
import sqlite3

from prefect import flow, task

TARGET = "finance.margin"
SOURCE = "v_margin"


def run(sql: str) -> None:
    with sqlite3.connect(os.environ["WAREHOUSE"]) as warehouse:
        warehouse.execute(sql)


@flow(name="margin")
def margin() -> None:
    run(f"DELETE FROM {TARGET}")
    run(f"INSERT INTO {TARGET} SELECT account, margin FROM {SOURCE}")


@task
def say_hello() -> None:
    print("hello from controlling, where lake/crm/customers.csv is only a word")


@flow(name="hello")
def hello() -> None:
    say_hello()
