--- SELECT
-- reads: lake.dbo.orders
SELECT * FROM [Lake].[dbo].[Orders]

--- SELECT
-- reads: lake.dbo.t
SELECT * FROM lake..t

--- SELECT INTO
-- reads: dbo.b
-- writes: dbo.a
SELECT * INTO dbo.a FROM dbo.b

--- UPDATE
-- reads: dbo.b
-- writes: dbo.a
UPDATE t SET x = 1 FROM dbo.a AS t JOIN dbo.b ON t.y = b.y

--- DELETE
-- reads: dbo.b
-- writes: dbo.a
DELETE t FROM dbo.a t JOIN dbo.b ON t.y = b.y

--- common table expressions
-- writes: a
WITH c AS (SELECT * FROM a) DELETE FROM c WHERE x = 1

--- files in and out
-- reads: file//in/x.csv
-- writes: dbo.t
BULK INSERT dbo.t FROM '/in/x.csv'

--- INSERT
-- reads: a
INSERT INTO @v SELECT * FROM a

--- dynamic SQL
-- reads: b
-- writes: a
EXEC('INSERT INTO a SELECT * FROM b')

--- dynamic SQL
-- reads: b
-- writes: a
EXEC sp_executesql N'INSERT INTO a SELECT * FROM b'

--- where a table's alias or a sequence is no table
-- reads: b
-- writes: a
INSERT INTO a SELECT NEXT VALUE FOR s FROM b

--- temporary tables
-- reads: a
-- writes: b
SELECT * INTO #t FROM a;
INSERT INTO b SELECT * FROM #t

--- moves
-- reads: b
-- writes: dbo.a
SELECT * INTO dbo.s FROM b;
EXEC sp_rename 'dbo.s', 'a'

--- moves
-- reads: b
-- writes: dbo.a
SELECT * INTO stg.a FROM b;
ALTER SCHEMA dbo TRANSFER stg.a

--- defaults
-- reads: lake.dbo.t
USE lake
GO
SELECT * FROM dbo.t

--- scripting
-- reads: b d f
-- writes: a c e g
INSERT INTO a SELECT * FROM b
UPDATE c SET x = 1
SELECT * INTO #t FROM d
DELETE FROM e WHERE x IN (
SELECT x FROM #t)
WITH q AS (SELECT * FROM f)
INSERT INTO g
SELECT * FROM q

--- scripting
-- reads: z b d
-- writes: a c
IF EXISTS (SELECT 1 FROM z)
BEGIN
INSERT INTO a SELECT * FROM b
END
ELSE
INSERT INTO c SELECT * FROM d

--- scripting
-- reads: c
CREATE PROCEDURE p AS
BEGIN
INSERT INTO a SELECT * FROM b
END
GO
SELECT * FROM c

--- scripting
-- reads: b c
-- writes: a
MERGE INTO a USING b ON a.x = b.x
WHEN MATCHED THEN
UPDATE SET y = 1
WHEN NOT MATCHED THEN
INSERT (x) VALUES (1);

SELECT * FROM c

--- scripting
-- reads: q b
-- writes: a
SET NOCOUNT ON
DECLARE @x INT = (SELECT max(y) FROM q)
BEGIN TRY
BEGIN TRAN
TRUNCATE TABLE a
INSERT INTO a (x)
SELECT x FROM b WITH (NOLOCK)
COMMIT
END TRY
BEGIN CATCH
ROLLBACK
THROW
END CATCH

--- scripting
-- reads: t
DECLARE c CURSOR FOR SELECT * FROM t; OPEN c; FETCH NEXT FROM c; CLOSE c

--- what the text does not say
-- unresolved: dynamic 2 procedure
SELECT 1;
EXEC dbo.refresh @day = 1

--- what the text does not say
-- writes: a
-- unresolved: dynamic 2 procedure
SELECT 1;
INSERT INTO a EXEC dbo.refresh

--- what the text does not say
-- unresolved: dynamic 2 run time
SELECT 1;
EXEC (@q)
