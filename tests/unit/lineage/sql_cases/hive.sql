--- INSERT
-- reads: b
-- writes: a
INSERT OVERWRITE TABLE a PARTITION (d='1') SELECT * FROM b

--- SELECT INTO
-- reads: s
-- writes: a b
FROM s INSERT OVERWRITE TABLE a SELECT x INSERT INTO TABLE b SELECT y WHERE z = 1

--- files as tables
-- reads: t
-- writes: s3://bkt/k
INSERT OVERWRITE DIRECTORY 's3://bkt/k' SELECT * FROM t

--- files in and out
-- reads: s3://bkt/k
-- writes: t
LOAD DATA INPATH 's3://bkt/k' INTO TABLE t

--- files as tables
-- reads: s3://bkt/k
-- writes: t
ALTER TABLE t ADD PARTITION (d='1') LOCATION 's3://bkt/k'

--- statements about a table
MSCK REPAIR TABLE t

--- table functions
-- reads: a
SELECT * FROM a LATERAL VIEW explode(x) e AS y

--- moves of rows that are no queries
-- reads: a
-- writes: b
WITH x AS (SELECT * FROM a) FROM x INSERT OVERWRITE TABLE b SELECT *

--- views and external tables
-- view: t <- s3://bkt/k
CREATE EXTERNAL TABLE t (x INT) LOCATION 's3://bkt/k'
