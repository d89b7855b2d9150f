--- CREATE
-- reads: a
-- writes: h.s.t
CREATE TABLE h.s.t AS WITH b AS (SELECT * FROM a) SELECT * FROM b

--- SELECT
-- reads: h.s.t
SELECT * FROM h.s."t$partitions"

--- table functions
-- reads: a
SELECT * FROM a CROSS JOIN UNNEST(x) AS u (y)

--- names of one, two and three parts, quoted parts
-- reads: hive.web.clicks web.users my-cat.s.odd.name
SELECT * FROM hive.web.clicks, web."Users", "my-cat".s."odd.name"

--- defaults and USE
-- reads: hive.s.a hive.t.b mem.u.c
-- default: hive.s
SELECT * FROM a; USE t; SELECT * FROM b; USE mem.u; SELECT * FROM c

--- nested WITH that shadows
-- reads: a b
WITH x AS (SELECT * FROM a), y AS (WITH x AS (SELECT * FROM b) SELECT * FROM x) SELECT * FROM x, y

--- MERGE with all its branches
-- reads: s
-- writes: t
MERGE INTO t AS x USING (SELECT * FROM s) AS y ON x.id = y.id
WHEN MATCHED AND y.gone THEN DELETE
WHEN MATCHED THEN UPDATE SET v = y.v
WHEN NOT MATCHED THEN INSERT (id, v) VALUES (y.id, y.v)

--- CREATE TABLE AS with properties, and without data
-- reads: a b
-- writes: hive.s.t s3://bkt/t u
CREATE TABLE hive.s.t WITH (format = 'ORC', partitioned_by = ARRAY['d'], external_location = 's3://bkt/t/') AS SELECT * FROM a;
CREATE OR REPLACE TABLE u (x, y) COMMENT 'c' AS SELECT * FROM b WITH NO DATA

--- an external table is its files
-- view: hive.s.e <- s3://bkt/e
CREATE TABLE IF NOT EXISTS hive.s.e (x bigint) WITH (format = 'CSV', external_location = 's3a://bkt/e/')

--- CREATE TABLE LIKE
-- writes: a
CREATE TABLE a (LIKE b INCLUDING PROPERTIES, x int)

--- metadata tables mean their table
-- reads: ice.s.t
SELECT * FROM ice.s."t$snapshots", ice.s."t$files", ice.s."t$history" CROSS JOIN "ice"."s"."t$properties"

--- time travel
-- reads: ice.s.a ice.s.b
SELECT * FROM ice.s.a FOR VERSION AS OF 8954597067493422955 JOIN ice.s.b FOR TIMESTAMP AS OF TIMESTAMP '2024-01-01 00:00:00 UTC' USING (k)

--- procedures of a connector
-- unresolved: dynamic 1 procedure
CALL hive.system.sync_partition_metadata('s', 't', 'ADD')

--- ALTER TABLE EXECUTE rewrites the same rows; rows move by add_files
ALTER TABLE ice.s.t EXECUTE optimize(file_size_threshold => '128MB'); ALTER TABLE ice.s.t EXECUTE expire_snapshots(retention_threshold => '7d')

--- views with a security mode
-- writes: v
-- view: v <- a b
CREATE OR REPLACE VIEW v COMMENT 'x' SECURITY INVOKER AS SELECT * FROM a JOIN b USING (k)

--- functions written in SQL, inline and stored
-- reads: rates a
CREATE FUNCTION memory.d.rate(k varchar) RETURNS double RETURN (SELECT max(r) FROM rates);
SELECT memory.d.rate(x) FROM a

--- an inline function
-- reads: a
WITH FUNCTION twice(x bigint) RETURNS bigint RETURN x * 2 SELECT twice(y) FROM a

--- PREPARE and EXECUTE
-- reads: b
-- writes: a
PREPARE p FROM INSERT INTO a SELECT * FROM b WHERE k = ?; EXECUTE p USING 3; DEALLOCATE PREPARE p

--- EXECUTE IMMEDIATE
-- reads: a
EXECUTE IMMEDIATE 'SELECT * FROM a WHERE k = ?' USING 3

--- UPDATE, DELETE, TRUNCATE
-- reads: b
-- writes: a c
UPDATE a SET x = (SELECT max(x) FROM b); DELETE FROM a WHERE k IN (SELECT k FROM b); TRUNCATE TABLE c

--- renames
-- reads: src
-- writes: s.t
CREATE TABLE s.x AS SELECT * FROM src; ALTER TABLE s.x RENAME TO s.t

