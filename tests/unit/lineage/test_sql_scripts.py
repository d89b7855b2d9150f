"""Whole scripts: temporary tables, moves, scripting, defaults, and what is not understood."""

import pytest

from swarm.lineage.sql import extract_sql
from swarm.lineage.text import SqlContext
from swarm.model.lineage import Access, Extraction, UnresolvedReason


def touched(found: Extraction, access: Access) -> list[str]:
    return [str(touch.dataset) for touch in found.touches if touch.access is access]


# dialect, script, tables read, tables written
SCRIPTS = [
    # temporary tables
    ("", "CREATE TEMP TABLE t AS SELECT * FROM a; INSERT INTO b SELECT * FROM t", "a", "b"),
    ("snowflake", "CREATE TEMPORARY TABLE t (x INT); INSERT INTO t SELECT * FROM a;"
     "INSERT INTO b SELECT * FROM t", "a", "b"),
    ("tsql", "SELECT * INTO #t FROM a; INSERT INTO b SELECT * FROM #t", "a", "b"),
    ("spark", "CREATE TEMPORARY VIEW v AS SELECT * FROM a; INSERT INTO b SELECT * FROM v",
     "a", "b"),
    ("spark", "CACHE TABLE t AS SELECT * FROM a; INSERT INTO b SELECT * FROM t", "a", "b"),
    ("", "CREATE TABLE t AS SELECT * FROM a; INSERT INTO b SELECT * FROM t; DROP TABLE t",
     "a", "b"),
    ("", "CREATE TEMP TABLE t AS SELECT 1; DROP TABLE t; SELECT * FROM t", "t", ""),
    ("", "SELECT * FROM t; CREATE TEMP TABLE t AS SELECT * FROM a; SELECT * FROM t", "t a", ""),
    ("", "INSERT INTO b SELECT * FROM a; DROP TABLE a", "a", "b"),
    ("", "DROP TABLE IF EXISTS a; CREATE TABLE a AS SELECT * FROM b", "b", "a"),
    ("", "CREATE TABLE IF NOT EXISTS a (x INT); INSERT INTO a SELECT * FROM b", "b", "a"),
    ("postgres", "CREATE TEMP TABLE t ON COMMIT DROP AS SELECT * FROM a; INSERT INTO b "
     "SELECT * FROM t", "a", "b"),
    ("redshift", "CREATE TABLE #t AS SELECT * FROM a; INSERT INTO b SELECT * FROM #t", "a", "b"),
    ("redshift", "CREATE TEMP TABLE s (LIKE a); COPY s FROM 's3://bkt/k' IAM_ROLE 'r'; "
     "BEGIN TRANSACTION; DELETE FROM a USING s WHERE a.x = s.x; INSERT INTO a SELECT * FROM s; "
     "END TRANSACTION", "s3://bkt/k", "a"),
    # moves
    ("postgres", "CREATE TABLE s AS SELECT * FROM b; ALTER TABLE s RENAME TO a", "b", "a"),
    ("postgres", "CREATE TABLE x.s AS SELECT * FROM b; ALTER TABLE x.s RENAME TO a", "b", "x.a"),
    ("postgres", "CREATE TABLE s AS SELECT * FROM b; ALTER TABLE a RENAME TO a_old;"
     "ALTER TABLE s RENAME TO a; DROP TABLE a_old", "b", "a"),
    ("postgres", "ALTER TABLE s RENAME TO a", "s", "a"),
    ("mysql", "CREATE TABLE s AS SELECT * FROM b; RENAME TABLE a TO a_old, s TO a;"
     "DROP TABLE a_old", "b", "a"),
    ("snowflake", "CREATE TABLE s AS SELECT * FROM b; ALTER TABLE a SWAP WITH s; DROP TABLE s",
     "b", "a"),
    ("clickhouse", "INSERT INTO s SELECT * FROM b; EXCHANGE TABLES a AND s", "b", "a"),
    ("clickhouse", "EXCHANGE TABLES a AND b", "a b", "b a"),
    ("tsql", "SELECT * INTO dbo.s FROM b; EXEC sp_rename 'dbo.s', 'a'", "b", "dbo.a"),
    ("tsql", "SELECT * INTO stg.a FROM b; ALTER SCHEMA dbo TRANSFER stg.a", "b", "dbo.a"),
    # defaults
    ("mysql", "USE shop; SELECT * FROM a; SELECT * FROM other.b", "shop.a other.b", ""),
    ("snowflake", "USE SCHEMA x.y; SELECT * FROM a; USE SCHEMA z; SELECT * FROM b;"
     "USE ROLE r; USE WAREHOUSE w; SELECT * FROM c", "x.y.a x.z.b x.z.c", ""),
    ("tsql", "USE lake\nGO\nSELECT * FROM dbo.t", "lake.dbo.t", ""),
    ("postgres", "SET search_path = x, y; SELECT * FROM a", "x.a", ""),
    # scripting
    ("bigquery", "BEGIN INSERT INTO a SELECT * FROM b; EXCEPTION WHEN ERROR THEN "
     "INSERT INTO log VALUES (1); END", "b", "a log"),
    ("bigquery", "IF (SELECT count(*) FROM z) > 0 THEN DELETE FROM a WHERE TRUE; "
     "ELSEIF FALSE THEN INSERT INTO b SELECT 1; ELSE SELECT * FROM c; END IF; SELECT * FROM d",
     "z c d", "a b"),
    ("bigquery", "FOR r IN (SELECT * FROM a) DO INSERT INTO b VALUES (1); END FOR;"
     "WHILE x DO INSERT INTO c SELECT 1; END WHILE; LOOP INSERT INTO d SELECT 1; LEAVE; END LOOP;"
     "SELECT * FROM e", "a e", "b c d"),
    ("bigquery", "DECLARE x INT64; SET x = (SELECT max(y) FROM a); INSERT INTO b SELECT x",
     "a", "b"),
    ("bigquery", "BEGIN TRANSACTION; INSERT INTO a SELECT * FROM b; COMMIT TRANSACTION", "b", "a"),
    ("bigquery", "CREATE TEMP FUNCTION f(x INT64) AS ((SELECT x)); SELECT f(y) FROM a", "a", ""),
    ("bigquery", "CREATE PROCEDURE d.p() BEGIN INSERT INTO a SELECT * FROM b; "
     "IF x THEN SELECT * FROM c; END IF; END; INSERT INTO y SELECT * FROM z", "z", "y"),
    ("bigquery", "CREATE PROCEDURE d.p() BEGIN IF x THEN SELECT 1; END IF; "
     "INSERT INTO a SELECT * FROM b; END; INSERT INTO y SELECT * FROM z", "z", "y"),
    ("bigquery", "EXECUTE IMMEDIATE 'INSERT INTO a SELECT * FROM b'", "b", "a"),
    ("snowflake", "EXECUTE IMMEDIATE $$ BEGIN INSERT INTO a SELECT * FROM b; END $$", "b", "a"),
    ("snowflake", "BEGIN LET x INT := (SELECT max(y) FROM q); INSERT INTO a SELECT * FROM b; "
     "RETURN x; END", "q b", "a"),
    ("postgres", "DO $$ DECLARE n INT; r RECORD; BEGIN SELECT count(*) INTO n FROM c; "
     "FOR r IN SELECT * FROM b LOOP INSERT INTO a VALUES (r.x); END LOOP; PERFORM f(); END $$",
     "c b", "a"),
    ("postgres", "CREATE FUNCTION f() RETURNS INT AS $$ INSERT INTO a SELECT 1 FROM b $$ "
     "LANGUAGE sql; SELECT * FROM c", "c", ""),
    ("postgres", "BEGIN; SELECT * INTO a FROM b; COMMIT", "b", "a"),
    ("oracle", "DECLARE n NUMBER; BEGIN SELECT count(*) INTO n FROM t; IF n > 0 THEN "
     "INSERT INTO a SELECT * FROM b; END IF; COMMIT; END;", "t b", "a"),
    ("tsql", "INSERT INTO a SELECT * FROM b\nUPDATE c SET x = 1\nSELECT * INTO #t FROM d\n"
     "DELETE FROM e WHERE x IN (\nSELECT x FROM #t)\nWITH q AS (SELECT * FROM f)\n"
     "INSERT INTO g\nSELECT * FROM q", "b d f", "a c e g"),
    ("tsql", "IF EXISTS (SELECT 1 FROM z)\nBEGIN\nINSERT INTO a SELECT * FROM b\nEND\n"
     "ELSE\nINSERT INTO c SELECT * FROM d", "z b d", "a c"),
    ("tsql", "CREATE PROCEDURE p AS\nBEGIN\nINSERT INTO a SELECT * FROM b\nEND\nGO\n"
     "SELECT * FROM c", "c", ""),
    ("tsql", "MERGE INTO a USING b ON a.x = b.x\nWHEN MATCHED THEN\nUPDATE SET y = 1\n"
     "WHEN NOT MATCHED THEN\nINSERT (x) VALUES (1);\nSELECT * FROM c", "b c", "a"),
    ("tsql", "SET NOCOUNT ON\nDECLARE @x INT = (SELECT max(y) FROM q)\nBEGIN TRY\nBEGIN TRAN\n"
     "TRUNCATE TABLE a\nINSERT INTO a (x)\nSELECT x FROM b WITH (NOLOCK)\nCOMMIT\nEND TRY\n"
     "BEGIN CATCH\nROLLBACK\nTHROW\nEND CATCH", "q b", "a"),
    ("tsql", "DECLARE c CURSOR FOR SELECT * FROM t; OPEN c; FETCH NEXT FROM c; CLOSE c", "t", ""),
    ("oracle", "DECLARE CURSOR c IS SELECT * FROM t; BEGIN FOR r IN c LOOP "
     "INSERT INTO a VALUES (r.x); END LOOP; END;\n/\nINSERT INTO z SELECT * FROM y\n/\n",
     "t y", "a z"),
    ("snowflake", "DECLARE rs RESULTSET DEFAULT (SELECT * FROM q); BEGIN FOR r IN rs DO "
     "INSERT INTO a VALUES (1); END FOR; RETURN 1; END", "q", "a"),
    # statements about something else
    ("postgres", "GRANT SELECT ON a TO r; COMMENT ON TABLE a IS 'x'; VACUUM a; ANALYZE a; "
     "CREATE INDEX i ON a (x); SET work_mem = '1GB'; LOCK TABLE a; CREATE SCHEMA s", "", ""),
]  # fmt: skip


