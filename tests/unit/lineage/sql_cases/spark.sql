--- files as tables
-- reads: file//data/x.parquet
SELECT * FROM parquet.`/data/x.parquet`

--- files as tables
-- reads: s3://bkt/k
SELECT * FROM delta.`s3a://bkt/k/`

--- INSERT
-- reads: cat.db.u
-- writes: cat.db.t
INSERT INTO cat.db.t SELECT * FROM cat.db.u

--- moves of rows that are no queries
-- reads: a
-- writes: t s3://bkt/k
CREATE TABLE t USING delta LOCATION 's3://bkt/k' AS SELECT * FROM a

--- views and external tables
-- view: t <- s3://bkt/k
CREATE TABLE t USING parquet LOCATION 's3://bkt/k'

--- temporary tables
-- reads: a
-- writes: b
CREATE TEMPORARY VIEW v AS SELECT * FROM a;
INSERT INTO b SELECT * FROM v

--- temporary tables
-- reads: a
-- writes: b
CACHE TABLE t AS SELECT * FROM a;
INSERT INTO b SELECT * FROM t

--- files as tables in all formats
-- reads: s3://bkt/k file//data/x.csv file//a.txt file//data/orc s3://bkt/avro
SELECT * FROM parquet.`s3a://bkt/k/`, csv.`/data/x.csv`, text.`file:///a.txt`, orc.`/data/orc`, avro.`s3://bkt/avro`

--- a file behind the session catalog is a file
-- reads: s3://bkt/k
-- writes: s3://bkt/out
INSERT INTO delta.`s3://bkt/out` SELECT * FROM delta.`s3://bkt/k`

--- INSERT OVERWRITE DIRECTORY with a source
-- reads: t
-- writes: s3://bkt/k
INSERT OVERWRITE DIRECTORY USING parquet OPTIONS ('path' 's3://bkt/k', 'compression' 'zstd') SELECT * FROM t

--- INSERT OVERWRITE LOCAL DIRECTORY
-- reads: t
-- writes: file//out/x
INSERT OVERWRITE LOCAL DIRECTORY '/out/x' STORED AS orc SELECT * FROM t

--- INSERT in all its forms
-- reads: b c d
-- writes: a
INSERT INTO a TABLE b;
INSERT INTO a FROM c SELECT x;
INSERT OVERWRITE a PARTITION (dt = '1', hr) SELECT x, hr FROM b;
INSERT INTO a BY NAME SELECT x FROM d;
INSERT INTO a REPLACE WHERE dt = '1' SELECT x FROM d;
INSERT OVERWRITE TABLE a VALUES (1)

--- multi-insert
-- reads: b
-- writes: x y
FROM b INSERT INTO x SELECT i WHERE i > 0 INSERT OVERWRITE TABLE y PARTITION (k = '1') SELECT j

--- nested common table expressions that hide tables
-- reads: b lake.c
-- writes: t
INSERT INTO t
WITH a AS (WITH c AS (SELECT * FROM b) SELECT * FROM c)
SELECT * FROM a JOIN (WITH d AS (SELECT 1 AS i) SELECT * FROM d) e ON a.i = e.i JOIN lake.c ON lake.c.i = a.i

--- MERGE with all clauses
-- reads: s
-- writes: t
MERGE INTO t USING (SELECT * FROM s WHERE dt = '1') AS n ON t.i = n.i
WHEN MATCHED AND n.d THEN DELETE
WHEN MATCHED THEN UPDATE SET *
WHEN NOT MATCHED THEN INSERT *
WHEN NOT MATCHED BY SOURCE AND t.x > 1 THEN UPDATE SET t.x = 0
WHEN NOT MATCHED BY SOURCE THEN DELETE

--- UPDATE and DELETE with aliases and subqueries
-- reads: b c
-- writes: lake.a d
UPDATE lake.a AS x SET x.v = 1 WHERE EXISTS (SELECT 1 FROM b WHERE b.i = x.i);
DELETE FROM d AS y WHERE y.i IN (SELECT i FROM c)

--- time travel of a table
-- reads: a b c
SELECT * FROM a VERSION AS OF 3 UNION ALL SELECT * FROM b TIMESTAMP AS OF '2024-01-01' UNION ALL SELECT * FROM c FOR SYSTEM_VERSION AS OF 12

--- a table over files
-- view: t <- s3://bkt/k
CREATE TABLE IF NOT EXISTS t (x INT) USING csv OPTIONS (header 'true', path 's3://bkt/k')

