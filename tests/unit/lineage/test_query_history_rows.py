"""Rows as the vendors' documentation shows them, with those that must not count."""

from collections.abc import Callable, Mapping
from typing import Any

import pytest

from swarm.lineage.history.evidence import History
from swarm.lineage.history.object_access import from_cloudtrail, from_s3_log, object_dataset
from swarm.lineage.history.postgres_log import OPEN_S, PostgresLog
from swarm.lineage.history.redshift_rows import RedshiftQueries
from swarm.lineage.history.statement import MalformedRow, Statement, time_s
from swarm.lineage.history.tags import Known
from swarm.lineage.history.warehouse_rows import from_bigquery, from_snowflake
from swarm.lineage.text import SqlContext

NOON_S = 1706702400.0  # 2024-01-31 12:00:00 UTC

Accesses = set[tuple[str, str]]


def accesses(*statements: Statement | None, schema: str = "s") -> Accesses:
    """What the statements show, as those of one task."""
    history = History(Known(), lambda _d: SqlContext(default_schema=schema))
    owner = Statement("", "", 0, 0, {"query_tag": "airflow/d/t"}, id="owner")
    history.add(owner, "")
    for item in statements:
        if item is not None:
            tags = {**item.tags, "dag_id": "d", "task_id": "t"}
            values = {n: getattr(item, n) for n in Statement.__dataclass_fields__}
            history.add(Statement(**{**values, "tags": tags}), "x:1")
    return {(e.access.value, str(e.dataset)) for e in history.finish().evidence}


@pytest.mark.parametrize(
    "value",
    [
        "2024-01-31 12:00:00 UTC",
        "2024-01-31T12:00:00Z",
        "2024-01-31 12:00:00.000000",
        "2024-01-31 13:00:00.000+01:00",
        "2024-01-31 12:00:00.000 +0000",
        "2024-01-31 07:00:00.000 -0500",
        NOON_S,
        int(NOON_S),
        int(NOON_S * 1_000),
        int(NOON_S * 1_000_000),
        "1706702400000",
        "1706702400.000000000",
    ],
)
def test_times_as_exports_write_them(value: object) -> None:
    assert time_s(value, "t") == NOON_S


@pytest.mark.parametrize("value", ["", None, "yesterday", True, [], "2024-13-01"])
def test_what_is_no_time_is_named(value: object) -> None:
    with pytest.raises(MalformedRow, match="`t` is no time"):
        time_s(value, "t")


# --- PostgreSQL ---------------------------------------------------------------------------


def logged(message: str, severity: str = "LOG", session: str = "65.1", **fields: str) -> list[str]:
    row = [""] * 26
    row[0] = fields.get("time", "2024-01-31 12:00:00.000 UTC")
    row[1], row[2], row[5] = fields.get("user", "etl"), "db", session
    row[11], row[13], row[22] = severity, message, "airflow/d/t"
    return row


def settled(*rows: list[str], now_s: float = NOON_S) -> list[str]:
    log = PostgresLog()
    found = [s.text for n, row in enumerate(rows) for s, _ in log.add(row, f"f:{n}")]
    return found + [s.text for s, _ in log.settle(now_s)]


A, B = "statement: SELECT 1 FROM a", "statement: SELECT 1 FROM b"


