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
-- reads: a
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

--- names are folded, quoted ones may hold anything
-- reads: s.orders s.odd.name db.s.t
SELECT * FROM S.Orders, "s"."odd.name", db.s.t

--- nested WITH that shadows
-- reads: a b
WITH x AS (SELECT * FROM a) SELECT * FROM x WHERE k IN (WITH x AS (SELECT * FROM b) SELECT k FROM x)

--- WITH that changes data, in a chain
-- reads: s.src s.old
-- writes: s.old s.archive s.log
WITH gone AS (DELETE FROM s.old WHERE d < now() RETURNING *),
     kept AS (INSERT INTO s.archive SELECT * FROM gone RETURNING id)
INSERT INTO s.log SELECT id FROM kept JOIN s.src USING (id)

--- WITH that updates under a SELECT
-- reads: a b
-- writes: a
WITH u AS (UPDATE a SET x = b.x FROM b WHERE a.id = b.id RETURNING a.id) SELECT count(*) FROM u

--- INSERT with ON CONFLICT and a subquery
-- reads: src lim
-- writes: t
INSERT INTO t AS x (id, v) SELECT id, v FROM src
ON CONFLICT (id) DO UPDATE SET v = excluded.v + (SELECT max(v) FROM lim) WHERE x.v < excluded.v RETURNING id

--- INSERT with ON CONFLICT on a constraint
-- writes: t
INSERT INTO t VALUES (1) ON CONFLICT ON CONSTRAINT t_pk DO NOTHING

--- MERGE in all forms
-- reads: src
-- writes: t
MERGE INTO ONLY t AS x USING src AS s ON x.id = s.id
WHEN MATCHED AND s.gone THEN DELETE
WHEN MATCHED THEN UPDATE SET v = s.v
WHEN NOT MATCHED BY SOURCE THEN DO NOTHING
WHEN NOT MATCHED BY TARGET THEN INSERT (id, v) VALUES (s.id, s.v)
RETURNING merge_action(), x.*

--- UPDATE with joins in FROM, of columns at once
-- reads: b c
-- writes: s.a
UPDATE s.a AS t SET (x, y) = (SELECT c.x, c.y FROM c WHERE c.id = t.id) FROM b LEFT JOIN c ON b.id = c.id WHERE t.id = b.id

--- DELETE with USING and a join
-- reads: b c
-- writes: a
DELETE FROM ONLY a AS t USING b JOIN c USING (k) WHERE t.id = b.id RETURNING *

--- TRUNCATE of several
-- writes: a s.b c
TRUNCATE TABLE ONLY a, s.b, c RESTART IDENTITY CASCADE

--- partitions: made, attached, written
-- reads: src
-- writes: m m_2024 m_2025
CREATE TABLE m (d date, x int) PARTITION BY RANGE (d);
CREATE TABLE m_2024 PARTITION OF m FOR VALUES FROM ('2024-01-01') TO ('2025-01-01');
CREATE TABLE m_2025 PARTITION OF m DEFAULT;
INSERT INTO m SELECT * FROM src

--- inheritance takes columns, not rows
-- writes: child
CREATE TABLE child (x int) INHERITS (parent)

--- CREATE TABLE AS in its forms
-- reads: x y z w
-- writes: a b c d
CREATE UNLOGGED TABLE a AS SELECT * FROM x WITH NO DATA; CREATE TABLE b (k, v) AS (SELECT * FROM y);
CREATE TABLE c AS TABLE z; CREATE TABLE d WITH (fillfactor = 70) TABLESPACE ts AS SELECT * FROM w

--- TABLE and VALUES
-- reads: a s.b
TABLE a UNION ALL TABLE s.b UNION ALL VALUES (1)

--- PREPARE and EXECUTE
-- reads: b
-- writes: a
PREPARE p (int, text) AS INSERT INTO a SELECT * FROM b WHERE k = $1;
EXECUTE p (1, 'x');
DEALLOCATE p

--- EXECUTE of something prepared elsewhere
-- unresolved: dynamic 1 prepared
EXECUTE p (1)

