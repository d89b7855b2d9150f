--- REPLACE
-- reads: b
-- writes: a
REPLACE INTO a SELECT * FROM b

--- INSERT
-- reads: s.b
-- writes: a
INSERT IGNORE INTO `a` SELECT * FROM `s`.`b`

--- UPDATE
-- reads: b
-- writes: a
UPDATE a JOIN b ON a.x = b.x SET a.y = b.y

--- UPDATE
-- reads: a
-- writes: b
UPDATE a JOIN b ON a.x = b.x SET b.y = a.y

--- DELETE
-- reads: b
-- writes: a
DELETE a FROM a JOIN b ON a.x = b.x

--- files in and out
-- reads: file//in/x.csv
-- writes: a
LOAD DATA INFILE '/in/x.csv' INTO TABLE a

--- moves
-- reads: b
-- writes: a
CREATE TABLE s AS SELECT * FROM b;
RENAME TABLE a TO a_old, s TO a;
DROP TABLE a_old

--- defaults
-- reads: shop.a other.b
USE shop;
SELECT * FROM a;
SELECT * FROM other.b

--- statistics of a table that is named
-- reads: d.a
SELECT table_rows FROM information_schema.partitions WHERE table_schema = 'd' AND table_name = 'a'

--- INSERT in all its forms
-- reads: b c
-- writes: a
INSERT INTO a SET x = 1, y = 2;
INSERT a (x) SELECT x FROM b ON DUPLICATE KEY UPDATE x = VALUES(x);
INSERT LOW_PRIORITY IGNORE INTO a VALUES (1);
INSERT INTO a (x) VALUES (1) AS new ON DUPLICATE KEY UPDATE x = new.x;
INSERT INTO a TABLE c;
REPLACE a SET x = 1;
REPLACE INTO a VALUES (1)

--- TABLE and VALUES are queries
-- reads: a
TABLE a ORDER BY x LIMIT 3;
VALUES ROW(1, 2), ROW(3, 4)

--- CREATE TABLE with a query and no AS
-- reads: b
-- writes: a
CREATE TABLE a (x INT PRIMARY KEY) ENGINE=InnoDB SELECT x FROM b

--- CREATE TABLE LIKE copies no rows
-- writes: a
CREATE TABLE a LIKE b

--- a temporary table in a script
-- reads: b
-- writes: c
CREATE TEMPORARY TABLE IF NOT EXISTS t (INDEX (x)) ENGINE=MEMORY AS (SELECT x FROM b);
INSERT INTO c SELECT x FROM t;
DROP TEMPORARY TABLE IF EXISTS t

--- DELETE from two of three tables
-- reads: c
-- writes: a b
DELETE a, b FROM a INNER JOIN b INNER JOIN c WHERE a.x = b.x AND b.x = c.x

--- DELETE USING from two of three tables
-- reads: c
-- writes: a b
DELETE FROM a, b USING a INNER JOIN b INNER JOIN c WHERE a.x = b.x AND b.x = c.x

--- DELETE through an alias
-- reads: s.b
-- writes: s.a
DELETE t FROM s.a AS t LEFT JOIN s.b AS u ON u.x = t.x WHERE u.x IS NULL

--- DELETE with modifiers and a limit
-- writes: a
DELETE LOW_PRIORITY QUICK IGNORE FROM a WHERE x = 1 ORDER BY y LIMIT 10

--- UPDATE of two tables
-- writes: a b
UPDATE a, b SET a.x = b.x, b.y = 1 WHERE a.i = b.i

--- UPDATE through aliases
-- reads: s.b
-- writes: s.a
UPDATE LOW_PRIORITY s.a AS t INNER JOIN s.b AS u ON u.i = t.i SET t.x = u.x

--- UPDATE of a join with a subquery
-- reads: b
-- writes: a
UPDATE a JOIN (SELECT i, MAX(x) AS x FROM b GROUP BY i) m ON m.i = a.i SET a.x = m.x

--- common table expressions before UPDATE and DELETE
-- reads: b c
-- writes: a d
WITH m AS (SELECT i, x FROM b) UPDATE a JOIN m ON m.i = a.i SET a.x = m.x;
WITH m AS (SELECT i FROM c) DELETE FROM d WHERE i IN (SELECT i FROM m)

--- a recursive common table expression in an INSERT
-- reads: staff
-- writes: t
INSERT INTO t WITH RECURSIVE r (id) AS (SELECT id FROM staff UNION ALL SELECT s.id FROM staff s JOIN r ON s.boss = r.id) SELECT id FROM r

--- LOAD DATA with every clause
-- reads: file//in/x.csv
-- writes: shop.t
LOAD DATA LOW_PRIORITY LOCAL INFILE '/in/x.csv' REPLACE INTO TABLE shop.t PARTITION (p0) CHARACTER SET utf8mb4 FIELDS TERMINATED BY ',' ENCLOSED BY '"' LINES TERMINATED BY '\n' IGNORE 1 LINES (a, @b) SET c = @b + 1

