--- SELECT
-- reads: p-1.d.t p-1.d.u p-1.d.v
SELECT * FROM `p-1.d.t`, `p-1`.d.u, p-1.d.v

--- wildcards, shards and partitions
-- reads: p.d.events_*
SELECT * FROM `p.d.events_*` WHERE _TABLE_SUFFIX > '2'

--- wildcards, shards and partitions
-- reads: p.d.events_*
SELECT * FROM `p.d.events_2024*`

--- wildcards, shards and partitions
-- reads: p.d.events_*
SELECT * FROM `p.d.events_20240131`

--- wildcards, shards and partitions
-- reads: d.u
-- writes: p.d.t
INSERT INTO `p.d.t$20240131` SELECT * FROM d.u

--- time travel
-- reads: d.t
SELECT * FROM d.t FOR SYSTEM_TIME AS OF TIMESTAMP '2024-01-01'

--- table functions
-- reads: d.t
SELECT * FROM d.t AS t, t.items AS i, i.parts, UNNEST(t.x)

--- SELECT
-- reads: d.t e.t2
SELECT ARRAY(SELECT x FROM t.items) FROM d.t CROSS JOIN e.t2

--- catalog tables
SELECT * FROM d.INFORMATION_SCHEMA.TABLES

--- table functions
-- reads: d.m d.t
SELECT * FROM ML.PREDICT(MODEL d.m, TABLE d.t)

--- MERGE
-- reads: d.b
-- writes: d.a
MERGE d.a t USING (SELECT * FROM d.b) s ON t.x = s.x WHEN MATCHED THEN UPDATE SET y = 1

--- files in and out
-- reads: d.t
-- writes: gs://bkt/k/*.csv
EXPORT DATA OPTIONS(uri='gs://bkt/k/*.csv', format='CSV') AS SELECT * FROM d.t

--- files in and out
-- reads: gs://bkt/k
-- writes: d.t
LOAD DATA INTO d.t FROM FILES(uris=['gs://bkt/k'])

--- CREATE
-- reads: d.b
-- writes: d.a
CREATE TABLE d.a CLONE d.b

--- CREATE
-- reads: d.b
-- writes: d.a
CREATE SNAPSHOT TABLE d.a CLONE d.b

--- statements
-- reads: d.t
DECLARE x DATE DEFAULT (SELECT max(d) FROM d.t)

--- SELECT
-- reads: d.a d.b
FROM d.a |> WHERE x > 1 |> JOIN d.b USING (y)

--- moves of rows that are no queries
-- reads: d.t
-- writes: d.m
CREATE MODEL d.m OPTIONS(model_type='x') AS SELECT * FROM d.t

--- moves of rows that are no queries
-- reads: d.t
ASSERT EXISTS (SELECT 1 FROM d.t) AS 'no rows'

--- views and external tables
-- view: d.t <- gs://bkt/k
CREATE EXTERNAL TABLE d.t OPTIONS(uris=['gs://bkt/k'], format='CSV')

--- scripting
-- reads: b
-- writes: a log
BEGIN INSERT INTO a SELECT * FROM b; EXCEPTION WHEN ERROR THEN INSERT INTO log VALUES (1); END

--- scripting
-- reads: z c d
-- writes: a b
IF (SELECT count(*) FROM z) > 0 THEN DELETE FROM a WHERE TRUE;
ELSEIF FALSE THEN INSERT INTO b SELECT 1;
ELSE SELECT * FROM c;
END IF;
SELECT * FROM d

--- scripting
-- reads: a e
-- writes: b c d
FOR r IN (SELECT * FROM a) DO INSERT INTO b VALUES (1);
END FOR;
WHILE x DO INSERT INTO c SELECT 1;
END WHILE;
LOOP INSERT INTO d SELECT 1;
LEAVE;
END LOOP;
SELECT * FROM e

--- scripting
-- reads: a
-- writes: b
DECLARE x INT64; SET x = (SELECT max(y) FROM a); INSERT INTO b SELECT x

--- scripting
-- reads: b
-- writes: a
BEGIN TRANSACTION; INSERT INTO a SELECT * FROM b; COMMIT TRANSACTION

--- scripting
-- reads: a
CREATE TEMP FUNCTION f(x INT64) AS ((SELECT x)); SELECT f(y) FROM a

--- scripting
-- reads: z
-- writes: y
CREATE PROCEDURE d.p() BEGIN INSERT INTO a SELECT * FROM b;
IF x THEN SELECT * FROM c;
END IF;
END;
INSERT INTO y SELECT * FROM z

--- scripting
-- reads: z
-- writes: y
CREATE PROCEDURE d.p() BEGIN IF x THEN SELECT 1;
END IF;
INSERT INTO a SELECT * FROM b;
END;
INSERT INTO y SELECT * FROM z

--- scripting
-- reads: b
-- writes: a
EXECUTE IMMEDIATE 'INSERT INTO a SELECT * FROM b'

--- what the text does not say
-- unresolved: dynamic 2 procedure
SELECT 1;
CALL p.d.refresh()

--- what the text does not say
-- unresolved: dynamic 2 run time
SELECT 1;
EXECUTE IMMEDIATE 'INSERT INTO a ' || q

--- what the text does not say
-- unresolved: dynamic 2 run time
SELECT 1;
EXECUTE IMMEDIATE q

--- statistics of tables that are named
-- reads: p.d.a p.d.b p.d.c
SELECT partition_id FROM `p.d.INFORMATION_SCHEMA.PARTITIONS`
WHERE (table_name = 'a' AND total_rows > 0) OR table_name IN ('b', 'c')

--- statistics of tables that are named
-- reads: p.d.a p.d.b e
SELECT * FROM e LEFT JOIN (
  SELECT * FROM p.d.INFORMATION_SCHEMA.PARTITIONS WHERE 'a' = table_name
) USING (day) WHERE x > (SELECT row_count FROM `p.d.__TABLES__` WHERE table_id = 'b')

--- statistics of a region name the schema in a condition
-- reads: d.a
SELECT total_rows FROM `region-us`.INFORMATION_SCHEMA.TABLE_STORAGE
WHERE table_schema = 'd' AND table_name = 'a'

--- statistics of all tables, of none that is named, and what is not asked for
SELECT * FROM d.INFORMATION_SCHEMA.PARTITIONS;
SELECT * FROM d.__TABLES__ WHERE table_id NOT IN ('a', 'b') AND NOT table_id = 'c';
SELECT * FROM d.INFORMATION_SCHEMA.COLUMNS WHERE table_name = 'a'