@pytest.mark.parametrize(
    ("rows", "texts"),
    [
        ([logged(f"duration: 1.5 ms  {A}")], ["SELECT 1 FROM a"]),
        ([logged(A), logged("duration: 1.5 ms")], ["SELECT 1 FROM a"]),
        ([logged(A), logged(B)], ["SELECT 1 FROM a"]),
        ([logged(A), logged("disconnection: session time: 0:00:01")], ["SELECT 1 FROM a"]),
        ([logged(A), logged('relation "a" does not exist', "ERROR")], []),
        ([logged(A), logged("terminating connection", "FATAL")], []),
        ([logged(A), logged("careful", "WARNING"), logged("no", "ERROR")], []),
        ([logged(A), logged("process 5 still waiting", "LOG"), logged("no", "ERROR")], []),
        ([logged(A), logged("no", "ERROR", session="66.2")], []),  # not yet known how it ended
        ([logged(A), logged("no", "ERROR", session="66.2"), logged(B)], ["SELECT 1 FROM a"]),
        ([logged("duration: 2 ms  execute <unnamed>: SELECT 2")], ["SELECT 2"]),
        ([logged("duration: 2 ms  execute S_1/C_2: SELECT 2")], ["SELECT 2"]),
        ([logged("duration: 2 ms  parse <unnamed>: SELECT 2")], []),
        ([logged("duration: 2 ms  bind <unnamed>: SELECT 2")], []),
        ([logged("duration: 2 ms  plan:\nQuery Text: SELECT 2 FROM a")], []),
        ([logged("execute p: SELECT 2"), logged("duration: 1 ms")], ["SELECT 2"]),
        ([logged(f"duration: 1 ms  {A}", user="rdsadmin")], []),
        ([logged("checkpoint starting: time", user="")], []),
        ([logged(f"duration: 1 ms  {A}", "NOTICE")], []),  # a function raised it
        ([logged("connection authorized: user=etl")], []),
        ([logged("duration: 1 ms  statement: SELECT 1\n\tFROM a")], ["SELECT 1\n\tFROM a"]),
    ],
)
def test_postgres_statements_that_ended_well(rows: list[list[str]], texts: list[str]) -> None:
    assert settled(*rows) == texts


def test_a_postgres_statement_of_unknown_end_counts_when_it_is_old() -> None:
    assert settled(logged(A), now_s=NOON_S + OPEN_S - 1) == []
    assert settled(logged(A), now_s=NOON_S + OPEN_S) == ["SELECT 1 FROM a"]


def test_a_postgres_row_says_who_where_and_when() -> None:
    row = logged(f"duration: 2000.0 ms  {A}", time="2024-01-31 13:00:00.000 CET")
    ((found, place),) = PostgresLog().add(row, "f:1")
    assert (found.started_at_s, found.ended_at_s) == (NOON_S - 2, NOON_S)
    assert (found.user, found.database, found.session, place) == ("etl", "db", "65.1", "f:1")
    assert found.tags == {"application_name": "airflow/d/t"}


@pytest.mark.parametrize(
    ("row", "said"),
    [
        (["2024-01-31 12:00:00 UTC", "etl"], "2 columns"),
        (logged(f"duration: 1 ms  {A}", time="2024-01-31 12:00:00.000 XYZ"), "log_timezone"),
        (logged(f"duration: 1 ms  {A}", time="noon UTC"), "log_time"),
        (logged("Dauer: 0,5 ms  Anweisung: SELECT 1"), "lc_messages"),
        (logged("durée : 0.5 ms"), "lc_messages"),
        (logged("Relation fehlt", severity="FEHLER"), "lc_messages"),
    ],
)
def test_a_broken_postgres_row_is_named(row: list[str], said: str) -> None:
    with pytest.raises(MalformedRow, match=said):
        list(PostgresLog().add(row, "f:1"))


# --- BigQuery -----------------------------------------------------------------------------


def table(dataset: str, name: str, project: str = "prj") -> dict[str, str]:
    return {"project_id": project, "dataset_id": dataset, "table_id": name}


def job(**fields: Any) -> dict[str, Any]:
    return {
        "creation_time": "2024-01-31 12:00:00.000000 UTC",
        "end_time": "2024-01-31 12:00:05.000000 UTC",
        "project_id": "prj",
        "user_email": "etl@prj",
        "job_id": "j1",
        "job_type": "QUERY",
        "statement_type": "SELECT",
        "state": "DONE",
        "error_result": None,
        "query": "SELECT * FROM d.a",
        "labels": [{"key": "airflow-dag", "value": "d"}, {"key": "airflow-task", "value": "t"}],
        "referenced_tables": [table("d", "A")],
        "destination_table": table("_8f3a", "anon55"),
    } | fields


