"""Code that is not at hand is reported and never passed over in silence."""

from pathlib import Path
from textwrap import dedent, indent

import pytest

from swarm.lineage.code.airflow import extract_airflow_file
from swarm.lineage.code.dagster import dagster_entries, extract_dagster
from swarm.lineage.code.entry import extract_code
from swarm.lineage.code.prefect import prefect_entry
from swarm.lineage.text import CodeContext, SqlContext
from swarm.model.lineage import Extraction, UnresolvedReason

CONTEXT = CodeContext({}, SqlContext("", "w"), {})
PIPELINES = Path(__file__).parents[3] / "swarm" / "demo" / "pipelines"


def run(source: str, entry: str = "job.py:main", **more: str) -> Extraction:
    modules = {"job.py": dedent(source)}
    modules.update({name.replace("__", "/") + ".py": dedent(text) for name, text in more.items()})
    return extract_code(modules, entry, CONTEXT)


def missing(found: Extraction) -> list[tuple[str, str]]:
    """Place and `function of module` of all that is reported; nothing else may be."""
    assert {u.reason for u in found.unresolved} <= {UnresolvedReason.MISSING_SOURCE}
    for one in found.unresolved:
        assert one.detail.endswith("its source is not at hand; add its folder to `code`")
    words = [one.detail.split("`") for one in found.unresolved]
    places = [one.place for one in found.unresolved]
    return [(place, f"{w[1]} of {w[3]}") for place, w in zip(places, words, strict=True)]


@pytest.mark.parametrize(
    ("imports", "body", "expected"),
    [
        ("from loaders import load_all", "load_all()", "load_all of loaders"),
        ("from loaders import load_all as go", "go()", "load_all of loaders"),
        ("import loaders", "loaders.load_all()", "load_all of loaders"),
        ("import loaders", "loaders()", "loaders of loaders"),
        ("import company.loaders as l", "l.load_all()", "load_all of company.loaders"),
        ("from loaders import *", "load_all()", "load_all of loaders"),
        ("from . import loaders", "loaders.load_all()", "load_all of .loaders"),
        ("from .loaders import load_all", "load_all()", "load_all of .loaders"),
        ("from loaders import Loader", "Loader('x').run()", "Loader of loaders"),
        ("from loaders import Loader", "Loader.create().run()", "Loader.create of loaders"),
        ("from loaders import loader", "loader.run('orders')", "run of loaders.loader"),
        ("from loaders import execute", "execute('orders')", "execute of loaders"),
        ("from loaders import load", "list(map(load, ['a']))", "load of loaders"),
        ("from loaders import load", "pool.submit(load, 'a')", "load of loaders"),
        ("from loaders import load", "Thread(target=load).start()", "load of loaders"),
        ("import importlib", "importlib.import_module('loaders').load()", "load of loaders"),
        ("from loaders import load_all", "[load_all() for _ in x]", "load_all of loaders"),
        ("from loaders import load_all", "with load_all(): pass", "load_all of loaders"),
    ],
)
def test_call_into_a_module_that_is_not_given(imports: str, body: str, expected: str):
    found = run(f"{imports}\ndef main(x):\n{indent(body, '    ')}\n")
    assert missing(found) == [("job.py:3", expected)]


@pytest.mark.parametrize(
    ("imports", "body"),
    [
        ("import requests", "requests.post('x', json={})"),
        ("import numpy as np", "np.zeros(3).sum()"),
        ("import structlog", "structlog.get_logger().info('x')"),
        ("from pydantic import BaseModel", "BaseModel.model_validate({})"),
        ("from airflow.models import Variable", "Variable.set('a', 1)"),
        ("from dagster_slack import SlackResource", "SlackResource().get_client()"),
        ("import logging, json, os.path", "logging.getLogger('x').info(json.dumps({}))"),
        ("import pandas as pd", "pd.DataFrame().merge(x)"),
        ("from pyspark.sql.functions import *", "x.select(col('a'), to_date('b'))"),
        ("from company.errors import LoadError", "raise LoadError('x')"),
        ("from company.log import get_logger", "get_logger(__name__).info('x')"),
        ("from company.config import TABLE", "print(TABLE)"),
        ("from company.types import Row", "y: Row = None"),
        ("from loaders import load_all", "return\n    load_all()"),
        ("from loaders import load_all", "if False:\n        load_all()"),
        ("", "x.run(); x().load()"),
    ],
)
def test_what_is_not_reported(imports: str, body: str):
    assert missing(run(f"{imports}\ndef main(x):\n    {body}\n")) == []


