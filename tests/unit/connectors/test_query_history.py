"""Exports of query histories, read from real files as they grow, and from a bucket."""

import asyncio
import csv
import gzip
import io
import json
import os
import time

import boto3
import moto
import pytest

from swarm.config import Settings, Source, SqlConnection
from swarm.connectors.base import LearnsRuns
from swarm.connectors.history.connector import QueryHistory, connect
from swarm.errors import ConfigError, Unauthorized, Unavailable
from swarm.lineage.history.evidence import WINDOW_CONFIDENCE
from swarm.model.keys import TaskKey
from swarm.model.lineage import Channel, Evidence, Unresolved
from swarm.model.runs import RunState, TaskRun

START_S = 1706702400.0  # 2024-01-31 12:00:00 UTC
SETTINGS = Settings(
    sources=(Source(kind="airflow", name="eu"),),
    connections={"dwh": SqlConnection(dialect="postgres", namespace="postgres://w:5432")},
)
OWNER = "7" * 64


class Hand:
    """A clock that stands until it is moved."""

    def __init__(self) -> None:
        self.at_s = time.time()

    def now_s(self) -> float:
        return self.at_s

    def monotonic_s(self) -> float:
        return self.at_s


class Reader:
    """Passes over one path, each going on from the last."""

    def __init__(self, path) -> None:
        self.clock = Hand()
        self.source = Source(kind="query_history", name="log", path=path)
        self.cursor = None
        self.restart()

    def restart(self, settings=SETTINGS):
        self.connector = QueryHistory(self.source, settings, self.clock)

    def read(self):
        async def observe():
            return [batch async for batch in self.connector.observe(self.cursor)]

        batches = asyncio.run(observe())
        self.cursor = batches[-1].cursor if batches else self.cursor
        return [item for batch in batches for item in batch.items]

    def accesses(self):
        return {
            (str(i.task), i.access.value, i.dataset.name)
            for i in self.read()
            if isinstance(i, Evidence)
        }


def row(text, session="65.1", severity="LOG", task="airflow/d/t", at="12:00:00.000"):
    cells = [""] * 26
    cells[0], cells[1], cells[2] = f"2024-01-31 {at} UTC", "etl", "db"
    cells[5], cells[11], cells[13], cells[22] = session, severity, text, task
    file = io.StringIO()
    csv.writer(file, lineterminator="\n").writerow(cells)
    return file.getvalue()


def ran(text, **fields):
    return row(f"duration: 1.0 ms  statement: {text}", **fields)


def reads(*names):
    return {("eu/d/t", "read", name) for name in names}


def append(path, text):
    with path.open("a") as file:
        file.write(text)


@pytest.fixture
def log(tmp_path):
    return tmp_path / "server.csv"


def test_new_lines_only_are_read_by_the_next_pass(log):
    log.write_text(ran("SELECT * FROM a") + ran("SELECT\n  1, '\"'\nFROM b"))
    reader = Reader(log)
    (first, second) = sorted(reader.read(), key=lambda item: item.dataset.name)
    assert str(first.dataset) == "postgres://w:5432/db.public.a"
    assert (first.channel, first.observed_at_s, first.place) == (
        Channel.QUERY_LOG,
        START_S,
        "server.csv:1",
    )
    assert second.dataset.name == "db.public.b"
    assert reader.read() == []
    append(log, ran("SELECT * FROM c"))
    for restarted in (False, True):
        if restarted:
            append(log, ran("SELECT * FROM d"))
            reader.restart()
        (item,) = reader.read()
        assert item.place == ("server.csv:6" if restarted else "server.csv:5")
    assert reader.read() == []


def test_a_line_that_is_being_written_is_left_for_the_next_pass(log):
    whole = ran("SELECT * FROM b\nWHERE x = 1")
    log.write_text(ran("SELECT * FROM a") + whole[:-40])
    reader = Reader(log)
    assert reader.accesses() == reads("db.public.a")
    append(log, whole[-40:])
    assert reader.accesses() == reads("db.public.b")