TARGET = table("d", "target")
READ, WRITE = ("read", "bigquery/prj.d.a"), ("write", "bigquery/prj.d.target")


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({}, {READ}),
        ({"destination_table": TARGET}, {READ, WRITE}),
        ({"statement_type": "INSERT", "destination_table": TARGET}, {READ, WRITE}),
        ({"statement_type": "CREATE_TABLE_AS_SELECT", "destination_table": TARGET}, {READ, WRITE}),
        ({"destination_table": table("_script1", "tmp")}, {READ}),
        ({"referenced_tables": [table("d", "A"), table("_script1", "tmp")]}, {READ}),
        ({"referenced_tables": [table("d", "A"), table("INFORMATION_SCHEMA", "TABLES")]}, {READ}),
        ({"referenced_tables": [table("d", "a$20240131")]}, {READ}),
        (
            {"referenced_tables": [table("d", "ev_20240131"), table("d", "ev_20240130")]},
            {("read", "bigquery/prj.d.ev_*")},
        ),
        (
            {
                "statement_type": "MERGE",
                "destination_table": TARGET,
                "referenced_tables": [table("d", "A"), TARGET],
            },
            {READ, WRITE},
        ),
        # The server names the target of an INSERT as read only if a query reads it.
        (
            {
                "statement_type": "INSERT",
                "destination_table": TARGET,
                "referenced_tables": [TARGET],
            },
            {WRITE, ("read", "bigquery/prj.d.target")},
        ),
        # From the cache: no tables are named, the text is read.
        ({"cache_hit": True, "referenced_tables": None}, {("read", "prj.d.a")}),
        ({"cache_hit": True, "referenced_tables": []}, {("read", "prj.d.a")}),
        (
            {"job_type": "LOAD", "query": None, "referenced_tables": None,
             "destination_table": TARGET},
            {WRITE},
        ),
        (
            {"job_type": "EXTRACT", "query": None, "statement_type": None,
             "destination_table": None},
            {READ},
        ),
        (
            {"destination_table": table("_own", "anonymous")},
            {READ, ("write", "bigquery/prj._own.anonymous")},
        ),
        (
            {"job_type": "COPY", "query": None, "statement_type": None,
             "destination_table": TARGET},
            {READ, WRITE},
        ),
        (
            {"statement_type": "CREATE_VIEW", "query": "CREATE VIEW d.v AS SELECT * FROM d.a",
             "destination_table": table("d", "v")},
            {("write", "prj.d.v")},
        ),
        ({"statement_type": "DROP_TABLE", "query": "DROP TABLE d.target",
          "destination_table": TARGET}, set()),
        ({"error_result": {"reason": "invalidQuery"}}, set()),
        ({"state": "RUNNING"}, set()),
        ({"dry_run": True}, set()),
        ({"statement_type": "EXPLAIN"}, set()),
    ],
)  # fmt: skip
def test_bigquery_jobs(fields: dict[str, Any], expected: Accesses) -> None:
    assert accesses(from_bigquery(job(**fields)), schema="") == expected


def test_bigquery_cuts_long_lists_so_the_text_counts_too() -> None:
    many = [table("d", f"t{n}") for n in range(50)]
    found = accesses(from_bigquery(job(referenced_tables=many)), schema="")
    assert len(found) == 51
    assert ("read", "prj.d.a") in found


def test_bigquery_labels_parents_and_scripts() -> None:
    found = from_bigquery(job(statement_type="SCRIPT", referenced_tables=[]))
    assert found is not None
    assert (found.id, found.is_script, found.reads) == ("j1", True, None)
    assert found.tags == {"airflow-dag": "d", "airflow-task": "t"}
    child = from_bigquery(job(job_id="j2", parent_job_id="j1", labels=[]))
    assert child is not None
    assert (child.parent, child.ended_at_s - child.started_at_s) == ("j1", 5.0)


