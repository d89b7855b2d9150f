"""Column lineage: what an event says, what is kept of it, and when it is news."""

from typing import Any

import pytest

from swarm.lineage.column_news import WRITERS_MAX
from swarm.lineage.ledger import Ledger
from swarm.lineage.naming import Naming
from swarm.lineage.openlineage.columns import INPUTS_MAX
from swarm.lineage.openlineage.events import read_event
from swarm.lineage.text import SqlContext
from swarm.model.columns import Column, ColumnInput, ColumnLineage, Transformation
from swarm.model.connectors import Batch, Item
from swarm.model.graph import ColumnsGone, ColumnsSeen, GraphRecord
from swarm.model.keys import DatasetKey, PipelineKey, TaskKey
from swarm.model.lineage import Access, Evidence, Unresolved
from swarm.model.pipelines import Inventory, Pipeline, Task

AT = 1_763_805_600.0
DAY_S = 86_400.0
COPY = TaskKey("home", "copy", "copy")
DAILY = DatasetKey("pg://lake", "public.daily")
ORDERS = DatasetKey("pg://lake", "public.orders")


def a_field(name: str = "public.orders", field: str = "id", *how: Any) -> dict[str, Any]:
    return {"namespace": "pg://lake", "name": name, "field": field, "transformations": list(how)}


def an_event(facet: Any, **more: Any) -> dict[str, Any]:
    daily = {"namespace": "pg://lake", "name": "public.daily", "facets": {"columnLineage": facet}}
    return {
        "eventType": "COMPLETE",
        "eventTime": "2025-11-22T10:00:00Z",
        "job": {"namespace": "home", "name": "copy"},
        "run": {"runId": "r"},
        "outputs": [daily],
        **more,
    }


def read(event: dict[str, Any]) -> tuple[Item, ...]:
    return read_event(event, {}, 2e9, lambda task: SqlContext())


def columns(event: dict[str, Any]) -> list[ColumnLineage]:
    return [item for item in read(event) if isinstance(item, ColumnLineage)]


def test_each_column_with_all_it_is_made_from():
    add = {"type": "DIRECT", "subtype": "AGGREGATION", "description": "sum(x)", "masking": True}
    facet = {
        "fields": {
            "total": {"inputFields": [a_field("public.orders", "x", add, {"type": "INDIRECT"})]},
            "id": {"inputFields": [a_field(), a_field("public.users")]},
        },
        "dataset": [a_field("public.orders", "day", {"type": "INDIRECT", "subtype": "FILTER"})],
    }
    users = DatasetKey("pg://lake", "public.users")
    how = (Transformation("DIRECT", "AGGREGATION", "sum(x)", True), Transformation("INDIRECT"))
    assert columns(an_event(facet)) == [
        ColumnLineage(
            DAILY,
            COPY,
            (
                Column("id", (ColumnInput(ORDERS, "id"), ColumnInput(users, "id"))),
                Column("total", (ColumnInput(ORDERS, "x", how),)),
            ),
            AT,
            whole=(ColumnInput(ORDERS, "day", (Transformation("INDIRECT", "FILTER"),)),),
        )
    ]


@pytest.mark.parametrize(
    ("word", "expected"),
    [
        ("IDENTITY", Transformation("DIRECT", "IDENTITY", "as it is")),
        ("MASKED", Transformation("DIRECT", "", "as it is", True)),
    ],
)
def test_the_older_words_of_a_column_are_those_of_each_input(word: str, expected: Transformation):
    field = {
        "inputFields": [a_field()],
        "transformationType": word,
        "transformationDescription": "as it is",
    }
    [found] = columns(an_event({"fields": {"id": field}}))
    assert found.columns == (Column("id", (ColumnInput(ORDERS, "id", (expected,)),)),)


def test_a_dataset_event_and_an_input_tell_no_writer():
    facet = {"fields": {"id": {"inputFields": [a_field()]}}}
    event = an_event(facet)
    dataset = event["outputs"][0]
    [alone] = columns({"eventTime": event["eventTime"], "dataset": dataset})
    [of_input] = columns(event | {"outputs": [], "inputs": [dataset]})
    assert alone == of_input
    assert (alone.dataset, alone.task) == (DAILY, None)


def test_columns_of_a_job_below_a_task_are_beside_those_of_the_task():
    parent = {"run": {"runId": "p"}, "job": {"namespace": "home", "name": "dag.copy"}}
    parent["root"] = {"job": {"namespace": "home", "name": "dag"}, "run": {"runId": "q"}}
    event = an_event(
        {"fields": {"id": {"inputFields": [a_field()]}}},
        run={"runId": "r", "facets": {"parent": parent}},
        job={"namespace": "spark", "name": "app.insert"},
    )
    [found] = columns(event)
    assert (found.task, found.job) == (TaskKey("home", "dag", "copy"), "app.insert")


def test_datasets_whose_columns_are_used_are_read():
    facet = {
        "fields": {"id": {"inputFields": [a_field(), a_field("public.daily", "old")]}},
        "dataset": [a_field("public.users")],
    }
    event = an_event(facet, inputs=[{"namespace": "pg://lake", "name": "public.orders"}])
    reads = [i for i in read(event) if isinstance(i, Evidence) and i.access is Access.READ]
    assert sorted(i.dataset.name for i in reads) == ["public.orders", "public.users"]


