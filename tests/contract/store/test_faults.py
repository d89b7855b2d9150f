"""What a user is told when the database cannot be used."""

import contextlib
import os
import resource
import shutil
import sqlite3
import tempfile
from pathlib import Path

import psycopg
import pytest

from swarm.demo.processes import free_ports
from swarm.errors import StoreError, Unreachable
from swarm.store.database import open_file
from swarm.store.journal import open_journal
from swarm.store.projections import open_projections

_NOBODY = 65_534


@pytest.fixture
def folder(tmp_path, build):
    """A store with one stream of ten records."""
    journal = open_journal("", tmp_path)
    journal.open("graph").append([build.evidence(n) for n in range(10)], 1.0, "")
    journal.close()
    return tmp_path


@pytest.fixture
def as_nobody():
    """Runs a block without the rights of root, for whom no folder is read-only."""

    @contextlib.contextmanager
    def demoted():
        if os.geteuid() != 0:
            yield
            return
        os.seteuid(_NOBODY)
        try:
            yield
        finally:
            os.seteuid(0)

    return demoted


def open_stream(folder):
    open_journal("", folder).open("graph")


def open_read_models(folder):
    open_projections("", folder)


@pytest.mark.parametrize(
    ("name", "opener"),
    [("streams/graph.db", open_stream), ("projections.db", open_read_models)],
)
def test_a_file_that_is_no_database_is_named(tmp_path, name, opener):
    path = tmp_path / name
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(b"this is not a database" * 1_000)
    with pytest.raises(StoreError, match="damaged") as raised:
        opener(tmp_path)
    assert str(path) in str(raised.value)


def test_a_file_damaged_in_the_middle_is_named(folder):
    path = folder / "streams" / "graph.db"
    with sqlite3.connect(path) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    connection.close()
    whole = path.read_bytes()
    path.write_bytes(whole[:4096] + b"\xa5" * (len(whole) - 4096))
    journal = open_journal("", folder)
    with pytest.raises(StoreError, match="damaged") as raised:
        journal.read("graph", 0, 100)
    assert str(path) in str(raised.value)
    journal.close()


def test_a_damaged_record_is_named_by_stream_and_seq(folder):
    path = folder / "streams" / "graph.db"
    with contextlib.closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("UPDATE swarm_records SET body = '{}' WHERE seq = 4")
        connection.execute("UPDATE swarm_records SET type = 'Unheard' WHERE seq = 7")
    journal = open_journal("", folder)
    assert len(journal.read("graph", 0, 3)) == 3
    with pytest.raises(StoreError, match="stream graph, seq 4"):
        journal.read("graph", 3, 3)
    with pytest.raises(StoreError, match=r"stream graph, seq 7.*Unheard"):
        journal.read("graph", 6, 3)
    journal.close()


def test_a_damaged_snapshot_is_named(folder, build):
    journal = open_journal("", folder)
    stream = journal.open("graph")
    stream.save_snapshot(10, [build.evidence(1)])
    with contextlib.closing(sqlite3.connect(folder / "streams/graph.db")) as connection, connection:
        connection.execute("UPDATE swarm_snapshots SET body = x'00'")
    with pytest.raises(StoreError, match="graph, snapshot at 10"):
        journal.snapshot("graph")
    journal.close()


def test_a_folder_that_cannot_be_written_is_named(as_nobody):
    folder = Path(tempfile.mkdtemp())
    folder.chmod(0o555)
    try:
        for opener in (open_stream, open_read_models):
            with as_nobody(), pytest.raises(StoreError, match=str(folder)):
                opener(folder)
    finally:
        shutil.rmtree(folder)


def test_a_file_in_the_place_of_the_folder_is_named(tmp_path):
    (tmp_path / "streams").write_text("")
    with pytest.raises(StoreError, match=str(tmp_path / "streams")):
        open_stream(tmp_path)


def test_a_full_disk_is_told_and_leaves_nothing_half(folder, build):
    journal = open_journal("", folder)
    stream = journal.open("graph")
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    size = (folder / "streams" / "graph.db").stat().st_size
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        with pytest.raises(StoreError, match=r"graph\.db: the disk"):
            stream.append([build.evidence(n) for n in range(5_000)], 2.0, "")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert stream.append([build.evidence(10)], 3.0, "") == 11
    entries = journal.read("graph", 0, 100)
    assert [entry.record for entry in entries] == [build.evidence(n) for n in range(11)]
    journal.close()


def test_a_locked_file_is_named(folder, build):
    journal = open_journal("", folder)
    stream = journal.open("graph")
    with contextlib.closing(sqlite3.connect(folder / "streams" / "graph.db")) as other:
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(Unreachable, match=r"graph\.db: locked"):
            stream.append([build.evidence(1)], 1.0, "")
        assert stream.last() == 10
    assert stream.append([build.evidence(1)], 1.0, "") == 11
    journal.close()


def test_a_commit_is_on_the_disk_and_readers_do_not_stop_it(tmp_path):
    database = open_file(tmp_path / "any.db")  # that power goes cannot be tested, its settings can
    with database.writing() as connection:
        assert connection.exec_driver_sql("PRAGMA synchronous").scalar() == 2  # FULL
        assert connection.exec_driver_sql("PRAGMA journal_mode").scalar() == "wal"
    database.close()


@pytest.mark.parametrize("url", ["mysql://localhost/x", "nonsense", "sqlite:///x.db"])
def test_a_url_of_something_else_is_refused_with_the_fix(tmp_path, url):
    with pytest.raises(StoreError, match=r"store_url.*postgresql://"):
        open_journal(url, tmp_path)


def test_a_server_that_is_not_there_is_named_without_its_password(tmp_path):
    (port,) = free_ports(1)
    url = f"postgresql://swarm:hidden@127.0.0.1:{port}/swarm"
    for opener in (open_journal, open_projections):
        with pytest.raises(Unreachable, match=f"127.0.0.1:{port}") as raised:
            opener(url, tmp_path)
        assert "hidden" not in str(raised.value)


@pytest.mark.postgres
def test_a_cut_connection_is_told_and_the_next_call_connects_again(
    new_database, postgres, build, tmp_path
):
    url = new_database()
    journal = open_journal(url, tmp_path)
    stream = journal.open("graph")
    stream.append([build.evidence(1)], 1.0, "")
    with psycopg.connect(postgres, autocommit=True) as admin:
        admin.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s",
            [url.rsplit("/", 1)[1]],
        )
    assert stream.append([build.evidence(2)], 2.0, "") == 2
    journal.close()
