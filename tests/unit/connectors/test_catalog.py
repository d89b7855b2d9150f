"""A catalog of views, read from a real file."""

import asyncio
import json

import pytest

from swarm.config import Settings, Source
from swarm.connectors.catalog import connect
from swarm.model.keys import DatasetKey
from swarm.model.lineage import Unresolved, View, ViewInventory


@pytest.fixture
def items(tmp_path):
    def read(*lines):
        path = tmp_path / "views.jsonl"
        texts = (line if isinstance(line, str) else json.dumps(line) for line in lines)
        path.write_text("".join(f"{text}\n" for text in texts))
        connector = connect(Source(kind="catalog", path=path), Settings())

        async def observe():
            return [item async for batch in connector.observe(None) for item in batch.items]

        return asyncio.run(observe())

    return read


def views(items):
    return [
        (item.dataset, {read.name for read in item.reads})
        for item in items
        if isinstance(item, View)
    ]


def listed(items):
    return [{name.name for name in i.names} for i in items if isinstance(i, ViewInventory)]


def test_the_last_batch_lists_all_views_that_there_are(items):
    lines = [{"name": f"s.v{number}", "sql": "SELECT * FROM t"} for number in range(120)]
    found = items(*lines)
    assert listed(found) == [{f"s.v{number}" for number in range(120)}]
    assert isinstance(found[-2], ViewInventory)


def test_a_view_that_is_not_understood_is_listed_and_one_that_reads_nothing_is_not(items):
    found = items(
        {"name": "s.broken", "sql": "SELECT FROM FROM ((", "dialect": "postgres"},
        {"name": "s.constant", "sql": "SELECT 1 AS x"},
        {"name": "s.v", "sql": "SELECT * FROM t"},
    )
    assert listed(found) == [{"s.broken", "s.v"}]


def test_a_line_that_cannot_be_read_may_be_any_view_so_none_is_taken_back(items):
    found = items({"name": "s.v", "sql": "SELECT * FROM t"}, '{"name": "s.w", "sq')
    assert (listed(found), len(views(found))) == ([], 1)


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT * FROM raw.a JOIN b USING (x)",
        "CREATE OR REPLACE VIEW mart.v AS SELECT * FROM raw.a JOIN b USING (x)",
        "-- it read raw.c\nCREATE VIEW v AS WITH a AS (SELECT 1 FROM raw.a) SELECT * FROM b, a",
    ],
)
def test_a_select_and_a_statement_say_the_same(items, sql):
    found = items({"name": "mart.v", "sql": sql, "dialect": "postgres"})
    assert views(found) == [(DatasetKey("", "mart.v"), {"raw.a", "mart.b"})]


def test_bare_names_lie_beside_the_view_unless_the_line_says_otherwise(items):
    found = items(
        {"name": "`p.d.v`", "sql": "SELECT * FROM t", "dialect": "bigquery"},
        {"name": "p.d.w", "sql": "SELECT * FROM t", "default_catalog": "q", "default_schema": "e"},
    )
    assert views(found) == [
        (DatasetKey("", "p.d.v"), {"p.d.t"}),
        (DatasetKey("", "p.d.w"), {"q.e.t"}),
    ]


def test_the_namespace_of_the_line_is_the_server(items):
    found = items({"name": "v", "sql": "SELECT * FROM t", "namespace": "postgres://dw"})
    (view,) = (item for item in found if isinstance(item, View))
    assert {view.dataset.namespace, *(read.namespace for read in view.reads)} == {"postgres://dw"}


def test_broken_lines_are_named_and_the_rest_is_used(items):
    found = items(
        {"name": "a", "sql": "SELECT FROM FROM"},
        "{",
        {"name": "b"},
        {"name": "c", "sql": "SELECT * FROM t"},
        {"name": "c", "sql": "SELECT * FROM u"},
    )
    assert views(found) == [(DatasetKey("", "c"), {"t"})]
    problems = [item for item in found if isinstance(item, Unresolved)]
    places = [problem.place.split(":")[1] for problem in problems]
    assert sorted(places) == ["1", "2", "3", "5"]
    assert all(problem.subject == "catalog" for problem in problems)
    assert "view a" in next(p.detail for p in problems if p.place.split(":")[1] == "1")