--- TABLESAMPLE, LATERAL, UNNEST with ordinality, MATCH_RECOGNIZE
-- reads: a b c
SELECT * FROM a TABLESAMPLE BERNOULLI (10) CROSS JOIN LATERAL (SELECT * FROM b WHERE b.k = a.k) l CROSS JOIN UNNEST(a.x, a.y) WITH ORDINALITY AS u (x, y, n);
SELECT * FROM c MATCH_RECOGNIZE (PARTITION BY k ORDER BY t MEASURES LAST(y.v) AS v ONE ROW PER MATCH PATTERN (x y+) DEFINE y AS y.v > 1) m

--- TABLE and VALUES
-- reads: a
-- writes: b
INSERT INTO b TABLE a; INSERT INTO b VALUES (1)

--- JSON_TABLE, GROUPING SETS, window
-- reads: a
SELECT * FROM a, JSON_TABLE(a.j, 'lax $[*]' COLUMNS (x int PATH '$.x')) WHERE EXISTS (SELECT 1 FROM UNNEST(a.z) t (q) WHERE q > 1)

--- information schema and system tables
SELECT * FROM hive.information_schema.tables, system.runtime.queries, hive.system.x, information_schema.columns

--- statements about something else
SHOW TABLES; DESCRIBE a; ANALYZE a; SET SESSION x = 1; GRANT SELECT ON a TO r; COMMENT ON TABLE a IS 'x'; CREATE SCHEMA s; START TRANSACTION; COMMIT; EXPLAIN SELECT * FROM a; CREATE ROLE r; SET ROLE r; RESET SESSION x; DENY SELECT ON a TO r

--- a query passed through to a server whose tables have names here too
-- reads: pg.public.orders
SELECT * FROM TABLE(pg.system.query(query => 'SELECT * FROM public.orders'))

--- add_files_from_table
-- reads: s.hive_t
-- writes: ice.s.t
ALTER TABLE ice.s.t EXECUTE add_files_from_table(schema_name => 's', table_name => 'hive_t');
ALTER TABLE ice.s.t EXECUTE optimize(file_size_threshold => '128MB')

--- table functions with a table, of another server, of sequences
-- reads: a
-- unresolved: dynamic 2 query
SELECT * FROM TABLE(exclude_columns(input => TABLE(a), columns => DESCRIPTOR(x))), TABLE(sequence(start => 1, stop => 3));
SELECT * FROM TABLE(pg.system.query(query => 'SELECT * FROM orders'))

--- rows come by add_files and go back by rollback
-- reads: s3://bkt/in
-- writes: ice.s.t
ALTER TABLE ice.s.t EXECUTE add_files(location => 's3://bkt/in', format => 'ORC');
ALTER TABLE ice.s.t EXECUTE rollback_to_snapshot(8954597067493422955)

--- EXPLAIN ANALYZE runs its statement
-- reads: b
-- writes: a
EXPLAIN ANALYZE VERBOSE INSERT INTO a SELECT * FROM b

--- materialised views
-- reads: a
-- writes: m
-- view: m <- a
CREATE OR REPLACE MATERIALIZED VIEW m GRACE PERIOD INTERVAL '1' HOUR WITH (format = 'ORC') AS SELECT * FROM a; REFRESH MATERIALIZED VIEW m

--- three catalogs, UNNEST and MATCH_RECOGNIZE
-- reads: mysql.crm.users hive.raw.events iceberg.ref.d
-- writes: iceberg.mart.t
INSERT INTO iceberg.mart.t
SELECT u.id, m.n FROM hive.raw.events MATCH_RECOGNIZE (PARTITION BY uid ORDER BY ts MEASURES count(*) AS n ONE ROW PER MATCH PATTERN (a b+) DEFINE b AS b.v > a.v) m
JOIN mysql.crm.users u ON u.id = m.uid
CROSS JOIN UNNEST(u.tags) WITH ORDINALITY AS t(tag, o)
LEFT JOIN iceberg.ref.d FOR VERSION AS OF 123 d ON d.id = u.id

--- files of a table by hidden metadata tables
-- reads: iceberg.raw.t
SELECT * FROM iceberg.raw.t WHERE d IN (SELECT max(d) FROM iceberg.raw.t)

--- inline functions and a table function
-- reads: hive.raw.t pg.public.orders
WITH FUNCTION twice(x bigint) RETURNS bigint RETURN x * 2
SELECT twice(a) FROM hive.raw.t JOIN TABLE(pg.system.query(query => 'SELECT id FROM public.orders')) o ON o.id = t.id