# --- Snowflake ----------------------------------------------------------------------------


def thing(name: str, domain: str = "Table", **fields: Any) -> dict[str, Any]:
    return {"objectDomain": domain, "objectId": 5, "objectName": name} | fields


def query(**fields: Any) -> dict[str, Any]:
    return {
        "QUERY_ID": "01b2",
        "QUERY_TEXT": "INSERT INTO MART.A SELECT * FROM RAW.V",
        "QUERY_TYPE": "INSERT",
        "QUERY_TAG": '{"dag_id": "d", "task_id": "t"}',
        "EXECUTION_STATUS": "SUCCESS",
        "USER_NAME": "ETL",
        "DATABASE_NAME": "DB",
        "SCHEMA_NAME": "RAW",
        "SESSION_ID": 77,
        "START_TIME": "2024-01-31 12:00:00.000 +0000",
        "END_TIME": "2024-01-31 12:00:05.000 +0000",
        "DIRECT_OBJECTS_ACCESSED": [thing("DB.RAW.V", "View")],
        "BASE_OBJECTS_ACCESSED": [thing("DB.RAW.T")],
        "OBJECTS_MODIFIED": [thing("DB.MART.A")],
    } | fields


VIEW, BASE, MART = ("read", "db.raw.v"), ("read", "db.raw.t"), ("write", "db.mart.a")
UPLOAD = "COPY INTO MART.A FROM @STAGE/day"


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({}, {VIEW, BASE, MART}),
        ({"OBJECTS_MODIFIED": '[{"objectDomain": "Table", "objectName": "DB.MART.A"}]'},
         {VIEW, BASE, MART}),
        ({"DIRECT_OBJECTS_ACCESSED": [thing("DB.F.SUM", "FUNCTION")]}, {BASE, MART}),
        ({"QUERY_TYPE": "MERGE", "BASE_OBJECTS_ACCESSED": [thing("DB.MART.A")]}, {VIEW, MART}),
        # Nothing said of the objects: the text is read.
        (dict.fromkeys(("DIRECT_OBJECTS_ACCESSED", "BASE_OBJECTS_ACCESSED", "OBJECTS_MODIFIED")),
         {VIEW, MART}),
        ({"QUERY_TYPE": "CREATE_VIEW", "QUERY_TEXT": "CREATE VIEW MART.W AS SELECT * FROM V"},
         {("write", "db.mart.w")}),
        ({"QUERY_TYPE": "COPY", "QUERY_TEXT": UPLOAD,
          "DIRECT_OBJECTS_ACCESSED": [thing("DB.RAW.STAGE", "Stage", stageKind="Internal Named")],
          "BASE_OBJECTS_ACCESSED": []},
         {MART, ("read", "@stage/day")}),
        ({"QUERY_TYPE": "COPY", "QUERY_TEXT": UPLOAD, "BASE_OBJECTS_ACCESSED": [],
          "DIRECT_OBJECTS_ACCESSED": [{"locations": ["s3://lake/in/a.csv"]}]},
         {MART, ("read", "s3://lake/in/a.csv")}),
        ({"EXECUTION_STATUS": "FAIL"}, set()),
        ({"EXECUTION_STATUS": "INCIDENT"}, set()),
        ({"QUERY_TYPE": "EXPLAIN"}, set()),
        ({"USER_NAME": "SYSTEM", "QUERY_TAG": ""}, set()),
        ({"USER_NAME": "SYSTEM"}, {VIEW, BASE, MART}),  # a task of the warehouse, with its tag
        ({"BASE_OBJECTS_ACCESSED": [thing("DB.RAW.X", "Cortex thing")],
          "DIRECT_OBJECTS_ACCESSED": []}, {VIEW, MART}),  # a kind nobody knows: the text, too
        ({"IS_CLIENT_GENERATED_STATEMENT": True}, set()),
    ],
)  # fmt: skip
def test_snowflake_queries(fields: dict[str, Any], expected: Accesses) -> None:
    assert accesses(from_snowflake(query(**fields)), schema="") == expected


