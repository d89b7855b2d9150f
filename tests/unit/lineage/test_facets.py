"""Which facets of events are kept, for whom, and when one is news."""

import json
from typing import Any

import pytest

from swarm.lineage.facet_news import FACETS_MAX
from swarm.lineage.ledger import Ledger
from swarm.lineage.naming import Naming
from swarm.lineage.openlineage.events import read_event
from swarm.lineage.openlineage.facets import FACET_MAX
from swarm.lineage.text import SqlContext
from swarm.model.connectors import Batch, Item
from swarm.model.facets import Facet, FacetOf
from swarm.model.graph import FacetGone, FacetSeen, GraphRecord
from swarm.model.keys import DatasetKey, PipelineKey, TaskKey
from swarm.model.lineage import UnresolvedReason
from swarm.model.pipelines import Inventory, Pipeline, Task

DAY_S, HOUR_S = 86_400.0, 3_600.0
COPY = TaskKey("home", "copy", "copy")
ORDERS = DatasetKey("pg://lake", "public.orders")


def facets_in(event: dict[str, Any]) -> dict[tuple[str, str, str, str], Any]:
    """The facets of an event: what of them is kept by (subject, part, job below, name)."""
    items = read_event(event, {}, 2e9, lambda task: SqlContext())
    return {
        (str(i.subject), i.of, i.job, i.name): json.loads(i.content) if i.content else i.left_out
        for i in items
        if isinstance(i, Facet)
    }


def an_event(**more: Any) -> dict[str, Any]:
    job = {"namespace": "home", "name": "copy"}
    return {"eventTime": "2025-11-22T10:00:00Z", "job": job, **more}


def test_facets_of_each_part_are_kept_for_whom_they_speak_of():
    orders = {"namespace": "pg://lake", "name": "public.orders"}
    event = an_event(
        eventType="COMPLETE",
        run={"runId": "r", "facets": {"engine": {"v": [1, None, "é"]}, "parent": {}}},
        job={
            "namespace": "home",
            "name": "copy",
            "facets": {"sql": {"query": ""}, "team": {"_producer": "p", "name": "x"}},
        },
        inputs=[
            orders
            | {"facets": {"schema": {"fields": []}, "symlinks": {}}, "inputFacets": {"s": {"n": 1}}}
        ],
        outputs=[orders | {"outputFacets": {"s": {"n": 2}}}],
    )
    assert facets_in(event) == {
        ("home/copy/copy", "run", "", "engine"): {"v": [1, None, "é"]},
        ("home/copy/copy", "job", "", "team"): {"_producer": "p", "name": "x"},
        ("pg://lake/public.orders", "dataset", "", "schema"): {"fields": []},
        ("pg://lake/public.orders", "input", "", "s"): {"n": 1},
        ("pg://lake/public.orders", "output", "", "s"): {"n": 2},
    }


def test_facets_of_a_dag_run_are_those_of_the_pipeline():
    event = an_event(
        run={"runId": "r", "facets": {"airflowDagRun": {}, "mine": {"x": 1}}},
        eventType="START",
    )
    assert facets_in(event) == {("home/copy", "run", "", "mine"): {"x": 1}}


def test_facets_of_a_job_below_a_task_are_kept_beside_those_of_the_task():
    parent = {
        "run": {"runId": "p"},
        "job": {"namespace": "home", "name": "dag.copy"},
        "root": {"job": {"namespace": "home", "name": "dag"}, "run": {"runId": "q"}},
    }
    event = an_event(
        run={"runId": "r", "facets": {"parent": parent}},
        job={"namespace": "spark", "name": "app.insert", "facets": {"jobType": {"x": 1}}},
    )
    assert facets_in(event) == {("home/dag/copy", "job", "app.insert", "jobType"): {"x": 1}}


def test_a_dataset_event_tells_of_a_dataset_alone():
    dataset = {"namespace": "pg://lake", "name": "t", "facets": {"mine": {"x": 1}, "none": None}}
    assert facets_in({"eventTime": "2025-11-22T10:00:00Z", "dataset": dataset}) == {
        ("pg://lake/t", "dataset", "", "mine"): {"x": 1}
    }


