--- moves of rows that are no queries
-- reads: a
-- writes: https://h/k.csv
INSERT INTO FUNCTION s3('https://h/k.csv') SELECT * FROM a

--- INSERT
-- reads: b
-- writes: a
INSERT INTO a SELECT * FROM b FINAL ARRAY JOIN c

--- files as tables
-- reads: https://h/bkt/k.csv
SELECT * FROM s3('https://h/bkt/k.csv')

--- table functions
SELECT * FROM numbers(10)

--- views and external tables
-- writes: v
-- view: v <- a
-- view: t <- a
CREATE MATERIALIZED VIEW v TO t AS SELECT * FROM a

--- moves
-- reads: b
-- writes: a
INSERT INTO s SELECT * FROM b;
EXCHANGE TABLES a AND s

--- moves
-- reads: a b
-- writes: b a
EXCHANGE TABLES a AND b

--- statistics of a table that is named
-- reads: d.a
SELECT sum(rows) FROM system.parts WHERE database = 'd' AND table = 'a' AND active

--- a bucket in the host of an address
-- reads: https://bkt.s3.eu-west-1.amazonaws.com/k/x.csv
SELECT * FROM s3('https://bkt.s3.eu-west-1.amazonaws.com/k/x.csv', NOSIGN)

--- the function view holds a query
-- reads: a
SELECT * FROM view(SELECT x FROM a)

--- INSERT in all its forms
-- reads: b c
-- writes: a
INSERT INTO a (x, y) SELECT x, y FROM b;
INSERT INTO a SELECT x FROM b SETTINGS async_insert = 1;
INSERT INTO TABLE a (* EXCEPT (z)) SELECT x FROM c;
INSERT INTO a VALUES (1, 'x;y'), (2, 'z')

--- INSERT from a file of the client
-- reads: file/in/x.csv
-- writes: a
INSERT INTO a FROM INFILE 'in/x.csv' COMPRESSION 'gzip' FORMAT CSV

--- SELECT into a file of the client
-- reads: a
-- writes: file/out/x.csv
SELECT x FROM a INTO OUTFILE 'out/x.csv' TRUNCATE COMPRESSION 'gzip' FORMAT CSV

--- values and queries named by WITH
-- reads: a b c
WITH 1 AS one, (SELECT MAX(d) FROM a) AS top, x AS (SELECT * FROM b) SELECT one, top FROM x JOIN c USING (i) SETTINGS max_threads = 1 FORMAT JSON

--- FROM before SELECT
-- reads: a
FROM a SELECT x WHERE y = 1

--- clauses of its own
-- reads: a b c d
SELECT * FROM a FINAL SAMPLE 0.1 ARRAY JOIN xs AS x PREWHERE y = 1 LIMIT 1 BY z;
SELECT * FROM b GLOBAL ANY LEFT JOIN c USING (i) ASOF JOIN d ON b.i = d.i AND b.t >= d.t WHERE b.x GLOBAL IN (SELECT x FROM a) WITH TOTALS

--- a materialised view with its own rows
-- writes: v
-- view: v <- a
CREATE MATERIALIZED VIEW v ENGINE = MergeTree ORDER BY x AS SELECT x FROM a

--- POPULATE runs the query now
-- reads: a
-- writes: v
-- view: v <- a
CREATE MATERIALIZED VIEW IF NOT EXISTS v ENGINE = SummingMergeTree ORDER BY x POPULATE AS SELECT x FROM a

--- a materialised view into a table, over a join
-- reads: db.t
-- writes: db.v
-- view: db.v <- a b
-- view: db.t <- a b
-- bases: a b
CREATE MATERIALIZED VIEW db.v TO db.t (x UInt8) AS SELECT x FROM a JOIN b USING (i);
SELECT * FROM db.t

--- a materialised view that is refreshed by the clock
-- reads: a
-- writes: v
-- view: v <- a
CREATE MATERIALIZED VIEW v REFRESH EVERY 1 HOUR ENGINE = MergeTree ORDER BY x AS SELECT x FROM a

