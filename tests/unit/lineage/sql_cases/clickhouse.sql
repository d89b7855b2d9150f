--- moves of rows that are no queries
-- reads: a
-- writes: https://h/k.csv
INSERT INTO FUNCTION s3('https://h/k.csv') SELECT * FROM a

--- INSERT
-- reads: b
-- writes: a
INSERT INTO a SELECT * FROM b FINAL ARRAY JOIN c

--- files as tables
-- reads: https://h/bkt/k.csv
SELECT * FROM s3('https://h/bkt/k.csv')

--- table functions
SELECT * FROM numbers(10)

--- views and external tables
-- writes: v
-- view: v <- a
-- view: t <- a
CREATE MATERIALIZED VIEW v TO t AS SELECT * FROM a

--- moves
-- reads: b
-- writes: a
INSERT INTO s SELECT * FROM b;
EXCHANGE TABLES a AND s

--- moves
-- reads: a b
-- writes: b a
EXCHANGE TABLES a AND b

--- statistics of a table that is named
-- reads: d.a
SELECT sum(rows) FROM system.parts WHERE database = 'd' AND table = 'a' AND active
