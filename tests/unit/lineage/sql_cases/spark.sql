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
