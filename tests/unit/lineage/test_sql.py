"""One statement at a time: exactly which tables it reads and writes, dialect by dialect."""

import pytest

from swarm.lineage.sql import extract_sql
from swarm.lineage.text import SqlContext
from swarm.model.lineage import Access, Extraction

# dialect, statement, tables read, tables written (separated by spaces)
CASES = [
    ("", "SELECT 1", "", ""),
    ("", "SELECT * FROM a, b JOIN s.c ON TRUE", "a b s.c", ""),
    ("", "SELECT * FROM a WHERE x IN (SELECT x FROM b) AND EXISTS (SELECT 1 FROM c)", "a b c", ""),
    ("", "SELECT (SELECT max(x) FROM b) FROM a ORDER BY (SELECT y FROM c)", "b a c", ""),
    ("", "SELECT * FROM a UNION ALL SELECT * FROM b EXCEPT SELECT * FROM c", "a b c", ""),
    ("", "SELECT * FROM (SELECT * FROM (SELECT * FROM a) x) y", "a", ""),
    ("", "INSERT INTO a VALUES (1, 'from b')", "", "a"),
    ("", "INSERT INTO a (x) SELECT x FROM b", "b", "a"),
    ("", "INSERT INTO a SELECT x FROM a JOIN b USING (x)", "a b", "a"),
    ("", "CREATE TABLE a AS SELECT * FROM b", "b", "a"),
    ("", "CREATE TABLE IF NOT EXISTS a AS SELECT * FROM b", "b", "a"),
    ("", "CREATE TABLE a (x INT)", "", "a"),
    ("", "CREATE TABLE IF NOT EXISTS a (x INT)", "", ""),
    ("", "DROP TABLE a", "", ""),
    ("", "TRUNCATE TABLE a", "", "a"),
    ("", "ALTER TABLE a ADD COLUMN x INT", "", ""),
    ("", "UPDATE a SET x = (SELECT max(y) FROM b)", "b", "a"),
    ("", "DELETE FROM a WHERE x IN (SELECT x FROM b)", "b", "a"),
    ("", "-- SELECT * FROM a\n/* FROM b */ SELECT 'FROM c' FROM d -- FROM e", "d", ""),
    # common table expressions
    ("", "WITH a AS (SELECT * FROM b) SELECT * FROM a", "b", ""),
    ("", "WITH a AS (SELECT * FROM b), c AS (SELECT * FROM a) SELECT * FROM c, d", "b d", ""),
    ("", "WITH b AS (SELECT * FROM s.b) SELECT * FROM b", "s.b", ""),
    ("", "WITH b AS (SELECT * FROM b) SELECT * FROM b", "b", ""),
    ("", "WITH b AS (SELECT * FROM a), a AS (SELECT 1 AS x) SELECT * FROM a, b", "a", ""),
    ("", "SELECT * FROM (WITH a AS (SELECT 1 AS x) SELECT * FROM a) t JOIN a USING (x)", "a", ""),
    ("", "WITH a AS (SELECT 1 AS x) SELECT * FROM (SELECT * FROM a) t, s.a", "s.a", ""),
    ("", "WITH RECURSIVE t AS (SELECT 1 AS n UNION ALL SELECT n FROM t) SELECT * FROM t", "", ""),
    ("", "WITH A AS (SELECT 1 AS x) SELECT * FROM a", "", ""),
    ("", "INSERT INTO t WITH a AS (SELECT * FROM b) SELECT * FROM a", "b", "t"),
    ("", "WITH a AS (SELECT * FROM b) INSERT INTO t SELECT * FROM a", "b", "t"),
    # BigQuery
    ("bigquery", "SELECT * FROM `p-1.d.t`, `p-1`.d.u, p-1.d.v", "p-1.d.t p-1.d.u p-1.d.v", ""),
    ("bigquery", "SELECT * FROM `p.d.events_*` WHERE _TABLE_SUFFIX > '2'", "p.d.events_*", ""),
    ("bigquery", "SELECT * FROM `p.d.events_2024*`", "p.d.events_*", ""),
    ("bigquery", "SELECT * FROM `p.d.events_20240131`", "p.d.events_*", ""),
    ("bigquery", "INSERT INTO `p.d.t$20240131` SELECT * FROM d.u", "d.u", "p.d.t"),
    ("bigquery", "SELECT * FROM d.t FOR SYSTEM_TIME AS OF TIMESTAMP '2024-01-01'", "d.t", ""),
    ("bigquery", "SELECT * FROM d.t AS t, t.items AS i, i.parts, UNNEST(t.x)", "d.t", ""),
    ("bigquery", "SELECT ARRAY(SELECT x FROM t.items) FROM d.t CROSS JOIN e.t2", "d.t e.t2", ""),
    ("bigquery", "SELECT * FROM d.INFORMATION_SCHEMA.TABLES", "", ""),
    ("bigquery", "SELECT * FROM ML.PREDICT(MODEL d.m, TABLE d.t)", "d.m d.t", ""),
    (
        "bigquery",
        "MERGE d.a t USING (SELECT * FROM d.b) s ON t.x = s.x WHEN MATCHED THEN UPDATE SET y = 1",
        "d.b",
        "d.a",
    ),
    (
        "bigquery",
        "EXPORT DATA OPTIONS(uri='gs://bkt/k/*.csv', format='CSV') AS SELECT * FROM d.t",
        "d.t",
        "gs://bkt/k/*.csv",
    ),
    ("bigquery", "LOAD DATA INTO d.t FROM FILES(uris=['gs://bkt/k'])", "gs://bkt/k", "d.t"),
    ("bigquery", "CREATE TABLE d.a CLONE d.b", "d.b", "d.a"),
    ("bigquery", "CREATE SNAPSHOT TABLE d.a CLONE d.b", "d.b", "d.a"),
    ("bigquery", "DECLARE x DATE DEFAULT (SELECT max(d) FROM d.t)", "d.t", ""),
    ("bigquery", "FROM d.a |> WHERE x > 1 |> JOIN d.b USING (y)", "d.a d.b", ""),
    # Snowflake
    ("snowflake", "COPY INTO s.t FROM @stage/path/ FILE_FORMAT=(TYPE=CSV)", "@stage/path", "s.t"),
    ("snowflake", "COPY INTO @stage/out FROM (SELECT * FROM t)", "t", "@stage/out"),
    ("snowflake", "COPY INTO t FROM 's3://bkt/in/'", "s3://bkt/in", "t"),
    ("snowflake", "SELECT $1 FROM @stage/x.csv", "@stage/x.csv", ""),
    ("snowflake", "INSERT OVERWRITE INTO a SELECT * FROM b AT(OFFSET => -60)", "b", "a"),
    ("snowflake", "SELECT * FROM a, LATERAL FLATTEN(INPUT => a.x)", "a", ""),
    ("snowflake", "SELECT * FROM TABLE(GENERATOR(ROWCOUNT => 3))", "", ""),
    ("snowflake", "SELECT * FROM IDENTIFIER('s.t')", "s.t", ""),
    ("snowflake", "CREATE TABLE a CLONE b", "b", "a"),
    ("snowflake", "INSERT ALL INTO a VALUES (x) INTO b VALUES (y) SELECT x, y FROM c", "c", "a b"),
    ("snowflake", "CREATE TASK k AS INSERT INTO a SELECT * FROM b", "", ""),
    # Redshift
    ("redshift", "UNLOAD ('SELECT * FROM t') TO 's3://bkt/k' IAM_ROLE 'r'", "t", "s3://bkt/k"),
    ("redshift", "COPY t FROM 's3://bkt/k' IAM_ROLE 'r' CSV", "s3://bkt/k", "t"),
    ("redshift", "ALTER TABLE t APPEND FROM s", "s", "t"),
    ("redshift", "SELECT * FROM s.a t, t.items i", "s.a", ""),
    # PostgreSQL
    ("postgres", "COPY t FROM '/in/x.csv'", "file//in/x.csv", "t"),
    ("postgres", "COPY (SELECT * FROM t) TO '/out/x.csv'", "t", "file//out/x.csv"),
    ("postgres", "COPY t FROM STDIN", "", "t"),
    ("postgres", "UPDATE a SET x = b.x FROM b WHERE a.y = b.y", "b", "a"),
    ("postgres", "DELETE FROM a USING b WHERE a.x = b.x", "b", "a"),
    ("postgres", "INSERT INTO a VALUES (1) ON CONFLICT (x) DO UPDATE SET y = 2", "", "a"),
    ("postgres", "WITH x AS (DELETE FROM a RETURNING *) INSERT INTO b SELECT * FROM x", "", "a b"),
    ("postgres", "SELECT * INTO a FROM b", "b", "a"),
    ("postgres", "SELECT * FROM a, LATERAL (SELECT * FROM b) l, generate_series(1, 9)", "a b", ""),
    ("postgres", "REFRESH MATERIALIZED VIEW CONCURRENTLY s.m", "", "s.m"),
    ("postgres", "CREATE TABLE a (LIKE b)", "", "a"),
    ("postgres", "SELECT * FROM pg_catalog.pg_tables", "", ""),
    ("postgres", "EXPLAIN SELECT * FROM a", "", ""),
    # T-SQL
    ("tsql", "SELECT * FROM [Lake].[dbo].[Orders]", "lake.dbo.orders", ""),
    ("tsql", "SELECT * FROM lake..t", "lake.dbo.t", ""),
    ("tsql", "SELECT * INTO dbo.a FROM dbo.b", "dbo.b", "dbo.a"),
    ("tsql", "UPDATE t SET x = 1 FROM dbo.a AS t JOIN dbo.b ON t.y = b.y", "dbo.b", "dbo.a"),
    ("tsql", "DELETE t FROM dbo.a t JOIN dbo.b ON t.y = b.y", "dbo.b", "dbo.a"),
    ("tsql", "WITH c AS (SELECT * FROM a) DELETE FROM c WHERE x = 1", "", "a"),
    ("tsql", "BULK INSERT dbo.t FROM '/in/x.csv'", "file//in/x.csv", "dbo.t"),
    ("tsql", "INSERT INTO @v SELECT * FROM a", "a", ""),
    ("tsql", "EXEC('INSERT INTO a SELECT * FROM b')", "b", "a"),
    ("tsql", "EXEC sp_executesql N'INSERT INTO a SELECT * FROM b'", "b", "a"),
    # MySQL
    ("mysql", "REPLACE INTO a SELECT * FROM b", "b", "a"),
    ("mysql", "INSERT IGNORE INTO `a` SELECT * FROM `s`.`b`", "s.b", "a"),
    ("mysql", "UPDATE a JOIN b ON a.x = b.x SET a.y = b.y", "b", "a"),
    ("mysql", "UPDATE a JOIN b ON a.x = b.x SET b.y = a.y", "a", "b"),
    ("mysql", "DELETE a FROM a JOIN b ON a.x = b.x", "b", "a"),
    ("mysql", "LOAD DATA INFILE '/in/x.csv' INTO TABLE a", "file//in/x.csv", "a"),
    # Hive and Spark
    ("hive", "INSERT OVERWRITE TABLE a PARTITION (d='1') SELECT * FROM b", "b", "a"),
    (
        "hive",
        "FROM s INSERT OVERWRITE TABLE a SELECT x INSERT INTO TABLE b SELECT y WHERE z = 1",
        "s",
        "a b",
    ),
    ("hive", "INSERT OVERWRITE DIRECTORY 's3://bkt/k' SELECT * FROM t", "t", "s3://bkt/k"),
    ("hive", "LOAD DATA INPATH 's3://bkt/k' INTO TABLE t", "s3://bkt/k", "t"),
    ("hive", "ALTER TABLE t ADD PARTITION (d='1') LOCATION 's3://bkt/k'", "s3://bkt/k", "t"),
    ("hive", "MSCK REPAIR TABLE t", "", ""),
    ("hive", "SELECT * FROM a LATERAL VIEW explode(x) e AS y", "a", ""),
    ("spark", "SELECT * FROM parquet.`/data/x.parquet`", "file//data/x.parquet", ""),
    ("spark", "SELECT * FROM delta.`s3a://bkt/k/`", "s3://bkt/k", ""),
    ("spark", "INSERT INTO cat.db.t SELECT * FROM cat.db.u", "cat.db.u", "cat.db.t"),
    ("databricks", "COPY INTO t FROM 's3://bkt/k' FILEFORMAT = CSV", "s3://bkt/k", "t"),
    ("databricks", "CREATE TABLE a DEEP CLONE b", "b", "a"),
    # Trino
    ("trino", 'CREATE TABLE h.s.t AS WITH b AS (SELECT * FROM a) SELECT * FROM b', "a", "h.s.t"),
    ("trino", 'SELECT * FROM h.s."t$partitions"', "h.s.t", ""),
    ("trino", "SELECT * FROM a CROSS JOIN UNNEST(x) AS u (y)", "a", ""),
    ("athena", "UNLOAD (SELECT * FROM t) TO 's3://bkt/k' WITH (format='ORC')", "t", "s3://bkt/k"),
    # DuckDB
    ("duckdb", "SELECT * FROM 'in/x.parquet'", "file/in/x.parquet", ""),
    ("duckdb", "FROM 'x.csv'", "file/x.csv", ""),
    ("duckdb", "SELECT * FROM read_csv('/in/x.csv', header=true)", "file//in/x.csv", ""),
    ("duckdb", "SELECT * FROM read_parquet(['a.parquet', 's3://bkt/k'])",
     "file/a.parquet s3://bkt/k", ""),
    ("duckdb", "COPY t TO 'out.parquet' (FORMAT parquet)", "t", "file/out.parquet"),
    ("duckdb", "COPY t FROM 'in.csv'", "file/in.csv", "t"),
    ("duckdb", "CREATE OR REPLACE TABLE t AS FROM 'x.csv'", "file/x.csv", "t"),
    ("duckdb", "PIVOT t ON x USING sum(y)", "t", ""),
    # where a table's alias or a sequence is no table
    ("postgres", "SELECT * FROM a x FOR UPDATE OF x", "a", ""),
    ("tsql", "INSERT INTO a SELECT NEXT VALUE FOR s FROM b", "b", "a"),
    # moves of rows that are no queries
    ("postgres", "ALTER TABLE a ATTACH PARTITION b FOR VALUES IN (1)", "b", "a"),
    ("postgres", "ALTER TABLE a DETACH PARTITION b", "", "a"),
    ("postgres", "ALTER TABLE x.a SET SCHEMA y", "x.a", "y.a"),
    ("postgres", "ALTER TABLE a OWNER TO b", "", ""),
    ("spark", "CREATE TABLE t USING delta LOCATION 's3://bkt/k' AS SELECT * FROM a", "a",
     "t s3://bkt/k"),
    ("bigquery", "CREATE MODEL d.m OPTIONS(model_type='x') AS SELECT * FROM d.t", "d.t", "d.m"),
    ("bigquery", "ASSERT EXISTS (SELECT 1 FROM d.t) AS 'no rows'", "d.t", ""),
    ("hive", "WITH x AS (SELECT * FROM a) FROM x INSERT OVERWRITE TABLE b SELECT *", "a", "b"),
    ("clickhouse", "INSERT INTO FUNCTION s3('https://h/k.csv') SELECT * FROM a", "a",
     "https://h/k.csv"),
    ("snowflake", "MERGE INTO a USING @st/x s ON TRUE WHEN MATCHED THEN DELETE", "@st/x", "a"),
    # Oracle
    ("oracle", "SELECT * FROM s.t, dual", "s.t", ""),
    ("oracle", "MERGE INTO a t USING dual ON (1 = 1) WHEN MATCHED THEN UPDATE SET x = 1", "", "a"),
    ("oracle", "INSERT ALL INTO a VALUES (1) INTO b VALUES (2) SELECT * FROM c", "c", "a b"),
    ("oracle", "CREATE GLOBAL TEMPORARY TABLE a (x NUMBER)", "", "a"),
    # ClickHouse, SQLite
    ("clickhouse", "INSERT INTO a SELECT * FROM b FINAL ARRAY JOIN c", "b", "a"),
    ("clickhouse", "SELECT * FROM s3('https://h/bkt/k.csv')", "https://h/bkt/k.csv", ""),
    ("clickhouse", "SELECT * FROM numbers(10)", "", ""),
    ("sqlite", "INSERT OR REPLACE INTO a SELECT * FROM b", "b", "a"),
]  # fmt: skip


