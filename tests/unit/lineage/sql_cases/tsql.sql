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

--- chained common table expressions, one hides a table of its own name
-- reads: dbo.b a c
-- writes: dbo.t
WITH a AS (SELECT * FROM dbo.b), x AS (SELECT * FROM a JOIN c ON a.i = c.i)
INSERT INTO dbo.t (i)
SELECT i FROM x;
SELECT * FROM a

--- MERGE with every clause and OUTPUT into a table
-- reads: dbo.src
-- writes: dbo.tgt dbo.audit
MERGE TOP (10) INTO dbo.tgt WITH (HOLDLOCK) AS t
USING (SELECT id, v FROM dbo.src) AS s (id, v)
ON t.id = s.id
WHEN MATCHED AND s.v IS NULL THEN DELETE
WHEN MATCHED THEN UPDATE SET t.v = s.v
WHEN NOT MATCHED BY TARGET THEN INSERT (id, v) VALUES (s.id, s.v)
WHEN NOT MATCHED BY SOURCE THEN DELETE
OUTPUT $action, inserted.id, deleted.id INTO dbo.audit (act, new_id, old_id);

--- MERGE with rows of VALUES reads no table
-- writes: dbo.tgt
MERGE dbo.tgt AS t USING (VALUES (1, 'x')) AS s (id, v) ON t.id = s.id
WHEN NOT MATCHED THEN INSERT (id, v) VALUES (s.id, s.v) OUTPUT $action, inserted.*;

--- INSERT of what a nested MERGE gives out
-- reads: dbo.src
-- writes: dbo.hist dbo.tgt
INSERT INTO dbo.hist (id, act)
SELECT id, act FROM (
  MERGE dbo.tgt AS t USING dbo.src AS s ON t.id = s.id
  WHEN MATCHED THEN UPDATE SET v = s.v
  OUTPUT s.id, $action
) AS changed (id, act) WHERE act = 'UPDATE';

--- UPDATE with OUTPUT into a table
-- reads: dbo.a
-- writes: dbo.a dbo.audit
UPDATE dbo.a SET x = 1 OUTPUT deleted.x, inserted.x INTO dbo.audit (old_x, new_x) WHERE y = 2

--- DELETE with OUTPUT into a table
-- reads: dbo.a
-- writes: dbo.a dbo.gone
DELETE FROM dbo.a OUTPUT deleted.* INTO dbo.gone WHERE y = 2

--- DELETE with OUTPUT to a table variable
-- reads: dbo.a
-- writes: dbo.a dbo.log
DECLARE @ids TABLE (id INT);
DELETE dbo.a OUTPUT deleted.id INTO @ids WHERE y = 2;
INSERT dbo.log (id) SELECT id FROM @ids;

--- INSERT with OUTPUT into a table
-- reads: dbo.b
-- writes: dbo.a dbo.log
INSERT INTO dbo.a (x) OUTPUT inserted.x INTO dbo.log (x) SELECT x FROM dbo.b

--- a global temporary table
-- reads: dbo.b
-- writes: dbo.c
SELECT * INTO ##g FROM dbo.b;
INSERT INTO dbo.c SELECT * FROM ##g;
DROP TABLE ##g

--- temporary tables by their full name
-- reads: dbo.b
-- writes: dbo.c
IF OBJECT_ID('tempdb..#t') IS NOT NULL DROP TABLE #t
CREATE TABLE #t (x INT)
INSERT INTO #t SELECT x FROM dbo.b
INSERT INTO dbo.c SELECT x FROM tempdb..#t

--- a table variable in joins
-- reads: dbo.b dbo.d
-- writes: dbo.c
DECLARE @t AS TABLE (id INT PRIMARY KEY, v NVARCHAR(10))
INSERT INTO @t (id, v) SELECT id, v FROM dbo.b
INSERT INTO dbo.c SELECT t.id FROM @t t JOIN dbo.d d ON d.id = t.id