@pytest.mark.parametrize(("dialect", "sql", "reads", "writes"), SCRIPTS)
def test_script_reads_and_writes_exactly(dialect: str, sql: str, reads: str, writes: str) -> None:
    found = extract_sql(sql, SqlContext(dialect), "q.sql")
    assert touched(found, Access.READ) == reads.split()
    assert touched(found, Access.WRITE) == writes.split()
    assert found.unresolved == ()


def test_view_over_a_temporary_table_reads_what_that_is_built_from() -> None:
    sql = "CREATE TEMP TABLE t AS SELECT * FROM a; CREATE VIEW v AS SELECT * FROM t, b"
    (view,) = extract_sql(sql, SqlContext(), "q.sql").views
    assert [str(dataset) for dataset in view.reads] == ["a", "b"]


def test_rows_put_into_a_temporary_table_later_count_for_a_view_over_it() -> None:
    sql = "CREATE TEMP TABLE t (x INT); INSERT INTO t SELECT * FROM a;"
    sql += "CREATE VIEW v AS SELECT * FROM t"
    (view,) = extract_sql(sql, SqlContext(), "q.sql").views
    assert [str(dataset) for dataset in view.reads] == ["a"]


DYNAMIC = [
    ("bigquery", "CALL p.d.refresh()", "", "procedure"),
    ("tsql", "EXEC dbo.refresh @day = 1", "", "procedure"),
    ("tsql", "INSERT INTO a EXEC dbo.refresh", "a", "procedure"),
    ("bigquery", "EXECUTE IMMEDIATE 'INSERT INTO a ' || q", "", "run time"),
    ("bigquery", "EXECUTE IMMEDIATE q", "", "run time"),
    ("tsql", "EXEC (@q)", "", "run time"),
    ("duckdb", "SELECT * FROM read_csv(getvariable('x'))", "", "read_csv"),
]


