--- files in and out
-- reads: @stage/path
-- writes: s.t
COPY INTO s.t FROM @stage/path/ FILE_FORMAT=(TYPE=CSV)

--- files in and out
-- reads: t
-- writes: @stage/out
COPY INTO @stage/out FROM (SELECT * FROM t)

--- files in and out
-- reads: s3://bkt/in
-- writes: t
COPY INTO t FROM 's3://bkt/in/'

--- files as tables
-- reads: @stage/x.csv
SELECT $1 FROM @stage/x.csv

--- INSERT
-- reads: b
-- writes: a
INSERT OVERWRITE INTO a SELECT * FROM b AT(OFFSET => -60)

--- table functions
-- reads: a
SELECT * FROM a, LATERAL FLATTEN(INPUT => a.x)

--- table functions
SELECT * FROM TABLE(GENERATOR(ROWCOUNT => 3))

--- SELECT
-- reads: s.t
SELECT * FROM IDENTIFIER('s.t')

--- CREATE
-- reads: b
-- writes: a
CREATE TABLE a CLONE b

--- INSERT
-- reads: c
-- writes: a b
INSERT ALL INTO a VALUES (x) INTO b VALUES (y) SELECT x, y FROM c

--- CREATE
CREATE TASK k AS INSERT INTO a SELECT * FROM b

--- moves of rows that are no queries
-- reads: @st/x
-- writes: a
MERGE INTO a USING @st/x s ON TRUE WHEN MATCHED THEN DELETE

--- views and external tables
-- reads: a
-- writes: t
CREATE DYNAMIC TABLE t TARGET_LAG='1 m' WAREHOUSE=w AS SELECT * FROM a

--- temporary tables
-- reads: a
-- writes: b
CREATE TEMPORARY TABLE t (x INT);
INSERT INTO t SELECT * FROM a;
INSERT INTO b SELECT * FROM t

--- moves
-- reads: b
-- writes: a
CREATE TABLE s AS SELECT * FROM b;
ALTER TABLE a SWAP WITH s;
DROP TABLE s

--- defaults
-- reads: x.y.a x.z.b x.z.c
USE SCHEMA x.y;
SELECT * FROM a;
USE SCHEMA z;
SELECT * FROM b;
USE ROLE r;
USE WAREHOUSE w;
SELECT * FROM c

--- scripting
-- reads: b
-- writes: a
EXECUTE IMMEDIATE $$ BEGIN INSERT INTO a SELECT * FROM b; END $$

--- scripting
-- reads: q b
-- writes: a
BEGIN LET x INT := (SELECT max(y) FROM q); INSERT INTO a SELECT * FROM b; RETURN x; END

--- scripting
-- reads: q
-- writes: a
DECLARE rs RESULTSET DEFAULT (SELECT * FROM q);
BEGIN FOR r IN rs DO INSERT INTO a VALUES (1);
END FOR;
RETURN 1;
END

--- case and quotes: names are folded, quoted ones may hold dots
-- reads: db.s.orders db.s.my.table
SELECT * FROM DB.S.Orders, "DB"."S"."My.Table"

--- the schema between two dots is PUBLIC
-- reads: db.public.t
SELECT * FROM db..t

--- nested WITH that shadows
-- reads: s.a s.b
WITH x AS (SELECT * FROM s.a), y AS (WITH x AS (SELECT * FROM s.b) SELECT * FROM x)
SELECT * FROM x, y

--- MERGE with all its branches
-- reads: s.src
-- writes: s.t
MERGE INTO s.t USING (SELECT * FROM s.src) AS x ON t.id = x.id
WHEN MATCHED AND x.op = 'D' THEN DELETE
WHEN MATCHED THEN UPDATE SET t.v = x.v
WHEN NOT MATCHED THEN INSERT (id, v) VALUES (x.id, x.v)

--- multi-table insert, first match
-- reads: s.src
-- writes: a b c
INSERT OVERWRITE FIRST
  WHEN n > 100 THEN INTO a
  WHEN n > 10 THEN INTO b (x) VALUES (n)
  ELSE INTO c
SELECT n FROM s.src

