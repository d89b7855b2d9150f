--- SELECT
-- reads: p-1.d.t p-1.d.u p-1.d.v
SELECT * FROM `p-1.d.t`, `p-1`.d.u, p-1.d.v

--- wildcards, shards and partitions
-- reads: p.d.events_*
SELECT * FROM `p.d.events_*` WHERE _TABLE_SUFFIX > '2'

--- wildcards, shards and partitions
-- reads: p.d.events_*
SELECT * FROM `p.d.events_2024*`

--- wildcards, shards and partitions
-- reads: p.d.events_*
SELECT * FROM `p.d.events_20240131`

--- wildcards, shards and partitions
-- reads: d.u
-- writes: p.d.t
INSERT INTO `p.d.t$20240131` SELECT * FROM d.u

--- time travel
-- reads: d.t
SELECT * FROM d.t FOR SYSTEM_TIME AS OF TIMESTAMP '2024-01-01'

--- table functions
-- reads: d.t
SELECT * FROM d.t AS t, t.items AS i, i.parts, UNNEST(t.x)

--- SELECT
-- reads: d.t e.t2
SELECT ARRAY(SELECT x FROM t.items) FROM d.t CROSS JOIN e.t2

--- catalog tables
SELECT * FROM d.INFORMATION_SCHEMA.TABLES

--- table functions
-- reads: d.m d.t
SELECT * FROM ML.PREDICT(MODEL d.m, TABLE d.t)

--- MERGE
-- reads: d.b
-- writes: d.a
MERGE d.a t USING (SELECT * FROM d.b) s ON t.x = s.x WHEN MATCHED THEN UPDATE SET y = 1

--- files in and out
-- reads: d.t
-- writes: gs://bkt/k/*.csv
EXPORT DATA OPTIONS(uri='gs://bkt/k/*.csv', format='CSV') AS SELECT * FROM d.t

--- files in and out
-- reads: gs://bkt/k
-- writes: d.t
LOAD DATA INTO d.t FROM FILES(uris=['gs://bkt/k'])

--- CREATE
-- reads: d.b
-- writes: d.a
CREATE TABLE d.a CLONE d.b

--- CREATE
-- reads: d.b
-- writes: d.a
CREATE SNAPSHOT TABLE d.a CLONE d.b

--- statements
-- reads: d.t
DECLARE x DATE DEFAULT (SELECT max(d) FROM d.t)

--- SELECT
-- reads: d.a d.b
FROM d.a |> WHERE x > 1 |> JOIN d.b USING (y)

--- moves of rows that are no queries
-- reads: d.t
-- writes: d.m
CREATE MODEL d.m OPTIONS(model_type='x') AS SELECT * FROM d.t

--- moves of rows that are no queries
-- reads: d.t
ASSERT EXISTS (SELECT 1 FROM d.t) AS 'no rows'

--- views and external tables
-- view: d.t <- gs://bkt/k
CREATE EXTERNAL TABLE d.t OPTIONS(uris=['gs://bkt/k'], format='CSV')

--- scripting
-- reads: b
-- writes: a log
BEGIN INSERT INTO a SELECT * FROM b; EXCEPTION WHEN ERROR THEN INSERT INTO log VALUES (1); END

--- scripting
-- reads: z c d
-- writes: a b
IF (SELECT count(*) FROM z) > 0 THEN DELETE FROM a WHERE TRUE;
ELSEIF FALSE THEN INSERT INTO b SELECT 1;
ELSE SELECT * FROM c;
END IF;
SELECT * FROM d

--- scripting
-- reads: a e
-- writes: b c d
FOR r IN (SELECT * FROM a) DO INSERT INTO b VALUES (1);
END FOR;
WHILE x DO INSERT INTO c SELECT 1;
END WHILE;
LOOP INSERT INTO d SELECT 1;
LEAVE;
END LOOP;
SELECT * FROM e