def test_broken_parts_are_told_by_their_place_and_the_rest_is_used():
    facet = {
        "fields": {
            "a": {"inputFields": [{"name": "x", "field": "y"}, a_field()]},
            "b": {"inputFields": 5},
            "c": 7,
        },
    }
    path = "$.outputs[0].facets.columnLineage"
    items = read(an_event(facet))
    assert [i.place for i in items if isinstance(i, Unresolved)] == [
        f"{path}.fields.a.inputFields[0]",
        f"{path}.fields.b.inputFields",
    ]
    [found] = columns(an_event(facet))
    assert [(c.field, len(c.inputs)) for c in found.columns] == [("a", 1), ("b", 0), ("c", 0)]
    assert [i.place for i in read(an_event([])) if isinstance(i, Unresolved)] == [path]


def test_too_many_inputs_are_counted_and_long_words_are_cut():
    half = [a_field("public.orders", str(n)) for n in range(INPUTS_MAX // 2)]
    fields = {name: {"inputFields": half} for name in "abcd"}
    [found] = columns(an_event({"fields": fields}))
    assert ([c.field for c in found.columns], found.left_out) == (["a", "b"], 2)
    described = a_field("public.orders", "x", {"type": "DIRECT", "description": "y" * 900})
    [found] = columns(an_event({"fields": {"a": {"inputFields": [described]}}}))
    [how] = found.columns[0].inputs[0].transformations
    assert how.description == "y" * 199 + "…"


class World:
    """A ledger that is fed column lineage; `news` is what the last batch gave."""

    def __init__(self) -> None:
        self.ledger = Ledger(Naming())
        self.news: list[GraphRecord] = []

    def see(self, *items: Item) -> "World":
        batch = Batch("openlineage", "", items)
        self.news = self.ledger.decide(batch, 0.0)
        for record in self.news:
            self.ledger.apply(record)
        assert self.ledger.decide(batch, 0.0) == []
        return self

    @property
    def kept(self) -> list[ColumnLineage]:
        return [r.lineage for r in self.ledger.records() if isinstance(r, ColumnsSeen)]


def lineage(at_s: float, *reads: str, task: TaskKey | None = COPY) -> ColumnLineage:
    used = tuple(ColumnInput(DatasetKey("pg://lake", name), "id") for name in reads)
    return ColumnLineage(DAILY, task, (Column("id", used),), at_s)


def test_the_newest_word_of_each_writer_stands():
    other = TaskKey("home", "other", "other")
    world = World().see(lineage(10.0, "a"), lineage(10.0, "b", task=other))
    world.see(lineage(9.0, "z"), lineage(11.0, "c"))
    assert world.kept == [lineage(11.0, "c"), lineage(10.0, "b", task=other)]
    assert world.see(lineage(DAY_S, "c")).news == []
    assert world.see(lineage(DAY_S + 11, "c")).news == [ColumnsSeen(lineage(DAY_S + 11, "c"))]


def test_neither_spelling_nor_order_is_news():
    plain = ColumnInput(ORDERS, "id", (Transformation("DIRECT"), Transformation("INDIRECT")))
    spelled = [
        ColumnInput(DatasetKey("pg://LAKE", '"Public".Orders'), "id", (Transformation(how),))
        for how in ("INDIRECT", "DIRECT")
    ]
    users = ColumnInput(DatasetKey("pg://lake", "public.users"), "id")

    def of(*columns: Column) -> ColumnLineage:
        return ColumnLineage(DAILY, COPY, columns, 1.0, whole=(users, plain))

    a, b = Column("a", (plain, users)), Column("b", ())
    world = World().see(of(a, b))
    assert world.see(of(b, Column("a", (users, *spelled)))).news == []


def test_a_dataset_keeps_so_many_writers_and_says_that_there_are_more():
    tasks = [TaskKey("home", f"p{number:03}", "t") for number in range(WRITERS_MAX + 1)]
    world = World().see(*(lineage(1.0, "a", task=task) for task in tasks[1:]))
    assert (len(world.kept), world.ledger.unresolved) == (WRITERS_MAX, [])
    world.see(lineage(1.0, "a", task=tasks[0]))
    assert ColumnsGone(DAILY, tasks[-1], "") in world.news
    assert len(world.kept) == WRITERS_MAX
    assert [i.subject for i in world.ledger.unresolved] == ["columns of pg://lake/public.daily"]


def test_words_go_with_their_pipeline_and_with_their_task():
    def pipeline(*tasks: str) -> Pipeline:
        keys = tuple(Task(TaskKey("home", "copy", task)) for task in tasks)
        return Pipeline(PipelineKey("home", "copy"), keys)

    world = World().see(pipeline("copy", "tidy"), lineage(1.0, "a"), lineage(1.0, "b", task=None))
    assert world.see(pipeline("tidy")).kept == [lineage(1.0, "b", task=None)]
    world.see(lineage(1.0, "a"))
    assert world.see(Inventory("home", ())).kept == [lineage(1.0, "b", task=None)]
