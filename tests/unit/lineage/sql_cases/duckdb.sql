--- files as tables
-- reads: file/in/x.parquet
SELECT * FROM 'in/x.parquet'

--- files as tables
-- reads: file/x.csv
FROM 'x.csv'

--- files as tables
-- reads: file//in/x.csv
SELECT * FROM read_csv('/in/x.csv', header=true)

--- files as tables
-- reads: file/a.parquet s3://bkt/k
SELECT * FROM read_parquet(['a.parquet', 's3://bkt/k'])

--- files in and out
-- reads: t
-- writes: file/out.parquet
COPY t TO 'out.parquet' (FORMAT parquet)

--- files in and out
-- reads: file/in.csv
-- writes: t
COPY t FROM 'in.csv'

--- files as tables
-- reads: file/x.csv
-- writes: t
CREATE OR REPLACE TABLE t AS FROM 'x.csv'

--- SELECT
-- reads: t
PIVOT t ON x USING sum(y)

--- what the text does not say
-- unresolved: dynamic 2 read
SELECT 1;
SELECT * FROM read_csv(getvariable('x'))
