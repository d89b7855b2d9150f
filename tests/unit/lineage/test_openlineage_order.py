"""The order that jobs state of themselves."""

from typing import Any

import pytest

from swarm.lineage.ledger import Ledger
from swarm.lineage.naming import Naming
from swarm.lineage.openlineage.events import read_event
from swarm.lineage.openlineage.order import JOBS_MAX
from swarm.lineage.text import SqlContext
from swarm.model.connectors import Batch, Item
from swarm.model.graph import GraphRecord, OrderSeen, RunSeen
from swarm.model.keys import PipelineKey, TaskKey
from swarm.model.lineage import Unresolved
from swarm.model.pipelines import Inventory, JobOrder, Pipeline

AT = 1_763_805_600.0
DAY_S = 86_400.0


def a_job(name: str, **more: Any) -> dict[str, Any]:
    return {"job": {"namespace": "lab", "name": name}} | more


def an_event(at: str = "22T10:00", name: str = "b", **more: Any) -> dict[str, Any]:
    """A run of a job that reads what job `a` writes, as its `jobDependencies` say."""
    return {
        "eventType": "START",
        "eventTime": f"2025-11-{at}:00Z",
        "run": {"runId": "r", "facets": {"jobDependencies": more} if more else {}},
        "job": {"namespace": "lab", "name": name},
        "inputs": [{"namespace": "pg://w", "name": "t"}] if name == "b" else [],
        "outputs": [{"namespace": "pg://w", "name": "t"}] if name == "a" else [],
    }


def read(event: dict[str, Any]) -> tuple[Item, ...]:
    return read_event(event, {"lab": "home"}, 2e9, lambda task: SqlContext())


def ends(event: dict[str, Any]) -> set[tuple[str, str]]:
    [order] = [item for item in read(event) if isinstance(item, JobOrder)]
    return {(str(edge.upstream), str(edge.downstream)) for edge in order.edges}


class World:
    def __init__(self) -> None:
        self.ledger = Ledger(Naming())

    def see(self, *items: Item) -> list[GraphRecord]:
        batch = Batch("openlineage", "", items)
        records = self.ledger.decide(batch, 0.0)
        for record in records:
            self.ledger.apply(record)
        assert all(isinstance(record, RunSeen) for record in self.ledger.decide(batch, 0.0))
        self.ledger.check()
        return records

    @property
    def declared(self) -> list[bool]:
        return [dependency.declared for dependency in self.ledger.dependencies.values()]


def test_jobs_before_and_after_in_every_reading_of_their_names():
    assert ends(an_event(upstream=[a_job("x.y.z")], downstream=[a_job("c")])) == {
        ("home/x.y.z", "home/b/b"),
        ("home/x/y.z", "home/b/b"),
        ("home/x.y/z", "home/b/b"),
        ("home/b/b", "home/c"),
    }


@pytest.mark.parametrize(
    ("words", "declared"),
    [
        ({}, True),
        ({"dependency_type": "DIRECT_INVOCATION"}, True),
        ({"dependency_type": "IMPLICIT_ASSET_DEPENDENCY"}, True),
        ({"sequence_trigger_rule": "FINISH_TO_START"}, True),
        ({"dependency_type": "IMPLICIT_DEPENDENCY"}, False),
        ({"sequence_trigger_rule": "START_TO_START"}, False),
        ({"sequence_trigger_rule": "FINISH_TO_FINISH"}, False),
    ],
)
def test_only_an_order_that_is_kept_declares(words: dict[str, str], declared: bool):
    world = World()
    world.see(*read(an_event(name="a")), *read(an_event(upstream=[a_job("a", **words)])))
    assert world.declared == [declared]


def test_the_newest_statement_of_a_job_stands_in_any_order():
    first, none = an_event(upstream=[a_job("a")]), an_event("25T10:00", upstream=[])
    for events in ((first, none), (none, first)):
        world = World()
        world.see(*read(an_event(name="a")))
        for event in events:
            world.see(*read(event))
        assert world.declared == [False]
    world.see(*read(an_event("27T10:00", upstream=[a_job("a")])))
    assert world.declared == [True]
    world.see(*read(an_event("28T10:00")))  # an event without the facet states nothing
    assert world.declared == [True]


def test_the_same_order_is_recorded_once_a_day():
    task = TaskKey("home", "b", "b")
    world = World()
    assert world.see(JobOrder(task, (), 0.0)) == [OrderSeen(JobOrder(task, (), 0.0))]
    assert world.see(JobOrder(task, (), DAY_S - 1)) == []
    assert world.see(JobOrder(task, (), DAY_S)) == [OrderSeen(JobOrder(task, (), DAY_S))]


def test_a_statement_goes_with_its_pipeline():
    world = World()
    world.see(*read(an_event(name="a")), Pipeline(PipelineKey("home", "b")))
    world.see(*read(an_event(upstream=[a_job("a")])))
    world.see(Inventory("home", ()))
    world.see(*read(an_event("26T10:00")))
    assert world.declared == [False]


def test_a_job_below_a_task_states_nothing_of_the_task():
    parent = {"run": {"runId": "p"}, "job": {"namespace": "lab", "name": "dag.b"}}
    parent["root"] = {"job": {"namespace": "lab", "name": "dag"}, "run": {"runId": "q"}}
    event = an_event(upstream=[a_job("a")])
    event["run"]["facets"]["parent"] = parent
    assert not any(isinstance(item, JobOrder) for item in read(event))


def test_broken_jobs_are_told_and_too_many_are_cut():
    event = an_event(upstream=[{"job": {"name": "x"}}, 5, a_job("a")], downstream="c")
    place = "$.run.facets.jobDependencies"
    broken = [item.place for item in read(event) if isinstance(item, Unresolved)]
    assert broken == [f"{place}.upstream[0]", f"{place}.upstream[1]", f"{place}.downstream"]
    assert ends(event) == {("home/a", "home/b/b")}
    event = an_event(upstream=[a_job(str(number)) for number in range(JOBS_MAX + 1)])
    assert len(ends(event)) == JOBS_MAX
    assert [i.place for i in read(event) if isinstance(i, Unresolved)] == [f"{place}.upstream"]