--- INSERT without INTO, TOP and DEFAULT VALUES
-- reads: b
-- writes: a c
INSERT a (x) SELECT TOP 5 x FROM b
INSERT TOP (5) INTO a SELECT x FROM b
INSERT INTO c DEFAULT VALUES

--- DELETE with two FROM
-- reads: dbo.b
-- writes: dbo.a
DELETE FROM t FROM dbo.a AS t INNER JOIN dbo.b ON t.x = dbo.b.x

--- DELETE and UPDATE without FROM, with TOP
-- writes: dbo.a dbo.c
DELETE dbo.a WHERE x = 1
DELETE TOP (10) FROM dbo.a
UPDATE TOP (10) dbo.c SET x = 1

--- UPDATE through an alias, the source is a subquery
-- reads: dbo.b
-- writes: dbo.a
UPDATE t SET t.x = s.x FROM dbo.a t INNER JOIN (SELECT y, MAX(x) AS x FROM dbo.b GROUP BY y) s ON s.y = t.y

--- UPDATE through a common table expression over a join
-- reads: dbo.b
-- writes: dbo.a
WITH c AS (SELECT a.x, b.y FROM dbo.a a JOIN dbo.b b ON a.i = b.i) UPDATE c SET x = y

--- UPDATE STATISTICS is no UPDATE
UPDATE STATISTICS dbo.a (ix) WITH FULLSCAN

--- TRY and CATCH with a transaction
-- reads: dbo.s
-- writes: dbo.a dbo.log
BEGIN TRY
  BEGIN TRANSACTION
    DELETE FROM dbo.a;
    INSERT INTO dbo.a SELECT * FROM dbo.s;
  COMMIT TRANSACTION
END TRY
BEGIN CATCH
  IF @@TRANCOUNT > 0 ROLLBACK TRANSACTION;
  INSERT INTO dbo.log (msg) VALUES (ERROR_MESSAGE());
  THROW;
END CATCH;

--- batches with a count, and a procedure between them
-- reads: b d
-- writes: a c
INSERT INTO a SELECT * FROM b
GO 5
CREATE OR ALTER PROCEDURE dbo.p @day DATE AS
BEGIN
  SET NOCOUNT ON
  INSERT INTO hidden SELECT * FROM hidden_source
END
GO
INSERT INTO c SELECT * FROM d
go

--- a trigger's body does not run
-- reads: b
CREATE TRIGGER dbo.tr ON dbo.a AFTER INSERT, UPDATE AS
BEGIN
  INSERT INTO dbo.log SELECT * FROM inserted
END
GO
SELECT * FROM b

--- OPENROWSET over a file
-- reads: abfss://lake@acct.dfs.core.windows.net/x/*.parquet
SELECT * FROM OPENROWSET(BULK 'https://acct.blob.core.windows.net/lake/x/*.parquet', FORMAT = 'PARQUET') AS r

--- BULK INSERT with options
-- reads: abfss://c@acct.dfs.core.windows.net/x.csv
-- writes: lake.dbo.t
BULK INSERT lake.dbo.t FROM 'https://acct.blob.core.windows.net/c/x.csv' WITH (FORMAT = 'CSV', FIRSTROW = 2, FIELDTERMINATOR = ';')

--- COPY INTO of the warehouse service
-- reads: abfss://c@acct.dfs.core.windows.net/y
-- writes: dbo.t
COPY INTO dbo.t FROM 'https://acct.blob.core.windows.net/c/y/' WITH (FILE_TYPE = 'PARQUET', CREDENTIAL = (IDENTITY = 'Managed Identity'))

--- an external table's files are in a data source
-- view: dbo.t <- file//data/x
CREATE EXTERNAL TABLE dbo.t (x INT) WITH (LOCATION = '/data/x/', DATA_SOURCE = lake, FILE_FORMAT = pq)

--- an external table that is made by a query
-- reads: dbo.b
-- writes: dbo.t file//data/x
CREATE EXTERNAL TABLE dbo.t WITH (LOCATION = '/data/x/', DATA_SOURCE = lake, FILE_FORMAT = pq) AS SELECT * FROM dbo.b