--- LOAD DATA with a query for a column
-- reads: file//in/x.csv codes
-- writes: t
LOAD DATA INFILE '/in/x.csv' INTO TABLE t (@c) SET id = (SELECT id FROM codes WHERE code = @c)

--- LOAD XML
-- reads: file//in/x.xml
-- writes: t
LOAD XML LOCAL INFILE '/in/x.xml' INTO TABLE t ROWS IDENTIFIED BY '<row>'

--- SELECT INTO OUTFILE before FROM
-- reads: a
-- writes: file//out/x.csv
SELECT x, y INTO OUTFILE '/out/x.csv' FIELDS TERMINATED BY ',' LINES TERMINATED BY '\n' FROM a

--- SELECT INTO OUTFILE at the end
-- reads: a
-- writes: file//out/x.csv
SELECT x, y FROM a WHERE z = 1 INTO OUTFILE '/out/x.csv' CHARACTER SET utf8

--- SELECT INTO DUMPFILE
-- reads: a
-- writes: file//out/x.bin
SELECT x FROM a LIMIT 1 INTO DUMPFILE '/out/x.bin'

--- SELECT into variables
-- reads: a b
SELECT x INTO @v FROM a LIMIT 1;
SELECT x, y FROM b INTO @v, @w;
SELECT @n := COUNT(*) FROM a

--- a chain of renames
-- reads: b
-- writes: a
CREATE TABLE a_new AS SELECT * FROM b;
RENAME TABLE a TO a_old, a_new TO a;
DROP TABLE a_old

--- a rename to another schema
-- reads: stage.t
-- writes: shop.t
RENAME TABLE stage.t TO shop.t

--- ALTER TABLE RENAME in three spellings
-- reads: a c e
-- writes: b d f
ALTER TABLE a RENAME b;
ALTER TABLE c RENAME TO d;
ALTER TABLE e RENAME AS f

--- renaming columns and indexes moves no rows
ALTER TABLE a RENAME COLUMN x TO y, RENAME INDEX i TO j

--- a partition is exchanged with a table
-- reads: a b
-- writes: a b
ALTER TABLE a EXCHANGE PARTITION p0 WITH TABLE b WITHOUT VALIDATION

--- partitions are emptied and dropped
-- writes: a b
ALTER TABLE a TRUNCATE PARTITION p0, p1;
ALTER TABLE b DROP PARTITION p0

--- TRUNCATE without TABLE
-- writes: a
TRUNCATE a

--- a procedure is called
-- unresolved: dynamic 1 procedure
CALL shop.refresh('2024-01-01')

--- comments and hints with semicolons
-- reads: b
-- writes: a
# first; second
INSERT /*+ SET_VAR(sort_buffer_size = 16M) */ INTO a -- x; y
SELECT /* FROM c; */ x FROM b;

--- a view with all its options
-- writes: v
-- view: v <- a b
CREATE OR REPLACE ALGORITHM=MERGE DEFINER=`x`@`%` SQL SECURITY INVOKER VIEW v AS SELECT a.x FROM a JOIN b USING (i) WITH CHECK OPTION

--- ALTER VIEW gives a view another query
-- writes: v
-- view: v <- a
ALTER VIEW v AS SELECT x FROM a

--- statements of a dump and upkeep
LOCK TABLES `t` WRITE, `u` READ;
/*!40000 ALTER TABLE `t` DISABLE KEYS */;
UNLOCK TABLES;
FLUSH TABLES;
CHECK TABLE t;
OPTIMIZE TABLE t;
ANALYZE TABLE t

--- double quotes are strings
-- reads: a
SELECT "FROM b" FROM a WHERE x = "it's; here"

--- backticks hold dashes and words
-- reads: my-shop.order
-- writes: select
INSERT INTO `select` SELECT * FROM `my-shop`.`order`

--- partitions, index hints, locks, LATERAL and JSON_TABLE
-- reads: a b c
SELECT SQL_NO_CACHE * FROM a PARTITION (p0, p1) AS x USE INDEX (i) STRAIGHT_JOIN b FORCE INDEX FOR JOIN (j) ON b.i = x.i, LATERAL (SELECT MAX(z) AS z FROM c WHERE c.i = x.i) m, JSON_TABLE(x.doc, '$[*]' COLUMNS (k INT PATH '$.k')) AS jt FOR UPDATE OF x SKIP LOCKED

--- USE holds until the next one
-- reads: x.a y.b
USE x;
SELECT * FROM a;
USE `y`;
SELECT * FROM b

--- schemas of the server are no datasets
-- reads: a
SELECT * FROM performance_schema.threads, mysql.user, sys.session, information_schema.tables, a

--- a federated table is a table of another server
-- view: t <- mysql://h:3306/shop.orders
CREATE TABLE t (id INT) ENGINE=FEDERATED CONNECTION='mysql://u:p@h:3306/shop/orders'

--- a prepared text
-- reads: b
-- writes: a
PREPARE s FROM 'INSERT INTO a SELECT * FROM b WHERE x = ?';
SET @x = 1;
EXECUTE s USING @x;
DEALLOCATE PREPARE s

