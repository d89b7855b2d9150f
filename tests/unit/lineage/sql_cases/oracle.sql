--- SELECT
-- reads: s.t
SELECT * FROM s.t, dual

--- MERGE
-- writes: a
MERGE INTO a t USING dual ON (1 = 1) WHEN MATCHED THEN UPDATE SET x = 1

--- INSERT
-- reads: c
-- writes: a b
INSERT ALL INTO a VALUES (1) INTO b VALUES (2) SELECT * FROM c

--- CREATE
-- writes: a
CREATE GLOBAL TEMPORARY TABLE a (x NUMBER)

--- scripting
-- reads: t b
-- writes: a
DECLARE n NUMBER;
BEGIN SELECT count(*) INTO n FROM t;
IF n > 0 THEN INSERT INTO a SELECT * FROM b;
END IF;
COMMIT;
END;

--- scripting
-- reads: t y
-- writes: a z
DECLARE CURSOR c IS SELECT * FROM t;
BEGIN FOR r IN c LOOP INSERT INTO a VALUES (r.x);
END LOOP;
END;

/
INSERT INTO z SELECT * FROM y
/

--- INSERT ALL with conditions
-- reads: src
-- writes: a b c
INSERT ALL
  WHEN x > 1 THEN INTO a (i, x) VALUES (i, x) INTO b VALUES (i)
  WHEN x < 1 THEN INTO c VALUES (i)
SELECT i, x FROM src

--- INSERT FIRST with ELSE
-- reads: src
-- writes: a b
INSERT FIRST WHEN x > 1 THEN INTO a VALUES (i) ELSE INTO b VALUES (i) SELECT i, x FROM src

--- common table expressions that hide a table
-- reads: s.b c
-- writes: t
INSERT /*+ APPEND PARALLEL(t, 4) */ INTO t WITH b AS (SELECT /*+ MATERIALIZE */ * FROM s.b), d AS (SELECT * FROM b) SELECT d.x FROM d, b, c WHERE d.i = c.i (+)

--- hierarchies
-- reads: staff
SELECT LEVEL, name FROM staff START WITH boss IS NULL CONNECT BY PRIOR id = boss ORDER SIBLINGS BY name

--- UPDATE of several columns from a query
-- reads: b c
-- writes: a
UPDATE a t SET (x, y) = (SELECT x, y FROM b WHERE b.i = t.i) WHERE EXISTS (SELECT 1 FROM c WHERE c.i = t.i)

--- database links
-- reads: s.orders@far items@far.example.com
-- writes: shop.a
-- default: shop
INSERT INTO a SELECT * FROM s.orders@far o JOIN items@far.example.com i ON i.o = o.i

--- a table behind a link is written
-- reads: b
-- writes: s.a@far
INSERT INTO s.a@far SELECT * FROM b

--- flashback queries
-- reads: a b c
SELECT * FROM a AS OF SCN 12345 x, b AS OF TIMESTAMP (SYSTIMESTAMP - INTERVAL '1' DAY) y, c VERSIONS BETWEEN SCN MINVALUE AND MAXVALUE

--- FLASHBACK TABLE changes its rows
-- writes: a
FLASHBACK TABLE a TO SCN 12345

--- partitions, samples and pivots
-- reads: a b c
SELECT * FROM a PARTITION (p1) x, b SAMPLE (10) SEED (1), (SELECT k, v FROM c) PIVOT (SUM(v) FOR k IN ('x' AS x, 'y' AS y))

--- tables that functions make
-- reads: a
SELECT * FROM TABLE(pkg.rows(1)) t, TABLE(CAST(MULTISET(SELECT x FROM a) AS num_tab)) u, XMLTABLE('/r' PASSING a.doc COLUMNS k NUMBER PATH 'k') x, JSON_TABLE(a.j, '$[*]' COLUMNS (k NUMBER PATH '$.k')) j

--- synonyms
-- reads: s
-- view: s <- lake.orders
-- bases: lake.orders
CREATE OR REPLACE PUBLIC SYNONYM s FOR lake.orders;
SELECT * FROM s

--- a synonym of a table behind a link
-- view: shop.s <- lake.orders@far
CREATE SYNONYM shop.s FOR lake.orders@far

--- materialised views
-- reads: a
-- writes: mv
-- view: mv <- a
CREATE MATERIALIZED VIEW mv BUILD IMMEDIATE REFRESH FAST ON COMMIT ENABLE QUERY REWRITE AS SELECT k, COUNT(*) AS n FROM a GROUP BY k