def test_snowflake_temporary_tables_live_in_their_session() -> None:
    make = from_snowflake(
        query(
            QUERY_TYPE="CREATE_TABLE_AS_SELECT",
            QUERY_TEXT="create or replace temporary table mart.a as select * from raw.v",
        )
    )
    assert make is not None
    assert (make.temporary, make.session) == (True, "77")
    assert accesses(make) == {VIEW, BASE}


@pytest.mark.parametrize(
    ("read", "row", "said"),
    [
        (from_bigquery, job(labels="nightly"), "`labels` is no JSON"),
        (from_bigquery, job(labels=[5]), "`labels` holds"),
        (from_bigquery, job(referenced_tables=[{"table_id": "a"}]), "`project_id`"),
        (from_bigquery, job(creation_time=None), "`creation_time` is missing"),
        (from_bigquery, job(query={"text": "x"}), "`query` is no text"),
        (from_snowflake, query(OBJECTS_MODIFIED={}), None),
        (from_snowflake, query(OBJECTS_MODIFIED={"a": 1}), "`objects_modified` is no list"),
        (from_snowflake, query(OBJECTS_MODIFIED=[{"objectDomain": "Table"}]), "`objectName`"),
        (from_snowflake, query(START_TIME="soon"), "`start_time` is no time"),
    ],
)
def test_a_broken_row_is_named(
    read: Callable[[Mapping[str, object]], Statement | None],
    row: dict[str, Any],
    said: str | None,
) -> None:
    with pytest.raises(MalformedRow, match=said or "no list"):
        read(row)


# --- Redshift -----------------------------------------------------------------------------


def redshift(*rows: dict[str, Any]) -> list[Statement | MalformedRow]:
    queries = RedshiftQueries()
    for number, row in enumerate(rows):
        queries.add(row, f"f:{number}")
    return [found for found, _ in queries.finish()]


STL: dict[str, Any] = {
    "userid": 100,
    "query": 7,
    "label": "airflow/d/t",
    "pid": 1234,
    "database": "dev  ",
    "starttime": "2024-01-31 12:00:00.000000",
    "endtime": "2024-01-31 12:00:05.000000",
    "aborted": 0,
}
LONG = "INSERT INTO s.a SELECT " + ", ".join(f"column_{n}" for n in range(40)) + "\nFROM s.b"


def test_redshift_pieces_are_one_text_whatever_their_order() -> None:
    text = LONG.replace("\n", "\\n")
    pieces = [text[at : at + 200] for at in range(0, len(text), 200)]
    rows = [STL | {"sequence": n, "text": piece} for n, piece in enumerate(pieces)]
    assert len(rows) > 2
    (found,) = redshift(*reversed(rows))
    assert isinstance(found, Statement)
    assert found.text == LONG
    assert (found.tags, found.database) == ({"query_group": "airflow/d/t"}, "dev")
    assert accesses(found) == {("write", "dev.s.a"), ("read", "dev.s.b")}


def test_redshift_pieces_keep_the_blank_they_lost_at_their_end() -> None:
    first = "INSERT INTO s.a SELECT 1 FROM".ljust(200).rstrip()
    (found,) = redshift(STL | {"sequence": 0, "text": first}, STL | {"sequence": 1, "text": "s.b"})
    assert accesses(found if isinstance(found, Statement) else None) >= {("read", "dev.s.b")}


@pytest.mark.parametrize(
    "fields",
    [
        {"aborted": 1},
        {"userid": 1},
        {"status": "failed"},
        {"querytxt": "padb_fetch_sample: select * from s.b"},
        {"querytxt": "Undoing 1 transactions on table 5"},
    ],
)
def test_redshift_queries_that_do_not_count(fields: dict[str, Any]) -> None:
    assert redshift(STL | {"querytxt": LONG} | fields) == []


