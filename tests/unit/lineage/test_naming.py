"""Different spellings of one dataset come together, different datasets stay apart."""

import pytest

from swarm.lineage.naming import (
    Naming,
    dataset_from_table,
    dataset_from_url,
    split_name,
    table_name,
)
from swarm.lineage.text import SqlContext
from swarm.model.keys import DatasetKey

PG = "postgres://lake:5432"

SAME = [
    # namespaces
    (DatasetKey("postgres://lake", "db.s.t"), DatasetKey(PG, "db.s.t")),
    (DatasetKey("postgresql://LAKE:5432/", "db.s.t"), DatasetKey(PG, "db.s.t")),
    (DatasetKey("postgresql+psycopg://user:secret@lake", "db.s.t"), DatasetKey(PG, "db.s.t")),
    (DatasetKey("postgres://lake:6000", "t"), DatasetKey("postgres://lake:6000", "t")),
    (DatasetKey("s3a://bkt", "a/K.csv"), DatasetKey("s3://bkt", "a/K.csv")),
    (DatasetKey("s3://bkt/", "/a/K/"), DatasetKey("s3://bkt", "a/K")),
    (DatasetKey("gcs://bkt", "a//b"), DatasetKey("gs://bkt", "a/b")),
    (DatasetKey("file", "/a/X.csv"), DatasetKey("file", "/a/X.csv")),
    (DatasetKey("file", "./x.csv"), DatasetKey("file", "x.csv")),
    (DatasetKey("", "T"), DatasetKey("warehouse", "t")),
    (DatasetKey("sqlite:///abs//Lake.db", "main.T"), DatasetKey("sqlite:///abs/Lake.db", "main.t")),
    # names
    (DatasetKey("bigquery", "P.D.T"), DatasetKey("bigquery", "p.d.t")),
    (DatasetKey("bigquery", "`p.d.t`"), DatasetKey("bigquery", "p.d.t")),
    (DatasetKey(PG, '"Db"."S"."T"'), DatasetKey(PG, "db.s.t")),
    (DatasetKey("mssql://h", "[Db].[dbo].[T]"), DatasetKey("mssql://h:1433", "db.dbo.t")),
    (DatasetKey("bigquery", "p.d.t$20240131"), DatasetKey("bigquery", "p.d.t")),
    (DatasetKey("bigquery", "p.d.t@1577836800000"), DatasetKey("bigquery", "p.d.t")),
    (DatasetKey("bigquery", "p.d.e_20240131"), DatasetKey("bigquery", "p.d.e_*")),
    (DatasetKey("bigquery", "p.d.e_202401"), DatasetKey("bigquery", "p.d.e_*")),
    (DatasetKey("bigquery", "p.d.e_2024*"), DatasetKey("bigquery", "p.d.e_*")),
    (DatasetKey("s3://bkt", "in/2024-01-31/x.csv"), DatasetKey("s3://bkt", "in/*/x.csv")),
    (DatasetKey("s3://bkt", "in/dt=20240131"), DatasetKey("s3://bkt", "in/dt=*")),
    # what only looks like a date stays
    (DatasetKey("bigquery", "p.d.e_v1"), DatasetKey("bigquery", "p.d.e_v1")),
    (DatasetKey("bigquery", "p.d.e_2024"), DatasetKey("bigquery", "p.d.e_2024")),
    (DatasetKey("bigquery", "p.d.e_20241399"), DatasetKey("bigquery", "p.d.e_20241399")),
    (DatasetKey("s3://bkt", "in/1202401315/x"), DatasetKey("s3://bkt", "in/1202401315/x")),
]


@pytest.mark.parametrize(("spelled", "kept"), SAME)
def test_spellings_come_together(spelled: DatasetKey, kept: DatasetKey) -> None:
    naming = Naming()
    assert naming.canonical(spelled) == kept
    assert naming.canonical(kept) == kept


