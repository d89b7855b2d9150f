--- files in and out
-- reads: t
-- writes: s3://bkt/k
UNLOAD ('SELECT * FROM t') TO 's3://bkt/k' IAM_ROLE 'r'

--- files in and out
-- reads: s3://bkt/k
-- writes: t
COPY t FROM 's3://bkt/k' IAM_ROLE 'r' CSV

--- ALTER
-- reads: s
-- writes: t
ALTER TABLE t APPEND FROM s

--- SELECT
-- reads: s.a
SELECT * FROM s.a t, t.items i

--- temporary tables
-- reads: a
-- writes: b
CREATE TABLE #t AS SELECT * FROM a;
INSERT INTO b SELECT * FROM #t

--- temporary tables
-- reads: s3://bkt/k
-- writes: a
CREATE TEMP TABLE s (LIKE a);
COPY s FROM 's3://bkt/k' IAM_ROLE 'r';
BEGIN TRANSACTION;
DELETE FROM a USING s WHERE a.x = s.x;
INSERT INTO a SELECT * FROM s;
END TRANSACTION

--- statistics of a table that is named
-- reads: s.a
SELECT tbl_rows FROM svv_table_info WHERE "schema" = 's' AND "table" = 'a'

--- names of two and three parts, of datashares too
-- reads: dev.public.t shared_db.s.u spectrum.v
SELECT * FROM dev.public.t JOIN shared_db.s.u USING (k) JOIN spectrum.v USING (k)

--- an external table of Spectrum is its files
-- reads: spectrum.sales
-- writes: public.t
-- view: spectrum.sales <- s3://bkt/sales
-- bases: s3://bkt/sales
CREATE EXTERNAL TABLE spectrum.sales (id INT, day DATE) PARTITIONED BY (d DATE)
ROW FORMAT DELIMITED FIELDS TERMINATED BY '\t' STORED AS TEXTFILE LOCATION 's3://bkt/sales/'
TABLE PROPERTIES ('numRows' = '170000');
INSERT INTO public.t SELECT * FROM spectrum.sales

--- a partition of an external table
-- reads: s3://bkt/sales/d=1
-- writes: spectrum.sales
ALTER TABLE spectrum.sales ADD IF NOT EXISTS PARTITION (d = '2024-01-01') LOCATION 's3://bkt/sales/d=1/'

--- CREATE EXTERNAL TABLE AS writes the files
-- reads: public.t
-- writes: spectrum.out s3://bkt/out
CREATE EXTERNAL TABLE spectrum.out PARTITIONED BY (d) STORED AS PARQUET LOCATION 's3://bkt/out/' AS SELECT * FROM public.t

--- external schema and database
CREATE EXTERNAL SCHEMA spectrum FROM DATA CATALOG DATABASE 'd' IAM_ROLE 'r' CREATE EXTERNAL DATABASE IF NOT EXISTS;
CREATE DATABASE shared_db FROM DATASHARE x OF NAMESPACE 'n'; ALTER DATASHARE x ADD TABLE s.t

--- late binding view
-- writes: v
-- view: v <- spectrum.a s.b
CREATE VIEW v AS SELECT * FROM spectrum.a JOIN s.b USING (k) WITH NO SCHEMA BINDING

--- materialised view with refresh
-- reads: s.a
-- writes: mv
-- view: mv <- s.a
CREATE MATERIALIZED VIEW mv BACKUP NO DISTSTYLE KEY DISTKEY (x) SORTKEY (y) AUTO REFRESH YES AS SELECT x, SUM(y) y FROM s.a GROUP BY x;
REFRESH MATERIALIZED VIEW mv

--- COPY in its forms
-- reads: s3://bkt/a.manifest s3://bkt/b dynamodb://orders/
-- writes: a b c
COPY a FROM 's3://bkt/a.manifest' CREDENTIALS 'aws_iam_role=arn:x' MANIFEST GZIP;
COPY b (x, y) FROM 's3://bkt/b/' IAM_ROLE DEFAULT FORMAT AS PARQUET;
COPY c FROM 'dynamodb://orders' IAM_ROLE 'r' READRATIO 50

--- COPY by a job
-- reads: s3://bkt/in
-- writes: t
COPY t FROM 's3://bkt/in/' IAM_ROLE 'r' JOB CREATE j AUTO ON

