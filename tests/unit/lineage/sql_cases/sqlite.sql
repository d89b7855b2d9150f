--- INSERT
-- reads: b
-- writes: a
INSERT OR REPLACE INTO a SELECT * FROM b

--- a table behind IN
-- reads: a b
SELECT * FROM a WHERE x IN b