@pytest.mark.parametrize(
    ("rows", "said"),
    [
        ([STL | {"sequence": 1, "text": "x"}], "only 1 are here"),
        ([STL | {"querytxt": "x" * 4000}], "STL_QUERYTEXT"),
        ([STL | {"querytxt": LONG, "starttime": None}], "`starttime` is missing"),
    ],
)
def test_redshift_texts_that_are_not_whole_are_named(rows: list[Any], said: str) -> None:
    (found,) = redshift(*rows)
    assert isinstance(found, MalformedRow)
    assert said in str(found)


@pytest.mark.parametrize(("kind", "said"), [("LOAD", "from which files"), ("EXTRACT", "to which")])
def test_what_a_bigquery_job_does_not_tell_is_reported(kind: str, said: str) -> None:
    history = History(Known({"airflow": ("air",)}), lambda _d: SqlContext())
    one = from_bigquery(job(job_type=kind, query=None, destination_table=TARGET))
    assert one is not None
    history.add(one, "jobs:7")
    (problem,) = history.finish().unresolved
    assert problem.place == "jobs:7"
    assert said in problem.detail


# --- Object stores ------------------------------------------------------------------------

OWNER = "79a59df900b949e55d96a1e698fbacedfd6e09d98eacf8f8d5218e7cd47ef2be"


def request(operation: str, key: str = "in/a.csv", status: str = "200") -> str:
    return (
        f"{OWNER} lake [31/Jan/2024:12:00:00 +0000] 192.0.2.3 "
        f"arn:aws:sts::1:assumed-role/etl/airflow@d@t 3E57427F3EXAMPLE {operation} {key} "
        f'"GET /lake/{key} HTTP/1.1" {status} - 113 - 7 5 "-" "Boto3/1.40 x/y" - HostId= SigV4 '
        "ECDHE-RSA-AES128-GCM-SHA256 AuthHeader lake.s3.amazonaws.com TLSV1.2 - -"
    )


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        (request("REST.GET.OBJECT"), {("read", "s3://lake/in/a.csv")}),
        (request("WEBSITE.GET.OBJECT"), {("read", "s3://lake/in/a.csv")}),
        (request("REST.GET.OBJECT", status="206"), {("read", "s3://lake/in/a.csv")}),
        (request("REST.GET.OBJECT", status="304"), {("read", "s3://lake/in/a.csv")}),
        (request("REST.COPY.OBJECT_GET"), {("read", "s3://lake/in/a.csv")}),
        (request("REST.PUT.OBJECT"), {("write", "s3://lake/in/a.csv")}),
        (request("REST.POST.UPLOAD"), {("write", "s3://lake/in/a.csv")}),
        (request("REST.COPY.OBJECT"), {("write", "s3://lake/in/a.csv")}),
        (request("REST.PUT.OBJECT", "in/a%20b.csv"), {("write", "s3://lake/in/a b.csv")}),
        (request("REST.GET.OBJECT", status="403"), set()),
        (request("REST.GET.OBJECT", status="404"), set()),
        (request("REST.PUT.OBJECT", status="503"), set()),
        (request("REST.HEAD.OBJECT"), set()),
        (request("REST.GET.BUCKET", "-"), set()),
        (request("REST.DELETE.OBJECT", status="204"), set()),
        (request("S3.EXPIRE.OBJECT", status="-"), set()),
        (request("REST.PUT.OBJECT", "out/_SUCCESS"), set()),
    ],
)
def test_s3_log_lines(line: str, expected: Accesses) -> None:
    found = from_s3_log(line)
    assert accesses(found) == expected
    if expected and found is not None:
        assert (found.tags["role_session_name"], found.ended_at_s) == ("airflow@d@t", NOON_S)
        assert found.tags["user_agent"] == "Boto3/1.40 x/y"