--- multi-table insert, unconditional, twice the same target
-- reads: src
-- writes: a b
INSERT ALL INTO a INTO a (x, y) VALUES (y, x) INTO b SELECT x, y FROM src

--- UPDATE with FROM
-- reads: s.src
-- writes: s.t
UPDATE s.t SET t.x = src.x FROM s.src WHERE t.id = src.id

--- DELETE with USING a subquery
-- reads: s.gone s.old
-- writes: s.t
DELETE FROM s.t USING (SELECT id FROM s.gone) g, s.old o WHERE t.id = g.id AND t.id = o.id

--- SWAP of a table that was built, and the old one dropped
-- reads: s.src
-- writes: s.t
CREATE OR REPLACE TABLE s.t_new LIKE s.t;
INSERT INTO s.t_new SELECT * FROM s.src;
ALTER TABLE s.t SWAP WITH s.t_new;
DROP TABLE s.t_new

--- RENAME into another schema
-- reads: src
-- writes: prod.t
CREATE TRANSIENT TABLE stg.t AS SELECT * FROM src; ALTER TABLE stg.t RENAME TO prod.t

--- COPY from a table stage and a user stage
-- reads: @%t @~/up
-- writes: t u
COPY INTO t FROM @%t; COPY INTO u FROM @~/up FILE_FORMAT = (FORMAT_NAME = 'f')

--- a stage in a schema, with a format
-- reads: @db.s.st/p
SELECT t.$1:id FROM @db.s.st/p (FILE_FORMAT => 'f', PATTERN => '.*json') t

--- PUT, GET, LIST and REMOVE move files of clients, not rows
PUT file:///tmp/x.csv @st; GET @st file:///tmp/; LIST @st; REMOVE @st PATTERN = '.*'

--- Iceberg tables, made and external
-- reads: src
-- writes: ice
CREATE ICEBERG TABLE ice CATALOG = 'SNOWFLAKE' EXTERNAL_VOLUME = 'v' BASE_LOCATION = 'ice' AS SELECT * FROM src

--- time travel in every form
-- reads: a b c d
SELECT * FROM a AT (TIMESTAMP => '2024-01-01'::TIMESTAMP)
JOIN b BEFORE (STATEMENT => '8e5d0ca9-005e-44e6-b858-a8f5b37c5726') USING (k)
JOIN c AT (OFFSET => -60*5) AS x USING (k)
JOIN d CHANGES (INFORMATION => DEFAULT) AT (TIMESTAMP => $ts) USING (k)

--- dynamic tables read what they are built from
-- reads: raw.orders dim.day
-- writes: mart.daily
CREATE OR REPLACE DYNAMIC TABLE mart.daily TARGET_LAG = DOWNSTREAM WAREHOUSE = w REFRESH_MODE = AUTO INITIALIZE = ON_CREATE
AS SELECT * FROM raw.orders o JOIN dim.day d ON o.d = d.d

--- suspending one changes no rows
ALTER DYNAMIC TABLE mart.daily SUSPEND

--- secure and materialised views
-- reads: b
-- writes: v m
-- view: v <- a
-- view: m <- b
CREATE OR REPLACE SECURE VIEW v COPY GRANTS AS SELECT * FROM a;
CREATE SECURE MATERIALIZED VIEW m CLUSTER BY (x) AS SELECT * FROM b

--- a task with a block
CREATE TASK k SCHEDULE = '1 minute' AS
BEGIN
  INSERT INTO a SELECT * FROM b;
  DELETE FROM c;
END

--- EXECUTE TASK of another script
-- unresolved: dynamic 1 task
EXECUTE TASK db.s.k

--- USE for each level
-- reads: db.s.a db2.public.b db.t.c
USE DATABASE db; USE SCHEMA s; SELECT * FROM a; USE db2.public; SELECT * FROM b; USE SCHEMA db.t; SELECT * FROM c

--- Snowflake Scripting with cursor, resultset, branches and handler
-- reads: q s.b s.z
-- writes: s.a s.c s.log
DECLARE
  c1 CURSOR FOR SELECT id FROM q;
  n INTEGER DEFAULT 0;
