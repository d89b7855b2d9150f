--- files in and out
-- reads: s3://bkt/k
-- writes: t
COPY INTO t FROM 's3://bkt/k' FILEFORMAT = CSV

--- CREATE
-- reads: b
-- writes: a
CREATE TABLE a DEEP CLONE b