def touched(found: Extraction, access: Access) -> list[str]:
    return [str(touch.dataset) for touch in found.touches if touch.access is access]


@pytest.mark.parametrize(("dialect", "sql", "reads", "writes"), CASES)
def test_statement_reads_and_writes_exactly(
    dialect: str, sql: str, reads: str, writes: str
) -> None:
    found = extract_sql(sql, SqlContext(dialect), "q.sql")
    assert touched(found, Access.READ) == reads.split()
    assert touched(found, Access.WRITE) == writes.split()
    assert found.unresolved == ()


VIEWS = [
    ("", "CREATE VIEW v AS SELECT * FROM a JOIN b USING (x)", "", "v", {"v": "a b"}),
    ("", "CREATE OR REPLACE VIEW s.v (x) AS WITH a AS (SELECT 1) SELECT * FROM a, c", "", "s.v",
     {"s.v": "c"}),
    ("postgres", "CREATE MATERIALIZED VIEW v AS SELECT * FROM a", "a", "v", {"v": "a"}),
    ("clickhouse", "CREATE MATERIALIZED VIEW v TO t AS SELECT * FROM a", "", "v",
     {"v": "a", "t": "a"}),
    ("hive", "CREATE EXTERNAL TABLE t (x INT) LOCATION 's3://bkt/k'", "", "", {"t": "s3://bkt/k"}),
    ("bigquery", "CREATE EXTERNAL TABLE d.t OPTIONS(uris=['gs://bkt/k'], format='CSV')", "", "",
     {"d.t": "gs://bkt/k"}),
    ("spark", "CREATE TABLE t USING parquet LOCATION 's3://bkt/k'", "", "", {"t": "s3://bkt/k"}),
    ("snowflake", "CREATE DYNAMIC TABLE t TARGET_LAG='1 m' WAREHOUSE=w AS SELECT * FROM a", "a",
     "t", {}),
]  # fmt: skip


