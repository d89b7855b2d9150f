--- files in and out
-- reads: s3://bkt/k
-- writes: t
COPY INTO t FROM 's3://bkt/k' FILEFORMAT = CSV

--- CREATE
-- reads: b
-- writes: a
CREATE TABLE a DEEP CLONE b

--- COPY INTO with a query
-- reads: abfss://c@acct.dfs.core.windows.net/in
-- writes: cat.db.t
COPY INTO cat.db.t FROM (SELECT x, _metadata.file_name AS f FROM 'abfss://c@acct.dfs.core.windows.net/in/') FILEFORMAT = JSON PATTERN = '*.json' FORMAT_OPTIONS ('mergeSchema' = 'true') COPY_OPTIONS ('force' = 'false')

--- read_files and its streaming form
-- reads: s3://bkt/in s3://bkt/raw
-- writes: a b
CREATE TABLE a AS SELECT * FROM read_files('s3://bkt/in/', format => 'csv', header => true);
CREATE OR REFRESH STREAMING TABLE b AS SELECT * FROM STREAM read_files('s3://bkt/raw')

--- tables of a pipeline
-- reads: s
-- writes: t
CREATE OR REFRESH STREAMING TABLE t (CONSTRAINT ok EXPECT (x > 0) ON VIOLATION DROP ROW) AS SELECT * FROM STREAM(s)

--- clones of a version
-- reads: b d
-- writes: a c
CREATE OR REPLACE TABLE a SHALLOW CLONE b VERSION AS OF 3;
CREATE TABLE IF NOT EXISTS c DEEP CLONE d TIMESTAMP AS OF '2024-01-01'

--- a clone into a path
-- reads: b
-- writes: s3://bkt/c
CREATE TABLE delta.`s3://bkt/c` CLONE b

--- MERGE with schema evolution into a path
-- reads: updates
-- writes: file//mnt/t
MERGE WITH SCHEMA EVOLUTION INTO delta.`/mnt/t` AS t USING updates AS u ON t.i = u.i WHEN MATCHED THEN UPDATE SET * WHEN NOT MATCHED THEN INSERT *

--- INSERT REPLACE USING and REPLACE ON
-- reads: b
-- writes: a
INSERT INTO a REPLACE USING (dt) SELECT * FROM b;
INSERT INTO TABLE a REPLACE ON (a.i = b.i) SELECT * FROM b

--- USE CATALOG and USE SCHEMA
-- reads: main.lake.a main.shop.b
USE CATALOG main;
USE SCHEMA lake;
SELECT * FROM a;
USE DATABASE shop;
SELECT * FROM b

--- a table goes back to a version
-- writes: t u
RESTORE TABLE t TO VERSION AS OF 3;
RESTORE u TO TIMESTAMP AS OF '2024-01-01'

--- upkeep of tables
-- writes: t
OPTIMIZE t WHERE dt > '2024' ZORDER BY (x);
VACUUM t RETAIN 168 HOURS;
FSCK REPAIR TABLE t;
DESCRIBE HISTORY t;
REORG TABLE t APPLY (PURGE);
CONVERT TO DELTA parquet.`s3://bkt/k` PARTITIONED BY (dt STRING);
ANALYZE TABLE t COMPUTE DELTA STATISTICS;
COMMENT ON TABLE t IS 'a; b';
GRANT SELECT ON TABLE t TO `x@y.z`;
MSCK REPAIR TABLE t SYNC METADATA

--- materialised views and streaming tables are refreshed
-- reads: a
-- writes: mv st
-- view: mv <- a
CREATE OR REPLACE MATERIALIZED VIEW mv SCHEDULE CRON '0 0 * * * ?' AS SELECT * FROM a;
REFRESH MATERIALIZED VIEW mv;
REFRESH STREAMING TABLE st FULL

--- external tables and volumes
-- view: t <- abfss://c@acct.dfs.core.windows.net/t
CREATE TABLE t (x INT) USING delta LOCATION 'abfss://c@acct.dfs.core.windows.net/t';
CREATE EXTERNAL VOLUME cat.db.vol LOCATION 's3://bkt/vol'

--- files of a volume
-- reads: file//Volumes/cat/db/vol/x.csv
SELECT * FROM csv.`/Volumes/cat/db/vol/x.csv`

--- EXECUTE IMMEDIATE of constants
-- reads: b
-- writes: a
EXECUTE IMMEDIATE 'INSERT INTO a SELECT * FROM b WHERE x = :x' USING 1 AS x

--- APPLY CHANGES of a pipeline
-- reads: s
-- writes: t
CREATE OR REFRESH STREAMING TABLE t;
APPLY CHANGES INTO t FROM STREAM(s) KEYS (i) APPLY AS DELETE WHEN op = 'D' SEQUENCE BY ts COLUMNS * EXCEPT (op) STORED AS SCD TYPE 2

--- flows of a pipeline
-- reads: s
-- writes: t
CREATE FLOW f AS INSERT INTO t BY NAME SELECT * FROM STREAM(s)

--- the pipe syntax
-- reads: a b
FROM a |> WHERE x > 1 |> JOIN b USING (i) |> AGGREGATE COUNT(*) AS n GROUP BY k

--- a Python function's body is no SQL
-- reads: a
CREATE OR REPLACE FUNCTION f(x STRING) RETURNS STRING LANGUAGE PYTHON AS $$
  return "SELECT * FROM hidden; " + x
$$;
SELECT f(x) FROM a

--- COPY INTO a Delta path with files and a credential
-- reads: s3://bkt/in
-- writes: file//mnt/t
COPY INTO delta.`/mnt/t` FROM 's3://bkt/in/' WITH (CREDENTIAL (AWS_ACCESS_KEY = 'a')) FILEFORMAT = CSV FILES = ('a.csv', 'b.csv')

--- cloud_files of a pipeline
-- reads: s3://bkt/raw
-- writes: b
CREATE OR REFRESH STREAMING LIVE TABLE b COMMENT 'x' AS SELECT * FROM cloud_files('s3://bkt/raw', 'json')

--- changes of a table
-- reads: cat.db.t u
SELECT * FROM table_changes('cat.db.t', 2, 5);
SELECT * FROM table_changes('`u`', 0)

--- time travel with an at sign
-- reads: cat.db.t u file//data/d
SELECT * FROM cat.db.t@v12 JOIN u@20240101000000000 USING (i), delta.`/data/d@v3`

--- a table that is handed to a function, in both spellings
-- reads: b c
SELECT * FROM ai_forecast(TABLE(b), horizon => '2030-01-01', time_col => 'd', value_col => 'x');
WITH w AS (SELECT * FROM c) SELECT * FROM f(TABLE(w)), f(TABLE b)

--- COPY INTO with a select from files, and a streaming table
-- reads: abfss://c@a.dfs.core.windows.net/in s3://b/k
-- writes: cat.br.o cat.br.s
COPY INTO cat.br.o FROM (SELECT _c0::int id FROM 'abfss://c@a.dfs.core.windows.net/in/') FILEFORMAT = CSV FORMAT_OPTIONS ('header' = 'true');
CREATE OR REFRESH STREAMING TABLE cat.br.s AS SELECT * FROM STREAM read_files('s3://b/k', format => 'json')

--- a function that returns a query
-- reads: a.b
CREATE FUNCTION f(x INT) RETURNS INT RETURN SELECT max(y) FROM a.b WHERE z = x;
SELECT f(1)
