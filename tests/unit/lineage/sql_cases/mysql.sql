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
