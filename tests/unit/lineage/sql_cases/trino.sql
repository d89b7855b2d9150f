--- CREATE
-- reads: a
-- writes: h.s.t
CREATE TABLE h.s.t AS WITH b AS (SELECT * FROM a) SELECT * FROM b

--- SELECT
-- reads: h.s.t
SELECT * FROM h.s."t$partitions"

--- table functions
-- reads: a
SELECT * FROM a CROSS JOIN UNNEST(x) AS u (y)
