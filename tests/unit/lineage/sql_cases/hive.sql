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

--- multi-insert from a join with partitions
-- reads: a b
-- writes: x y file//out/z
FROM a JOIN b ON a.i = b.i
INSERT OVERWRITE TABLE x PARTITION (dt = '1') SELECT a.i WHERE a.k = 1
INSERT INTO TABLE y PARTITION (dt, hr) SELECT b.i, b.dt, b.hr WHERE b.k = 2
INSERT OVERWRITE LOCAL DIRECTORY '/out/z' ROW FORMAT DELIMITED FIELDS TERMINATED BY ',' SELECT a.i

--- multi-insert from a subquery with a lateral view
-- reads: s.a
-- writes: x y
FROM (SELECT i, k FROM s.a LATERAL VIEW OUTER explode(ks) e AS k) t
INSERT OVERWRITE TABLE x SELECT i GROUP BY i
INSERT OVERWRITE TABLE y SELECT k DISTRIBUTE BY k SORT BY k

--- INSERT OVERWRITE of a partition unless it is there
-- reads: b
-- writes: a
INSERT OVERWRITE TABLE a PARTITION (dt = '2024-01-01') IF NOT EXISTS SELECT x FROM b

--- dynamic partitions
-- reads: b
-- writes: a
SET hive.exec.dynamic.partition.mode=nonstrict;
INSERT OVERWRITE TABLE a PARTITION (dt, hr) SELECT x, dt, hr FROM b

--- INSERT without TABLE, with columns, and VALUES
-- reads: b
-- writes: a
INSERT INTO a (x, y) SELECT x, y FROM b;
INSERT INTO TABLE a VALUES (1, 2)

--- INSERT OVERWRITE DIRECTORY with a format
-- reads: t
-- writes: s3://bkt/k
INSERT OVERWRITE DIRECTORY 's3a://bkt/k/' STORED AS PARQUET SELECT * FROM t

--- LOAD DATA from a local file into a partition
-- reads: file//in/x
-- writes: s.t
LOAD DATA LOCAL INPATH '/in/x' OVERWRITE INTO TABLE s.t PARTITION (dt = '1')

--- EXPORT and IMPORT
-- reads: s.t hdfs://nn:8020/exp/b
-- writes: hdfs://nn:8020/exp/a u
EXPORT TABLE s.t PARTITION (dt = '1') TO 'hdfs://nn:8020/exp/a';
IMPORT TABLE u PARTITION (dt = '1') FROM 'hdfs://nn:8020/exp/b'

--- IMPORT of an external table at a place
-- reads: s3://bkt/exp
-- writes: u
IMPORT EXTERNAL TABLE u FROM 's3://bkt/exp' LOCATION 's3://bkt/u'

--- a partition moves to another table
-- reads: b
-- writes: a
ALTER TABLE a EXCHANGE PARTITION (dt = '1') WITH TABLE b

--- a table is renamed after it was made
-- reads: b
-- writes: s.a
CREATE TABLE s.a_new STORED AS ORC AS SELECT * FROM b;
DROP TABLE IF EXISTS s.a PURGE;
ALTER TABLE s.a_new RENAME TO s.a

--- a partition gets another name
-- writes: a
ALTER TABLE a PARTITION (dt = '1') RENAME TO PARTITION (dt = '2')

--- a table gets another place
-- view: a <- s3://bkt/new
ALTER TABLE a SET LOCATION 's3://bkt/new'

--- a partition gets another place
-- reads: s3://bkt/new/dt=1
-- writes: a
ALTER TABLE a PARTITION (dt = '1') SET LOCATION 's3://bkt/new/dt=1'

--- partitions are added and dropped
-- reads: s3://bkt/k/1 s3://bkt/k/2
-- writes: t u
ALTER TABLE t ADD IF NOT EXISTS PARTITION (dt = '1') LOCATION 's3://bkt/k/1' PARTITION (dt = '2') LOCATION 's3://bkt/k/2';
ALTER TABLE u DROP IF EXISTS PARTITION (dt < '2'), PARTITION (dt = '5')