--- scripting
-- reads: a
-- writes: b
DECLARE x INT64; SET x = (SELECT max(y) FROM a); INSERT INTO b SELECT x

--- scripting
-- reads: b
-- writes: a
BEGIN TRANSACTION; INSERT INTO a SELECT * FROM b; COMMIT TRANSACTION

--- scripting
-- reads: a
CREATE TEMP FUNCTION f(x INT64) AS ((SELECT x)); SELECT f(y) FROM a

--- scripting
-- reads: z
-- writes: y
CREATE PROCEDURE d.p() BEGIN INSERT INTO a SELECT * FROM b;
IF x THEN SELECT * FROM c;
END IF;
END;
INSERT INTO y SELECT * FROM z

--- scripting
-- reads: z
-- writes: y
CREATE PROCEDURE d.p() BEGIN IF x THEN SELECT 1;
END IF;
INSERT INTO a SELECT * FROM b;
END;
INSERT INTO y SELECT * FROM z

--- scripting
-- reads: b
-- writes: a
EXECUTE IMMEDIATE 'INSERT INTO a SELECT * FROM b'

--- what the text does not say
-- unresolved: dynamic 2 procedure
SELECT 1;
CALL p.d.refresh()

--- what the text does not say
-- writes: a
-- unresolved: dynamic 2 run time
SELECT 1;
EXECUTE IMMEDIATE 'INSERT INTO a ' || q

--- what the text does not say
-- unresolved: dynamic 2 run time
SELECT 1;
EXECUTE IMMEDIATE q

--- statistics of tables that are named
-- reads: p.d.a p.d.b p.d.c
SELECT partition_id FROM `p.d.INFORMATION_SCHEMA.PARTITIONS`
WHERE (table_name = 'a' AND total_rows > 0) OR table_name IN ('b', 'c')

--- statistics of tables that are named
-- reads: p.d.a p.d.b e
SELECT * FROM e LEFT JOIN (
  SELECT * FROM p.d.INFORMATION_SCHEMA.PARTITIONS WHERE 'a' = table_name
) USING (day) WHERE x > (SELECT row_count FROM `p.d.__TABLES__` WHERE table_id = 'b')

--- statistics of a region name the schema in a condition
-- reads: d.a
SELECT total_rows FROM `region-us`.INFORMATION_SCHEMA.TABLE_STORAGE
WHERE table_schema = 'd' AND table_name = 'a'

--- statistics of all tables, of none that is named, and what is not asked for
SELECT * FROM d.INFORMATION_SCHEMA.PARTITIONS;
SELECT * FROM d.__TABLES__ WHERE table_id NOT IN ('a', 'b') AND NOT table_id = 'c';
SELECT * FROM d.INFORMATION_SCHEMA.COLUMNS WHERE table_name = 'a'

--- a WITH inside of a subquery hides the outer name, and only there
-- reads: d.t d.u
WITH x AS (SELECT * FROM d.t)
SELECT * FROM x JOIN (WITH x AS (SELECT * FROM d.u) SELECT * FROM x) y USING (k)

--- a name of a WITH does not hide a table of a dataset
-- reads: d.t e.x
WITH x AS (SELECT * FROM d.t) SELECT * FROM x JOIN e.x USING (k)

--- recursive WITH
-- reads: d.edges
WITH RECURSIVE up AS (
  SELECT child, parent FROM d.edges
  UNION ALL
  SELECT up.child, e.parent FROM up JOIN d.edges e ON up.parent = e.child
)
SELECT * FROM up

--- MERGE with all its branches
-- reads: d.s d.limits
-- writes: d.t
MERGE INTO d.t AS t
USING (SELECT * FROM d.s QUALIFY ROW_NUMBER() OVER (PARTITION BY id ORDER BY ts DESC) = 1) s
ON t.id = s.id
WHEN MATCHED AND s.gone THEN DELETE
WHEN MATCHED THEN UPDATE SET x = (SELECT MAX(x) FROM d.limits)
WHEN NOT MATCHED BY TARGET THEN INSERT ROW
WHEN NOT MATCHED BY SOURCE THEN DELETE