--- DO with dynamic SQL by format
-- reads: s.orders s.days
-- writes: s.orders_copy
DO $$
DECLARE
  t text := 'orders';
BEGIN
  EXECUTE format('CREATE TABLE %I.%I AS SELECT * FROM %I.%I WHERE k = %L', 's', t || '_copy', 's', t, now());
  EXECUTE 'SELECT * FROM s.days WHERE d = $1' INTO n USING 3;
END $$

--- SQL functions that are called, scalar and table, nested
-- reads: rates s.orders a
CREATE FUNCTION rate(k text) RETURNS numeric AS 'SELECT r FROM rates WHERE rates.k = $1' LANGUAGE sql STABLE;
CREATE FUNCTION s.since(d date) RETURNS SETOF s.orders LANGUAGE sql AS $$ SELECT * FROM s.orders WHERE rate('x') > 1 $$;
SELECT * FROM a, s.since(now()::date)

--- functions with a body of the new kind
-- reads: rates c
-- writes: b
CREATE FUNCTION rate() RETURNS numeric LANGUAGE sql RETURN (SELECT max(r) FROM rates);
CREATE FUNCTION fill() RETURNS void BEGIN ATOMIC INSERT INTO b SELECT * FROM c; END;
SELECT rate(); SELECT fill()

--- a plpgsql function that is called
-- reads: b
-- writes: a
CREATE OR REPLACE FUNCTION fill(n int) RETURNS void AS $$
BEGIN
  INSERT INTO a SELECT * FROM b LIMIT n;
END;
$$ LANGUAGE plpgsql;
SELECT fill(3)

--- a function that calls itself
-- reads: tree
CREATE FUNCTION walk(n int) RETURNS int AS $$ SELECT walk(up) FROM tree WHERE id = n $$ LANGUAGE sql;
SELECT walk(1)

--- a procedure that is called, and one that is not known
-- reads: b
-- writes: a
-- unresolved: dynamic 3 procedure
CREATE PROCEDURE fill() LANGUAGE sql AS $$ INSERT INTO a SELECT * FROM b $$;
CALL fill();
CALL s.other(1)

--- a trigger runs when somebody writes
-- writes: t
CREATE FUNCTION audit() RETURNS trigger AS $$ BEGIN INSERT INTO log VALUES (NEW.*); RETURN NEW; END $$ LANGUAGE plpgsql;
CREATE TRIGGER a AFTER INSERT ON t FOR EACH ROW EXECUTE FUNCTION audit();
INSERT INTO t VALUES (1)

--- a function in another language
-- reads: a
CREATE FUNCTION py() RETURNS int AS $$ plpy.execute("DELETE FROM b") $$ LANGUAGE plpython3u;
SELECT py() FROM a

--- set-returning functions, ROWS FROM, lateral, ordinality
-- reads: a b
SELECT * FROM a, LATERAL (SELECT * FROM b WHERE b.x = a.x LIMIT 1) l,
  ROWS FROM (generate_series(1, 3), unnest(a.arr)) WITH ORDINALITY AS f (x, y, n),
  json_to_recordset(a.j) AS j (x int), XMLTABLE('/r' PASSING a.doc COLUMNS x int),
  JSON_TABLE(a.j, '$[*]' COLUMNS (id int PATH '$.id')) jt

--- TABLESAMPLE, FOR UPDATE SKIP LOCKED, FETCH FIRST
-- reads: a b
SELECT * FROM a TABLESAMPLE BERNOULLI (10) REPEATABLE (1) JOIN b USING (k) FOR NO KEY UPDATE OF a SKIP LOCKED;
SELECT * FROM b ORDER BY x FETCH FIRST 3 ROWS WITH TIES

--- views of the catalog are read through, also under a short name
-- reads: v
-- catalog: public.v <- public.w s.a
-- catalog: public.w <- s.b
-- bases: s.a s.b
SELECT * FROM v