@pytest.mark.parametrize(("dialect", "sql", "writes", "detail"), DYNAMIC)
def test_what_the_text_does_not_say_is_dynamic(
    dialect: str, sql: str, writes: str, detail: str
) -> None:
    found = extract_sql(f"SELECT 1;\n{sql}", SqlContext(dialect), "q.sql")
    (problem,) = found.unresolved
    assert problem.reason is UnresolvedReason.DYNAMIC
    assert problem.place == "q.sql:2"
    assert detail.replace("_", "") in problem.detail.replace("_", "")
    assert touched(found, Access.WRITE) == writes.split()


def test_broken_statement_is_named_and_the_others_count() -> None:
    sql = "INSERT INTO a SELECT * FROM b;\n\nSELECT FROM WHERE (;\nINSERT INTO c SELECT * FROM d;"
    found = extract_sql(sql, SqlContext("postgres"), "etl/q.sql")
    assert touched(found, Access.READ) == ["b", "d"]
    assert touched(found, Access.WRITE) == ["a", "c"]
    (problem,) = found.unresolved
    assert problem.reason is UnresolvedReason.SYNTAX
    assert problem.subject == "etl/q.sql"
    assert problem.place == "etl/q.sql:3"
    assert "SELECT FROM WHERE (" in problem.detail