--- MERGE on a constant false replaces rows
-- reads: d.s
-- writes: d.t
MERGE d.t USING d.s ON FALSE
WHEN NOT MATCHED BY SOURCE AND day = '2024-01-01' THEN DELETE
WHEN NOT MATCHED THEN INSERT (a, b) VALUES (a, b)

--- UPDATE with FROM and an alias
-- reads: d.s
-- writes: d.t
UPDATE d.t AS t SET t.x = s.x FROM d.s AS s WHERE t.id = s.id

--- UPDATE that joins its own table again
-- reads: d.t
-- writes: d.t
UPDATE d.t AS t SET x = o.x FROM (SELECT * FROM d.t WHERE old) AS o WHERE t.id = o.id

--- DELETE through an alias, with a subquery that names the alias
-- reads: d.gone
-- writes: d.t
DELETE d.t AS t WHERE EXISTS (SELECT 1 FROM d.gone g WHERE g.id = t.id)

--- TRUNCATE
-- writes: p.d.t
TRUNCATE TABLE `p.d.t`

--- one partition is written through a decorator, another is read
-- reads: d.s
-- writes: d.t
INSERT INTO `d.t$2024` SELECT * FROM `d.s$__NULL__`

--- a wildcard over a prefix keeps what is before the date
-- reads: p.d.ga_sessions_* p.d.ga_intraday_*
SELECT * FROM `p.d.ga_sessions_202*` UNION ALL SELECT * FROM `p.d.ga_intraday_20240101`

--- a number that is no date is no shard
-- reads: d.model_20 d.t_12345678
SELECT * FROM d.model_20, d.t_12345678

--- time travel of several tables
-- reads: d.a d.b
SELECT * FROM d.a FOR SYSTEM_TIME AS OF TIMESTAMP_SUB(CURRENT_TIMESTAMP(), INTERVAL 1 HOUR) AS x
JOIN d.b FOR SYSTEM_TIME AS OF '2024-01-01' AS y ON x.id = y.id

--- quoting of each part, and of all parts at once
-- reads: p-1.d.t p-1.d.u my-project.d.v
SELECT * FROM `p-1`.`d`.`t`, `p-1.d`.u, my-project.d.v

--- PIVOT, UNPIVOT and TABLESAMPLE
-- reads: d.a d.b d.c
SELECT * FROM d.a PIVOT(SUM(x) FOR q IN ('Q1', 'Q2'))
UNION ALL SELECT * FROM d.b UNPIVOT(x FOR q IN (q1, q2))
UNION ALL SELECT * FROM d.c TABLESAMPLE SYSTEM (10 PERCENT)

--- correlated arrays of structs through two levels
-- reads: d.orders d.parts
SELECT o.id, i.sku
FROM d.orders AS o, o.items AS i LEFT JOIN i.tags AS g
JOIN d.parts AS p ON p.sku = i.sku
WHERE EXISTS (SELECT 1 FROM UNNEST(o.notes) n WHERE n.x = i.sku)

--- a column that is called as a table
-- reads: d.events
SELECT event.name FROM d.events AS event WHERE EXISTS (SELECT 1 FROM event.params WHERE key = 'k')

--- pipe syntax
-- reads: d.orders d.items d.extra d.more
FROM d.orders
|> JOIN d.items USING (id)
|> WHERE x IN (SELECT x FROM d.extra)
|> EXTEND y * 2 AS z
|> AGGREGATE SUM(z) AS total GROUP BY id
|> UNION ALL (FROM d.more |> SELECT id, total)
|> ORDER BY total DESC
|> LIMIT 10

--- CREATE TABLE LIKE takes columns, not rows
-- writes: d.a
CREATE TABLE d.a LIKE d.b