--- TRUNCATE of a partition
-- writes: t
TRUNCATE TABLE t PARTITION (dt = '1')

--- hivevar that the command line gives
-- parameter: db = lake
-- reads: lake.b
SELECT * FROM ${hivevar:db}.b WHERE dt = '${hiveconf:day}'

--- hivevar that nobody gives
-- writes: a
-- unresolved: template 1 db
INSERT INTO a SELECT * FROM ${hivevar:db}.b

--- joins and samples of Hive
-- reads: a b c
SELECT /*+ MAPJOIN(b) */ a.x FROM a LEFT SEMI JOIN b ON a.i = b.i JOIN c TABLESAMPLE (BUCKET 1 OUT OF 4 ON i) s ON s.i = a.i WHERE a.x RLIKE '^;'

--- MERGE, UPDATE and DELETE of transactional tables
-- reads: s
-- writes: t u v
MERGE INTO t AS t USING s AS s ON t.i = s.i WHEN MATCHED AND s.d THEN DELETE WHEN MATCHED THEN UPDATE SET x = s.x WHEN NOT MATCHED THEN INSERT VALUES (s.i, s.x);
UPDATE u SET x = 1 WHERE i = 2;
DELETE FROM v WHERE i = 2

--- external tables with a place
-- view: t <- s3://bkt/k
CREATE EXTERNAL TABLE IF NOT EXISTS t (x INT COMMENT 'a; b') PARTITIONED BY (dt STRING) ROW FORMAT SERDE 'org.apache.hadoop.hive.serde2.OpenCSVSerde' WITH SERDEPROPERTIES ('separatorChar' = ',') STORED AS TEXTFILE LOCATION 's3n://bkt/k/' TBLPROPERTIES ('skip.header.line.count' = '1')

--- a table like another one at a place
-- view: t <- hdfs://nn/data/t
CREATE EXTERNAL TABLE t LIKE u LOCATION 'hdfs://nn/data/t'

--- a materialised view and its rebuild
-- reads: a
-- writes: mv
-- view: mv <- a
CREATE MATERIALIZED VIEW mv STORED AS ORC AS SELECT x, COUNT(*) AS n FROM a GROUP BY x;
ALTER MATERIALIZED VIEW mv REBUILD

--- a scheduled query does not run now
CREATE SCHEDULED QUERY q CRON '0 0 * * *' AS INSERT INTO a SELECT * FROM b

--- functions, jars, statistics and the file system
-- writes: a
ADD JAR s3://bkt/udf.jar;
CREATE TEMPORARY FUNCTION f AS 'com.example.F';
CREATE TEMPORARY MACRO m (x INT) x + 1;
ANALYZE TABLE a PARTITION (dt = '1') COMPUTE STATISTICS FOR COLUMNS;
MSCK REPAIR TABLE a SYNC PARTITIONS;
SHOW PARTITIONS a;
DESCRIBE FORMATTED a;
RELOAD FUNCTION

--- another script is run
-- unresolved: dynamic 1 other.hql
SOURCE other.hql;

--- CTE before a multi-insert
-- reads: a
-- writes: x y
WITH c AS (SELECT * FROM a), d AS (SELECT * FROM c) FROM d INSERT INTO TABLE x SELECT i INSERT INTO TABLE y SELECT j

--- USE and backticks
-- reads: lake.select lake.t
USE `lake`;
SELECT * FROM `select`, t

--- words of a statement that does not parse
-- reads: b c
-- writes: a
-- unresolved: syntax 1 does not parse
WITH x AS (SELECT extract(day FROM k) AS k FROM c) INSERT OVERWRITE TABLE a PARTITION (d = '1')
SELECT * FROM b TABLESAMPLE(BUCKET 1 OUT OF 128 ON host, sequence) JOIN x ON ON k

--- hivevar set in the script
-- reads: lake.b_prod
-- writes: lake.a
SET hivevar:db=lake;
SET hivevar:env = prod;
INSERT INTO ${hivevar:db}.a SELECT * FROM ${db}.b_${hivevar:env}