--- UNLOAD of a query with quotes in it
-- reads: s.t s.u
-- writes: s3://bkt/out
UNLOAD ('SELECT * FROM s.t WHERE d = ''2024-01-01'' AND k IN (SELECT k FROM s.u)')
TO 's3://bkt/out/' IAM_ROLE 'arn:x' FORMAT PARQUET PARTITION BY (d) ALLOWOVERWRITE

--- UNLOAD with dollars, over several lines
-- reads: s.t
-- writes: s3://bkt/out
UNLOAD ($$
  WITH x AS (SELECT * FROM s.t)
  SELECT * FROM x
$$) TO 's3://bkt/out/' IAM_ROLE 'r' CSV

--- the usual way to merge: stage, delete, insert
-- reads: s3://bkt/new
-- writes: s.t
BEGIN;
CREATE TEMP TABLE stage (LIKE s.t INCLUDING DEFAULTS);
COPY stage FROM 's3://bkt/new' IAM_ROLE 'r';
DELETE FROM s.t USING stage WHERE s.t.id = stage.id;
INSERT INTO s.t SELECT * FROM stage;
END;
DROP TABLE stage

--- UPDATE through FROM that names its target again
-- reads: s.a s.b
-- writes: s.a
UPDATE s.a SET x = b.x FROM s.b AS b JOIN s.a AS old ON old.id = b.id WHERE s.a.id = b.id

--- deep copy: like, insert, drop, rename
-- reads: t
-- writes: t
CREATE TABLE t_new (LIKE t); INSERT INTO t_new (SELECT * FROM t); DROP TABLE t; ALTER TABLE t_new RENAME TO t

--- SELECT INTO a temporary table
-- reads: a
-- writes: b
SELECT * INTO TEMP TABLE x FROM a; SELECT * INTO b FROM x

--- ALTER TABLE APPEND moves the rows
-- reads: stage.t
-- writes: prod.t
ALTER TABLE prod.t APPEND FROM stage.t FILLTARGET

--- nested data of Spectrum and SUPER
-- reads: s.c
SELECT c.id, o.sku, p FROM s.c c, c.orders o, o.parts p LEFT JOIN o.tags t ON TRUE

--- UNPIVOT of an object
-- reads: s.t
SELECT attr, val FROM s.t AS c, UNPIVOT c.o AS val AT attr

--- PIVOT, QUALIFY, TOP, CONNECT BY
-- reads: a b c
SELECT TOP 3 * FROM (SELECT * FROM a) PIVOT (AVG(x) FOR q IN ('a', 'b'));
SELECT * FROM b QUALIFY ROW_NUMBER() OVER (PARTITION BY k ORDER BY t) = 1;
SELECT * FROM c START WITH boss IS NULL CONNECT BY PRIOR id = boss

--- a stored procedure, defined and called
-- reads: b
-- writes: a
CREATE OR REPLACE PROCEDURE fill(n IN INT) AS $$
DECLARE r RECORD;
BEGIN
  TRUNCATE a;
  INSERT INTO a SELECT * FROM b WHERE k > n;
END;
$$ LANGUAGE plpgsql;
CALL fill(3)

--- dynamic SQL in a procedure that is called
-- reads: src.orders
-- writes: dst.orders
CREATE PROCEDURE copy_orders() AS $$
DECLARE
  t VARCHAR := 'orders';
  q VARCHAR(MAX);
BEGIN
  q := 'INSERT INTO dst.' || t || ' SELECT * FROM src.' || quote_ident(t);
  EXECUTE q;
END;
$$ LANGUAGE plpgsql;
CALL copy_orders()

--- a SQL function that is called
-- reads: a
CREATE FUNCTION f(FLOAT) RETURNS FLOAT STABLE AS $$ SELECT $1 * 2 $$ LANGUAGE sql; SELECT f(x) FROM a

--- functions of other languages, external functions, models
-- reads: a
CREATE FUNCTION f(x INT) RETURNS INT STABLE AS $$ return x $$ LANGUAGE plpythonu;
CREATE EXTERNAL FUNCTION g(INT) RETURNS INT STABLE LAMBDA 'l' IAM_ROLE 'r';
SELECT f(x), g(x) FROM a

--- search_path and USE
-- reads: x.a y.b
SET search_path TO x, public; SELECT * FROM a; SET search_path TO '$user', y; SELECT * FROM b

--- PREPARE and EXECUTE
-- reads: b
-- writes: a
PREPARE p (INT) AS INSERT INTO a SELECT * FROM b WHERE k = $1; EXECUTE p (3); DEALLOCATE p