def test_a_broken_s3_log_line_is_named() -> None:
    with pytest.raises(MalformedRow, match="server access log"):
        from_s3_log(OWNER + " lake [31/Jan")
    with pytest.raises(MalformedRow, match="time"):
        from_s3_log(request("REST.GET.OBJECT").replace("31/Jan/2024", "31/Foo/2024"))


@pytest.mark.parametrize(
    ("key", "name"),
    [
        ("in/a.csv", "in/a.csv"),
        ("out/part-00000-5f1b-c000.snappy.parquet", "out"),
        ("out/day=2024-01-31/part-00000.parquet", "out"),
        ("out/day=2024-01-31/hour=03/data.parquet", "out"),
        ("out/000000_0", "out"),
        ("out/_delta_log/00000000000000000007.json", "out"),
        ("part-00000.parquet", "part-00000.parquet"),
        ("in/partner.csv", "in/partner.csv"),
        ("in/2024-01-31/a.csv", "in/*/a.csv"),
        ("out/_temporary/0/part-00000.parquet", None),
        ("out/_SUCCESS", None),
        ("folder/", None),
    ],
)
def test_the_dataset_of_an_object(key: str, name: str | None) -> None:
    found = object_dataset("lake", key)
    assert (found.name if found else None) == name


def event(name: str, **fields: Any) -> dict[str, Any]:
    return {
        "eventVersion": "1.09",
        "eventTime": "2024-01-31T12:00:00Z",
        "eventSource": "s3.amazonaws.com",
        "eventName": name,
        "eventID": "e1",
        "userAgent": "[Boto3/1.40 app/airflow/d/t]",
        "userIdentity": {
            "type": "AssumedRole",
            "arn": "arn:aws:sts::1:assumed-role/etl/session-1",
            "accessKeyId": "ASIA1",
        },
        "requestParameters": {"bucketName": "lake", "key": "in/a.csv"},
    } | fields


COPY = {"bucketName": "lake", "key": "out/b.csv", "x-amz-copy-source": "raw/in/a%20b.csv"}


@pytest.mark.parametrize(
    ("row", "expected"),
    [
        (event("GetObject"), {("read", "s3://lake/in/a.csv")}),
        (event("PutObject"), {("write", "s3://lake/in/a.csv")}),
        (event("CompleteMultipartUpload"), {("write", "s3://lake/in/a.csv")}),
        (
            event("CopyObject", requestParameters=COPY),
            {("read", "s3://raw/in/a b.csv"), ("write", "s3://lake/out/b.csv")},
        ),
        (event("GetObject", errorCode="AccessDenied"), set()),
        (event("HeadObject"), set()),
        (event("DeleteObject"), set()),
        (event("ListObjects", requestParameters={"bucketName": "lake"}), set()),
        (event("PutObject", userIdentity={"type": "AWSService"}), set()),
        (event("GetObject", eventSource="glacier.amazonaws.com"), set()),
    ],
)
def test_cloudtrail_events(row: dict[str, Any], expected: Accesses) -> None:
    assert accesses(from_cloudtrail(row)) == expected


def test_cloudtrail_sessions_pass_their_tags_on_to_what_is_done_in_them() -> None:
    assume = event(
        "AssumeRole",
        eventSource="sts.amazonaws.com",
        requestParameters={
            "roleSessionName": "nightly",
            "tags": [{"key": "dag_id", "value": "d"}, {"key": "task_id", "value": "t"}],
        },
        responseElements={"credentials": {"accessKeyId": "ASIA1"}},
    )
    get = event("GetObject", userAgent="[Boto3/1.40]")
    for rows in ((assume, get), (get, assume)):
        history = History(Known(), lambda _d: SqlContext())
        for row in rows:
            found = from_cloudtrail(row)
            assert found is not None
            history.add(found, "x:1")
        result = history.finish()
        assert [str(e.task) for e in result.evidence] == ["airflow/d/t"]
        assert result.unattributed == 0
