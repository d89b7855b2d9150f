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