def test_a_broken_line_costs_itself_and_is_named(log):
    broken = '2024-01-31 12:00:00 UTC,"etl\n'
    log.write_text(ran("SELECT * FROM a") + broken + "rubbish\n" + ran("SELECT * FROM b"))
    os.utime(log, (START_S, START_S))
    items = Reader(log).read()
    assert {i.dataset.name for i in items if isinstance(i, Evidence)} == {
        "db.public.a",
        "db.public.b",
    }
    said = [item for item in items if isinstance(item, Unresolved)]
    assert [item.place for item in said] == ["server.csv:2", "server.csv:3"]
    assert {item.subject for item in said} == {"log"}


def test_a_statement_whose_end_is_not_logged_yet_waits_over_passes_and_restarts(log):
    statement = "statement: SELECT * FROM "
    log.write_text(row(statement + "a", session="1.1") + row(statement + "b", session="2.2"))
    reader = Reader(log)
    reader.clock.at_s = START_S
    assert reader.read() == []
    append(log, row("no", session="1.1", severity="ERROR"))
    assert reader.read() == []
    reader.restart()  # the second is read again, the first is known to have failed
    append(log, row("duration: 5 ms", session="2.2"))
    assert reader.accesses() == reads("db.public.b")
    assert reader.read() == []
    append(log, row(statement + "c", session="3.3"))
    assert reader.read() == []
    reader.clock.at_s = START_S + 601
    assert reader.accesses() == reads("db.public.c")
    assert reader.read() == []


def test_files_that_are_renamed_cut_or_new_are_told_apart(tmp_path):
    log = tmp_path / "server.csv"
    log.write_text(ran("SELECT * FROM a"))
    reader = Reader(tmp_path)
    assert reader.accesses() == reads("db.public.a")
    log.rename(tmp_path / "server.1.csv")
    log.write_text(ran("SELECT * FROM b"))
    assert reader.accesses() == reads("db.public.b")
    log.write_text(ran("SELECT * FROM cc", at="13:00:00.000") + ran("SELECT * FROM d"))
    assert reader.accesses() == reads("db.public.cc", "db.public.d")
    (tmp_path / "server.1.csv").unlink()
    assert reader.read() == []


def test_a_file_that_is_shorter_now_is_read_from_its_start(log):
    same = ran("SELECT 1") * 9  # longer than what tells one file from another
    log.write_text(same + ran("SELECT * FROM a") * 2)
    reader = Reader(log)
    assert reader.accesses() == reads("db.public.a")
    log.write_text(same + ran("SELECT * FROM b"))
    assert reader.accesses() == reads("db.public.b")


def test_texts_are_read_again_when_they_are_understood_otherwise(log):
    log.write_text(ran("SELECT * FROM a"))
    reader = Reader(log)
    assert reader.accesses() == reads("db.public.a")
    connection = SqlConnection(dialect="postgres", default_schema="mart")
    reader.restart(SETTINGS.model_copy(update={"connections": {"log": connection}}))
    assert reader.accesses() == reads("db.mart.a")


JOB = {
    "creation_time": "2024-01-31 12:00:00 UTC",
    "job_id": "j",
    "statement_type": "SELECT",
    "state": "DONE",
    "labels": [{"key": "airflow-dag", "value": "d"}, {"key": "airflow-task", "value": "t"}],
    "referenced_tables": [{"project_id": "p", "dataset_id": "d", "table_id": "bq"}],
}
QUERY = {
    "QUERY_TEXT": "x",
    "QUERY_TAG": "airflow: d.t",
    "START_TIME": "2024-01-31 12:00:00 Z",
    "BASE_OBJECTS_ACCESSED": [{"objectDomain": "Table", "objectName": "DB.S.SNOW"}],
}
STL = {
    "query": "7",
    "querytxt": "SELECT * FROM s.red",
    "label": "airflow/d/t",
    "database": "dev",
    "starttime": "2024-01-31 12:00:00",
}
EVENT = {
    "eventTime": "2024-01-31T12:00:00Z",
    "eventSource": "s3.amazonaws.com",
    "eventName": "GetObject",
    "userIdentity": {"type": "AssumedRole", "arn": "arn:aws:sts::1:assumed-role/e/airflow@d@t"},
    "requestParameters": {"bucketName": "lake", "key": "trail.csv"},
}
REQUEST = (
    f"{OWNER} lake [31/Jan/2024:12:00:00 +0000] 192.0.2.3 "
    "arn:aws:sts::1:assumed-role/e/airflow@d@t REQ REST.GET.OBJECT s3.csv "
    '"GET /s3.csv HTTP/1.1" 200 - 1 1 1 1 "-" "Boto3" -\n'
)
STL_CSV = "query,starttime,label,database,querytxt\n" + ",".join(
    STL[name] for name in ("query", "starttime", "label", "database", "querytxt")
)


