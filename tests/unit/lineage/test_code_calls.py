"""Each call that is known to read or write data."""

from textwrap import indent

import pytest

from swarm.lineage.code.entry import extract_code
from swarm.lineage.text import CodeContext, SqlContext

CONTEXT = CodeContext({}, SqlContext("", "w"), {})
IMPORTS = """
import csv, gzip, io, json, os, shutil, sys, tempfile
import boto3, duckdb, fsspec, s3fs
import pandas as pd
import polars as pl
import pyarrow.parquet as pq
from google.cloud import bigquery
from pathlib import Path
from psycopg2.extras import execute_values
from pyspark.sql import SparkSession
from sqlalchemy import create_engine, text
from airflow.providers.sqlite.hooks.sqlite import SqliteHook
from airflow.providers.amazon.aws.hooks.s3 import S3Hook
"""

CASES = [
    ('create_engine("x").execute(text("DELETE FROM t"))', {"write w/t"}),
    ('execute_values(cur, "INSERT INTO t VALUES %s", rows)', {"write w/t"}),
    ('cur.execute("DELETE FROM t WHERE a = %s AND b = %(b)s", {"b": 1})', {"write w/t"}),
    ('pd.read_sql("SELECT * FROM t", conn)', {"read w/t"}),
    ('pd.read_sql("t", con=conn)', {"read w/t"}),
    ('pd.read_sql_query(sql="SELECT * FROM t", con=conn)', {"read w/t"}),
    ('pd.read_sql_table("t", conn, schema="s")', {"read w/s.t"}),
    ('df.to_sql("t", conn, schema="s", if_exists="append")', {"write w/s.t"}),
    ('df.groupby("a").sum().to_sql(name="t", con=conn)', {"write w/t"}),
    ('pd.read_csv("/l/a.csv")', {"read file//l/a.csv"}),
    ('pd.read_parquet(path="s3://b/k.parquet")', {"read s3://b/k.parquet"}),
    ('pd.read_excel(io="/l/a.xlsx")', {"read file//l/a.xlsx"}),
    ('df.to_parquet("/l/a.parquet", index=False)', {"write file//l/a.parquet"}),
    ('df.to_csv(path_or_buf="/l/a.csv")', {"write file//l/a.csv"}),
    ("df.to_csv()", set()),
    ("df.to_csv(None)", set()),
    ("df.to_json(orient='records')", set()),
    ("buffer = io.StringIO()\ndf.to_csv(buffer)", set()),
    ("df.to_csv(sys.stdout)", set()),
    ('pd.read_csv(open("/l/a.csv"))', {"read file//l/a.csv"}),
    ('list(map(pd.read_csv, ["/l/a", "/l/b"]))', {"read file//l/a", "read file//l/b"}),
    ('pl.scan_parquet("/l/a.parquet").collect()', {"read file//l/a.parquet"}),
    ('pl.read_database("SELECT * FROM t", conn)', {"read w/t"}),
    ('pl.DataFrame().write_parquet("/l/a.parquet")', {"write file//l/a.parquet"}),
    ('pl.DataFrame().write_database("s.t", "uri")', {"write w/s.t"}),
    ('pq.write_table(table, "/l/a.parquet")', {"write file//l/a.parquet"}),
    ('spark.sql("INSERT INTO t SELECT * FROM s")', {"write w/t", "read w/s"}),
    ('spark.table("d.t")', {"read w/d.t"}),
    ('SparkSession.builder.getOrCreate().table("d.t")', {"read w/d.t"}),
    ('spark.read.table("d.t")', {"read w/d.t"}),
    ('spark.read.format("delta").option("a", 1).load("s3://b/t")', {"read s3://b/t"}),
    ('spark.read.parquet("s3a://b/t")', {"read s3://b/t"}),
    ('spark.read.format("jdbc").option("dbtable", "s.t").load()', {"read w/s.t"}),
    ('df.write.mode("append").saveAsTable("d.t")', {"write w/d.t"}),
    ('df.write.insertInto("d.t")', {"write w/d.t"}),
    ('df.write.format("parquet").save("s3://b/t")', {"write s3://b/t"}),
    ('df.write.partitionBy("d").parquet("s3://b/t")', {"write s3://b/t"}),
    ('df.writeTo("c.d.t").append()', {"write w/c.d.t"}),
    ('df.createOrReplaceTempView("v")\nspark.sql("SELECT * FROM v JOIN t")', {"read w/t"}),
    ('duckdb.connect("x.db").execute("DELETE FROM t")', {"write w/t"}),
    ('bigquery.Client().query("SELECT * FROM p.d.t").result()', {"read w/p.d.t"}),
    ('bigquery.Client().load_table_from_dataframe(df, "p.d.t")', {"write w/p.d.t"}),
    ('SqliteHook("c").run(["DELETE FROM a", "DELETE FROM b"])', {"write w/a", "write w/b"}),
    ('SqliteHook("c").get_records("SELECT * FROM t")', {"read w/t"}),
    ('SqliteHook("c").get_pandas_df(sql="SELECT * FROM t")', {"read w/t"}),
    ('SqliteHook("c").get_first("SELECT * FROM t")', {"read w/t"}),
    ('SqliteHook("c").insert_rows(table="s.t", rows=[])', {"write w/s.t"}),
    ('open("/l/a")', {"read file//l/a"}),
    ('open("/l/a", "wb")', {"write file//l/a"}),
    ('open("/l/a", mode="a")', {"write file//l/a"}),
    ('open("/l/a", "r+")', {"read file//l/a", "write file//l/a"}),
    ('gzip.open("/l/a.gz", "rt")', {"read file//l/a.gz"}),
    ('json.load(open("/l/a.json"))', {"read file//l/a.json"}),
    ('csv.writer(open("/l/a.csv", "w")).writerow([])', {"write file//l/a.csv"}),
    ('open("/dev/null", "w")', set()),
    ('Path("/l/a").read_text()', {"read file//l/a"}),
    ('Path("/l", "a").write_bytes(b"")', {"write file//l/a"}),
    ('Path("/l/a").with_suffix(".csv").open("w")', {"write file//l/a.csv"}),
    ('(Path("/l/b/c").parent / "a").read_bytes()', {"read file//l/b/a"}),
    ('Path("/l/a").rename("/l/b")', {"read file//l/a", "write file//l/b"}),
    ('shutil.copy("/l/a", "/l/b")', {"read file//l/a", "write file//l/b"}),
    ('shutil.move(src="/l/a", dst="/l/b")', {"read file//l/a", "write file//l/b"}),
    ('boto3.client("s3").get_object(Bucket="b", Key="k")', {"read s3://b/k"}),
    ('boto3.client("s3").put_object(Bucket="b", Key="k", Body=b"")', {"write s3://b/k"}),
    (
        'boto3.client("s3").upload_file("/l/a", "b", "k")',
        {"read file//l/a", "write s3://b/k"},
    ),
    (
        'boto3.client("s3").download_file(Bucket="b", Key="k", Filename="/l/a")',
        {"read s3://b/k", "write file//l/a"},
    ),
    (
        's3.copy_object(CopySource={"Bucket": "a", "Key": "k"}, Bucket="b", Key="k2")',
        {"read s3://a/k", "write s3://b/k2"},
    ),
    ('boto3.resource("s3").Object("b", "k").put(Body="")', {"write s3://b/k"}),
    ('boto3.resource("s3").Bucket("b").download_file("k", "/l/a")', {"read s3://b/k"}),
    ('S3Hook("c").load_string("x", key="k", bucket_name="b")', {"write s3://b/k"}),
    ('S3Hook("c").read_key("k", "b")', {"read s3://b/k"}),
    ('fsspec.open("s3://b/k", "w")', {"write s3://b/k"}),
    ('s3fs.S3FileSystem().open("s3://b/k")', {"read s3://b/k"}),
    ('tempfile.NamedTemporaryFile("w").write("x")', set()),
    ("with tempfile.TemporaryDirectory() as d:\n    pass", set()),
    ('{"a": 1}.get("a")', set()),
    ('os.environ.get("a")', set()),
]


@pytest.mark.parametrize(("code", "expected"), CASES, ids=[code for code, _ in CASES])
def test_call(code: str, expected: set[str]):
    source = (
        f"{IMPORTS}\ndef main(conn, cur, df, spark, s3, rows, table):\n{indent(code, '    ')}\n"
    )
    found = extract_code({"job.py": source}, "job.py:main", CONTEXT)
    assert {f"{t.access} {t.dataset}" for t in found.touches} == expected
    assert found.unresolved == ()