--- dynamic text that a loop gives
-- reads: user_list
-- unresolved: dynamic 3 run time
BEGIN
  FOR r IN (SELECT name FROM user_list) LOOP
    EXECUTE IMMEDIATE 'TRUNCATE TABLE ' || r.name;
  END LOOP;
END;
/

--- renames
-- reads: b
-- writes: a
CREATE TABLE a_new NOLOGGING PARALLEL 4 AS SELECT * FROM b;
DROP TABLE a CASCADE CONSTRAINTS PURGE;
RENAME a_new TO a;

--- ALTER TABLE RENAME
-- reads: s.x
-- writes: s.y
ALTER TABLE s.x RENAME TO y

--- a partition is exchanged with a table
-- reads: a stage
-- writes: a stage
ALTER TABLE a EXCHANGE PARTITION p1 WITH TABLE stage INCLUDING INDEXES WITHOUT VALIDATION

--- partitions are emptied, dropped and moved
-- writes: a b
ALTER TABLE a TRUNCATE PARTITION p1 UPDATE INDEXES;
ALTER TABLE b DROP PARTITION p1;
ALTER TABLE c MOVE PARTITION p1 TABLESPACE ts COMPRESS;
ALTER TABLE c SPLIT PARTITION p1 AT (10) INTO (PARTITION p2, PARTITION p3)

--- the default schema of the session
-- reads: lake.a
ALTER SESSION SET NLS_DATE_FORMAT = 'YYYY-MM-DD';
ALTER SESSION SET CURRENT_SCHEMA = lake;
SELECT * FROM a

--- a private temporary table
-- reads: b
-- writes: a
CREATE PRIVATE TEMPORARY TABLE ora$ptt_t ON COMMIT DROP DEFINITION AS SELECT * FROM b;
INSERT INTO a SELECT * FROM ora$ptt_t

--- quoted text of its own kind
-- reads: b
-- writes: a
BEGIN
  EXECUTE IMMEDIATE q'[INSERT INTO a SELECT * FROM b WHERE x = 'it''s; here']';
END;
/

--- LATERAL, CROSS APPLY and a function in WITH
-- reads: a b c
SELECT * FROM a, LATERAL (SELECT * FROM b WHERE b.i = a.i) l CROSS APPLY (SELECT * FROM c WHERE c.i = a.i) m

