--- files in and out
-- reads: @stage/path
-- writes: s.t
COPY INTO s.t FROM @stage/path/ FILE_FORMAT=(TYPE=CSV)

--- files in and out
-- reads: t
-- writes: @stage/out
COPY INTO @stage/out FROM (SELECT * FROM t)

--- files in and out
-- reads: s3://bkt/in
-- writes: t
COPY INTO t FROM 's3://bkt/in/'

--- files as tables
-- reads: @stage/x.csv
SELECT $1 FROM @stage/x.csv

--- INSERT
-- reads: b
-- writes: a
INSERT OVERWRITE INTO a SELECT * FROM b AT(OFFSET => -60)

--- table functions
-- reads: a
SELECT * FROM a, LATERAL FLATTEN(INPUT => a.x)

--- table functions
SELECT * FROM TABLE(GENERATOR(ROWCOUNT => 3))

--- SELECT
-- reads: s.t
SELECT * FROM IDENTIFIER('s.t')

--- CREATE
-- reads: b
-- writes: a
CREATE TABLE a CLONE b

--- INSERT
-- reads: c
-- writes: a b
INSERT ALL INTO a VALUES (x) INTO b VALUES (y) SELECT x, y FROM c

--- CREATE
CREATE TASK k AS INSERT INTO a SELECT * FROM b

--- moves of rows that are no queries
-- reads: @st/x
-- writes: a
MERGE INTO a USING @st/x s ON TRUE WHEN MATCHED THEN DELETE

--- views and external tables
-- reads: a
-- writes: t
CREATE DYNAMIC TABLE t TARGET_LAG='1 m' WAREHOUSE=w AS SELECT * FROM a

--- temporary tables
-- reads: a
-- writes: b
CREATE TEMPORARY TABLE t (x INT);
INSERT INTO t SELECT * FROM a;
INSERT INTO b SELECT * FROM t

--- moves
-- reads: b
-- writes: a
CREATE TABLE s AS SELECT * FROM b;
ALTER TABLE a SWAP WITH s;
DROP TABLE s

--- defaults
-- reads: x.y.a x.z.b x.z.c
USE SCHEMA x.y;
SELECT * FROM a;
USE SCHEMA z;
SELECT * FROM b;
USE ROLE r;
USE WAREHOUSE w;
SELECT * FROM c

--- scripting
-- reads: b
-- writes: a
EXECUTE IMMEDIATE $$ BEGIN INSERT INTO a SELECT * FROM b; END $$

--- scripting
-- reads: q b
-- writes: a
BEGIN LET x INT := (SELECT max(y) FROM q); INSERT INTO a SELECT * FROM b; RETURN x; END

--- scripting
-- reads: q
-- writes: a
DECLARE rs RESULTSET DEFAULT (SELECT * FROM q);
BEGIN FOR r IN rs DO INSERT INTO a VALUES (1);
END FOR;
RETURN 1;
END