@pytest.mark.parametrize(
    ("text", "name"),
    [
        (json.dumps(JOB), "p.d.bq"),
        (json.dumps(QUERY) + "\n", "db.s.snow"),
        (json.dumps(STL) + "\n", "dev.s.red"),
        (STL_CSV + "\n", "dev.s.red"),
        (json.dumps(EVENT) + "\n", "trail.csv"),
        (json.dumps({"Records": [EVENT]}), "trail.csv"),
        (json.dumps({"Records": [EVENT]}, indent=2), "trail.csv"),
        (json.dumps([JOB], indent=2), "p.d.bq"),
        (json.dumps([JOB]), "p.d.bq"),
        (REQUEST, "s3.csv"),
        (ran("SELECT * FROM s.pg"), "db.s.pg"),
    ],
)
@pytest.mark.parametrize("packed", [False, True])
def test_the_format_is_told_from_the_content(tmp_path, text, name, packed):
    path = tmp_path / "export"
    path.write_bytes(gzip.compress(text.encode()) if packed else text.encode())
    reader = Reader(path)
    assert reader.accesses() == reads(name)
    assert reader.read() == []


def test_a_folder_may_hold_them_all_and_what_is_none_is_named(tmp_path):
    (tmp_path / "2024").mkdir()
    (tmp_path / "2024" / "jobs.jsonl").write_text(json.dumps(JOB) + "\n{}\n[]\n")
    (tmp_path / "s3.log").write_text(REQUEST + f"{OWNER} lake\n")
    (tmp_path / "server.csv").write_text(ran("SELECT * FROM s.pg", task="psql"))
    (tmp_path / "server.log").write_text("LOG: ending log output to stderr\n")
    (tmp_path / "notes.txt").write_text("hello\n")
    (tmp_path / ".hidden").write_text("hello\n")
    reader = Reader(tmp_path)
    items = reader.read()
    found = {i.dataset.name for i in items if isinstance(i, Evidence)}
    assert found == {"p.d.bq", "s3.csv"}
    assert {i.place for i in items if isinstance(i, Unresolved)} == {
        "2024/jobs.jsonl:2",
        "2024/jobs.jsonl:3",
        "s3.log:2",
        "notes.txt:1",
    }
    assert reader.connector.unattributed == 1
    assert reader.read() == []


def test_a_row_with_other_columns_than_the_header_is_named(tmp_path):
    path = tmp_path / "export"
    path.write_text(STL_CSV + "\n2,2024-01-31,x,dev,SELECT a, b FROM s.cut\n")
    items = Reader(path).read()
    assert {i.dataset.name for i in items if isinstance(i, Evidence)} == {"dev.s.red"}
    (problem,) = (i for i in items if isinstance(i, Unresolved))
    assert (problem.place, "6 columns" in problem.detail) == ("export:3", True)


def a_run(name, from_s, to_s=None):
    """A try of a task, `from_s` and `to_s` seconds after the log's noon."""
    end_s = None if to_s is None else START_S + to_s
    key = TaskKey("prefect", "flow", name)
    state = RunState.RUNNING if to_s is None else RunState.SUCCEEDED
    return TaskRun(key, "r", 1, state, START_S + from_s, end_s)


def by_time(log, *runs, settle_s=0.0):
    """A reader that knows these runs, and between which times it asked."""
    reader, asked = Reader(log), []

    def between(from_s, to_s):
        asked.append((from_s - START_S, to_s - START_S))
        return runs

    assert isinstance(reader.connector, LearnsRuns)
    reader.connector.learn_runs(between, settle_s)
    return reader, asked


def test_what_names_no_task_is_of_the_only_run_at_its_time(log):
    log.write_text(ran("INSERT INTO b SELECT * FROM a", task="psql", at="12:00:05.000"))
    reader, asked = by_time(log, a_run("t", 0, 10), a_run("u", 20, 30))
    found = reader.read()
    assert {(str(e.task), e.access.value, e.dataset.name) for e in found} == {
        ("prefect/flow/t", "read", "db.public.a"),
        ("prefect/flow/t", "write", "db.public.b"),
    }
    assert {(e.confidence, e.place) for e in found} == {(WINDOW_CONFIDENCE, "server.csv:1")}
    assert reader.connector.unattributed == 0
    assert [(round(a, 2), round(b, 2)) for a, b in asked] == [(5.0, 5.0)]