--- a temporary view over files
-- reads: s3://bkt/k
-- writes: a
CREATE OR REPLACE TEMPORARY VIEW v USING json OPTIONS (path 's3://bkt/k');
INSERT INTO a SELECT * FROM v

--- a cached query and the cache of a table
-- reads: b
-- writes: a
CACHE LAZY TABLE c OPTIONS ('storageLevel' 'DISK_ONLY') AS SELECT * FROM b;
INSERT INTO a SELECT * FROM c;
CACHE TABLE a;
UNCACHE TABLE IF EXISTS c;
CLEAR CACHE;
REFRESH TABLE a;
REFRESH 's3://bkt/k'

--- tables made by queries
-- reads: b
-- writes: a c s3://bkt/c d
CREATE TABLE a USING parquet PARTITIONED BY (dt) AS SELECT * FROM b;
CREATE OR REPLACE TABLE c USING delta LOCATION 's3://bkt/c' TBLPROPERTIES ('x' = 'y') AS SELECT * FROM b;
REPLACE TABLE d USING delta AS SELECT * FROM b

--- a table like another has no rows
-- writes: a
CREATE TABLE a LIKE b USING parquet

--- a table gets another place or name
-- reads: b
-- writes: c
-- view: a <- s3://bkt/new
ALTER TABLE a SET LOCATION 's3://bkt/new';
ALTER TABLE b RENAME TO c

--- partitions
-- reads: s3://bkt/1
-- writes: a
ALTER TABLE a ADD IF NOT EXISTS PARTITION (dt = '1') LOCATION 's3://bkt/1';
ALTER TABLE a DROP IF EXISTS PARTITION (dt = '0');
ALTER TABLE a RECOVER PARTITIONS;
MSCK REPAIR TABLE a;
TRUNCATE TABLE a PARTITION (dt = '1');
ANALYZE TABLE a COMPUTE STATISTICS

--- LOAD DATA
-- reads: file//in/x
-- writes: a
LOAD DATA LOCAL INPATH '/in/x' OVERWRITE INTO TABLE a PARTITION (dt = '1')

--- hints, lateral views, pivots and generated rows
-- reads: a b c
SELECT /*+ BROADCAST(b), REPARTITION(3) */ * FROM a JOIN b USING (i) LATERAL VIEW OUTER explode(b.xs) e AS x LATERAL VIEW posexplode(a.ys) AS p, y;
SELECT * FROM c PIVOT (SUM(v) AS s FOR k IN ('x', 'y'));
SELECT * FROM c UNPIVOT INCLUDE NULLS (v FOR k IN (x AS 'x', y AS 'y'));
SELECT * FROM range(10), explode(array(1, 2)), VALUES (1) AS v (x)

--- ANTI, SEMI and NATURAL joins and LATERAL subqueries
-- reads: a b c d e
SELECT * FROM a LEFT ANTI JOIN b ON a.i = b.i LEFT SEMI JOIN c ON a.i = c.i NATURAL JOIN d, LATERAL (SELECT * FROM e WHERE e.i = a.i)

--- a session variable that a query gives
-- reads: cfg
-- unresolved: dynamic 3 run time
DECLARE q STRING;
SET VAR q = (SELECT stmt FROM cfg LIMIT 1);
EXECUTE IMMEDIATE q

--- a view with a schema, a function and a database
-- writes: v
-- view: v <- a
CREATE OR REPLACE VIEW v (x COMMENT 'c') COMMENT 'd' TBLPROPERTIES ('k' = 'v') AS SELECT x FROM a;
CREATE OR REPLACE TEMPORARY FUNCTION f AS 'com.example.F' USING JAR 's3://bkt/f.jar';
CREATE DATABASE IF NOT EXISTS s LOCATION 's3://bkt/s';
ADD JAR 's3://bkt/f.jar';
LIST JARS

--- ALTER VIEW gives a view another query
-- writes: v
-- view: v <- b
ALTER VIEW v AS SELECT * FROM b

--- comments with semicolons, bracketed and nested
-- reads: b
-- writes: a
/* one; /* two; */ three; */
INSERT INTO a -- here; there
SELECT * FROM b WHERE x = 'a;b' AND y = "c;d"

--- USE of catalogs and databases
-- reads: cat.db.a cat.other.b
USE cat.db;
SELECT * FROM a;
USE other;
SELECT * FROM b

--- partitions are discovered
-- writes: a
ALTER TABLE a RECOVER PARTITIONS