--- one statement that does not parse between two that do
-- reads: b d
-- writes: a c
-- unresolved: syntax 2 does not parse
INSERT INTO a SELECT * FROM b;
SELECT * FROM WHERE (;
INSERT INTO c SELECT * FROM d;

--- MERGE with DELETE and conditions
-- reads: b
-- writes: a err$_a
MERGE INTO a t USING (SELECT i, x FROM b) s ON (t.i = s.i)
WHEN MATCHED THEN UPDATE SET t.x = s.x WHERE s.x > 1 DELETE WHERE t.x = 0
WHEN NOT MATCHED THEN INSERT (i, x) VALUES (s.i, s.x) WHERE s.x > 2 LOG ERRORS INTO err$_a ('x') REJECT LIMIT UNLIMITED

--- external tables over files of a directory object
-- unresolved: dynamic 1 directory
CREATE TABLE t (x NUMBER) ORGANIZATION EXTERNAL (TYPE ORACLE_LOADER DEFAULT DIRECTORY in_dir ACCESS PARAMETERS (RECORDS DELIMITED BY NEWLINE FIELDS TERMINATED BY ',') LOCATION ('x.csv', 'y.csv')) REJECT LIMIT UNLIMITED

--- the dictionary is no dataset
-- reads: a$hist
SELECT * FROM all_tables, user_tab_columns, dba_objects, v$session, sys.obj$, a$hist

--- dollar and hash are letters of a name
-- reads: emp$x x#y
-- writes: mlog$_t
INSERT INTO mlog$_t SELECT * FROM emp$x, x#y

--- UPDATE of an inline view
-- reads: b
-- writes: a
UPDATE (SELECT a.x AS ax, b.x AS bx FROM a JOIN b ON a.i = b.i) SET ax = bx

--- DELETE without FROM and from a view in line
-- writes: a b
DELETE a WHERE x = 1;
DELETE FROM (SELECT * FROM b WHERE x = 1)

--- INSERT into a view in line
-- writes: a
INSERT INTO (SELECT i, x FROM a WHERE x > 1 WITH CHECK OPTION) VALUES (1, 2)

--- a package refreshes a materialised view
-- writes: s.mv
BEGIN
  DBMS_MVIEW.REFRESH('s.mv', 'C');
END;
/

--- a block with cursors, loops and an exception handler
-- reads: src ids b z
-- writes: a c log
DECLARE
  CURSOR cur (p NUMBER) IS SELECT i, x FROM src WHERE y = p;
  TYPE tab IS TABLE OF src%ROWTYPE;
  rec cur%ROWTYPE;
  rows_ tab;
  n NUMBER := 0;
BEGIN
  OPEN cur(1);
  LOOP
    FETCH cur INTO rec;
    EXIT WHEN cur%NOTFOUND;
    UPDATE a SET x = rec.x WHERE i = rec.i;
  END LOOP;
  CLOSE cur;
  SELECT i BULK COLLECT INTO rows_ FROM ids;
  FORALL k IN 1 .. rows_.COUNT
    INSERT INTO c VALUES rows_(k);
  FOR r IN (SELECT * FROM b) LOOP
    DELETE FROM c WHERE i = r.i;
  END LOOP;
  FOR k IN 1 .. 10 LOOP
    n := n + k;
  END LOOP;
  WHILE n > 0 LOOP
    n := n - 1;
  END LOOP;
  <<inner>>
  DECLARE
    m NUMBER;
  BEGIN
    SELECT COUNT(*) INTO m FROM z;
  EXCEPTION
    WHEN NO_DATA_FOUND THEN NULL;
  END inner;
  COMMIT;
EXCEPTION
  WHEN DUP_VAL_ON_INDEX OR TOO_MANY_ROWS THEN
    ROLLBACK;
  WHEN OTHERS THEN
    INSERT INTO log (msg) VALUES (SQLERRM);
    RAISE;
END;
/

--- dynamic text of constants in a block
-- reads: b
-- writes: t a
DECLARE
  v_tab VARCHAR2(30) := 'a';
  v_sql VARCHAR2(4000);
BEGIN
  EXECUTE IMMEDIATE 'TRUNCATE TABLE t';
  v_sql := 'INSERT INTO ' || v_tab || ' SELECT * FROM b WHERE x = :1';
  EXECUTE IMMEDIATE v_sql USING 1;
END;
/

--- a cursor variable over a text and a query
-- reads: a b
BEGIN
  OPEN rc FOR SELECT * FROM a;
  OPEN rc FOR 'SELECT * FROM b';
END;
/

--- procedures, packages and triggers do not run
-- reads: d
-- writes: c
CREATE OR REPLACE PROCEDURE p (x IN NUMBER) IS
  n NUMBER;
BEGIN
  INSERT INTO hidden SELECT * FROM hidden_source;
END p;
/
CREATE OR REPLACE PACKAGE pkg AS
  PROCEDURE q;
  FUNCTION f (x NUMBER) RETURN NUMBER;
END pkg;
/
CREATE OR REPLACE PACKAGE BODY pkg AS
  PROCEDURE q IS
  BEGIN
    DELETE FROM hidden;
  END q;
  FUNCTION f (x NUMBER) RETURN NUMBER IS
  BEGIN
    RETURN x;
  END f;
END pkg;
/
CREATE OR REPLACE TRIGGER tr BEFORE INSERT ON a FOR EACH ROW
BEGIN
  :NEW.id := seq.NEXTVAL;
END;
/
INSERT INTO c SELECT * FROM d;

--- commands of the command-line tool
-- reads: b d
-- writes: a c
SET DEFINE OFF
SET SERVEROUTPUT ON SIZE 1000000
WHENEVER SQLERROR EXIT FAILURE
PROMPT loading; please wait
REM SELECT * FROM nothing;
SPOOL /tmp/x.log
COLUMN x FORMAT a20
INSERT INTO a SELECT * FROM b;
SHOW ERRORS
INSERT INTO c SELECT * FROM d
/
SPOOL OFF
EXIT

--- other scripts and procedures of the command-line tool
-- unresolved: dynamic 1 load.sql
-- unresolved: dynamic 2 more.sql
-- unresolved: dynamic 3 procedure
@load.sql
@@more.sql 1 2
EXEC pkg.refresh(1)

--- values of the command-line tool
-- reads: lake.b
-- writes: lake.a_prod
-- parameter: env = prod
DEFINE own = lake
INSERT INTO &own..a_&env SELECT * FROM &&own..b;

--- a value of the command-line tool that nobody gives
-- reads: b
-- unresolved: template 1 &tab
INSERT INTO &tab SELECT * FROM b;

--- statements that move no rows
COMMENT ON TABLE a IS 'SELECT * FROM b; c';
EXPLAIN PLAN FOR SELECT * FROM a;
LOCK TABLE a IN EXCLUSIVE MODE;
ALTER TABLE a ADD (x NUMBER);
ALTER INDEX i REBUILD ONLINE;
AUDIT SELECT ON a;
NOAUDIT SELECT ON a;
PURGE RECYCLEBIN;
CREATE SEQUENCE q START WITH 1;
CREATE OR REPLACE DIRECTORY d AS '/in';
CREATE DATABASE LINK far CONNECT TO u IDENTIFIED BY p USING 'x'

--- a procedure of this script that a block calls, and one that is elsewhere
-- reads: b
-- writes: a
-- unresolved: dynamic 5 load_all
CREATE OR REPLACE PROCEDURE p IS BEGIN INSERT INTO a SELECT * FROM b; END;
/
BEGIN
  p;
  pkg.load_all;
  DBMS_OUTPUT.PUT_LINE('x');
END;
/

--- procedures of the server that change no rows
-- writes: mv
EXEC DBMS_STATS.GATHER_TABLE_STATS('S', 'A')
EXEC DBMS_MVIEW.REFRESH('mv', 'C')

--- storage of tables
-- writes: a b
TRUNCATE TABLE a REUSE STORAGE;
CREATE TABLE b (x NUMBER) PARTITION BY RANGE (x) (PARTITION p1 VALUES LESS THAN (10) TABLESPACE ts) NOLOGGING COMPRESS;
CREATE MATERIALIZED VIEW LOG ON a WITH PRIMARY KEY

--- the cursor's row, two conditions and an ampersand in a string
-- reads: a t
-- writes: b
DECLARE
  CURSOR c IS SELECT * FROM a;
BEGIN
  FOR r IN c LOOP
    UPDATE b SET x = r.x WHERE CURRENT OF c;
  END LOOP;
END;
/
SELECT 'a & b' FROM t WHERE x = 'R&D';

--- external tables over files of a directory that the script makes
-- view: t <- file//in/x.csv file//other/y.csv
CREATE DIRECTORY in_dir AS '/in';
CREATE OR REPLACE DIRECTORY o AS '/other/';
CREATE TABLE t (x NUMBER) ORGANIZATION EXTERNAL (TYPE ORACLE_LOADER DEFAULT DIRECTORY in_dir LOCATION ('x.csv', o:'y.csv'))

--- the MODEL clause
-- reads: sales.m
-- writes: mart.f
INSERT INTO mart.f
SELECT country, year, s FROM sales.m
MODEL RETURN UPDATED ROWS PARTITION BY (country) DIMENSION BY (year) MEASURES (amount s)
RULES UPSERT ITERATE (3) (s[2025] = s[2024] * 1.1, s[ANY] ORDER BY year = NVL(s[CV(year)-1], 0))
ORDER BY country

--- a function in WITH that reads
-- reads: ref.r raw.o
WITH FUNCTION rate(c VARCHAR2) RETURN NUMBER IS
  v NUMBER;
BEGIN
  SELECT r INTO v FROM ref.r WHERE code = c;
  RETURN v;
END;
SELECT rate(cur) * amount FROM raw.o
/

--- BULK COLLECT, FORALL and autonomous logging
-- reads: raw.o
-- writes: mart.o mart.err log.runs
DECLARE
  TYPE t_tab IS TABLE OF raw.o%ROWTYPE;
  l t_tab;
  CURSOR c IS SELECT * FROM raw.o WHERE d = TRUNC(SYSDATE);
BEGIN
  OPEN c;
  LOOP
    FETCH c BULK COLLECT INTO l LIMIT 1000;
    EXIT WHEN l.COUNT = 0;
    FORALL i IN 1 .. l.COUNT SAVE EXCEPTIONS
      INSERT INTO mart.o VALUES l(i) LOG ERRORS INTO mart.err ('x') REJECT LIMIT UNLIMITED;
  END LOOP;
  CLOSE c;
  INSERT INTO log.runs (n) VALUES (SQL%ROWCOUNT);
  COMMIT;
EXCEPTION WHEN OTHERS THEN ROLLBACK; RAISE;
END;
/

--- a package body with a load, which runs nothing, and a call of it
-- reads: src.orders ref.cur
-- writes: dw.orders dw.log
CREATE OR REPLACE PACKAGE BODY dw.loader AS
  PROCEDURE log_it(p VARCHAR2) IS PRAGMA AUTONOMOUS_TRANSACTION;
  BEGIN INSERT INTO dw.log (t, m) VALUES (SYSDATE, p); COMMIT; END log_it;
  PROCEDURE load_orders(p_day DATE) IS
    v_n PLS_INTEGER := 0;
  BEGIN
    MERGE INTO dw.orders t
    USING (SELECT o.*, c.rate FROM src.orders o, ref.cur c WHERE c.code (+) = o.cur AND o.d = p_day) s
    ON (t.id = s.id)
    WHEN MATCHED THEN UPDATE SET t.amt = s.amt * s.rate DELETE WHERE s.deleted = 'Y'
    WHEN NOT MATCHED THEN INSERT (id, amt) VALUES (s.id, s.amt * s.rate);
    v_n := SQL%ROWCOUNT;
    log_it('rows ' || v_n);
  END load_orders;
END loader;
/
BEGIN
  dw.loader.load_orders(TRUNC(SYSDATE));
END;
/

--- an hourly script of sqlplus with substitutions and a spool
-- reads: src.sales
-- writes: mart.sales_daily
WHENEVER SQLERROR EXIT SQL.SQLCODE
SET ECHO OFF FEEDBACK OFF
DEFINE sch = mart
SPOOL load.log
TRUNCATE TABLE &sch..sales_stage;
INSERT /*+ APPEND PARALLEL(8) */ INTO &sch..sales_stage SELECT * FROM src.sales PARTITION (p_current) WHERE dt >= TRUNC(SYSDATE) - 1;
COMMIT;
ALTER TABLE &sch..sales_daily EXCHANGE PARTITION p1 WITH TABLE &sch..sales_stage INCLUDING INDEXES WITHOUT VALIDATION;
EXEC DBMS_STATS.GATHER_TABLE_STATS('MART', 'SALES_DAILY');
SPOOL OFF
EXIT

--- EXECUTE IMMEDIATE with names from a constant and a bind
-- reads: stg.cust
-- writes: dw.cust
DECLARE
  c_tgt CONSTANT VARCHAR2(30) := 'dw.cust';
  v_sql VARCHAR2(4000);
BEGIN
  v_sql := 'INSERT INTO ' || c_tgt || ' (id, name) SELECT id, name FROM stg.cust WHERE d = :1';
  EXECUTE IMMEDIATE v_sql USING TRUNC(SYSDATE);
  EXECUTE IMMEDIATE 'ALTER SESSION ENABLE PARALLEL DML';
END;
/

--- a pivot over a WITH, a hierarchy and a flashback
-- reads: hr.emp hr.dept fin.b
WITH e (id, mgr, lvl) AS (
  SELECT id, mgr, 1 FROM hr.emp WHERE mgr IS NULL
  UNION ALL SELECT c.id, c.mgr, e.lvl + 1 FROM hr.emp c JOIN e ON e.id = c.mgr
)
SELECT * FROM (SELECT d.name, e.lvl FROM e, hr.dept d, fin.b AS OF TIMESTAMP SYSTIMESTAMP - INTERVAL '1' DAY b WHERE d.id = e.id)
PIVOT (COUNT(*) FOR lvl IN (1 AS one, 2 AS two))

--- refresh of materialised views and a job
-- writes: mart.mv1 mart.mv2
BEGIN
  DBMS_MVIEW.REFRESH('mart.mv1,mart.mv2', method => 'CC', atomic_refresh => FALSE);
END;
/

--- UPDATE of a join through a WHERE EXISTS and multi-table INSERT
-- reads: stg.k stg.h
-- writes: dw.k dw.a dw.b
UPDATE dw.k t SET (t.x, t.y) = (SELECT s.x, s.y FROM stg.k s WHERE s.id = t.id) WHERE EXISTS (SELECT 1 FROM stg.k s WHERE s.id = t.id);
INSERT ALL
  WHEN kind = 'A' THEN INTO dw.a (id) VALUES (id)
  ELSE INTO dw.b (id) VALUES (id)
SELECT id, kind FROM stg.h;
COMMIT;