URLS = [
    ("postgres://lake/orders", PG, "orders"),
    ("postgresql://u:p@lake:5432/Db/S/Orders", PG, "db.s.orders"),
    ("postgres://lake/db?schema=s&table=t", PG, "db.s.t"),
    ("bigquery://p/d/t", "bigquery", "p.d.t"),
    ("snowflake://org-acc/db/s/t", "snowflake://org-acc", "db.s.t"),
    ("mysql://h/shop/t", "mysql://h:3306", "shop.t"),
    ("s3://bkt/a/K.csv", "s3://bkt", "a/K.csv"),
    ("s3a://bkt/a/", "s3://bkt", "a"),
    ("abfss://box@acc.dfs.core.windows.net/a/b", "abfss://box@acc.dfs.core.windows.net", "a/b"),
    ("file:///x/y.csv", "file", "/x/y.csv"),
    ("file:/x/y.csv", "file", "/x/y.csv"),
    ("file://localhost/x/y.csv", "file", "/x/y.csv"),
    ("/abs/Path.csv", "file", "/abs/Path.csv"),
    ("./in/x.csv", "file", "in/x.csv"),
    ("sqlite:////abs/lake.db/orders", "sqlite:///abs/lake.db", "orders"),
    ("sqlite:///abs/lake.db", "sqlite:///abs/lake.db", ""),
    ("", "file", ""),
]


@pytest.mark.parametrize(("url", "namespace", "name"), URLS)
def test_urls_name_datasets(url: str, namespace: str, name: str) -> None:
    assert dataset_from_url(url) == DatasetKey(namespace, name)


TABLES = [
    ("t", "lake.public.t"),
    ("S.T", "lake.s.t"),
    ("x.s.t", "x.s.t"),
    ('"a.b".t', "lake.a.b.t"),
    ("`p.d.t`", "p.d.t"),
    ("a.b.c.d", "a.b.c.d"),
]


@pytest.mark.parametrize(("table", "name"), TABLES)
def test_tables_are_completed(table: str, name: str) -> None:
    context = SqlContext("postgres", PG, "lake", "public")
    assert dataset_from_table(table, context) == DatasetKey(PG, name)


def test_defaults_may_be_missing() -> None:
    assert dataset_from_table("t", SqlContext(default_schema="s")).name == "s.t"
    assert dataset_from_table("t", SqlContext(default_catalog="c")).name == "t"
    assert dataset_from_table("t", SqlContext(default_schema="c.s")).name == "c.s.t"


def test_quotes_keep_dots_together() -> None:
    assert split_name('"a.b"."c""d".e') == ("a.b", 'c"d', "e")
    assert split_name('"a"b.c') == ('"a"b.c',)


def test_namespace_aliases_win_in_any_spelling() -> None:
    naming = Naming(
        namespaces={"sqlite:///abs/lake.db": "warehouse", "postgresql://LAKE": "warehouse"}
    )
    for key in (
        DatasetKey("sqlite:////abs/lake.db", "Orders"),
        DatasetKey("postgres://lake:5432", "orders"),
        DatasetKey("", "ORDERS"),
    ):
        assert naming.canonical(key) == DatasetKey("warehouse", "orders")


def test_dataset_aliases_win_in_any_spelling() -> None:
    naming = Naming(
        namespaces={"postgres://lake": "warehouse"},
        datasets={
            "file//exports/Orders.csv": "lake.public.orders",
            "warehouse/legacy.orders": "warehouse/lake.public.orders",
            "orders_view": "postgres://lake/lake/public/orders",
        },
    )
    kept = DatasetKey("warehouse", "lake.public.orders")
    assert naming.canonical(DatasetKey("postgresql://lake", "Legacy.Orders")) == kept
    assert naming.canonical(DatasetKey("", "orders_view")) == kept
    assert naming.canonical(DatasetKey("trino://t", "ORDERS_VIEW")) == kept
    assert naming.canonical(DatasetKey("file", "/exports/Orders.csv")).name == "lake.public.orders"
    assert naming.canonical(kept) == kept
    other = DatasetKey("trino://t:8080", "legacy.orders")
    assert naming.canonical(other) == other


@pytest.mark.parametrize(
    ("written", "kept"),
    [
        ("t$20240131", "t"),
        ("t$__NULL__", "t"),
        ("t$partitions", "t"),
        ("t$all_manifests", "t"),
        ("err$_t", "err$_t"),  # Oracle: a letter like others
        ("v$session", "v$session"),
    ],
)
def test_only_what_is_known_to_decorate_a_name_goes(written: str, kept: str) -> None:
    assert table_name((written,)) == kept
