--- files in and out
-- reads: t
-- writes: s3://bkt/k
UNLOAD (SELECT * FROM t) TO 's3://bkt/k' WITH (format='ORC')
