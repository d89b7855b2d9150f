"""What each task of a Prefect flow and each asset or op of Dagster does."""

from textwrap import dedent

from swarm.lineage.code.dagster import dagster_entries, extract_dagster
from swarm.lineage.code.prefect import prefect_entry
from swarm.lineage.text import CodeContext, SqlContext
from swarm.model.lineage import Extraction, UnresolvedReason

CONTEXT = CodeContext({}, SqlContext("sqlite", "w"), {"day": "2026-01-01"})


def seen(found: Extraction) -> set[str]:
    return {f"{t.access} {t.dataset}" for t in found.touches}


FLOW = """
from prefect import flow, task
from prefect.assets import materialize

def run(sql):
    conn.execute(sql)

@task
def one(table):
    run(f"DELETE FROM {table}")

@task(name="second", retries=2)
def two(x):
    run("INSERT INTO b SELECT * FROM a")

@materialize("postgres://lake/report")
def report():
    run("INSERT INTO report SELECT * FROM b")

@task
def idle():
    return 1

@task
def never():
    run("DELETE FROM never")

@flow(name="inner-flow")
def inner():
    run("DELETE FROM inner_body")

@flow
def my_etl(day):
    run(f"DELETE FROM log WHERE day = '{day}'")
    a = one.submit("a")
    one.map(["m1", "m2"])
    b = two(a)
    two.with_options(name="again")(b)
    report()
    idle()
    inner()
    run("DELETE FROM at_the_end")
"""


def test_prefect_accesses_stand_under_the_task_that_makes_them():
    found = prefect_entry({"f.py": FLOW}, "f.py:my_etl", CONTEXT)
    assert {name: seen(one) for name, one in found.items()} == {
        "my-etl": {"write w/log", "write w/at_the_end"},
        "one": {"write w/a", "write w/m1", "write w/m2"},
        "second": {"write w/b", "read w/a"},
        "again": {"write w/b", "read w/a"},
        "report": {"write w/report", "write postgres://lake:5432/report", "read w/b"},
        "idle": set(),
        "inner-flow": {"write w/inner_body"},
    }
    assert all(one.unresolved == () for one in found.values())


def test_prefect_source_that_is_missing_or_broken_is_told_under_the_flow():
    missing = prefect_entry({"f.py": "x = 1"}, "f.py:etl", CONTEXT)
    assert missing["etl"].unresolved[0].reason is UnresolvedReason.MISSING_SOURCE
    broken = prefect_entry({"f.py": "def etl(:"}, "f.py:etl", CONTEXT)
    assert [u.reason for u in broken["etl"].unresolved] == [UnresolvedReason.SYNTAX]


DAGSTER = """
import dagster as dg
from dagster import asset, op, AssetKey, AssetSpec, AssetOut, multi_asset
from shared import clean

@asset
def plain(): ...

@dg.asset(key=["a", "b"])
def keyed(): ...

@dg.asset(key=AssetKey(["a", "c"]), deps=[plain])
def keyed_too(): ...

@asset(key_prefix="raw", name="orders")
def prefixed(duckdb):
    with duckdb.get_connection() as conn:
        conn.execute("INSERT INTO orders SELECT * FROM src")

@op(name="renamed")
def some_op(context):
    context.log.info("DELETE FROM logged")
    clean("x")

@multi_asset(specs=[AssetSpec("m1"), AssetSpec(AssetKey(["p", "m2"]))])
def many(): ...

@multi_asset(outs={"o1": AssetOut(key_prefix=["q"]), "o2": AssetOut()})
def outs(): ...

def build(table):
    @asset(name=f"made_{table}")
    def made():
        db.execute(f"DELETE FROM {table}")
    return made

MADE = [build(t) for t in ("x", "y")]
defs = dg.Definitions(assets=[plain, build("z"), *MADE])

def helper(): ...
"""


def test_dagster_keys_and_entries():
    modules = {"defs.py": dedent(DAGSTER), "shared.py": "def clean(t):\n    db.execute('DROP')\n"}
    assert dagster_entries(modules) == {
        "plain": "defs.py:plain",
        "a/b": "defs.py:keyed",
        "a/c": "defs.py:keyed_too",
        "raw/orders": "defs.py:prefixed",
        "renamed": "defs.py:some_op",
        "many": "defs.py:many",
        "m1": "defs.py:many",
        "p/m2": "defs.py:many",
        "outs": "defs.py:outs",
        "q/o1": "defs.py:outs",
        "o2": "defs.py:outs",
        "made_x": "defs.py:made",
        "made_y": "defs.py:made",
        "made_z": "defs.py:made",
    }


def test_dagster_functions_including_those_of_factories():
    modules = {
        "defs.py": DAGSTER,
        "shared.py": "def clean(t):\n    db.execute(f'DELETE FROM {t}_clean')\n",
    }

    def of(name: str) -> set[str]:
        found = extract_dagster(modules, name, CONTEXT)
        assert found is not None
        assert found.unresolved == ()
        return seen(found)

    assert of("raw/orders") == {"write w/orders", "read w/src"}
    assert of("renamed") == {"write w/x_clean"}
    assert of("made_y") == {"write w/y"}
    assert of("plain") == set()
    assert extract_dagster(modules, "helper", CONTEXT) is None