BEGIN
  OPEN c1;
  FOR r IN c1 DO
    n := n + 1;
    INSERT INTO s.a SELECT * FROM s.b WHERE id = :n;
  END FOR;
  IF (n > 5) THEN
    TRUNCATE TABLE s.c;
  ELSEIF (n > 4) THEN
    LET x INT := (SELECT COUNT(*) FROM s.z);
  END IF;
  RETURN n;
EXCEPTION
  WHEN STATEMENT_ERROR THEN
    INSERT INTO s.log VALUES (:sqlerrm);
  WHEN OTHER THEN
    RAISE;
END

--- an anonymous block in a string with dollars
-- reads: b c
-- writes: a
EXECUTE IMMEDIATE $$
DECLARE
  rs RESULTSET;
BEGIN
  rs := (SELECT * FROM c);
  INSERT INTO a SELECT * FROM b;
  RETURN TABLE(rs);
END;
$$

--- dynamic SQL from a variable and by concatenation
-- reads: src.orders
-- writes: dst.orders dst.two
DECLARE
  stmt VARCHAR DEFAULT 'INSERT INTO dst.two SELECT 1';
  tbl STRING := 'orders';
BEGIN
  EXECUTE IMMEDIATE :stmt;
  LET q STRING := 'INSERT INTO dst.' || tbl || ' SELECT * FROM src.' || :tbl;
  EXECUTE IMMEDIATE q USING (tbl);
END

--- session variables
-- reads: s.src
-- writes: s.t
SET q = 'INSERT INTO s.t SELECT * FROM s.src';
EXECUTE IMMEDIATE $q

--- IDENTIFIER of something unknown
-- reads: a
-- unresolved: template 1 needs a value
SELECT * FROM a JOIN IDENTIFIER(:x) USING (k)

--- a function and a table function of the script
-- reads: rates orders
CREATE OR REPLACE FUNCTION rate(c STRING) RETURNS FLOAT AS 'SELECT r FROM rates WHERE k = c';
CREATE FUNCTION s.since(d DATE) RETURNS TABLE (id INT) AS $$ SELECT id FROM orders WHERE day > d $$;
SELECT rate('x'), t.* FROM TABLE(s.since('2024-01-01'::DATE)) t

--- functions in other languages say nothing
-- reads: a
CREATE FUNCTION f(x VARCHAR) RETURNS VARCHAR LANGUAGE JAVASCRIPT AS 'return "SELECT * FROM b"';
CREATE FUNCTION g() RETURNS TABLE (x INT) LANGUAGE PYTHON RUNTIME_VERSION = '3.11' HANDLER = 'h' AS $$ class h: pass $$;
SELECT f(x) FROM a, TABLE(g())

--- a stored procedure that is called
-- reads: b
-- writes: a
CREATE OR REPLACE PROCEDURE s.fill(d DATE) RETURNS STRING LANGUAGE SQL EXECUTE AS CALLER AS
$$
BEGIN
  INSERT INTO a SELECT * FROM b WHERE day = :d;
  RETURN 'ok';
END
$$;
CALL s.fill(CURRENT_DATE())

--- a stored procedure without dollars that is called
-- reads: b
-- writes: a
CREATE PROCEDURE fill() RETURNS INT LANGUAGE SQL AS
BEGIN
  INSERT INTO a SELECT * FROM b;
  RETURN 1;
END;
CALL fill()

--- a procedure in Python that is called
-- unresolved: dynamic 4 procedure
CREATE PROCEDURE fill() RETURNS INT LANGUAGE PYTHON RUNTIME_VERSION = '3.11' PACKAGES = ('snowflake-snowpark-python') HANDLER = 'run' AS $$
def run(session): session.table('b').write.save_as_table('a')
$$;
CALL fill()

--- lateral joins, flatten of a column, table functions
-- reads: a b
SELECT * FROM a, LATERAL (SELECT * FROM b WHERE b.x = a.x), LATERAL FLATTEN(INPUT => a.v:items) f,
  TABLE(FLATTEN(a.v)), TABLE(SPLIT_TO_TABLE(a.s, ',')), TABLE(RESULT_SCAN(LAST_QUERY_ID()))

--- information schema and account usage functions
SELECT * FROM db.INFORMATION_SCHEMA.TABLES, TABLE(db.INFORMATION_SCHEMA.QUERY_HISTORY())