--- CREATE TABLE LIKE with a query
-- reads: d.b
-- writes: d.a
CREATE TABLE d.a LIKE d.c AS SELECT * FROM d.b

--- views: plain, materialised, and one through another
-- reads: d.base
-- writes: d.v d.mv d.w
-- view: d.v <- d.base d.dim
-- view: d.mv <- d.base
-- view: d.w <- d.v
CREATE VIEW d.v AS SELECT * FROM d.base JOIN d.dim USING (k);
CREATE MATERIALIZED VIEW d.mv OPTIONS (enable_refresh = true) AS SELECT k, COUNT(*) n FROM d.base GROUP BY k;
CREATE OR REPLACE VIEW d.w AS SELECT * FROM d.v

--- views of the catalog through three levels
-- reads: d.top
-- catalog: d.top <- d.mid d.c
-- catalog: d.mid <- d.a d.b
-- bases: d.a d.b d.c
SELECT * FROM d.top

--- reading an external table is reading its files
-- reads: d.e
-- writes: d.t
-- view: d.e <- gs://bkt/k.parquet
-- bases: gs://bkt/k.parquet
CREATE EXTERNAL TABLE d.e OPTIONS (format = 'PARQUET', uris = ['gs://bkt/k.parquet']);
CREATE TABLE d.t AS SELECT * FROM d.e

--- EXPORT DATA over a WITH
-- reads: d.t
-- writes: gs://bkt/out/*.parquet
EXPORT DATA OPTIONS (uri = 'gs://bkt/out/*.parquet', format = 'PARQUET', overwrite = true) AS (
  WITH x AS (SELECT * FROM d.t) SELECT * FROM x
)

--- renaming a table and a column
-- reads: d.b d.a_new d.old
-- writes: d.a_new d.a
CREATE TABLE d.a_new AS SELECT * FROM d.b; SELECT * FROM d.a_new; ALTER TABLE d.a RENAME COLUMN x TO y;
ALTER TABLE d.old RENAME TO a

--- a temporary table of one branch is one after it
-- reads: d.a d.b
-- writes: d.c
IF TRUE THEN CREATE TEMP TABLE t AS SELECT * FROM d.a;
ELSE CREATE TEMP TABLE t AS SELECT * FROM d.b; END IF;
INSERT INTO d.c SELECT * FROM t

--- blocks in blocks, with handlers
-- reads: d.b d.c
-- writes: d.a d.log
BEGIN
  DECLARE n INT64 DEFAULT 0;
  BEGIN
    INSERT INTO d.a SELECT * FROM d.b;
    SET n = (SELECT COUNT(*) FROM d.c);
  EXCEPTION WHEN ERROR THEN
    INSERT INTO d.log SELECT @@error.message;
    RAISE USING MESSAGE = 'x';
  END;
END

--- FOR over a query that writes a table for each row
-- reads: d.days d.src
-- writes: d.dst
FOR day IN (SELECT d FROM d.days ORDER BY d)
DO
  INSERT INTO d.dst SELECT * FROM d.src WHERE src.d = day.d;
END FOR

--- dynamic SQL from a variable with a constant value
-- reads: d.b
-- writes: d.a
DECLARE q STRING DEFAULT 'INSERT INTO d.a SELECT * FROM d.b';
EXECUTE IMMEDIATE q

--- dynamic SQL put together from constants
-- reads: d.src
-- writes: d.dst
DECLARE src STRING;
DECLARE dst STRING DEFAULT 'd.dst';
SET src = 'd.src';
EXECUTE IMMEDIATE 'INSERT INTO ' || dst || ' SELECT * FROM ' || src

--- dynamic SQL by FORMAT and CONCAT
-- reads: p.d.src d.more
-- writes: d.dst
DECLARE project STRING DEFAULT 'p';
EXECUTE IMMEDIATE FORMAT("""
  INSERT INTO d.dst
  SELECT * FROM `%s.d.src` WHERE day > '%t' AND n = %d
""", project, CURRENT_DATE(), 3);
EXECUTE IMMEDIATE CONCAT('SELECT * FROM ', 'd.', 'more') INTO x USING 1 AS y

