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

--- partitions that are found
-- writes: t s.u v
MSCK REPAIR TABLE t;
MSCK TABLE s.u SYNC PARTITIONS;
ALTER TABLE v RECOVER PARTITIONS

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

--- comments of Beeline
-- reads: b
-- writes: a
INSERT OVERWRITE TABLE a SELECT x FROM b WHERE
# the caller's own rows
y = '#1'

--- parameters whose values are expressions of the scheduler
-- reads: lake.events
-- writes: lake.daily_2000_1 hdfs://nn/out/*
-- parameter: table = lake.events
-- parameter: month = ${coord:formatTime(coord:dateOffset(coord:nominalTime(), -1, "DAY"), "M")}
-- parameter: day = ${coord:formatTime(coord:nominalTime(), 'yyyy-MM-dd')}
INSERT OVERWRITE TABLE ${replaceAll(table, "\\..*", "")}.daily_${coord:formatTime(coord:actualTime(), "y")}_${month}
SELECT *, '${wf:id()}' AS run FROM ${table};
INSERT OVERWRITE DIRECTORY 'hdfs://nn/out/${day}' SELECT * FROM ${concat("lake.", 'events')}

--- expressions that only the run knows
-- reads: a
-- unresolved: template 1 wf:id
CREATE TABLE tmp_${wf:id()} AS SELECT ${missing + 1} FROM a
