--- files as tables
-- reads: file/in/x.parquet
SELECT * FROM 'in/x.parquet'

--- files as tables
-- reads: file/x.csv
FROM 'x.csv'

--- files as tables
-- reads: file//in/x.csv
SELECT * FROM read_csv('/in/x.csv', header=true)

--- files as tables
-- reads: file/a.parquet s3://bkt/k
SELECT * FROM read_parquet(['a.parquet', 's3://bkt/k'])

--- files in and out
-- reads: t
-- writes: file/out.parquet
COPY t TO 'out.parquet' (FORMAT parquet)

--- files in and out
-- reads: file/in.csv
-- writes: t
COPY t FROM 'in.csv'

--- files as tables
-- reads: file/x.csv
-- writes: t
CREATE OR REPLACE TABLE t AS FROM 'x.csv'

--- SELECT
-- reads: t
PIVOT t ON x USING sum(y)

--- what the text does not say
-- unresolved: dynamic 2 read
SELECT 1;
SELECT * FROM read_csv(getvariable('x'))

--- files of every kind by their name
-- reads: file/a.csv file/b.parquet file/c.json file/d/*.parquet s3://bkt/e.parquet https://h/f.csv file/g.tsv.gz
SELECT * FROM 'a.csv', 'b.parquet', "c.json", 'd/*.parquet', 's3://bkt/e.parquet', 'https://h/f.csv', 'g.tsv.gz'

--- files by functions, with lists and options
-- reads: s3://bkt/y=*/m=*/*.parquet file/a.json file/b.json file/x.xlsx file/t file/u
SELECT * FROM read_parquet('s3://bkt/y=*/m=*/*.parquet', hive_partitioning = true, union_by_name = true),
  read_json(['a.json', 'b.json']), read_xlsx('x.xlsx', sheet = 'S'), delta_scan('t'), iceberg_scan('u', version = '1')

--- FROM first, without SELECT, and with it behind
-- reads: a b c
FROM a; FROM b SELECT x WHERE y > 1; FROM (FROM c) SELECT count(*)

--- CREATE TABLE from files
-- reads: file/in.csv
-- writes: t
CREATE OR REPLACE TABLE t AS SELECT * FROM read_csv_auto('in.csv', sample_size = -1)

--- INSERT BY NAME, OR REPLACE, ON CONFLICT
-- reads: src lim
-- writes: a b c
INSERT INTO a BY NAME SELECT * FROM src;
INSERT OR REPLACE INTO b FROM src;
INSERT INTO c SELECT * FROM src ON CONFLICT (id) DO UPDATE SET v = (SELECT max(v) FROM lim) RETURNING *

--- MERGE INTO
-- reads: s
-- writes: t
MERGE INTO t USING (FROM s) AS s USING (id) WHEN MATCHED THEN UPDATE WHEN NOT MATCHED THEN INSERT BY NAME WHEN NOT MATCHED BY SOURCE THEN DELETE RETURNING merge_action, *

--- COPY out in all forms
-- reads: t q
-- writes: file/out.parquet s3://bkt/out file/x.json
COPY t TO 'out.parquet';
COPY (SELECT * FROM q) TO 's3://bkt/out' (FORMAT parquet, PARTITION_BY (year, month), OVERWRITE_OR_IGNORE);
COPY (FROM q) TO 'x.json' (ARRAY true)

--- COPY a file straight into another
-- reads: file/in.csv
-- writes: file/out.parquet
COPY (SELECT * FROM 'in.csv') TO 'out.parquet'

--- COPY in
-- reads: file/in.csv file/b/*.parquet
-- writes: t
COPY t FROM 'in.csv' (HEADER, DELIMITER ';'); COPY t (a, b) FROM 'b/*.parquet' (FORMAT parquet)

--- ATTACH gives a catalog its name
-- reads: lake.main.t pg.public.u
-- writes: w.out
ATTACH 'lake.db' AS lake (READ_ONLY); ATTACH 'dbname=x host=h' AS pg (TYPE postgres); ATTACH IF NOT EXISTS 'w.duckdb' AS w;
CREATE TABLE w.out AS SELECT * FROM lake.main.t JOIN pg.public.u USING (k);
DETACH lake

--- PIVOT and UNPIVOT in both spellings
-- reads: a b c d
PIVOT a ON year IN (2023, 2024) USING sum(x) GROUP BY k;
UNPIVOT b ON jan, feb INTO NAME m VALUE v;
FROM c PIVOT (sum(x) FOR y IN (1, 2));
SELECT * FROM (UNPIVOT d ON COLUMNS(* EXCLUDE (k)) INTO NAME m VALUE v)

--- PIVOT over a WITH and a file
-- reads: file/x.csv
WITH p AS (PIVOT 'x.csv' ON y USING first(z)) SELECT * FROM p

--- SUMMARIZE and DESCRIBE
-- reads: a file/x.parquet
SUMMARIZE a; DESCRIBE b; SUMMARIZE SELECT * FROM 'x.parquet'; SHOW TABLES

--- macros: scalar and table
-- reads: rates orders a
CREATE MACRO rate(k) AS (SELECT r FROM rates WHERE rates.k = k);
CREATE OR REPLACE MACRO since(d) AS TABLE SELECT * FROM orders WHERE day > d;
SELECT rate(x) FROM a; FROM since(DATE '2024-01-01')

--- a macro over files
-- reads: file/x.csv
CREATE FUNCTION xs() AS TABLE FROM read_csv('x.csv'); SELECT * FROM xs()

--- a variable made by a query
-- reads: files
-- unresolved: dynamic 2 read
SET VARIABLE path = (SELECT max(f) FROM files);
SELECT * FROM read_parquet(getvariable('path'))

--- joins of its own: ASOF, POSITIONAL, SEMI, ANTI
-- reads: a b c d e
SELECT * FROM a ASOF JOIN b USING (k, t) POSITIONAL JOIN c SEMI JOIN d USING (k) ANTI JOIN e USING (k)

--- lateral, unnest, sample, qualify, star expressions
-- reads: a b
SELECT * EXCLUDE (x) REPLACE (y + 1 AS y), unnest(l) FROM a, LATERAL (SELECT b.z FROM b WHERE b.k = a.k) USING SAMPLE 10%
QUALIFY row_number() OVER (ORDER BY x) = 1

--- lists by comprehension and lambda are no tables
-- reads: t
SELECT [x * 2 FOR x IN l IF x > 1], list_transform(l, lambda x: x + 1) FROM t

--- time travel of an attached lake
-- reads: lake.t
SELECT * FROM lake.t AT (VERSION => 3) JOIN lake.t AT (TIMESTAMP => now()) USING (k)

--- UPDATE and DELETE with other tables
-- reads: b c
-- writes: a
UPDATE a SET x = b.x FROM b WHERE a.k = b.k; DELETE FROM a USING c WHERE a.k = c.k; TRUNCATE a

--- temporary tables and views over files
-- reads: file/x.csv a
-- writes: b
CREATE TEMP TABLE t AS FROM 'x.csv'; CREATE OR REPLACE TEMP VIEW v AS FROM a; INSERT INTO b FROM t JOIN v USING (k)

--- a view over files is read through to them
-- reads: v
-- writes: v t
-- view: v <- s3://bkt/*.parquet
-- bases: s3://bkt/*.parquet
CREATE VIEW v AS FROM read_parquet('s3://bkt/*.parquet'); CREATE TABLE t AS FROM v

--- renames
-- reads: src
-- writes: s.t
CREATE TABLE s.x AS FROM src; ALTER TABLE s.x RENAME TO t

--- prepared statements
-- reads: b
-- writes: a
PREPARE p AS INSERT INTO a SELECT * FROM b WHERE k = $1; EXECUTE p(3)

--- system functions are no tables
SELECT * FROM duckdb_tables(), information_schema.tables, pragma_table_info('t'), range(3), glob('*.csv'), generate_series(1, 2)

--- recursive WITH with a key
-- reads: e
WITH RECURSIVE t(x) USING KEY (x) AS (SELECT x FROM e UNION SELECT t.x + 1 FROM t JOIN e USING (x)) FROM t

--- one statement is broken, the others count
-- reads: b
-- unresolved: syntax 1 does not parse
SELECT FROM FROM; FROM b

--- tables of other servers whose addresses are in the text, or that are attached
-- reads: postgres://h:5432/d.public.orders mysql://h:3306/shop.items pg.public.users
SELECT * FROM postgres_scan('host=h dbname=d', 'public', 'orders'), mysql_scan('host=h user=u', 'shop', 'items'),
  postgres_query('pg', 'SELECT * FROM public.users')

--- whole databases in and out
-- reads: file/backup
-- writes: file/backup
-- unresolved: dynamic 1 all tables
-- unresolved: dynamic 2 all tables
-- unresolved: dynamic 3 all tables
EXPORT DATABASE 'backup' (FORMAT parquet);
IMPORT DATABASE 'backup';
COPY FROM DATABASE a TO b

--- USE a catalog and a schema
-- reads: lake.t lake.s.u
USE lake; SELECT * FROM t; USE lake.s; SELECT * FROM u

--- another database by a function
-- reads: t
-- unresolved: dynamic 1 postgres_scan
-- unresolved: dynamic 1 sqlite_scan
SELECT * FROM postgres_scan('host=h', 'public', 'orders'), sqlite_scan('x.db', 'items'), t

--- tables by their name in a string
-- reads: a b c
FROM query_table('a'); FROM query_table(['b', 'c']); FROM query('SELECT 1')

--- query() runs a text
-- reads: t
FROM query('SELECT * FROM t')

--- settings, secrets, extensions
INSTALL httpfs; LOAD httpfs; SET memory_limit = '1GB'; PRAGMA database_list; CREATE SECRET s (TYPE s3, KEY_ID 'k');
CHECKPOINT; VACUUM; ANALYZE; CREATE SEQUENCE q; CREATE TYPE m AS ENUM ('a'); RESET threads; CALL pragma_version()

--- a variable as a path
-- reads: s3://b/x.parquet
-- writes: t
SET VARIABLE p = 's3://b/x.parquet';
CREATE TABLE t AS SELECT * FROM read_parquet(getvariable('p'))

--- a variable nobody set
-- writes: t
-- unresolved: dynamic 1
CREATE TABLE t AS SELECT * FROM read_csv(getvariable('p'))

--- FROM first with a list of files and a view
-- reads: file/a/*.parquet raw.k
-- writes: file/o.parquet
CREATE TEMP VIEW v AS FROM read_parquet('a/*.parquet', hive_partitioning = true);
COPY (FROM v JOIN raw.k USING (id) SELECT * EXCLUDE (x)) TO 'o.parquet' (FORMAT parquet, COMPRESSION zstd)

--- commands of the shell
-- reads: a.b
-- unresolved: dynamic 2 x.sql
.mode csv
.read x.sql
SELECT * FROM a.b;