--- a table of a query, with an engine
-- reads: b
-- writes: a
CREATE OR REPLACE TABLE a ENGINE = MergeTree PARTITION BY toYYYYMM(d) ORDER BY (d, i) AS SELECT * FROM b

--- temporary tables
-- reads: b
-- writes: a
CREATE TEMPORARY TABLE t AS SELECT * FROM b;
INSERT INTO a SELECT * FROM t

--- tables change places after the new one was filled
-- reads: b
-- writes: db.a
CREATE TABLE db.a_new (x UInt8) ENGINE = MergeTree ORDER BY x;
INSERT INTO db.a_new SELECT * FROM b;
EXCHANGE TABLES db.a AND db.a_new ON CLUSTER main;
DROP TABLE db.a_new SYNC

--- several renames in one statement
-- reads: b
-- writes: db.a
CREATE TABLE db.n ENGINE = Log AS SELECT * FROM b;
RENAME TABLE db.a TO db.o, db.n TO db.a ON CLUSTER main;
DROP TABLE db.o

--- mutations
-- reads: b
-- writes: a c d e
ALTER TABLE a ON CLUSTER main DELETE WHERE x IN (SELECT x FROM b);
ALTER TABLE c UPDATE x = 1, y = 2 WHERE z = 3;
DELETE FROM d WHERE x = 1;
UPDATE e SET x = 1 WHERE y = 2

--- partitions are dropped, cleared, detached and attached
-- writes: a b c d
ALTER TABLE a DROP PARTITION '2024-01';
ALTER TABLE b CLEAR COLUMN x IN PARTITION 202401;
ALTER TABLE c DETACH PARTITION ID '1';
ALTER TABLE d ATTACH PARTITION ID '1'

--- partitions are copied and moved between tables
-- reads: b d f
-- writes: a c e
ALTER TABLE a REPLACE PARTITION 202401 FROM b;
ALTER TABLE d MOVE PARTITION 202401 TO TABLE c;
ALTER TABLE e ATTACH PARTITION 202401 FROM f

--- partitions stay where they are
ALTER TABLE a FREEZE PARTITION 202401;
ALTER TABLE a MOVE PARTITION 202401 TO DISK 'cold';
ALTER TABLE a MODIFY TTL d + INTERVAL 1 MONTH;
ALTER TABLE a ADD INDEX i x TYPE minmax;
ALTER TABLE a MATERIALIZE INDEX i

--- TRUNCATE on a cluster
-- writes: db.t
TRUNCATE TABLE IF EXISTS db.t ON CLUSTER main SYNC

--- another query for a materialised view
-- view: v <- b
-- writes: v
ALTER TABLE v MODIFY QUERY SELECT x FROM b

--- backups
-- reads: db.t s3://bkt/b2
-- writes: s3://bkt/b1 db.u
BACKUP TABLE db.t TO S3('s3://bkt/b1', 'key', 'secret');
RESTORE TABLE db.u FROM S3('s3://bkt/b2')

--- statements that move no rows
OPTIMIZE TABLE a FINAL DEDUPLICATE;
SYSTEM FLUSH LOGS;
SYSTEM RELOAD DICTIONARY d;
SET max_threads = 1;
EXPLAIN PIPELINE SELECT * FROM a;
DESCRIBE TABLE a;
SHOW CREATE TABLE a;
KILL MUTATION WHERE table = 'a';
DETACH TABLE a;
ATTACH TABLE a;
CHECK TABLE a;
GRANT SELECT ON a TO u;
CREATE DATABASE d ENGINE = Atomic

--- parameters of the query
-- reads: lake.b
-- parameter: tbl = lake.b
SELECT * FROM {tbl:Identifier} WHERE x = {x:UInt8}

--- tables of the system are no datasets
-- reads: a
SELECT * FROM system.parts, INFORMATION_SCHEMA.tables, a

--- comments with semicolons
-- reads: b
-- writes: a
INSERT INTO a -- one; two
/* three; */ SELECT * FROM b # four; five