--- hiveconf set in the script
-- reads: lake.b
SET src=lake.b;
SET hiveconf:unused=1;
SELECT * FROM ${hiveconf:src}

--- a variable has another value later
-- reads: x y
SET t=x;
SELECT * FROM ${hiveconf:t};
SET t=y;
SELECT * FROM ${hiveconf:t};

--- scripts that transform rows
-- reads: a b
-- writes: t
INSERT OVERWRITE TABLE t SELECT TRANSFORM (x, y) USING 'python map.py' AS (u STRING, v INT) FROM a;
FROM b MAP b.x USING 'map.py' AS k;
FROM (SELECT x FROM b CLUSTER BY x) m INSERT OVERWRITE TABLE t REDUCE m.x USING 'reduce.py' AS z

--- rows of other systems, by a storage handler
-- view: j <- mysql://h:3306/shop.orders
-- view: k <- kafka://k1:9092/orders
-- unresolved: dynamic 3 HBaseStorageHandler
CREATE EXTERNAL TABLE j (i INT) STORED BY 'org.apache.hive.storage.jdbc.JdbcStorageHandler' TBLPROPERTIES ('hive.sql.jdbc.url' = 'jdbc:mysql://h/shop', 'hive.sql.table' = 'orders');
CREATE EXTERNAL TABLE k (x STRING) STORED BY 'org.apache.hadoop.hive.kafka.KafkaStorageHandler' TBLPROPERTIES ('kafka.topic' = 'orders', 'kafka.bootstrap.servers' = 'k1:9092,k2:9092');
CREATE EXTERNAL TABLE h (k STRING) STORED BY 'org.apache.hadoop.hive.hbase.HBaseStorageHandler' TBLPROPERTIES ('hbase.table.name' = 'lake:orders')

--- partitions that are merged, packed and compacted keep their rows
ALTER TABLE t PARTITION (dt = '1') CONCATENATE;
ALTER TABLE t ARCHIVE PARTITION (dt = '1');
ALTER TABLE t COMPACT 'major';
ALTER TABLE t SET FILEFORMAT ORC;
ALTER VIEW v SET TBLPROPERTIES ('a' = 'b')

--- samples on columns
-- reads: raw.a
-- writes: mart.s
INSERT OVERWRITE TABLE mart.s SELECT * FROM raw.a TABLESAMPLE(BUCKET 1 OUT OF 4 ON a, b) s

--- a script with settings, dynamic partitions and a multi-insert with lateral view
-- reads: raw.logs ref.geo
-- writes: mart.hits mart.errs
SET hive.exec.dynamic.partition.mode=nonstrict;
FROM (SELECT l.*, g.country FROM raw.logs l LEFT OUTER JOIN ref.geo g ON (l.ip = g.ip) LATERAL VIEW OUTER explode(split(l.tags, ',')) t AS tag) x
INSERT OVERWRITE TABLE mart.hits PARTITION (dt, country) SELECT x.id, x.dt, x.country WHERE x.status < 400
INSERT INTO TABLE mart.errs PARTITION (dt='2024-01-01') SELECT x.id WHERE x.status >= 400 GROUP BY x.id;

--- a daily script as teams write them
-- parameter: day = 2024-01-01
-- reads: raw.clicks dim.users
-- writes: agg.clicks
set mapreduce.job.queuename=etl;
set hive.auto.convert.join=true;
add jar hdfs:///libs/udf.jar;
create temporary function norm as 'com.x.Norm';
use agg;
drop table if exists tmp_clicks;
create table tmp_clicks stored as orc as
select u.country, c.url, count(1) as n
from raw.clicks c left join dim.users u on c.uid = u.id
where c.dt = '${day}' group by u.country, c.url;
insert overwrite table clicks partition (dt='${day}')
select /*+ MAPJOIN(x) */ country, norm(url), n from tmp_clicks;
drop table tmp_clicks;

--- files that the script moves
-- reads: hdfs://nn/stage/x raw.t
-- writes: hdfs://nn/done/x
dfs -mkdir -p hdfs://nn/done;
dfs -mv hdfs://nn/stage/x hdfs://nn/done/x;
SELECT * FROM raw.t