--- PIVOT, UNPIVOT, SAMPLE, MATCH_RECOGNIZE, QUALIFY
-- reads: a b c d
SELECT * FROM a PIVOT (SUM(x) FOR q IN (ANY ORDER BY q)) p
UNION ALL SELECT * FROM b UNPIVOT (x FOR q IN (q1, q2))
UNION ALL SELECT * FROM c SAMPLE BERNOULLI (10) QUALIFY ROW_NUMBER() OVER (ORDER BY x) = 1
UNION ALL SELECT * FROM d MATCH_RECOGNIZE (PARTITION BY k ORDER BY t MEASURES FIRST(t) AS f PATTERN (x y+) DEFINE y AS v > 1)

--- ASOF JOIN
-- reads: trades quotes
SELECT * FROM trades t ASOF JOIN quotes q MATCH_CONDITION (t.ts >= q.ts) ON t.sym = q.sym

--- CONNECT BY
-- reads: emp
SELECT * FROM emp START WITH boss IS NULL CONNECT BY boss = PRIOR id

--- UNDROP, sequences, tags, policies, warehouses
CREATE SEQUENCE s; CREATE TAG t; CREATE MASKING POLICY p AS (v STRING) RETURNS STRING -> CASE WHEN TRUE THEN v END;
CREATE ROW ACCESS POLICY r AS (x STRING) RETURNS BOOLEAN -> EXISTS (SELECT 1 FROM m WHERE k = x);
ALTER WAREHOUSE w RESUME; UNDROP TABLE a; ALTER SESSION SET QUERY_TAG = 'x'; CREATE FILE FORMAT f TYPE = CSV;
ALTER TABLE a CLUSTER BY (x); COMMENT ON TABLE a IS 'x'; SHOW TABLES; DESC TABLE a

--- inserts with OVERWRITE and a SELECT from VALUES
-- writes: t
INSERT OVERWRITE INTO t SELECT column1, PARSE_JSON(column2) FROM VALUES (1, '{}'), (2, '{}')

--- sub-select over a stage in MERGE
-- reads: @st/d.json
-- writes: t
MERGE INTO t USING (SELECT $1:id AS id FROM @st/d.json) s ON t.id = s.id WHEN MATCHED THEN UPDATE SET v = 1

--- one statement of another product, the others count
-- reads: b
-- writes: a
-- unresolved: syntax 1 does not parse
FROBNICATE TABLE x WITH y;
INSERT INTO a SELECT * FROM b

--- flow operator
-- reads: t
SHOW TABLES ->> SELECT "name" FROM $1; SELECT * FROM t

--- snapshot of a table restored through UNDROP and a clone
-- reads: t
-- writes: t_backup
CREATE TABLE t_backup CLONE t AT (OFFSET => -3600)

--- files of a stage of the script, in both directions
-- reads: s3://bkt/base/a.csv t
-- writes: t s3://bkt/base/out
CREATE STAGE IF NOT EXISTS s.st URL = 's3://bkt/base';
COPY INTO t FROM @s.st FILES = ('a.csv');
COPY INTO @s.st/out/ FROM t

--- MERGE from a stream
-- reads: s.changes
-- writes: s.t
-- view: s.changes <- s.raw
-- bases: s.raw
CREATE OR REPLACE STREAM s.changes ON TABLE s.raw APPEND_ONLY = TRUE;
MERGE INTO s.t USING s.changes c ON t.id = c.id WHEN NOT MATCHED THEN INSERT VALUES (c.id)

--- streams on views, stages and dynamic tables
-- view: a <- v
-- view: b <- @st
-- view: c <- dt
CREATE STREAM a ON VIEW v; CREATE STREAM b ON STAGE st; CREATE STREAM IF NOT EXISTS c ON DYNAMIC TABLE dt

--- COPY of chosen columns of files
-- reads: @st/in/a.csv @st/in/b.csv
-- writes: s.t
COPY INTO s.t (a, b) FROM (SELECT t.$1, t.$2 FROM @st/in/a.csv t);
COPY INTO s.t FROM @st/in FILES = ('b.csv') PATTERN = '.*'