def test_statement_of_another_dialect_is_still_read() -> None:
    found = extract_sql('SELECT * FROM "s"."t"', SqlContext("bigquery"), "q.sql")
    assert touched(found, Access.READ) == ["s.t"]


def test_open_string_is_reported() -> None:
    found = extract_sql("SELECT 'abc FROM a", SqlContext("postgres"), "q.sql")
    assert found.touches == ()
    (problem,) = found.unresolved
    assert problem.reason is UnresolvedReason.SYNTAX
    assert "statements" in problem.detail


def test_text_over_the_limit_is_refused_with_both_sizes() -> None:
    found = extract_sql("SELECT '" + "é" * 500_000 + "' FROM a", SqlContext(), "q.sql")
    assert found.touches == ()
    (problem,) = found.unresolved
    assert problem.reason is UnresolvedReason.TOO_LARGE
    assert "1000016" in problem.detail
    assert "1000000" in problem.detail


def test_deep_nesting_is_reported() -> None:
    sql = "SELECT 1 FROM a;\nSELECT " + "(" * 3000 + "1" + ")" * 3000 + ";\nSELECT 1 FROM b"
    found = extract_sql(sql, SqlContext(), "q.sql")
    assert touched(found, Access.READ) == ["a", "b"]
    (problem,) = found.unresolved
    assert problem.place == "q.sql:2"
    assert "nested too deeply" in problem.detail


def test_endless_blocks_are_reported() -> None:
    (problem,) = extract_sql("BEGIN " * 5000, SqlContext("postgres"), "q.sql").unresolved
    assert problem.reason is UnresolvedReason.SYNTAX


def test_long_unions_are_no_deep_nesting() -> None:
    sql = " UNION ALL ".join(f"SELECT * FROM t{number}" for number in range(2000))
    found = extract_sql(sql, SqlContext(), "q.sql")
    assert len(found.touches) == 2000
    assert found.unresolved == ()


def test_unknown_dialect_is_reported() -> None:
    (problem,) = extract_sql("SELECT 1 FROM a", SqlContext("postgress"), "q.sql").unresolved
    assert "postgress" in problem.detail
    assert "postgres," in problem.detail


def test_nothing_is_written_to_the_log(
    capsys: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    extract_sql("CREATE FOO bar; ALTER TABLE a FOO; SHOW x y z", SqlContext("postgres"), "q.sql")
    captured = capsys.readouterr()
    assert (captured.out, captured.err, caplog.records) == ("", "", [])


def test_parameters_and_place_do_not_leak_between_equal_texts() -> None:
    sql = "SELECT * FROM ${t}"
    one = extract_sql(sql, SqlContext(parameters={"t": "a"}), "one.sql")
    two = extract_sql(sql, SqlContext(parameters={"t": "b"}), "two.sql")
    assert [(str(t.dataset), t.place) for t in (*one.touches, *two.touches)] == [
        ("a", "one.sql:1"),
        ("b", "two.sql:1"),
    ]
