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