--- CREATE TABLE AS of the warehouse service
-- reads: dbo.b
-- writes: dbo.a
CREATE TABLE dbo.a WITH (DISTRIBUTION = HASH(x), CLUSTERED COLUMNSTORE INDEX) AS SELECT * FROM dbo.b

--- a synonym is read as its target
-- reads: dbo.s
-- view: dbo.s <- lake.dbo.orders
-- bases: lake.dbo.orders
CREATE SYNONYM dbo.s FOR lake.dbo.orders;
SELECT * FROM dbo.s

--- ALTER VIEW gives a view another query
-- writes: dbo.v
-- view: dbo.v <- dbo.b
ALTER VIEW dbo.v WITH SCHEMABINDING AS SELECT x FROM dbo.b

--- CREATE OR ALTER VIEW
-- writes: dbo.v
-- view: dbo.v <- dbo.b dbo.c
CREATE OR ALTER VIEW dbo.v AS SELECT b.x FROM dbo.b b WITH (NOLOCK) JOIN dbo.c c WITH (INDEX(ix)) ON b.i = c.i

--- a partition is switched to another table
-- reads: dbo.stage
-- writes: dbo.a
ALTER TABLE dbo.stage SWITCH PARTITION 3 TO dbo.a PARTITION 3 WITH (WAIT_AT_LOW_PRIORITY (MAX_DURATION = 1 MINUTES, ABORT_AFTER_WAIT = SELF))

--- a whole table is switched
-- reads: dbo.stage
-- writes: dbo.a
ALTER TABLE dbo.stage SWITCH TO dbo.a

--- tables change places by three renames
-- reads: b
-- writes: dbo.a
SELECT * INTO dbo.a_new FROM b
EXEC sp_rename 'dbo.a', 'a_old'
EXEC sp_rename 'dbo.a_new', 'a'
DROP TABLE dbo.a_old

--- the text depends on a query
-- reads: cfg
-- unresolved: dynamic 3 run time
DECLARE @sql NVARCHAR(MAX), @t SYSNAME = (SELECT TOP 1 name FROM cfg)
SET @sql = N'TRUNCATE TABLE ' + @t
EXEC (@sql)

--- a procedure is called with a result
-- unresolved: dynamic 2 procedure
DECLARE @rc INT
EXEC @rc = dbo.load_orders @day = '2024-01-01'

--- time travel
-- reads: dbo.t dbo.u
SELECT * FROM dbo.t FOR SYSTEM_TIME AS OF '2024-01-01' AS x JOIN dbo.u FOR SYSTEM_TIME BETWEEN '2024-01-01' AND '2024-02-01' y ON x.i = y.i

--- PIVOT and UNPIVOT
-- reads: dbo.a dbo.b
SELECT * FROM (SELECT k, v FROM dbo.a) s PIVOT (SUM(v) FOR k IN ([x], [y])) p;
SELECT * FROM dbo.b UNPIVOT (v FOR k IN (x, y)) u

--- SELECT with FOR XML, table hints and OPTION
-- reads: dbo.a dbo.b
SELECT x, (SELECT y FROM dbo.b WITH (NOLOCK) WHERE b.i = a.i FOR XML PATH('')) FROM dbo.a AS a WITH (READPAST, UPDLOCK) FOR JSON AUTO OPTION (RECOMPILE)

--- SELECT into a variable reads only
-- reads: dbo.t
SELECT @n = COUNT(*) FROM dbo.t

--- statements that move no rows
SET IDENTITY_INSERT dbo.t ON
DBCC CHECKIDENT ('dbo.t', RESEED, 0)
CREATE CLUSTERED COLUMNSTORE INDEX cci ON dbo.t
ALTER INDEX ALL ON dbo.t REBUILD
ALTER TABLE dbo.t ADD x INT NULL
DENY SELECT ON dbo.t TO r
WAITFOR DELAY '00:00:01'
PRINT 'SELECT * FROM nothing'

--- TRUNCATE of partitions
-- writes: dbo.t
TRUNCATE TABLE dbo.t WITH (PARTITIONS (1, 3 TO 5))

