--- files in and out
-- reads: t
-- writes: s3://bkt/k
UNLOAD (SELECT * FROM t) TO 's3://bkt/k' WITH (format='ORC')

--- UNLOAD over a WITH
-- reads: s.t
-- writes: s3://bkt/out
UNLOAD (WITH x AS (SELECT * FROM s.t) SELECT * FROM x) TO 's3://bkt/out/' WITH (format = 'PARQUET', partitioned_by = ARRAY['d'])

--- CTAS with a location
-- reads: s.a
-- writes: s.t s3://bkt/t
CREATE TABLE s.t WITH (format = 'PARQUET', external_location = 's3://bkt/t/', partitioned_by = ARRAY['d'], bucketed_by = ARRAY['k'], bucket_count = 5) AS SELECT * FROM s.a

--- CTAS of an Iceberg table
-- reads: s.a
-- writes: s.t s3://bkt/t
CREATE TABLE s.t WITH (table_type = 'ICEBERG', location = 's3://bkt/t/', is_external = false) AS SELECT * FROM s.a

--- an external table by Hive's grammar
-- view: s.logs <- s3://bkt/logs
CREATE EXTERNAL TABLE IF NOT EXISTS `s`.`logs` (`x` string, `y` struct<z:int>) PARTITIONED BY (`d` string)
ROW FORMAT SERDE 'org.openx.data.jsonserde.JsonSerDe' WITH SERDEPROPERTIES ('ignore.malformed.json' = 'true')
STORED AS INPUTFORMAT 'a' OUTPUTFORMAT 'b' LOCATION 's3://bkt/logs/' TBLPROPERTIES ('projection.enabled' = 'true')

--- an external table without backticks
-- reads: logs
-- writes: t
-- view: logs <- s3://bkt/logs
-- bases: s3://bkt/logs
CREATE EXTERNAL TABLE logs (x string) STORED AS PARQUET LOCATION 's3://bkt/logs/';
INSERT INTO t SELECT * FROM logs

--- partitions
-- reads: s3://bkt/d=1
-- writes: s.t
ALTER TABLE s.t ADD IF NOT EXISTS PARTITION (d = '1') LOCATION 's3://bkt/d=1/'; MSCK REPAIR TABLE s.t; ALTER TABLE s.t DROP PARTITION (d = '0')

--- MERGE, UPDATE, DELETE, OPTIMIZE and VACUUM of Iceberg
-- reads: src
-- writes: ice
MERGE INTO ice t USING src s ON t.id = s.id WHEN MATCHED THEN UPDATE SET v = s.v WHEN NOT MATCHED THEN INSERT (id, v) VALUES (s.id, s.v);
UPDATE ice SET v = 1; DELETE FROM ice WHERE id = 3; OPTIMIZE ice REWRITE DATA USING BIN_PACK; VACUUM ice

--- time travel and metadata tables
-- reads: s.a s.b
SELECT * FROM s.a FOR TIMESTAMP AS OF (current_timestamp - interval '1' day) JOIN s."b$iceberg_history" USING (k) JOIN s.b FOR VERSION AS OF 3 USING (k)

--- a catalog of Lambda, three parts
-- reads: lambda_cat.db.t awsdatacatalog.db.u
SELECT * FROM "lambda_cat"."db"."t", AwsDataCatalog.db.u

--- views in both grammars
-- writes: v
-- view: v <- db.a
CREATE OR REPLACE VIEW v AS SELECT * FROM "db"."a"

--- prepared statements
-- reads: b
PREPARE q FROM SELECT * FROM b WHERE k = ?; EXECUTE q USING 'x'

--- the hidden column of the file
-- reads: t
SELECT "$path", count(*) FROM t GROUP BY 1

--- an Iceberg table of its own
-- writes: s.ice
CREATE TABLE s.ice (id bigint, d date) PARTITIONED BY (month(d)) LOCATION 's3://bkt/ice/' TBLPROPERTIES ('table_type' = 'ICEBERG')

--- an external function
-- reads: t
USING EXTERNAL FUNCTION f(x VARCHAR) RETURNS VARCHAR LAMBDA 'l' SELECT f(x) FROM t

--- WITH and a join over two databases
-- reads: raw.a ref.b
WITH x AS (SELECT * FROM raw.a) SELECT * FROM x JOIN ref.b USING (id)

--- another catalog
-- reads: hive_two.s.t
-- writes: s.u
INSERT INTO s.u SELECT * FROM "hive_two"."s"."t"

--- MERGE into an Iceberg table
-- reads: s.new
-- writes: s.ice
MERGE INTO s.ice t USING (SELECT * FROM s.new) n ON t.id = n.id
WHEN MATCHED AND n.gone THEN DELETE WHEN MATCHED THEN UPDATE SET x = n.x WHEN NOT MATCHED THEN INSERT (id, x) VALUES (n.id, n.x)

--- an Iceberg table as it was
-- reads: s.ice
SELECT * FROM s.ice FOR TIMESTAMP AS OF TIMESTAMP '2030-01-01 00:00:00 UTC'

--- prepared statements
-- reads: s.t
PREPARE p FROM SELECT * FROM s.t WHERE x = ?;
EXECUTE p USING 1

--- a view over a view of the script
-- writes: s.v s.w
-- view: s.v <- s.t
-- view: s.w <- s.v
CREATE OR REPLACE VIEW s.v AS SELECT * FROM s.t;
CREATE OR REPLACE VIEW s.w AS SELECT x FROM s.v

--- UNLOAD and CTAS with properties
-- reads: raw.t raw.u
-- writes: s3://b/o db.n s3://b/n
UNLOAD (SELECT * FROM raw.t) TO 's3://b/o/' WITH (format = 'PARQUET');
CREATE TABLE db.n WITH (format='PARQUET', external_location='s3://b/n/', partitioned_by=ARRAY['d']) AS SELECT * FROM raw.u