--- dynamic SQL with a value that is made at run time inside of a string
-- reads: d.src
-- writes: d.dst
EXECUTE IMMEDIATE "INSERT INTO d.dst SELECT * FROM d.src WHERE day = '" || CAST(CURRENT_DATE() AS STRING) || "'"

--- dynamic SQL whose table is made at run time
-- reads: d.src
-- unresolved: dynamic 1 run time
EXECUTE IMMEDIATE 'INSERT INTO d.dst_' || day || ' SELECT * FROM d.src'

--- dynamic SQL with a clause made at run time: what stands there counts, the rest is said
-- reads: d.src
-- writes: d.dst
-- unresolved: dynamic 2 condition
SELECT 1;
EXECUTE IMMEDIATE 'INSERT INTO d.dst SELECT * FROM d.src WHERE ' || condition

--- a variable with one of two values
-- reads: d.a d.b
-- writes: d.t
DECLARE src STRING;
IF CURRENT_DATE() > '2024-01-01' THEN SET src = 'd.a'; ELSE SET src = 'd.b'; END IF;
EXECUTE IMMEDIATE 'INSERT INTO d.t SELECT * FROM ' || src

--- the last value of a variable counts
-- reads: d.b
-- writes: d.t
DECLARE src STRING DEFAULT 'd.a';
SET src = 'd.b';
EXECUTE IMMEDIATE 'INSERT INTO d.t SELECT * FROM ' || src

--- a temporary table made by dynamic SQL
-- reads: d.a
-- writes: d.b
EXECUTE IMMEDIATE 'CREATE TEMP TABLE t AS SELECT * FROM d.a';
INSERT INTO d.b SELECT * FROM t

--- a function of the script is read through where it is called
-- reads: d.rates d.a
CREATE TEMP FUNCTION rate(x STRING) AS ((SELECT MAX(r) FROM d.rates WHERE k = x));
SELECT rate(c) FROM d.a

--- a table function of the script is read through where it is called
-- reads: d.orders
-- writes: d.t
CREATE OR REPLACE TABLE FUNCTION d.since(day DATE) AS SELECT * FROM d.orders WHERE ts > day;
INSERT INTO d.t SELECT * FROM d.since('2024-01-01')

--- a table function with columns
-- reads: d.orders
CREATE TABLE FUNCTION d.since(day DATE) RETURNS TABLE<id INT64> AS (SELECT id FROM d.orders);
SELECT * FROM d.since(CURRENT_DATE()) JOIN d.since(DATE '2024-01-01') USING (id)

--- a function that nobody calls, and one in another language
-- reads: d.a
CREATE TEMP FUNCTION f(x INT64) AS ((SELECT MAX(y) FROM d.never));
CREATE TEMP FUNCTION js(x STRING) RETURNS STRING LANGUAGE js AS r"""return 'SELECT * FROM b'""";
SELECT js(x) FROM d.a

--- a procedure of the script that is called
-- reads: d.b
-- writes: d.a
CREATE OR REPLACE PROCEDURE d.fill(IN day DATE, OUT n INT64)
BEGIN
  INSERT INTO d.a SELECT * FROM d.b WHERE d = day;
  SET n = @@row_count;
END;
CALL d.fill('2024-01-01', n)

--- a procedure for Spark is not SQL
CREATE PROCEDURE d.spark() WITH CONNECTION `p.us.c` OPTIONS(engine='SPARK') LANGUAGE PYTHON AS R"""
from pyspark.sql import SparkSession
"""

--- a table as an argument
-- reads: d.m d.t d.u
SELECT * FROM ML.FORECAST(MODEL d.m, STRUCT(3 AS horizon)), VECTOR_SEARCH(TABLE d.t, 'e', TABLE d.u, top_k => 3)