--- one statement that does not parse between two that do
-- reads: b d
-- writes: a c
-- unresolved: syntax 2 does not parse
INSERT INTO a SELECT * FROM b;
UPDATE SET WHERE FROM (;
INSERT INTO c SELECT * FROM d;

--- USE in a batch holds for the next one
-- reads: lake.dbo.a shop.dbo.b
USE [lake];
SELECT * FROM dbo.a
GO
USE shop
GO
SELECT * FROM dbo.b

--- statements on one line without semicolons
-- reads: b d
-- writes: a c e
INSERT INTO a SELECT * FROM b UPDATE c SET x = 1 WHERE y IN (SELECT y FROM d) DELETE FROM e

--- blocks on one line without semicolons
-- reads: z b
-- writes: a c d
IF EXISTS (SELECT 1 FROM z) BEGIN INSERT INTO a SELECT * FROM b END ELSE BEGIN DELETE FROM c END TRUNCATE TABLE d

--- IF and ELSE with single statements on one line
-- reads: z
-- writes: a c
IF (SELECT COUNT(*) FROM z) > 0 DELETE FROM a ELSE UPDATE c SET x = 1

--- WHILE, BREAK, GOTO and labels
-- reads: q
-- writes: a b
WHILE EXISTS (SELECT 1 FROM q)
BEGIN
  DELETE TOP (100) FROM a
  IF @@ROWCOUNT = 0 BREAK
  IF @n > 3 GOTO done
END
done:
INSERT INTO b VALUES (1)

--- a cursor over a query
-- reads: dbo.src
-- writes: dbo.a
DECLARE c CURSOR LOCAL FAST_FORWARD FOR
SELECT id FROM dbo.src
OPEN c
FETCH NEXT FROM c INTO @id
WHILE @@FETCH_STATUS = 0
BEGIN
  UPDATE dbo.a SET x = 1 WHERE id = @id
  FETCH NEXT FROM c INTO @id
END
CLOSE c
DEALLOCATE c

--- a recursive common table expression reads itself, which is no table
-- reads: dbo.staff
WITH tree AS (
  SELECT id, boss FROM dbo.staff WHERE boss IS NULL
  UNION ALL
  SELECT s.id, s.boss FROM dbo.staff s INNER JOIN tree ON s.boss = tree.id
)
SELECT * FROM tree OPTION (MAXRECURSION 100)

--- OPENQUERY runs a query on a linked server
-- reads: srv.lake.dbo.orders
-- writes: dbo.a
INSERT INTO dbo.a SELECT * FROM OPENQUERY(srv, 'SELECT id FROM lake.dbo.orders WHERE x = ''y''')

--- OPENQUERY with names that only the linked server can complete
-- unresolved: dynamic 1 srv
SELECT * FROM OPENQUERY(srv, 'SELECT id FROM orders')

--- OPENROWSET over a file in an INSERT
-- reads: file//in/x.json
-- writes: dbo.a
INSERT INTO dbo.a SELECT BulkColumn FROM OPENROWSET(BULK N'/in/x.json', SINGLE_CLOB) AS j

--- APPLY over functions, subqueries and XML
-- reads: dbo.a dbo.b
SELECT * FROM dbo.a a CROSS APPLY dbo.split(a.x) s OUTER APPLY (SELECT TOP 1 * FROM dbo.b b WHERE b.i = a.i) t CROSS APPLY a.doc.nodes('/r') AS n(c) CROSS APPLY OPENJSON(a.j) WITH (k INT '$.k') j

--- functions that read the table they are given
-- reads: dbo.docs dbo.t
SELECT * FROM CONTAINSTABLE(dbo.docs, body, 'x') AS k;
SELECT * FROM CHANGETABLE(CHANGES dbo.t, 0) AS c

--- brackets hold blanks, dots and brackets
-- reads: my-db.dbo.odd.name
-- writes: dbo.from
INSERT INTO dbo.[from] SELECT [select] FROM [my-db].dbo.[odd.name]

--- a text in a variable is run
-- reads: b
-- writes: a
DECLARE @sql NVARCHAR(MAX) = N'INSERT INTO a SELECT * FROM b';
EXEC sp_executesql @sql;

--- a text is put together of constants
-- reads: b
-- writes: dbo.a
DECLARE @t SYSNAME = 'dbo.a', @sql NVARCHAR(MAX)
SET @sql = N'INSERT INTO ' + @t
SET @sql = @sql + N' SELECT * FROM b'
EXEC (@sql)

--- a text is put together where it is run
-- reads: b
-- writes: a
EXEC ('INSERT INTO ' + 'a' + ' SELECT * FROM b')

--- a text is run on a linked server
-- unresolved: dynamic 1 srv
EXEC ('DELETE FROM lake.dbo.t') AT srv

--- a linked server's table has four parts
-- reads: srv.lake.dbo.orders srv2.lake.dbo.items
-- default: shop.dbo
-- writes: shop.dbo.a
INSERT INTO a SELECT * FROM [srv].[lake].[dbo].[orders] o JOIN srv2.lake..items i ON i.id = o.id

--- renaming with named arguments
-- reads: dbo.b
-- writes: dbo.a
SELECT * INTO dbo.s FROM dbo.b;
EXEC sys.sp_rename @objname = N'dbo.s', @newname = N'a';

--- renaming a column or an index moves no rows
EXEC sp_rename 'dbo.t.x', 'y', 'COLUMN';
EXEC sp_rename N'dbo.t.ix', N'iy', N'INDEX';

--- += and SELECT give a variable its text
-- reads: b
-- writes: a
DECLARE @sql NVARCHAR(MAX)
SELECT @sql = 'INSERT INTO a '
SET @sql += 'SELECT * FROM b'
EXEC sys.sp_executesql @stmt = @sql, @params = N'@x INT', @x = 1

--- QUOTENAME, CONCAT and REPLACE of constants
-- reads: lake.b
-- writes: lake.a
DECLARE @s SYSNAME = N'lake'
DECLARE @q NVARCHAR(MAX) = CONCAT('INSERT INTO ', QUOTENAME(@s), '.', QUOTENAME('a'), REPLACE(' SELECT * FROM <s>.b', '<s>', @s))
EXECUTE (@q)

--- each branch gives the text another value
-- reads: x b c
-- writes: a
DECLARE @sql NVARCHAR(MAX)
IF EXISTS (SELECT 1 FROM x) SET @sql = 'INSERT INTO a SELECT * FROM b' ELSE SET @sql = 'INSERT INTO a SELECT * FROM c'
EXEC (@sql)

--- values of the command-line tool
-- reads: lake.dbo.b
-- writes: lake.dbo.a
:setvar db lake
INSERT INTO $(db).dbo.a SELECT * FROM [$(db)].dbo.b

--- a value of the command-line tool that nobody gives
-- writes: dbo.a
-- unresolved: template 1 $(db)
INSERT INTO dbo.a SELECT * FROM $(db).dbo.b

--- what is replaced in a variable's text may be the table's name
-- unresolved: dynamic 3 run time
DECLARE @q NVARCHAR(MAX) = 'TRUNCATE TABLE stage.a'
SET @q = REPLACE(@q, 'stage', 'prod')
EXEC (@q)

--- hints at the target of an INSERT
-- reads: dbo.b
-- writes: dbo.t
INSERT INTO dbo.t WITH (TABLOCK) (x) SELECT x FROM dbo.b WITH (NOLOCK, INDEX(i)) OPTION (HASH JOIN, MAXDOP 4)

--- a query through OPENROWSET and a table through OPENDATASOURCE are on other servers
-- unresolved: dynamic 1 opendatasource
-- unresolved: dynamic 2 opendatasource
SELECT * FROM OPENROWSET('SQLNCLI', 'Server=s;Trusted_Connection=yes;', 'SELECT * FROM db.dbo.t') AS r;
SELECT * FROM OPENDATASOURCE('SQLNCLI', 'Data Source=s').db.dbo.t

--- INSERT of what a text gives
-- reads: dbo.b dbo.c
-- writes: dbo.t
INSERT INTO dbo.t EXEC ('SELECT * FROM dbo.b');
INSERT INTO dbo.t (x) EXEC sp_executesql N'SELECT * FROM dbo.c'

--- INSERT into a table variable of what a procedure gives
-- unresolved: dynamic 2 procedure
DECLARE @t TABLE (x INT)
INSERT @t EXEC dbo.p

--- a clone
-- reads: dbo.b
-- writes: dbo.a
CREATE TABLE dbo.a AS CLONE OF dbo.b

--- the row of a cursor
-- writes: dbo.a
UPDATE dbo.a SET x = 1 WHERE CURRENT OF c

--- rights, constraints and backups move no rows
GRANT SELECT, INSERT ON dbo.a TO bob WITH GRANT OPTION REVOKE DELETE ON dbo.a FROM bob
ALTER TABLE dbo.a WITH CHECK ADD CONSTRAINT fk FOREIGN KEY (x) REFERENCES dbo.b (x) ON DELETE CASCADE ON UPDATE SET NULL
ALTER TABLE dbo.a CHECK CONSTRAINT fk
BACKUP DATABASE x TO DISK = 'y'
RESTORE DATABASE x FROM DISK = 'y'

--- a loop on one line that deletes in portions
-- writes: dbo.a
WHILE 1 = 1 BEGIN DELETE TOP (5000) FROM dbo.a WHERE d < '2020' IF @@ROWCOUNT < 5000 BREAK END

--- a function of this script, after the batch that makes it
-- reads: dbo.src
CREATE FUNCTION dbo.f(@x INT) RETURNS TABLE AS RETURN (SELECT * FROM dbo.src WHERE x = @x)
GO
SELECT * FROM dbo.f(1)

--- a typo of a verb
-- reads: dbo.b
-- unresolved: syntax 1
UDATE t SET x = 1 WHERE y = 2
GO
SELECT * FROM dbo.b

--- a typo of a verb inside of a batch without semicolons
-- reads: dbo.b
-- writes: dbo.c
-- unresolved: syntax 1
INSERT INTO dbo.c SELECT * FROM dbo.b
UDATE t SET x = 1 WHERE y = 2

--- cross-database, linked server, temp tables, and OUTPUT
-- reads: srv1.sales.dbo.orders sales.dbo.customers
-- writes: dw.dbo.fact_orders dw.dbo.audit
USE dw;
SELECT o.id, c.name INTO #s FROM SRV1.Sales.dbo.Orders o WITH (NOLOCK) INNER JOIN Sales.dbo.Customers c ON c.id = o.cid;
CREATE CLUSTERED INDEX ix ON #s (id);
MERGE dbo.fact_orders AS t USING #s AS s ON t.id = s.id
WHEN MATCHED THEN UPDATE SET t.name = s.name
WHEN NOT MATCHED BY TARGET THEN INSERT (id, name) VALUES (s.id, s.name)
OUTPUT $action, inserted.id INTO dbo.audit (act, id);
IF OBJECT_ID('tempdb..#s') IS NOT NULL DROP TABLE #s;

--- partition switch with a staging table filled before
-- reads: ext.orders stg.orders
-- writes: dbo.orders stg.orders
TRUNCATE TABLE stg.orders
INSERT INTO stg.orders WITH (TABLOCK) SELECT * FROM ext.orders OPTION (MAXDOP 4)
ALTER TABLE stg.orders SWITCH PARTITION 3 TO dbo.orders PARTITION 3

--- dynamic pivot: columns come from a query, the table is constant
-- reads: dbo.dates dbo.sales
-- unresolved: dynamic 4
DECLARE @cols NVARCHAR(MAX), @sql NVARCHAR(MAX)
SELECT @cols = STRING_AGG(QUOTENAME(d), ',') FROM dbo.dates
SET @sql = N'SELECT ' + @cols + N' FROM (SELECT d, v FROM dbo.sales) x PIVOT (SUM(v) FOR d IN (' + @cols + N')) p'
EXEC sp_executesql @sql

--- XML, OPENJSON and APPLY are no tables, FOR JSON either
-- reads: dbo.docs dbo.orders
SELECT d.id, j.k, x.n.value('.', 'int')
FROM dbo.docs d
CROSS APPLY OPENJSON(d.body) WITH (k INT '$.k') j
OUTER APPLY d.x.nodes('/a/b') AS x(n)
OUTER APPLY (SELECT TOP 1 * FROM dbo.orders o WHERE o.id = d.id ORDER BY o.ts DESC) o
FOR JSON PATH

--- SSIS: pre-load, watermark, staging and merge in one script
-- reads: etl.dbo.watermark erp.dbo.invoice dw.stg.invoice dw.dbo.dim_customer
-- writes: dw.stg.invoice dw.dbo.fact_invoice etl.dbo.watermark etl.dbo.load_log
USE [DW];
GO
SET NOCOUNT ON;
DECLARE @from DATETIME2, @to DATETIME2 = SYSUTCDATETIME(), @rows INT;
SELECT @from = ISNULL(MAX(loaded_to), '1900-01-01') FROM etl.dbo.watermark WHERE table_name = N'invoice';
TRUNCATE TABLE stg.invoice;
INSERT INTO stg.invoice (id, customer, amount, changed)
SELECT i.[Id], i.[Customer No], i.[Amount], i.[Changed]
FROM [ERP].[dbo].[Invoice] AS i WITH (NOLOCK)
WHERE i.[Changed] > @from AND i.[Changed] <= @to
SET @rows = @@ROWCOUNT
BEGIN TRY
    BEGIN TRANSACTION
    ;WITH latest AS (
        SELECT *, ROW_NUMBER() OVER (PARTITION BY id ORDER BY changed DESC) AS rn FROM stg.invoice
    )
    MERGE dbo.fact_invoice AS t
    USING (SELECT l.*, c.customer_key FROM latest l LEFT JOIN dbo.dim_customer c ON c.customer_no = l.customer WHERE l.rn = 1) AS s
        ON t.id = s.id
    WHEN MATCHED AND t.changed < s.changed THEN UPDATE SET amount = s.amount, changed = s.changed
    WHEN NOT MATCHED BY TARGET THEN INSERT (id, customer_key, amount, changed) VALUES (s.id, s.customer_key, s.amount, s.changed);
    UPDATE etl.dbo.watermark SET loaded_to = @to WHERE table_name = N'invoice'
    INSERT etl.dbo.load_log (table_name, rows) VALUES (N'invoice', @rows)
    COMMIT TRANSACTION
END TRY
BEGIN CATCH
    IF @@TRANCOUNT > 0 ROLLBACK TRANSACTION;
    DECLARE @msg NVARCHAR(2048) = ERROR_MESSAGE();
    RAISERROR(@msg, 16, 1);
END CATCH
GO

--- a procedure that loads a slowly changing dimension, and its call
-- reads: src.customer dbo.dim_customer
-- writes: dbo.dim_customer
CREATE OR ALTER PROCEDURE etl.load_customer @day DATE = NULL
AS
BEGIN
  SET XACT_ABORT ON
  SELECT c.*, HASHBYTES('SHA2_256', CONCAT(c.name, '|', c.city)) AS h INTO #c FROM src.customer c WHERE c.changed >= @day
  UPDATE d SET d.valid_to = @day, d.is_current = 0
  FROM dbo.dim_customer d INNER JOIN #c ON #c.id = d.id
  WHERE d.is_current = 1 AND d.h <> #c.h
  INSERT INTO dbo.dim_customer (id, name, city, h, valid_from, is_current)
  SELECT #c.id, #c.name, #c.city, #c.h, @day, 1 FROM #c
  WHERE NOT EXISTS (SELECT 1 FROM dbo.dim_customer x WHERE x.id = #c.id AND x.is_current = 1 AND x.h = #c.h)
  DROP TABLE #c
END
GO
EXEC etl.load_customer @day = '2024-01-01'
GO

--- dynamic SQL over a cursor of tables
-- unresolved: dynamic 8
DECLARE @t SYSNAME, @s NVARCHAR(MAX)
DECLARE c CURSOR LOCAL FAST_FORWARD FOR
  SELECT name FROM sys.tables WHERE schema_id = SCHEMA_ID('stg')
OPEN c
FETCH NEXT FROM c INTO @t
WHILE @@FETCH_STATUS = 0
BEGIN
  SET @s = N'TRUNCATE TABLE stg.' + QUOTENAME(@t); EXEC (@s)
  FETCH NEXT FROM c INTO @t
END
CLOSE c; DEALLOCATE c

--- archive with OUTPUT in batches
-- reads: dbo.orders
-- writes: dbo.orders archive.dbo.orders
WHILE 1 = 1
BEGIN
  DELETE TOP (5000) FROM dbo.orders OUTPUT deleted.* INTO archive.dbo.orders WHERE created < DATEADD(YEAR, -7, GETDATE())
  IF @@ROWCOUNT < 5000 BREAK
END

--- a comment with statements and a string with a query are decoys
-- reads: dbo.a
-- writes: dbo.b
/* INSERT INTO dbo.never SELECT * FROM dbo.nothing
   /* nested: DELETE FROM dbo.x */ */
-- DROP TABLE dbo.y
DECLARE @help NVARCHAR(200) = N'Usage: INSERT INTO dbo.z SELECT * FROM dbo.q';
PRINT @help
INSERT dbo.b (txt) SELECT 'DELETE FROM dbo.k' FROM dbo.a

--- a view with a check, an indexed view, and an instead-of trigger
-- writes: rpt.v
-- view: rpt.v <- dbo.a dbo.b
CREATE OR ALTER VIEW rpt.v WITH SCHEMABINDING AS
SELECT a.id, COUNT_BIG(*) AS n FROM dbo.a AS a INNER JOIN dbo.b AS b ON b.id = a.id GROUP BY a.id
GO
CREATE TRIGGER rpt.t ON dbo.a AFTER INSERT, UPDATE AS BEGIN INSERT INTO dbo.log SELECT * FROM inserted END
GO

--- bcp-like bulk load, then a CTE that deletes duplicates
-- reads: file/D:\in\x.csv
-- writes: stg.x
BULK INSERT stg.x FROM 'D:\in\x.csv' WITH (FIRSTROW = 2, FIELDTERMINATOR = ';', ROWTERMINATOR = '0x0a', TABLOCK);
;WITH d AS (SELECT *, ROW_NUMBER() OVER (PARTITION BY id ORDER BY (SELECT NULL)) n FROM stg.x)
DELETE FROM d WHERE n > 1;

--- synonyms and a union of years into a temp table
-- reads: lake.dbo.sales2022 lake.dbo.sales2023
-- writes: rpt.sales
-- view: dbo.s23 <- lake.dbo.sales2023
CREATE SYNONYM dbo.s23 FOR lake.dbo.sales2023;
SELECT * INTO #all FROM (SELECT * FROM lake.dbo.sales2022 UNION ALL SELECT * FROM lake.dbo.sales2023) u
IF OBJECT_ID(N'rpt.sales', N'U') IS NOT NULL DROP TABLE rpt.sales
SELECT y, SUM(v) AS v INTO rpt.sales FROM #all GROUP BY y

--- IF EXISTS before a CREATE, then ELSE with an EXEC of text
-- reads: stg.k
-- writes: dbo.k
IF NOT EXISTS (SELECT * FROM sys.objects WHERE object_id = OBJECT_ID(N'dbo.k') AND type IN (N'U'))
BEGIN
  CREATE TABLE dbo.k (id INT NOT NULL PRIMARY KEY, v NVARCHAR(10) NULL)
END
ELSE
  EXEC sys.sp_executesql N'INSERT INTO dbo.k (id, v) SELECT id, v FROM stg.k WHERE id > @p', N'@p INT', @p = 5