--- a cycle of views ends
-- reads: v
-- catalog: v <- w
-- catalog: w <- v a
-- bases: a
SELECT * FROM v

--- a rule for rewriting is a definition
CREATE RULE r AS ON INSERT TO v DO INSTEAD INSERT INTO a VALUES (NEW.x)

--- a table moved to a schema, then read there
-- reads: src prod.t
-- writes: prod.t
CREATE TABLE stg.t AS SELECT * FROM src; ALTER TABLE stg.t SET SCHEMA prod; SELECT * FROM prod.t

--- swapping two tables by three renames
-- reads: src
-- writes: t
BEGIN;
CREATE TABLE t_new AS SELECT * FROM src;
ALTER TABLE IF EXISTS t RENAME TO t_old;
ALTER TABLE t_new RENAME TO t;
DROP TABLE IF EXISTS t_old CASCADE;
COMMIT

--- partitions swapped in
-- reads: m_new
-- writes: m
ALTER TABLE m DETACH PARTITION m_old CONCURRENTLY; ALTER TABLE m ATTACH PARTITION m_new DEFAULT

--- a temporary table hides a table only until it is dropped
-- reads: a t
-- writes: b c
CREATE TEMPORARY TABLE t (x int); INSERT INTO t SELECT * FROM a; INSERT INTO b TABLE t; DROP TABLE t; INSERT INTO c TABLE t

--- search_path in its spellings
-- reads: x.a y.b z.c q.d
SET search_path TO x, public; SELECT * FROM a;
SET LOCAL search_path = "y"; SELECT * FROM b;
SELECT pg_catalog.set_config('search_path', 'z', false); SELECT * FROM c;
SET SESSION search_path = 'q'; SELECT * FROM d

--- the user's own schema is not known, the next is taken
-- reads: x.a
SET search_path = "$user", x; SELECT * FROM a

--- one statement is broken, the others count
-- reads: b d
-- writes: a c
-- unresolved: syntax 3 does not parse
INSERT INTO a SELECT * FROM b;