--- a table over a table of another server
-- view: t <- postgres://h:5432/shop.public.orders
CREATE TABLE t USING jdbc OPTIONS (url 'jdbc:postgresql://h/shop', dbtable 'public.orders', user 'u')

--- a temporary view over a table of another server
-- reads: mysql://h:3306/shop.orders
-- writes: a
CREATE TEMPORARY VIEW v USING org.apache.spark.sql.jdbc OPTIONS (url "jdbc:mysql://h:3306/shop", dbtable "orders");
INSERT INTO a SELECT * FROM v

--- a global temporary view
-- reads: b
-- writes: a
CREATE OR REPLACE GLOBAL TEMPORARY VIEW g AS SELECT * FROM b;
INSERT INTO a SELECT * FROM global_temp.g

--- a compound script
-- reads: z b q
-- writes: a log c d
BEGIN
  DECLARE n INT DEFAULT 0;
  DECLARE EXIT HANDLER FOR SQLEXCEPTION
  BEGIN
    INSERT INTO log VALUES ('failed');
  END;
  SET n = (SELECT COUNT(*) FROM z);
  IF n > 0 THEN
    INSERT INTO a SELECT * FROM b;
  ELSEIF n < 0 THEN
    DELETE FROM c;
  END IF;
  lbl: WHILE n > 0 DO
    SET n = n - 1;
    IF n = 5 THEN LEAVE lbl; END IF;
  END WHILE lbl;
  FOR r AS SELECT * FROM q DO
    INSERT INTO d VALUES (r.x);
  END FOR;
  REPEAT SET n = n + 1; UNTIL n > 3 END REPEAT;
  CASE WHEN n = 1 THEN TRUNCATE TABLE c; ELSE TRUNCATE TABLE d; END CASE;
END

--- variables and texts that are run
-- reads: b lake.c
-- writes: a
DECLARE OR REPLACE VARIABLE q STRING DEFAULT 'INSERT INTO a SELECT * FROM b WHERE x = ?';
EXECUTE IMMEDIATE q USING 1;
SET VAR q = 'INSERT INTO a SELECT * FROM ' || 'lake.c';
EXECUTE IMMEDIATE q

--- names given by IDENTIFIER
-- reads: lake.b
-- writes: lake.a
-- parameter: src = lake.b
INSERT INTO IDENTIFIER('lake.a') SELECT * FROM IDENTIFIER(:src)

--- names put together for IDENTIFIER
-- reads: lake.b
-- parameter: src = lake
SELECT * FROM IDENTIFIER(:src || '.b')

--- a name that nobody gives
-- writes: a
-- unresolved: template 1 src
INSERT INTO a SELECT * FROM IDENTIFIER(:src)

--- SET and variables of the session
-- reads: lake.b
SET spark.sql.shuffle.partitions = 10;
SET src = lake.b;
SELECT * FROM ${src};
RESET

--- what Iceberg tells about a table is read from it
-- reads: cat.db.t
-- writes: cat.db.t
SELECT * FROM cat.db.t.snapshots;
INSERT INTO cat.db.t.branch_audit SELECT 1

--- Iceberg's partition fields move no rows
ALTER TABLE cat.db.t ADD PARTITION FIELD bucket(16, id);
ALTER TABLE cat.db.t WRITE ORDERED BY x

--- MERGE over a path, and OPTIMIZE
-- reads: s3://lake/in raw.k
-- writes: lake.gold.t
MERGE INTO lake.gold.t t USING (SELECT s.* FROM delta.`s3://lake/in/` s JOIN raw.k USING (id)) s ON t.id = s.id
WHEN MATCHED THEN UPDATE SET * WHEN NOT MATCHED THEN INSERT *;
OPTIMIZE lake.gold.t ZORDER BY (id);
VACUUM lake.gold.t RETAIN 168 HOURS

--- a temporary view over JDBC and cached tables
-- reads: raw.x
-- writes: mart.y
CREATE OR REPLACE TEMPORARY VIEW v AS SELECT * FROM raw.x;
CACHE TABLE c AS SELECT * FROM v;
INSERT OVERWRITE mart.y PARTITION (d = '2024-01-01') SELECT /*+ BROADCAST(c) */ * FROM c DISTRIBUTE BY id SORT BY ts

--- Iceberg maintenance, branch writes and time travel
-- reads: cat.raw.t
-- writes: cat.gold.t
CALL cat.system.rewrite_data_files(table => 'gold.t');
INSERT INTO cat.gold.t.branch_audit SELECT * FROM cat.raw.t VERSION AS OF 'snap';
ALTER TABLE cat.gold.t CREATE TAG x