def test_a_facet_that_nobody_could_read_back_is_told_by_its_length():
    deep: object = 1
    for _ in range(200):
        deep = [deep]
    facets = {
        "big": "x" * FACET_MAX,
        "fits": "x" * (FACET_MAX - 2),
        "deep": deep,
        "endless": float("inf"),
        "half": {"a\ud800": "\udfff"},
    }
    found = facets_in(an_event(job={"namespace": "home", "name": "copy", "facets": facets}))
    assert {name: kept for (*_, name), kept in found.items()} == {
        "big": FACET_MAX + 2,
        "fits": "x" * (FACET_MAX - 2),
        "deep": 1,
        "endless": 1,
        "half": {"a?": "?"},
    }


class World:
    """A ledger that is fed facets; `news` is what the last batch gave."""

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
    def kept(self) -> dict[str, str]:
        found = (r.facet for r in self.ledger.records() if isinstance(r, FacetSeen))
        return {f.name: f.content for f in found}


def a_facet(at_s: float, content: str = "1", name: str = "f", of: FacetOf = FacetOf.JOB) -> Facet:
    return Facet(COPY, of, name, content, at_s)


def test_what_lasts_is_news_when_its_content_changes():
    world = World().see(a_facet(10.0))
    assert world.news == [FacetSeen(a_facet(10.0))]
    assert world.see(a_facet(11.0)).news == []
    assert world.see(a_facet(12.0, "2")).news == [FacetSeen(a_facet(12.0, "2"))]
    assert world.see(a_facet(11.5, "3")).news == []
    assert world.kept == {"f": "2"}


def test_the_same_content_is_dated_anew_once_a_day():
    world = World().see(a_facet(0.0))
    assert world.see(a_facet(DAY_S - 1)).news == []
    assert world.see(a_facet(DAY_S)).news == [FacetSeen(a_facet(DAY_S))]
    assert world.see(a_facet(DAY_S - 5, "late")).kept == {"f": "1"}


@pytest.mark.parametrize("of", [FacetOf.RUN, FacetOf.INPUT, FacetOf.OUTPUT])
def test_what_differs_with_each_run_is_news_once_an_hour(of: FacetOf):
    world = World()
    news = 0
    for minute in range(0, 240, 5):
        world.see(a_facet(minute * 60.0, str(minute), of=of))
        news += len(world.news)
    assert news == 4
    assert world.kept == {"f": "180"}


@pytest.mark.parametrize("name", ["version", "dataQualityMetrics"])
def test_what_a_dataset_holds_at_a_moment_is_news_once_an_hour(name: str):
    world = World().see(Facet(ORDERS, FacetOf.DATASET, name, "1", 0.0))
    assert world.see(Facet(ORDERS, FacetOf.DATASET, name, "2", 60.0)).news == []
    assert world.see(Facet(ORDERS, FacetOf.DATASET, name, "3", HOUR_S)).kept == {name: "3"}


def test_spellings_of_a_dataset_are_one_subject():
    other = DatasetKey("pg://LAKE", '"PUBLIC".orders')
    world = World().see(Facet(ORDERS, FacetOf.DATASET, "f", "1", 0.0))
    assert world.see(Facet(other, FacetOf.DATASET, "f", "1", 5.0)).news == []


def test_a_subject_keeps_so_many_facets_and_says_that_there_are_more():
    names = [f"f{number:03}" for number in range(1, FACETS_MAX + 1)]
    world = World().see(*(a_facet(0.0, name=name) for name in names))
    assert list(world.kept) == names
    assert world.ledger.unresolved == []
    world.see(a_facet(0.0, name="f999"))
    assert list(world.kept) == names
    [told] = world.ledger.unresolved
    assert (told.reason, told.subject) == (UnresolvedReason.TOO_LARGE, "facets of home/copy/copy")
    world.see(a_facet(0.0, name="f000"))
    assert FacetGone(COPY, FacetOf.JOB, "", "f100") in world.news
    assert sorted(world.kept) == ["f000", *names[:-1]]
    assert world.ledger.unresolved == [told]


def test_facets_go_with_their_pipeline_and_with_their_task():
    def pipeline(*tasks: str) -> Pipeline:
        keys = tuple(Task(TaskKey("home", "copy", task)) for task in tasks)
        return Pipeline(PipelineKey("home", "copy"), keys)

    world = World().see(pipeline("copy", "tidy"), a_facet(0.0))
    assert world.see(pipeline("tidy")).kept == {}
    world.see(pipeline("copy"), *(a_facet(0.0, name=str(n)) for n in range(FACETS_MAX + 1)))
    assert len(world.kept) == FACETS_MAX
    world.see(Inventory("home", ()))
    assert world.kept == {}
    assert world.ledger.unresolved == []