--- a stage of the script is read through to its bucket
-- reads: s3://bkt/base/in/x.csv
-- writes: t
CREATE OR REPLACE STAGE st URL = 's3://bkt/base/' STORAGE_INTEGRATION = i;
COPY INTO t FROM @st/in/x.csv

--- external tables
-- view: s.e <- @s.st/logs
CREATE EXTERNAL TABLE s.e (d DATE AS (x::DATE)) PARTITION BY (d) LOCATION = @s.st/logs/
AUTO_REFRESH = TRUE FILE_FORMAT = (TYPE = PARQUET)

--- clones of tables at a time, of schemas, of databases
-- reads: s.b
-- writes: s.a
-- unresolved: dynamic 2 clone
-- unresolved: dynamic 3 clone
CREATE OR REPLACE TABLE s.a CLONE s.b BEFORE (STATEMENT => 'x') COPY GRANTS;
CREATE SCHEMA z CLONE s;
CREATE DATABASE db2 CLONE db1

--- refreshing a dynamic table
-- writes: mart.daily
ALTER DYNAMIC TABLE mart.daily REFRESH

--- temporary tables across a script, hiding a table of the same name
-- reads: s.src
-- writes: s.t
-- default: s
CREATE OR REPLACE TEMP TABLE x AS SELECT * FROM src;
CREATE LOCAL TEMPORARY TABLE y CLONE x;
INSERT INTO t SELECT * FROM y

--- kinds of objects as names of tables
-- reads: b c d e
-- writes: stage model stream
-- view: directory <- e
-- writes: directory
CREATE TRANSIENT TABLE stage AS SELECT * FROM b;
CREATE TRANSIENT TABLE model AS SELECT * FROM c;
CREATE TRANSIENT TABLE stream CLONE d;
CREATE MATERIALIZED VIEW directory AS SELECT * FROM e

--- a semantic view over tables
-- view: sv <- s.orders s.customers
-- writes: sv
CREATE OR REPLACE SEMANTIC VIEW sv
  TABLES (o AS s.orders PRIMARY KEY (id), c AS s.customers PRIMARY KEY (id))
  RELATIONSHIPS (o_c AS o (cid) REFERENCES c)
  METRICS (o.total AS SUM(o.amount))

--- loops of scripting
-- reads: b
-- writes: a c d
BEGIN
  FOR i IN 1 TO 10 DO INSERT INTO a SELECT :i FROM b; END FOR;
  WHILE (TRUE) DO INSERT INTO c VALUES (1); BREAK; END WHILE;
  REPEAT INSERT INTO d VALUES (1); UNTIL (TRUE) END REPEAT;
  LOOP CONTINUE; END LOOP;
END

--- files of Azure in and out
-- reads: abfss://in@acct.dfs.core.windows.net/orders raw.t
-- writes: raw.orders abfss://out@acct.dfs.core.windows.net/t
COPY INTO raw.orders FROM 'azure://acct.blob.core.windows.net/in/orders/' CREDENTIALS=(AZURE_SAS_TOKEN='x') FILE_FORMAT=(TYPE=CSV);
COPY INTO 'azure://acct.blob.core.windows.net/out/t/' FROM raw.t

--- columns from a template of files
-- writes: raw.orders
-- reads: @raw.stg/orders
CREATE OR REPLACE TABLE raw.orders USING TEMPLATE (
  SELECT ARRAY_AGG(OBJECT_CONSTRUCT(*)) FROM TABLE(INFER_SCHEMA(LOCATION=>'@raw.stg/orders/', FILE_FORMAT=>'raw.ff'))
);

--- a task that waits for a stream defines only
-- writes: mart.sums
-- reads: raw.orders
-- view: raw.s <- raw.orders
CREATE OR REPLACE STREAM raw.s ON TABLE raw.orders;
CREATE OR REPLACE TASK mart.k WAREHOUSE = w SCHEDULE = 'USING CRON 0 * * * * UTC'
WHEN SYSTEM$STREAM_HAS_DATA('raw.s')
AS INSERT INTO mart.other SELECT * FROM raw.s;
ALTER TASK mart.k RESUME;
INSERT INTO mart.sums SELECT count(*) FROM raw.orders;

