"""How a database comes to the tables this version needs, on every database."""

import json

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import inspect, text

from swarm.errors import StoreError
from swarm.store import outputs
from swarm.store.database import open_file, open_url
from swarm.store.migrations import upgrade, version_table
from swarm.store.read_tables import projections
from swarm.store.tables import journal

_METADATA = {"journal": journal, "projections": projections, "outputs": outputs.metadata}


@pytest.fixture
def database(store):
    database = open_url(store.url) if store.url else open_file(store.folder / "any.db")
    yield database
    database.close()


@pytest.mark.parametrize("history", ["journal", "projections", "outputs"])
def test_migrations_make_the_tables_that_the_code_uses(database, history):
    upgrade(database, history)
    with database.reading() as connection:
        options = {"version_table": version_table(history), "compare_type": True}
        context = MigrationContext.configure(connection, opts=options)
        assert compare_metadata(context, _METADATA[history]) == []


@pytest.mark.parametrize("history", ["journal", "projections", "outputs"])
def test_a_database_of_a_newer_swarm_is_refused(database, history):
    upgrade(database, history)
    with database.writing() as connection:
        connection.execute(text(f"UPDATE {version_table(history)} SET version_num = '9999'"))
    with pytest.raises(StoreError, match="9999"):
        upgrade(database, history)


def test_a_migration_that_fails_leaves_nothing_and_can_be_repeated(database):
    with database.writing() as connection:
        connection.execute(text("CREATE TABLE swarm_snapshots (in_the_way INTEGER)"))
    with pytest.raises(StoreError, match="swarm_snapshots"):
        upgrade(database, "journal")
    with database.writing() as connection:
        assert inspect(connection).get_table_names() == ["swarm_snapshots"]
        connection.execute(text("DROP TABLE swarm_snapshots"))
    upgrade(database, "journal")
    with database.reading() as connection:
        assert set(journal.tables) <= set(inspect(connection).get_table_names())


def test_opening_again_does_not_load_alembic(store, start_python):
    store.journal().open("graph")
    store.projections()
    program = """
import json, sys
from pathlib import Path
from swarm.store.journal import open_journal
from swarm.store.projections import open_projections
url, folder = sys.argv[1:]
open_journal(url, Path(folder)).open("graph")
open_projections(url, Path(folder))
print(json.dumps([name for name in sys.modules if name.startswith("alembic")]))
"""
    process = start_python(program, store.url, str(store.folder))
    assert json.loads(process.stdout.readline()) == []


def test_several_processes_may_be_the_first(store, start_python):
    program = """
import sys
from pathlib import Path
from swarm.store.journal import open_journal
from swarm.store.projections import open_projections
url, folder = sys.argv[1:]
print("ready", flush=True)
sys.stdin.readline()
print(open_journal(url, Path(folder)).open("graph").epoch)
open_projections(url, Path(folder))
"""
    processes = [start_python(program, store.url, str(store.folder)) for _ in range(4)]
    for process in processes:
        assert process.stdout.readline() == "ready\n"
    for process in processes:
        process.stdin.write("go\n")
        process.stdin.flush()
    epochs = sorted(int(process.stdout.readline()) for process in processes)
    assert epochs == [1, 2, 3, 4]
    assert [process.wait(timeout=300) for process in processes] == [0, 0, 0, 0]