@pytest.mark.parametrize(
    "runs",
    [
        (),
        (a_run("t", 6, 10),),
        (a_run("t", 0, 10), a_run("u", 0, 10)),
        (a_run("t", 0, 10), a_run("u", 0)),
    ],
)
def test_where_none_or_several_ran_it_is_only_counted(log, runs):
    log.write_text(ran("SELECT * FROM a", task="psql", at="12:00:05.000"))
    reader, _ = by_time(log, *runs)
    assert reader.read() == []
    assert reader.connector.unattributed == 1


def test_a_statement_waits_until_all_runs_of_its_time_are_known(log):
    log.write_text(ran("SELECT * FROM a", task="psql", at="12:00:05.000"))
    known = [a_run("t", 0)]
    reader, asked = by_time(log, settle_s=30.0)
    reader.connector.learn_runs(lambda *_: known, 30.0)
    reader.clock.at_s = START_S + 20.0
    assert reader.read() == []
    assert reader.connector.unattributed == 0
    known[:] = [a_run("t", 0, 10)]
    append(log, ran("SELECT * FROM z", task="psql", at="12:00:19.000"))
    reader.clock.at_s = START_S + 36.0
    (evidence,) = reader.read()
    assert (str(evidence.task), evidence.dataset.name) == ("prefect/flow/t", "db.public.a")
    reader.clock.at_s = START_S + 50.0
    assert reader.read() == []
    assert reader.connector.unattributed == 1
    assert asked == []


def test_the_count_of_what_is_nobodys_goes_with_the_batches(log):
    log.write_text(ran("SELECT * FROM a", task="psql") * 3)
    reader = Reader(log)

    async def observe():
        return [batch async for batch in reader.connector.observe(None)]

    assert [batch.unattributed for batch in asyncio.run(observe())] == [3]


def test_a_path_that_is_not_there_is_named(tmp_path):
    with pytest.raises(Unavailable, match="nowhere"):
        Reader(tmp_path / "nowhere").read()
    with pytest.raises(ConfigError, match="`path`"):
        connect(Source(kind="query_history"), Settings())


@pytest.fixture
def bucket(monkeypatch):
    for name, value in (("ACCESS_KEY_ID", "x"), ("SECRET_ACCESS_KEY", "x")):
        monkeypatch.setenv(f"AWS_{name}", value)
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    with moto.mock_aws():
        client = boto3.client("s3")
        client.create_bucket(Bucket="audit")
        yield client


def test_access_logs_are_read_where_s3_puts_them_each_once(bucket):
    bucket.put_object(Bucket="audit", Key="lake/1", Body=REQUEST)
    bucket.put_object(Bucket="audit", Key="other/1", Body=REQUEST.replace("s3.csv", "no.csv"))
    packed = gzip.compress(json.dumps({"Records": [EVENT]}).encode())
    bucket.put_object(Bucket="audit", Key="lake/2.json.gz", Body=packed)
    reader = Reader("s3://audit/lake/")
    items = reader.read()
    assert {(i.channel, str(i.dataset), i.place) for i in items} == {
        (Channel.ACCESS_LOG, "s3://lake/s3.csv", "lake/1:1"),
        (Channel.ACCESS_LOG, "s3://lake/trail.csv", "lake/2.json.gz:record 1"),
    }
    assert reader.read() == []
    bucket.put_object(Bucket="audit", Key="lake/0", Body=REQUEST.replace("s3.csv", "late.csv"))
    reader.restart()
    assert reader.accesses() == reads("late.csv")


def test_a_bucket_that_is_not_there_is_named(bucket):
    with pytest.raises(Unavailable, match=r"s3://nowhere/.*NoSuchBucket"):
        Reader("s3://nowhere").read()


def test_missing_credentials_are_named(monkeypatch, tmp_path):
    for name in [name for name in os.environ if name.startswith("AWS_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    with pytest.raises(Unauthorized, match="AWS_PROFILE"):
        Reader("s3://audit").read()