--- files and objects as tables
-- reads: s3://bkt/k/*.parquet https://h/x.csv file/in/x.csv hdfs://nn:9000/x s3://bkt/c
SELECT * FROM s3('s3://bkt/k/*.parquet', 'key', 'secret', 'Parquet'), url('https://h/x.csv', CSV, 'x UInt8'), file('in/x.csv', 'CSV'), hdfs('hdfs://nn:9000/x', 'TSV'), s3Cluster('main', 's3://bkt/c', 'CSV')

--- lake formats as tables
-- reads: s3://bkt/d s3://bkt/i s3://bkt/h
SELECT * FROM deltaLake('s3://bkt/d/'), iceberg('s3://bkt/i', 'key', 'secret'), hudi('s3://bkt/h')

--- tables of other servers
-- reads: mysql://h:3306/shop.orders postgres://pg:5432/shop.public.items postgres://pg:5432/shop.s.t clickhouse://ch:8123/db.t clickhouse://ch2:8123/db.u
SELECT * FROM mysql('h:3306', 'shop', 'orders', 'u', 'p'), postgresql('pg:5432', 'shop', 'items', 'u', 'p'), postgresql('pg:5432', 'shop', 't', 'u', 'p', 's'), remote('ch:9000', db.t), remoteSecure('ch2:9000', 'db', 'u', 'user', 'p')

--- tables of the cluster are tables of this server
-- reads: db.t db.u
SELECT * FROM cluster('main', db.t), clusterAllReplicas('main', 'db', 'u')

--- a server that is the machine itself
-- reads: db.t
SELECT * FROM remote('localhost', db.t)

--- tables of other servers are written
-- reads: a
-- writes: mysql://h:3306/shop.orders s3://bkt/out.csv
INSERT INTO FUNCTION mysql('h:3306', 'shop', 'orders', 'u', 'p') SELECT * FROM a;
INSERT INTO TABLE FUNCTION s3('s3://bkt/out.csv', 'CSV') SELECT * FROM a

--- functions that make rows of nothing
SELECT * FROM numbers(10), generateRandom('x UInt8'), zeros(5)

--- tables chosen by a pattern
-- unresolved: dynamic 1 merge
SELECT * FROM merge('db', '^events_')

--- a view with parameters
-- reads: db.v
SELECT * FROM db.v(day = '2024-01-01')

--- a table after IN
-- reads: a db.ids
SELECT * FROM a WHERE i IN db.ids

--- a dictionary and a join table in functions
-- reads: a db.names db.j
SELECT dictGet('db.names', 'name', i), joinGet('db.j', 'v', i) FROM a

--- dictionaries
-- view: db.names <- shop.people
CREATE DICTIONARY db.names (id UInt64, name String) PRIMARY KEY id SOURCE(CLICKHOUSE(DB 'shop' TABLE 'people')) LAYOUT(FLAT()) LIFETIME(300)

--- a dictionary over a file
-- view: d <- https://h/x.csv
CREATE OR REPLACE DICTIONARY d (id UInt64) PRIMARY KEY id SOURCE(HTTP(URL 'https://h/x.csv' FORMAT 'CSV')) LAYOUT(HASHED()) LIFETIME(MIN 1 MAX 10)

--- a table that spreads over a cluster
-- reads: db.all
-- view: db.all <- db.one
-- bases: db.one
CREATE TABLE db.all ON CLUSTER main AS db.one ENGINE = Distributed('main', 'db', 'one', rand());
SELECT * FROM db.all

--- a table in front of another one
-- view: b <- db.t
CREATE TABLE b AS db.t ENGINE = Buffer(db, t, 16, 10, 100, 10000, 1000000, 10000000, 100000000)

