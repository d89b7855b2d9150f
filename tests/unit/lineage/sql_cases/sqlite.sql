--- INSERT
-- reads: b
-- writes: a
INSERT OR REPLACE INTO a SELECT * FROM b