@pytest.mark.parametrize(("dialect", "sql", "reads", "writes", "views"), VIEWS)
def test_views_say_what_reading_them_reads(
    dialect: str, sql: str, reads: str, writes: str, views: dict[str, str]
) -> None:
    found = extract_sql(sql, SqlContext(dialect), "q.sql")
    assert touched(found, Access.READ) == reads.split()
    assert touched(found, Access.WRITE) == writes.split()
    shown = {str(view.dataset): " ".join(map(str, view.reads)) for view in found.views}
    assert shown == views


def test_quoted_names_may_hold_anything() -> None:
    found = extract_sql('SELECT * FROM "My Schema"."Order Items; x"', SqlContext(), "q.sql")
    assert touched(found, Access.READ) == ["my schema.order items; x"]


def test_short_names_are_completed_and_long_ones_are_not() -> None:
    context = SqlContext("postgres", "postgres://h:5432", "lake", "public")
    found = extract_sql("INSERT INTO a SELECT * FROM s.b, c.s.d", context, "q.sql")
    assert [str(touch.dataset) for touch in found.touches] == [
        "postgres://h:5432/lake.public.a",
        "postgres://h:5432/lake.s.b",
        "postgres://h:5432/c.s.d",
    ]


def test_each_touch_shows_its_line() -> None:
    sql = "\n-- first\nINSERT INTO a\nSELECT x\nFROM b;\n\nSELECT *\n  FROM c, b"
    found = extract_sql(sql, SqlContext(), "etl/q.sql")
    shown = [(str(t.dataset), t.place, t.excerpt) for t in found.touches]
    assert shown == [
        ("a", "etl/q.sql:3", "INSERT INTO a"),
        ("b", "etl/q.sql:5", "FROM b;"),
        ("c", "etl/q.sql:8", "FROM c, b"),
    ]


def test_excerpts_are_short() -> None:
    found = extract_sql("SELECT " + "x, " * 200 + "y FROM a", SqlContext(), "q.sql")
    assert len(found.touches[0].excerpt) == 160