--- tables of other servers by their engine
-- view: m <- mysql://h:3306/shop.orders
-- view: p <- postgres://pg:5432/shop.public.items
-- view: s <- s3://bkt/k
-- view: u <- https://h/x
CREATE TABLE m (i Int32) ENGINE = MySQL('h:3306', 'shop', 'orders', 'u', 'p');
CREATE TABLE p (i Int32) ENGINE = PostgreSQL('pg:5432', 'shop', 'items', 'u', 'p');
CREATE TABLE s (i Int32) ENGINE = S3('s3://bkt/k', 'CSV');
CREATE TABLE u (i Int32) ENGINE = URL('https://h/x', CSV)

--- a queue of messages
-- view: q <- kafka://k1:9092/orders
CREATE TABLE q (x String) ENGINE = Kafka SETTINGS kafka_broker_list = 'k1:9092,k2:9092', kafka_topic_list = 'orders', kafka_group_name = 'g', kafka_format = 'JSONEachRow'

--- a queue of messages in the old form
-- view: q <- kafka://k1:9092/orders kafka://k1:9092/items
CREATE TABLE q (x String) ENGINE = Kafka('k1:9092', 'orders, items', 'g', 'JSONEachRow')

--- a queue of objects
-- view: q <- s3://bkt/in/*.json
CREATE TABLE q (x String) ENGINE = S3Queue('s3://bkt/in/*.json', 'JSONEachRow') SETTINGS mode = 'unordered'

--- a table with the columns of another one has no rows
-- writes: a c
CREATE TABLE a AS b;
CREATE TABLE c AS b ENGINE = MergeTree ORDER BY x

--- a table with the rows of another one
-- reads: b
-- writes: a
CREATE TABLE a CLONE AS b

--- a table of a table function
-- view: a <- s3://bkt/k
CREATE TABLE a AS s3('s3://bkt/k', 'CSV')

--- USE and quotes of both kinds
-- reads: db.a other.odd;name
USE db;
SELECT * FROM a, "other".`odd;name`

--- rows in the text are no SQL
-- writes: a
INSERT INTO a FORMAT JSONEachRow {"x": 1, "y": "select * from b"} {"x": 2}

--- rows in the text end at an empty line
-- reads: w
-- writes: t u
INSERT INTO t (x) VALUES (1), (2);
INSERT INTO u FORMAT CSV
1,"a;b"
2,"select * from z"

SELECT * FROM w

--- places that the text does not tell
-- unresolved: dynamic 1 azureblobstorage
-- unresolved: dynamic 2 several servers
-- unresolved: dynamic 3 PostgreSQL
SELECT * FROM azureBlobStorage('conn', 'cont', 'x.csv');
SELECT * FROM remote('h1,h2', db.u);
CREATE DATABASE pg ENGINE = PostgreSQL('h:5432', 'db', 'u', 'p');
CREATE NAMED COLLECTION c AS x = 1;
CREATE DATABASE own ENGINE = Atomic

--- a table that is a file of the server, and one that is a file elsewhere
-- writes: a
-- view: b <- file//in/x.csv
CREATE TABLE a (x UInt8) ENGINE = File(CSV);
CREATE TABLE b (x UInt8) ENGINE = File(CSV, '/in/x.csv')

--- a chain with a materialised view, dictionaries and FINAL
-- reads: raw.e ref.d
-- writes: mart.t
INSERT INTO mart.t SELECT e.*, dictGet('ref.d', 'name', toUInt64(e.k)) FROM raw.e AS e FINAL PREWHERE d = today() ARRAY JOIN e.tags AS tag SETTINGS max_threads = 4

--- partitions moved, and a mutation with a subquery
-- reads: tmp.t bad.ids
-- writes: db.t db.u
ALTER TABLE db.t REPLACE PARTITION 202401 FROM tmp.t;
ALTER TABLE db.u DELETE WHERE id IN (SELECT id FROM bad.ids)

--- INSERT from a remote and with a WITH in front
-- reads: clickhouse://ch2:8123/db.t ref.k
-- writes: db.u
INSERT INTO db.u WITH k AS (SELECT id FROM ref.k) SELECT * FROM remote('ch2:9000', 'db', 't') WHERE id IN k