--- one statement is broken, the others count
-- reads: d.b d.c
-- writes: d.a
-- unresolved: syntax 2 does not parse
INSERT INTO d.a SELECT * FROM d.b;
SELECT FROM WHERE (;
SELECT * FROM d.c

--- default dataset and project
-- reads: p.d.t p.e.u q.f.v
-- default: p.d
SELECT * FROM t, e.u, q.f.v

--- system variables set the default dataset
-- reads: q.e.t
-- default: p.d
SET @@dataset_id = 'e'; SET @@dataset_project_id = 'q';
SELECT * FROM t

--- a window and a named window, arrays of structs, QUALIFY
-- reads: d.a d.b
SELECT ARRAY_AGG(STRUCT(x, (SELECT y FROM d.b LIMIT 1) AS y)) OVER w FROM d.a
QUALIFY RANK() OVER (ORDER BY x) = 1 WINDOW w AS (PARTITION BY z)

--- INSERT of rows with a subquery, into columns
-- reads: d.s
-- writes: d.t
INSERT d.t (a, b) VALUES (1, (SELECT MAX(x) FROM d.s)), (2, DEFAULT)

--- region qualifiers and INFORMATION_SCHEMA are no datasets
SELECT * FROM `region-us`.INFORMATION_SCHEMA.JOBS, `p`.`region-eu`.INFORMATION_SCHEMA.TABLES,
  `p.d.INFORMATION_SCHEMA.COLUMNS`, d.__TABLES__

--- a temporary table under _SESSION
-- reads: d.a
-- writes: d.b
CREATE TEMP TABLE t AS SELECT * FROM d.a;
INSERT INTO d.b SELECT * FROM _SESSION.t

--- CASE statements, REPEAT, labels, BREAK
-- reads: d.q d.x
-- writes: d.a d.b d.c d.e
CASE
  WHEN EXISTS (SELECT 1 FROM d.q) THEN INSERT INTO d.a SELECT 1;
  WHEN FALSE THEN INSERT INTO d.b SELECT 1; INSERT INTO d.c SELECT 2;
  ELSE SELECT 1;
END CASE;
outer_loop: LOOP
  REPEAT INSERT INTO d.e SELECT 1; SET n = n + 1; UNTIL n > (SELECT MAX(k) FROM d.x) END REPEAT;
  IF n > 5 THEN BREAK outer_loop; END IF;
END LOOP outer_loop

--- clone and copy of a table, also at an earlier time
-- reads: d.b d.c
-- writes: d.a d.z
CREATE TABLE d.a CLONE d.b FOR SYSTEM_TIME AS OF TIMESTAMP_SUB(CURRENT_TIMESTAMP(), INTERVAL 1 DAY);
CREATE OR REPLACE TABLE d.z COPY d.c

--- snapshots: made, read and restored
-- reads: d.t d.snap
-- writes: d.snap d.t2
CREATE SNAPSHOT TABLE d.snap CLONE d.t OPTIONS(expiration_timestamp = TIMESTAMP '2030-01-01');
CREATE TABLE d.t2 CLONE d.snap

--- models: trained, evaluated, predicted with
-- reads: d.train d.m d.new
-- writes: d.m d.scores
CREATE OR REPLACE MODEL d.m TRANSFORM(x, y) OPTIONS (model_type = 'linear_reg', input_label_cols = ['y']) AS
SELECT * FROM d.train;
CREATE TABLE d.scores AS
SELECT * FROM ML.PREDICT(MODEL d.m, (SELECT * FROM d.new), STRUCT(0.5 AS threshold));
SELECT * FROM ML.EVALUATE(MODEL d.m), ML.FEATURE_INFO(MODEL `d.m`)

--- changes of a table
-- reads: d.t d.u
SELECT * FROM APPENDS(TABLE d.t, NULL, NULL) UNION ALL SELECT * FROM CHANGES(TABLE d.u, NULL, NULL)

--- a query on another server is not known by its name there
-- reads: d.a
-- unresolved: dynamic 1 EXTERNAL_QUERY
SELECT * FROM EXTERNAL_QUERY('p.us.conn', 'SELECT * FROM public.orders') JOIN d.a USING (id)

--- continuous query over APPENDS into a topic
-- reads: d.t
-- writes: https://pubsub.googleapis.com/projects/p/topics/k
EXPORT DATA OPTIONS (format = 'CLOUD_PUBSUB', uri = 'https://pubsub.googleapis.com/projects/p/topics/k')
AS (SELECT TO_JSON_STRING(STRUCT(id)) AS message FROM APPENDS(TABLE d.t, NULL, NULL))

--- a replica of a materialised view
-- reads: p.d.mv
-- writes: d.r
-- view: d.r <- p.d.mv
CREATE MATERIALIZED VIEW d.r AS REPLICA OF p.d.mv

--- external tables over files
-- view: d.e <- gs://bkt/in/*.csv gs://bkt/more/*.csv
CREATE OR REPLACE EXTERNAL TABLE d.e
WITH PARTITION COLUMNS
OPTIONS (format = 'CSV', uris = ['gs://bkt/in/*.csv', 'gs://bkt/more/*.csv'])

--- LOAD DATA, overwriting one partition
-- reads: gs://bkt/a.json gs://bkt/b.json
-- writes: d.t
LOAD DATA OVERWRITE d.t PARTITIONS (_PARTITIONTIME = TIMESTAMP '2024-01-01')
FROM FILES (format = 'JSON', uris = ['gs://bkt/a.json', 'gs://bkt/b.json'])

--- a CASE statement over a value
-- reads: d.q
-- writes: d.a d.b
CASE (SELECT MAX(k) FROM d.q)
  WHEN 1 THEN INSERT INTO d.a SELECT 1;
  ELSE INSERT INTO d.b SELECT 1;
END CASE

--- a property graph is read through to its tables
-- reads: d.g
-- view: d.g <- d.person d.account d.owns
-- bases: d.person d.account d.owns
CREATE OR REPLACE PROPERTY GRAPH d.g
  NODE TABLES (d.person KEY (id), d.account AS acc KEY (id))
  EDGE TABLES (d.owns SOURCE KEY (pid) REFERENCES person DESTINATION KEY (aid) REFERENCES acc);
SELECT * FROM GRAPH_TABLE(d.g MATCH (p:person)-[o:owns]->(a:acc) COLUMNS (p.id AS pid, a.id AS aid))

--- row access policies, grants, search indexes, assignments say nothing about rows
CREATE ROW ACCESS POLICY f ON d.t GRANT TO ('group:a@b.c') FILTER USING (x = (SELECT MAX(y) FROM d.s));
CREATE SEARCH INDEX i ON d.t (ALL COLUMNS);
CREATE VECTOR INDEX v ON d.t (e) OPTIONS (index_type = 'IVF');
GRANT `roles/bigquery.dataViewer` ON TABLE d.t TO 'user:a@b.c';
ALTER TABLE d.t SET OPTIONS (description = 'x');
CREATE SCHEMA d OPTIONS (location = 'eu');
DROP SNAPSHOT TABLE d.s; DROP MATERIALIZED VIEW d.m; UNDROP SCHEMA d;
CREATE ASSIGNMENT `admin.region-us.prod.x` OPTIONS (assignee = 'projects/p')

--- pipe syntax behind a WITH, several operators
-- reads: raw.orders raw.users
-- writes: mart.t
CREATE OR REPLACE TABLE mart.t AS
WITH o AS (FROM raw.orders |> WHERE d > '2024-01-01' |> SELECT id, user_id)
FROM o
|> JOIN raw.users AS u ON o.user_id = u.id
|> AGGREGATE COUNT(*) AS n GROUP BY country
|> ORDER BY n DESC

--- WITH and a pipe after a plain query
-- reads: raw.a raw.b
WITH x AS (SELECT * FROM raw.a)
SELECT * FROM x
|> UNION ALL (SELECT * FROM raw.b)
|> LIMIT 10

--- a script with a loop over dates and a dynamic shard
-- reads: p.raw.events_*
-- writes: p.mart.daily
DECLARE d DATE DEFAULT DATE '2024-01-01';
WHILE d < CURRENT_DATE() DO
  EXECUTE IMMEDIATE FORMAT("""
    INSERT INTO `p.mart.daily` SELECT * FROM `p.raw.events_%s`
  """, FORMAT_DATE('%Y%m%d', d));
  SET d = DATE_ADD(d, INTERVAL 1 DAY);
END WHILE;

--- MERGE with a subquery in the insert condition and a CTE in USING
-- reads: p.stg.orders p.ref.currency p.mart.blocked
-- writes: p.mart.orders
MERGE `p.mart.orders` T
USING (
  WITH fx AS (SELECT code, rate FROM `p.ref.currency`)
  SELECT o.*, fx.rate FROM `p.stg.orders` o LEFT JOIN fx ON fx.code = o.cur
) S ON T.id = S.id
WHEN MATCHED AND S.id NOT IN (SELECT id FROM `p.mart.blocked`) THEN UPDATE SET amount = S.amount * S.rate
WHEN NOT MATCHED BY TARGET THEN INSERT ROW
WHEN NOT MATCHED BY SOURCE THEN DELETE

--- EXCEPT, arrays of subqueries, QUALIFY and a comment with a table's name
-- reads: raw.sessions raw.hits
SELECT s.* EXCEPT (ip), ARRAY(SELECT AS STRUCT h.* FROM raw.hits h WHERE h.sid = s.id) AS hits -- FROM raw.never
FROM raw.sessions s, s.params p
WHERE p.key = 'from raw.nothing'
QUALIFY ROW_NUMBER() OVER (PARTITION BY s.id ORDER BY s.ts DESC) = 1

--- pipe: EXTEND, SET, CALL, JOIN on a sub-pipe and a WITH in between
-- reads: p.d.a p.d.b p.d.c
FROM `p.d.a`
|> WHERE x IN (SELECT k FROM `p.d.b`)
|> EXTEND y * 2 AS z
|> JOIN (FROM `p.d.c` |> AGGREGATE MAX(v) AS v GROUP BY id) USING (id)
|> SET z = z + 1
|> DROP y
|> AS q
|> SELECT q.*

--- hyphenated project, quoted partly, a decorator, and a wildcard with suffix
-- reads: my-proj.d.events_* my-proj.d.t other-p.x.y
SELECT * FROM my-proj.d.`events_*` WHERE _TABLE_SUFFIX BETWEEN '20240101' AND '20240131'
UNION ALL SELECT * FROM `my-proj`.d.t FOR SYSTEM_TIME AS OF TIMESTAMP_SUB(CURRENT_TIMESTAMP(), INTERVAL 1 HOUR)
UNION ALL SELECT * FROM `other-p.x`.y

--- a persistent procedure with OUT parameters and its call in a transaction
-- reads: d.src
-- writes: d.tgt
CREATE OR REPLACE PROCEDURE d.p(IN day DATE, OUT n INT64)
BEGIN
  INSERT INTO d.tgt SELECT * FROM d.src WHERE dt = day;
  SET n = @@row_count;
END;
DECLARE n INT64;
BEGIN TRANSACTION;
CALL d.p(CURRENT_DATE(), n);
COMMIT TRANSACTION;

--- export of a query in a loop over a query
-- reads: d.countries d.sales
-- writes: gs://b/out/*.csv
FOR r IN (SELECT code FROM d.countries) DO
  EXPORT DATA OPTIONS (uri = 'gs://b/out/*.csv', format = 'CSV', overwrite = true) AS
  SELECT * FROM d.sales WHERE country = r.code;
END FOR;