def test_every_module_once_at_its_first_call():
    found = run(
        """
        import loaders
        from loaders import other
        from company.db import connect
        def main():
            loaders.load("a")
            other("b")
            connect("lake").execute("DELETE FROM t")
        """
    )
    assert missing(found) == [
        ("job.py:6", "load of loaders"),
        ("job.py:8", "connect of company.db"),
    ]
    assert [t.dataset.name for t in found.touches] == ["t"]


def test_a_call_in_a_module_that_is_given_counts_and_one_that_is_not_reached_does_not():
    found = run(
        """
        from lib import used
        def main():
            used()
        """,
        lib="""
        import loaders
        loaders.at_import()
        def used():
            loaders.load()
        def unused():
            import others
            others.load()
        """,
    )
    assert missing(found) == [("lib.py:5", "load of loaders")]


def test_what_a_class_inherits_from_a_module_that_is_not_given():
    source = """
        from company.jobs import BaseJob
        class Middle(BaseJob):
            pass
        class Load(Middle):
            def own(self):
                return 1
            def overridden(self):
                {inner}
        def main():
            job = Load()
            job.own()
            {call}
        """
    clean = source.format(inner="pass", call="job.overridden()")
    assert missing(run(clean)) == []
    inherited = source.format(inner="pass", call="job.run()")
    assert missing(run(inherited)) == [("job.py:13", "BaseJob.run of company.jobs")]
    by_super = source.format(inner="super().overridden()", call="job.overridden()")
    assert missing(run(by_super)) == [("job.py:9", "BaseJob.overridden of company.jobs")]


def test_what_a_class_inherits_from_a_known_library_is_no_news():
    found = run(
        """
        from pydantic import BaseModel
        from enum import Enum
        class Settings(BaseModel):
            table: str
        class Kind(Enum):
            A = "a"
        def main(conn):
            settings = Settings(table="t")
            settings.model_dump()
            Kind("a")
            conn.execute(f"DELETE FROM {settings.table}")
        """
    )
    assert missing(found) == []
    assert [t.dataset.name for t in found.touches] == ["t"]


def test_a_decorator_that_is_not_given_counts_where_the_function_is_reached():
    source = """
        from functools import lru_cache
        from company.tables import writes_to
        @lru_cache
        def plain(): ...
        @writes_to("orders")
        def made(): ...
        def main():
            plain()
            {call}
        """
    assert missing(run(source.format(call="pass"))) == []
    assert missing(run(source.format(call="made()"))) == [
        ("job.py:7", "writes_to of company.tables")
    ]


def test_each_task_of_a_flow_tells_for_itself():
    flow = """
from prefect import flow, task
from loaders import load, timed
@task
def one():
    load("a")
@task
def two():
    load("b")
@task
def three():
    return 1
@timed
def help(): ...
@task
def four():
    help()
@flow
def etl():
    one(); two(); three(); four()
"""
    found = prefect_entry({"f.py": flow}, "f.py:etl", CONTEXT)
    assert {name: missing(one) for name, one in found.items()} == {
        "etl": [],
        "one": [("f.py:6", "load of loaders")],
        "two": [("f.py:9", "load of loaders")],
        "three": [],
        "four": [("f.py:14", "timed of loaders")],
    }


@pytest.mark.parametrize(
    ("call", "detail"),
    [
        ("importlib.import_module(name).run()", "module `name`"),
        ("exec(name)", "Python code `name`"),
    ],
)
def test_code_that_is_chosen_at_run_time(call: str, detail: str):
    found = run(f"import importlib\ndef main(name):\n    {call}\n")
    (one,) = found.unresolved
    assert (one.reason, one.place, one.detail) == (UnresolvedReason.DYNAMIC, "job.py:3", detail)


def test_a_module_by_its_constant_name_is_followed():
    found = run(
        """
        import importlib
        def main():
            importlib.import_module("lib.a").load()
        """,
        lib__a="def load():\n    open('/lake/a.csv')\n",
    )
    assert missing(found) == []
    assert [str(t.dataset) for t in found.touches] == ["file//lake/a.csv"]


def test_the_pipelines_of_the_lab_hide_nothing():
    def texts(folder: str) -> dict[str, str]:
        return {path.name: path.read_text() for path in (PIPELINES / folder).glob("*.py")}

    reports: list[str] = []

    def keep(found: Extraction) -> None:
        reports.extend(u.detail for u in found.unresolved if "not at hand" in u.detail)

    airflow = texts("airflow")
    for name in airflow:
        for one in extract_airflow_file(airflow, name, CONTEXT).values():
            keep(one)
    dagster = texts("dagster")
    entries = dagster_entries(dagster)
    assert len(entries) > 5
    for name in entries:
        found = extract_dagster(dagster, name, CONTEXT)
        assert found is not None
        keep(found)
    for folder in ("prefect", "cron"):
        for name, text in texts(folder).items():
            keep(extract_code({name: text}, name, CONTEXT))
    assert reports == []
