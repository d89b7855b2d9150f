--- files in and out
-- reads: file//in/x.csv
-- writes: t
COPY t FROM '/in/x.csv'

--- files in and out
-- reads: t
-- writes: file//out/x.csv
COPY (SELECT * FROM t) TO '/out/x.csv'

--- files in and out
-- writes: t
COPY t FROM STDIN

--- UPDATE
-- reads: b
-- writes: a
UPDATE a SET x = b.x FROM b WHERE a.y = b.y

--- DELETE
-- reads: b
-- writes: a
DELETE FROM a USING b WHERE a.x = b.x

--- INSERT
-- writes: a
INSERT INTO a VALUES (1) ON CONFLICT (x) DO UPDATE SET y = 2

--- common table expressions
-- writes: a b
WITH x AS (DELETE FROM a RETURNING *) INSERT INTO b SELECT * FROM x

--- SELECT INTO
-- reads: b
-- writes: a
SELECT * INTO a FROM b

--- table functions
-- reads: a b
SELECT * FROM a, LATERAL (SELECT * FROM b) l, generate_series(1, 9)

--- statements about a table
-- writes: s.m
REFRESH MATERIALIZED VIEW CONCURRENTLY s.m

--- CREATE
-- writes: a
CREATE TABLE a (LIKE b)

--- catalog tables
SELECT * FROM pg_catalog.pg_tables

--- statements about a table
EXPLAIN SELECT * FROM a

--- where a table's alias or a sequence is no table
-- reads: a
SELECT * FROM a x FOR UPDATE OF x

--- moves of rows that are no queries
-- reads: b
-- writes: a
ALTER TABLE a ATTACH PARTITION b FOR VALUES IN (1)

--- moves of rows that are no queries
-- writes: a
ALTER TABLE a DETACH PARTITION b

--- moves of rows that are no queries
-- reads: x.a
-- writes: y.a
ALTER TABLE x.a SET SCHEMA y

--- moves of rows that are no queries
ALTER TABLE a OWNER TO b

--- views and external tables
-- reads: a
-- writes: v
-- view: v <- a
CREATE MATERIALIZED VIEW v AS SELECT * FROM a

--- temporary tables
-- reads: a
-- writes: b
CREATE TEMP TABLE t ON COMMIT DROP AS SELECT * FROM a;
INSERT INTO b SELECT * FROM t

--- moves
-- reads: b
-- writes: a
CREATE TABLE s AS SELECT * FROM b;
ALTER TABLE s RENAME TO a

--- moves
-- reads: b
-- writes: x.a
CREATE TABLE x.s AS SELECT * FROM b;
ALTER TABLE x.s RENAME TO a

--- moves
-- reads: b
-- writes: a
CREATE TABLE s AS SELECT * FROM b;
ALTER TABLE a RENAME TO a_old;
ALTER TABLE s RENAME TO a;
DROP TABLE a_old

--- moves
-- reads: s
-- writes: a
ALTER TABLE s RENAME TO a

--- defaults
-- reads: x.a
SET search_path = x, y;
SELECT * FROM a

--- scripting
-- reads: c b
-- writes: a
DO $$ DECLARE n INT;
r RECORD;
BEGIN SELECT count(*) INTO n FROM c;
FOR r IN SELECT * FROM b LOOP INSERT INTO a VALUES (r.x);
END LOOP;
PERFORM f();
END $$

--- scripting
-- reads: c
CREATE FUNCTION f() RETURNS INT AS $$ INSERT INTO a SELECT 1 FROM b $$ LANGUAGE sql;
SELECT * FROM c

--- scripting
-- reads: b
-- writes: a
BEGIN; SELECT * INTO a FROM b; COMMIT

--- statements about something else
GRANT SELECT ON a TO r;
COMMENT ON TABLE a IS 'x';
VACUUM a;
ANALYZE a;
CREATE INDEX i ON a (x);
SET work_mem = '1GB';
LOCK TABLE a;
CREATE SCHEMA s

--- statistics of a table that is named; its existence is no read
-- reads: s.a
SELECT n_live_tup FROM pg_stat_user_tables WHERE schemaname = 's' AND relname = 'a';
SELECT 1 FROM information_schema.tables WHERE table_schema = 's' AND table_name = 'b'