--- cursor
-- reads: a
BEGIN; DECLARE c CURSOR FOR SELECT * FROM a; FETCH FORWARD 10 FROM c; CLOSE c; COMMIT

--- streaming ingestion
-- reads: kinesis.orders
-- writes: mv
-- view: mv <- kinesis.orders
CREATE EXTERNAL SCHEMA kinesis FROM KINESIS IAM_ROLE 'r';
CREATE MATERIALIZED VIEW mv AUTO REFRESH YES AS SELECT JSON_PARSE(kinesis_data) d FROM kinesis.orders WHERE CAN_JSON_PARSE(kinesis_data)

--- one statement is broken, the others count
-- reads: b
-- writes: a
-- unresolved: syntax 2 does not parse
INSERT INTO a SELECT * FROM b;
SELECT * FROM WHERE

--- system tables and views are no datasets
SELECT * FROM stl_query, svv_tables, pg_table_def, sys_query_history, stv_recents, pg_catalog.pg_class

--- MERGE with both branches, and REMOVE DUPLICATES
-- reads: s.b s.c
-- writes: s.a
MERGE INTO s.a USING s.b ON s.a.id = s.b.id WHEN MATCHED THEN UPDATE SET v = s.b.v WHEN NOT MATCHED THEN INSERT VALUES (s.b.id, s.b.v);
MERGE INTO s.a USING s.c ON s.a.id = s.c.id REMOVE DUPLICATES

--- a model is trained on a query
-- reads: s.t
-- writes: m
CREATE MODEL m FROM (SELECT x, y FROM s.t) TARGET y FUNCTION predict_y IAM_ROLE DEFAULT SETTINGS (S3_BUCKET 'b')

--- grants, vacuum, analyze, comments, locks, row security
GRANT SELECT ON t TO GROUP g; VACUUM FULL t; ANALYZE t; ANALYZE COMPRESSION t; COMMENT ON TABLE t IS 'x'; LOCK t;
CREATE RLS POLICY p USING (x = 1); ATTACH RLS POLICY p ON t TO ROLE r; CANCEL 1; CREATE IDENTITY PROVIDER i TYPE azure

--- words that look like system views
-- reads: public.sys_users mart.stl_orders public.sysadmins sales.svv_deals
SELECT * FROM public.sys_users u, mart.stl_orders o, public.sysadmins a, sales.svv_deals d

--- system views of today
SELECT * FROM sys_query_history q JOIN sys_load_history l ON q.query_id = l.query_id JOIN pg_catalog.sys_serverless_usage USING (x)

--- names of own tables with the stems of system views
-- reads: sys_orders sys_customers stv_budget
SELECT * FROM sys_orders JOIN sys_customers USING (id) JOIN stv_budget USING (id)

--- load through staging with an explicit transaction and COPY from a manifest
-- reads: s3://lake/orders/manifest.json
-- writes: mart.orders
BEGIN;
CREATE TEMP TABLE orders_stage (LIKE mart.orders INCLUDING DEFAULTS);
COPY orders_stage FROM 's3://lake/orders/manifest.json' IAM_ROLE 'arn:aws:iam::1:role/x' MANIFEST FORMAT JSON 'auto';
DELETE FROM mart.orders USING orders_stage s WHERE mart.orders.id = s.id;
INSERT INTO mart.orders SELECT * FROM orders_stage;
END;

--- UNLOAD with a nested quote and partition
-- reads: mart.sums mart.days
-- writes: s3://lake/out/sums_
UNLOAD ('SELECT * FROM mart.sums WHERE d IN (SELECT d FROM mart.days WHERE k = ''x'')')
TO 's3://lake/out/sums_' IAM_ROLE default PARQUET PARTITION BY (d) CLEANPATH;

--- a procedure with a loop over a query and dynamic unload
-- reads: meta.t
-- unresolved: dynamic 5 s3:
-- unresolved: dynamic 5 mart.
CREATE OR REPLACE PROCEDURE sp() AS $$
DECLARE r RECORD;
BEGIN
  FOR r IN SELECT name FROM meta.t LOOP
    EXECUTE 'UNLOAD (''SELECT * FROM mart.' || r.name || ''') TO ''s3://b/' || r.name || ''' IAM_ROLE default';
  END LOOP;
END; $$ LANGUAGE plpgsql;
CALL sp();

--- a function of AWS Lambda
CREATE EXTERNAL FUNCTION f(int) RETURNS int STABLE LAMBDA 'select-it' IAM_ROLE 'x'