--- a prepared text in a variable, put together of constants
-- reads: shop.b
-- writes: a
SET @t = 'shop.b';
SET @sql = CONCAT('INSERT INTO a SELECT * FROM ', @t);
PREPARE s FROM @sql;
EXECUTE s

--- UPDATE of a join where the column's table is not said
-- reads: b
-- writes: a
-- unresolved: dynamic 1 column
UPDATE a JOIN b ON a.i = b.i SET x = 1

--- DELIMITER around a procedure
-- reads: d
-- writes: c
DROP PROCEDURE IF EXISTS p;
DELIMITER $$
CREATE PROCEDURE p(IN x INT)
BEGIN
  DECLARE done INT DEFAULT 0;
  INSERT INTO hidden SELECT * FROM hidden_source;
  IF x > 0 THEN DELETE FROM hidden; END IF;
END$$
DELIMITER ;
INSERT INTO c SELECT * FROM d;

--- DELIMITER // around statements that run
-- reads: b d
-- writes: a c
DELIMITER //
INSERT INTO a SELECT * FROM b //
INSERT INTO c SELECT * FROM d //
DELIMITER ;

--- a trigger, a function and an event do not run
-- reads: b
CREATE DEFINER=`x`@`%` TRIGGER tr BEFORE INSERT ON a FOR EACH ROW SET NEW.x = 1;
CREATE FUNCTION f(x INT) RETURNS INT DETERMINISTIC RETURN x + 1;
CREATE EVENT e ON SCHEDULE EVERY 1 DAY DO DELETE FROM a;
SELECT f(x) FROM b

--- a prepared text that a query gives
-- reads: cfg
-- unresolved: template 2 sql
SELECT CONCAT('DROP TABLE ', name) INTO @sql FROM cfg LIMIT 1;
PREPARE s FROM @sql;
EXECUTE s

--- comments that the server runs
-- writes: v
-- view: v <- b
/*!40101 SET NAMES utf8 */;
/*!50001 CREATE ALGORITHM=UNDEFINED */
/*!50013 DEFINER=`u`@`h` SQL SECURITY DEFINER */
/*!50001 VIEW `v` AS select `b`.`x` AS `x` from `b` */;

--- DELETE names all columns of its tables
-- writes: a b
DELETE a.*, b.* FROM a, b WHERE a.i = b.i

--- objects of Aurora
-- reads: s3://bkt/k/x.csv t
-- writes: s3://bkt/out t
LOAD DATA FROM S3 's3://bkt/k/x.csv' INTO TABLE t FIELDS TERMINATED BY ',';
SELECT * FROM t INTO OUTFILE S3 's3://bkt/out'

--- a table whose name is in a file
-- unresolved: dynamic 1 files
IMPORT TABLE FROM '/x.sdi'

--- a procedure of this script that is called
-- reads: b z
-- writes: a
DELIMITER ;;
CREATE PROCEDURE p() BEGIN INSERT INTO a SELECT * FROM b; END ;;
CALL p() ;;
DELIMITER ;
SELECT * FROM z;

--- a swap by rename, after building
-- reads: app.orders
-- writes: app.report
DROP TABLE IF EXISTS app.report_new;
CREATE TABLE app.report_new LIKE app.report;
INSERT INTO app.report_new SELECT * FROM app.orders;
RENAME TABLE app.report TO app.report_old, app.report_new TO app.report;
DROP TABLE app.report_old;

--- multi-table update and delete
-- reads: b d
-- writes: a c
UPDATE a INNER JOIN b ON a.id = b.id SET a.x = b.x;
DELETE c FROM c LEFT JOIN d ON c.id = d.id WHERE d.id IS NULL;

--- LOAD DATA LOCAL with a handler procedure
-- reads: file//in/o.csv
-- writes: stg.o
LOAD DATA LOCAL INFILE '/in/o.csv' REPLACE INTO TABLE stg.o FIELDS TERMINATED BY ',' IGNORE 1 LINES (a, @b) SET b = NULLIF(@b, '');

--- a prepared statement from a variable
-- reads: raw.o
-- writes: mart.o
SET @t = 'mart.o';
SET @q = CONCAT('INSERT INTO ', @t, ' SELECT * FROM raw.o');
PREPARE s FROM @q; EXECUTE s; DEALLOCATE PREPARE s;

--- an event, a procedure with a handler, and its call
-- reads: app.jobs
-- writes: app.done app.errors
DELIMITER $$
CREATE PROCEDURE app.work()
BEGIN
  DECLARE EXIT HANDLER FOR SQLEXCEPTION BEGIN ROLLBACK; INSERT INTO app.errors VALUES (NOW()); END;
  START TRANSACTION;
  INSERT INTO app.done SELECT * FROM app.jobs WHERE state = 'x' FOR UPDATE SKIP LOCKED;
  COMMIT;
END$$
CREATE EVENT e ON SCHEDULE EVERY 1 DAY DO CALL app.work()$$
DELIMITER ;
CALL app.work();