INSERT INTO SELECT (;
INSERT INTO c SELECT * FROM d

--- strings that look like SQL
-- reads: a
SELECT E'it\'s; SELECT * FROM x', $q$ FROM y; $q$, U&'FROM z', 'a''b; DROP' FROM a /* ; /* FROM w */ */ -- ; FROM v

--- COPY from standard input with the rows in the script
-- reads: c
-- writes: a b
COPY a (x, y) FROM stdin;
1	it's
2	select * from nothing; drop
\.
INSERT INTO b SELECT * FROM c

--- psql: \copy both ways
-- reads: file/in.csv t
-- writes: a file/out.csv
\copy a from 'in.csv' with csv header
\copy (select * from t) to 'out.csv' csv

--- psql: variables, echo, connections
-- reads: s.a
-- writes: s.b
\set schema s
\set ON_ERROR_STOP on
\echo done
INSERT INTO :schema.b SELECT * FROM :"schema".a WHERE d = :'day';
\q

--- psql: another script is not in the text
-- reads: a
-- unresolved: dynamic 2 other.sql
SELECT * FROM a;
\i other.sql
\timing on

--- psql: gexec runs what a query makes
-- reads: t
-- unresolved: dynamic 1 gexec
SELECT format('DROP TABLE %I', x) FROM t \gexec

--- psql: conditions, both branches count
-- writes: a b
\if :x
INSERT INTO a VALUES (1);
\else
INSERT INTO b VALUES (1);
\endif

--- temporary tables outlive a change of search_path
-- reads: a y.b
-- writes: x.c
CREATE TEMP TABLE t AS SELECT * FROM a;
SET search_path TO x;
INSERT INTO c SELECT * FROM t JOIN y.b USING (k)

--- a temporary table under pg_temp
-- reads: a
-- writes: b
CREATE TABLE pg_temp.t AS SELECT * FROM a; INSERT INTO b SELECT * FROM pg_temp.t JOIN t USING (k)

--- a pg_dump script
-- writes: public.orders
SET statement_timeout = 0;
SELECT pg_catalog.set_config('search_path', '', false);
CREATE TABLE public.orders (id integer NOT NULL);
ALTER TABLE public.orders OWNER TO postgres;
COPY public.orders (id) FROM stdin;
1
2
\.
ALTER TABLE ONLY public.orders ADD CONSTRAINT pk PRIMARY KEY (id);
SELECT pg_catalog.setval('public.orders_id_seq', 2, true)

--- a search path that a function sets
-- reads: s.a
SELECT set_config('search_path', 's', false); SELECT * FROM a

--- a search path that a function under its schema sets
-- reads: s.a
SELECT pg_catalog.set_config('search_path', 's', false); SELECT * FROM a

--- dblink asks a server whose address is in the text
-- reads: postgres://far:5433/shop.public.orders postgres://far:5433/shop.s.items
SELECT * FROM dblink('host=far port=5433 dbname=shop user=u', 'SELECT * FROM orders JOIN s.items USING (id)') AS t (id int)

--- what dblink changes is not known
-- unresolved: dynamic 1 dblink_exec
SELECT dblink_exec('host=far dbname=shop', 'DELETE FROM orders')

--- EXPLAIN without running it
EXPLAIN (ANALYZE false, COSTS) INSERT INTO a SELECT * FROM b;
EXPLAIN DELETE FROM a

--- cursors
-- reads: a b
-- writes: c
BEGIN;
DECLARE cur BINARY SCROLL CURSOR WITH HOLD FOR SELECT * FROM a JOIN b USING (k) FOR UPDATE OF a;
FETCH ALL FROM cur; MOVE 3 IN cur;
UPDATE c SET x = 1 WHERE CURRENT OF cur;
CLOSE cur; COMMIT

--- CREATE TABLE AS EXECUTE of a prepared statement
-- reads: src
-- writes: t
PREPARE q AS SELECT * FROM src; CREATE TABLE t AS EXECUTE q

--- COPY in all directions
-- reads: file//in/a.csv file//in/b.csv t q v
-- writes: a b file//out/t.csv file//out/q.csv
COPY a (x, y) FROM '/in/a.csv' WITH (FORMAT csv, HEADER);
COPY b FROM '/in/b.csv' WHERE x > 1;
COPY t TO '/out/t.csv' CSV;
COPY (SELECT * FROM q) TO '/out/q.csv' WITH CSV HEADER;
COPY v TO STDOUT

--- COPY through a program: what that does is not in the text
-- reads: t
-- writes: a
-- unresolved: dynamic 1 program
-- unresolved: dynamic 2 program
COPY (SELECT * FROM t) TO PROGRAM 'gzip > /out/t.gz';
COPY a FROM PROGRAM 'curl http://h/x.csv' CSV

--- DO over the catalog's names cannot be known
-- reads: src
-- unresolved: dynamic 5 run time
DO $$
DECLARE r record;
BEGIN
  FOR r IN SELECT tablename FROM pg_tables LOOP
    EXECUTE 'INSERT INTO ' || quote_ident(r.tablename) || ' SELECT * FROM src';
  END LOOP;
END $$

--- dblink asks another server
-- unresolved: dynamic 1 dblink
SELECT * FROM dblink('dbname=x', 'SELECT id FROM orders') AS t (id int)

--- renaming a column, a constraint, a view, an index, a schema
ALTER TABLE a RENAME COLUMN x TO y; ALTER TABLE a RENAME x TO y; ALTER TABLE a RENAME CONSTRAINT c TO d;
ALTER INDEX i RENAME TO j; ALTER SCHEMA s RENAME TO t

--- EXPLAIN ANALYZE runs its statement
-- reads: b
-- writes: a
EXPLAIN (ANALYZE, BUFFERS) INSERT INTO a SELECT * FROM b

--- recursive WITH with SEARCH and MATERIALIZED
-- reads: tree lim
WITH RECURSIVE t (id, up) AS (
  SELECT id, up FROM tree UNION ALL SELECT c.id, c.up FROM tree c JOIN t ON c.up = t.id
) SEARCH DEPTH FIRST BY id SET o, l AS MATERIALIZED (SELECT * FROM lim)
SELECT * FROM t, l

--- ONLY and the star behind a table
-- reads: parent child
SELECT * FROM ONLY parent p JOIN ONLY (child) c USING (id) JOIN parent * USING (id)

--- CREATE TABLE LIKE, OF a type
-- writes: a b
CREATE TABLE a (LIKE b INCLUDING ALL, x int); CREATE TABLE b OF some_type

--- DO with loops, branches, handlers and nested blocks
-- reads: q days src z
-- writes: a log b
DO LANGUAGE plpgsql $body$
<<outer>>
DECLARE
  n int := (SELECT count(*) FROM q);
  r record;
  cur CURSOR (k int) FOR SELECT * FROM days WHERE x = k;
BEGIN
  FOR r IN SELECT * FROM src LOOP
    INSERT INTO a VALUES (r.x);
    CONTINUE WHEN r.x > 3;
  END LOOP;
  IF n > 0 AND EXISTS (SELECT 1 FROM z) THEN
    DELETE FROM b;
  ELSIF n < 0 THEN
    RAISE NOTICE 'x %', n;
  END IF;
  FOREACH n IN ARRAY ARRAY[1, 2] LOOP
    PERFORM pg_sleep(n);
  END LOOP;
  BEGIN
    RETURN;
  EXCEPTION WHEN unique_violation OR others THEN
    INSERT INTO log VALUES (1);
  END;
END outer;
$body$

--- FOR over dynamic SQL and RETURN QUERY EXECUTE
-- reads: a b
-- writes: c
DO $$
BEGIN
  FOR r IN EXECUTE 'SELECT * FROM a' LOOP
    INSERT INTO c VALUES (1);
  END LOOP;
  OPEN cur FOR EXECUTE 'SELECT * FROM b';
  OPEN cur2 FOR SELECT * FROM b;
END $$

--- foreign tables and servers
-- reads: remote.t src
-- writes: remote.t a
CREATE SERVER lake FOREIGN DATA WRAPPER postgres_fdw OPTIONS (host 'h', dbname 'd');
IMPORT FOREIGN SCHEMA public FROM SERVER lake INTO remote;
INSERT INTO remote.t SELECT * FROM src; INSERT INTO a SELECT * FROM remote.t

--- a foreign table over a file is the file
-- view: f <- file//in/x.csv
CREATE FOREIGN TABLE f (x int) SERVER files OPTIONS (filename '/in/x.csv', format 'csv')

--- views: recursive, temporary, with options, materialised without data
-- writes: v w m
-- view: v <- a
-- view: w <- b
-- view: m <- c
CREATE OR REPLACE VIEW v WITH (security_barrier) AS SELECT * FROM a WITH LOCAL CHECK OPTION;
CREATE RECURSIVE VIEW w (n) AS SELECT 1 FROM b UNION ALL SELECT n + 1 FROM w;
CREATE MATERIALIZED VIEW IF NOT EXISTS m TABLESPACE ts AS SELECT * FROM c WITH NO DATA

--- GRAPH_TABLE of SQL/PGQ
-- reads: g
-- view: g <- person knows
-- bases: person knows
CREATE PROPERTY GRAPH g VERTEX TABLES (person) EDGE TABLES (knows SOURCE person DESTINATION person);
SELECT * FROM GRAPH_TABLE (g MATCH (a IS person)-[IS knows]->(b) COLUMNS (a.name, b.name AS friend))

--- LISTEN, NOTIFY, VACUUM, REINDEX, CLUSTER, statistics, publications
LISTEN c; NOTIFY c, 'x'; UNLISTEN *; VACUUM (FULL, ANALYZE) t; REINDEX TABLE t; CLUSTER t USING i; CHECKPOINT;
CREATE STATISTICS s (dependencies) ON x, y FROM t; CREATE PUBLICATION p FOR TABLE t; REASSIGN OWNED BY a TO b;
CREATE POLICY p ON t USING (x IN (SELECT x FROM m)); ALTER TABLE t ENABLE ROW LEVEL SECURITY; SECURITY LABEL ON TABLE t IS 'x';
CREATE EXTENSION IF NOT EXISTS pgcrypto; REFRESH COLLATION c; SET ROLE r; RESET ALL; SHOW search_path; DISCARD ALL;
ALTER SEQUENCE s OWNED BY t.id; ALTER DEFAULT PRIVILEGES GRANT SELECT ON TABLES TO r; PREPARE TRANSACTION 'x'; COMMIT PREPARED 'x'

--- a foreign table of a server
-- unresolved: dynamic 1 server
CREATE FOREIGN TABLE f (x int) SERVER s OPTIONS (schema_name 'a', table_name 'b')

--- a star behind FROM that multiplies
-- reads: only_a
SELECT DISTINCT ON (k) EXTRACT(epoch FROM x * y), EXTRACT(epoch FROM t.x * 2) FROM ONLY_a AS t FOR UPDATE

--- a SET that gives nothing a value
-- reads: a
SET () search_path = x; SELECT * FROM a

--- data-modifying CTEs in a chain
-- reads: app.queue app.config
-- writes: app.queue app.archive app.audit
WITH moved AS (
  DELETE FROM app.queue q USING app.config c WHERE q.kind = c.kind RETURNING q.*
), kept AS (
  INSERT INTO app.archive SELECT * FROM moved RETURNING id
)
INSERT INTO app.audit (n) SELECT count(*) FROM kept

--- a function called in a query, made by the same script
-- reads: raw.orders raw.rates
-- writes: mart.t
CREATE OR REPLACE FUNCTION mart.total(d date) RETURNS numeric LANGUAGE sql STABLE AS $fn$
  SELECT sum(o.amount * r.rate) FROM raw.orders o JOIN raw.rates r USING (cur) WHERE o.day = d
$fn$;
INSERT INTO mart.t SELECT d, mart.total(d) FROM generate_series('2024-01-01'::date, now(), '1 day') AS g(d);

--- an anonymous block with dynamic names by format
-- reads: meta.parts
-- unresolved: dynamic 4
DO $do$
DECLARE r record;
BEGIN FOR r IN SELECT name FROM meta.parts LOOP
  EXECUTE format('INSERT INTO mart.%I SELECT 1', r.name);
END LOOP; END $do$;

--- upsert with a sub-query in the conflict clause, and a lateral
-- reads: stg.c ref.k ref.z
-- writes: dim.c
INSERT INTO dim.c AS t (id, v)
SELECT s.id, l.v FROM stg.c s CROSS JOIN LATERAL (SELECT v FROM ref.k k WHERE k.id = s.id ORDER BY 1 LIMIT 1) l
ON CONFLICT (id) DO UPDATE SET v = EXCLUDED.v WHERE t.v <> (SELECT max(v) FROM ref.z)

--- psql with variables, \copy and a condition
-- reads: file/in.csv
-- writes: stg.orders mart.orders
\set ON_ERROR_STOP on
\set tbl stg.orders
\copy stg.orders from 'in.csv' csv header
BEGIN;
DELETE FROM mart.orders WHERE day = '2024-01-01';
COMMIT;

--- a view of the script used below, with shadowing by a CTE
-- reads: raw.a raw.b
-- writes: mart.c mart.v
-- view: mart.v <- raw.a
CREATE VIEW mart.v AS SELECT * FROM raw.a;
CREATE TABLE mart.c AS WITH v AS (SELECT * FROM raw.b) SELECT * FROM v;
INSERT INTO mart.c SELECT * FROM raw.a;

--- CREATE FUNCTION whose body's start is broken
-- reads: raw.x
-- unresolved: syntax 1
CREATE FUNCTION f() RETURNS int LANGUAGE sql AZ $$ SELECT 1 FROM raw.q $$;
SELECT * FROM raw.x;
