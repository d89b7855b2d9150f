"""The newest losses are found without reading what happened to all tasks."""

import contextlib

from sqlalchemy.dialects import sqlite

from swarm.store.losses import lost_keys
from swarm.store.projector import open_database


def test_losses_are_found_by_their_index(tmp_path):
    asked = lost_keys(5).compile(dialect=sqlite.dialect())
    explained = f"EXPLAIN QUERY PLAN {asked}"
    store = contextlib.closing(open_database("", tmp_path))
    with store as database, database.reading() as connection:
        plan = connection.exec_driver_sql(explained, tuple(asked.params.values())).all()
    assert "swarm_task_events_lost" in str(plan)