--- tables in session variables
-- reads: raw.orders
-- writes: mart.sums
SET src = 'raw.orders';
SET dst = 'mart.sums';
INSERT INTO IDENTIFIER($dst) SELECT * FROM IDENTIFIER($src);

--- an anonymous procedure in a WITH
-- reads: raw.orders
-- writes: mart.sums
WITH p AS PROCEDURE (src VARCHAR)
  RETURNS VARCHAR
  LANGUAGE SQL
  AS $$
  BEGIN
    INSERT INTO mart.sums SELECT count(*) FROM raw.orders;
    RETURN 'ok';
  END;
  $$
CALL p('x');

--- a comma after the star hides a join
-- reads: raw.orders
-- unresolved: syntax 1
SELECT * a, LATERAL FLATTEN(input => x) FROM raw.orders

--- hybrid: MERGE from a stream with METADATA columns and a swap afterwards
-- reads: db.raw.st db.mart.dim
-- writes: db.mart.dim
USE DATABASE db;
CREATE OR REPLACE TRANSIENT TABLE mart.dim_new CLONE mart.dim;
MERGE INTO mart.dim_new t USING (
   SELECT *, METADATA$ACTION a, METADATA$ISUPDATE u FROM raw.st QUALIFY ROW_NUMBER() OVER (PARTITION BY id ORDER BY ts DESC) = 1
) s ON t.id = s.id
WHEN MATCHED AND s.a = 'DELETE' AND NOT s.u THEN DELETE
WHEN NOT MATCHED AND s.a = 'INSERT' THEN INSERT (id, v) VALUES (s.id, s.v);
ALTER TABLE mart.dim SWAP WITH mart.dim_new;
DROP TABLE mart.dim_new;

--- Snowflake Scripting: a cursor of table names
-- reads: meta.tables
-- unresolved: dynamic 5
DECLARE
  c CURSOR FOR SELECT table_name FROM meta.tables;
BEGIN
  FOR r IN c DO
    EXECUTE IMMEDIATE 'TRUNCATE TABLE raw.' || r.table_name;
  END FOR;
END;

--- a JavaScript procedure that is called, and an unload by a table stage
-- reads: mart.sums
-- writes: @%sums/out
-- unresolved: dynamic 3
CREATE OR REPLACE PROCEDURE p() RETURNS STRING LANGUAGE JAVASCRIPT AS
$$ snowflake.execute({sqlText: "INSERT INTO hidden.t SELECT 1"}); return 'x'; $$;
CALL p();
COPY INTO @%sums/out/ FROM (SELECT * FROM mart.sums) FILE_FORMAT = (TYPE = PARQUET) HEADER = TRUE OVERWRITE = TRUE

--- LET with an identifier and a RESULTSET
-- reads: raw.a
-- writes: mart.a
EXECUTE IMMEDIATE $$
DECLARE
  src VARCHAR DEFAULT 'raw.a';
  rs RESULTSET;
BEGIN
  LET dst := 'mart.a';
  rs := (EXECUTE IMMEDIATE 'SELECT 1');
  INSERT INTO IDENTIFIER(:dst) SELECT * FROM IDENTIFIER(:src);
  RETURN 'ok';
END;
$$

--- a flow of pipes
-- reads: t u
WITH x AS (SELECT $1 AS a FROM t) SELECT a FROM x ->> SELECT * FROM $1 JOIN u USING (a)

--- a table function over a table and a join by lateral
-- reads: raw.e
SELECT f.value:name::string, e.id FROM raw.e e, TABLE(FLATTEN(input => e.body:items)) f, LATERAL (SELECT MAX(x.v) m FROM TABLE(SPLIT_TO_TABLE(e.s, ',')) x) y

--- commands of snowsql
-- reads: a.b
-- unresolved: dynamic 2 x.sql
!set variable_substitution=true
!source x.sql
SELECT * FROM a.b

--- functions of other programs that are called select
CREATE EXTERNAL FUNCTION f(x INT) RETURNS INT API_INTEGRATION = i AS 'https://x/select';
CREATE FUNCTION g() RETURNS INT LANGUAGE PYTHON RUNTIME_VERSION = '3.8' HANDLER = 'x' AS 'def x(): return "select"'
