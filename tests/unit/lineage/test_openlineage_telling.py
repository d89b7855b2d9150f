"""What another catalogue is told, compared with what OpenLineage's own client makes of the same."""

import hashlib
import json
from copy import deepcopy
from dataclasses import replace
from pathlib import Path
from typing import Any

import attr
import pytest
from jsonschema import Draft202012Validator
from openlineage.client import event_v2
from openlineage.client.generated.base import JobFacet
from openlineage.client.serde import Serde

from swarm.lineage.openlineage.events import read_event
from swarm.lineage.openlineage.telling import PRODUCER, Telling
from swarm.lineage.text import SqlContext
from swarm.model.graph import DependencyChanged, DependencyGone
from swarm.model.keys import DatasetKey, TaskKey
from swarm.model.lineage import Dependency, DependencyKey

EXPORT, CLOSE = TaskKey("af", "crm", "export"), TaskKey("dag", "close", "close")
DECK = TaskKey("af", "deck", "draw")
ORDERS, REVENUE = DatasetKey("postgres://dwh:5432", "dwh.orders"), DatasetKey("", "revenue")
FOUND = Dependency(DependencyKey(EXPORT, CLOSE, ORDERS), False, 0.93, ())
DECLARED = Dependency(DependencyKey(CLOSE, DECK, REVENUE), True, 1.0, ())
AT_S = 1_763_805_600.0
SPEC = Path(__file__).parent / "spec"
SCHEMA = json.loads((SPEC / "OpenLineage-2-0-2.json").read_text())


@attr.define(kw_only=True)
class Dependencies(JobFacet):
    """The facet of swarm's own."""

    dependencies: list[dict[str, Any]] = attr.field(factory=list)


@pytest.fixture
def telling():
    return Telling(0.8, {"af": "lab-airflow"})


def tell(telling, *records):
    """What is told after these, by task; it is told well."""
    for record in records:
        telling.apply(record)
    events = {}
    for record, event in list(telling.due(AT_S)):
        telling.apply(record)
        events[record.task] = event
    assert list(telling.due(AT_S)) == []
    return events


def changed(dependency):
    return DependencyChanged(1, dependency)


def sides(event):
    return [[one["name"] for one in event[side]] for side in ("inputs", "outputs")]


def test_an_event_is_what_the_client_of_the_specification_makes(telling):
    event = tell(telling, changed(FOUND))[EXPORT]
    row = {
        "upstream": "af/crm/export",
        "downstream": "dag/close/close",
        "dataset": {"namespace": ORDERS.namespace, "name": ORDERS.name},
        "confidence": 0.93,
        "declared": False,
    }
    facet = Dependencies(producer=PRODUCER, dependencies=[row])
    job = event_v2.Job("lab-airflow", "crm.export", {"swarm_dependencies": facet})
    output = event_v2.OutputDataset(ORDERS.namespace, ORDERS.name)
    theirs = event_v2.JobEvent(
        eventTime="2025-11-22T10:00:00+00:00",
        producer=PRODUCER,
        job=job,
        inputs=[],
        outputs=[output],
    )
    told = json.loads(Serde.to_json(theirs))
    for dataset in told["outputs"]:
        assert not any(dataset.pop(facets, None) for facets in ("facets", "outputFacets"))
    assert event == told


def wrong_by_the_schema(event):
    """What the schema says against an event, of that which the event says it is."""
    address, _, place = event.get("schemaURL", "").partition("#")
    assert address == SCHEMA["$id"]
    meant = {"$ref": f"#{place}", "$defs": SCHEMA["$defs"]}
    return [error.message for error in Draft202012Validator(meant).iter_errors(event)]


def test_every_event_is_one_by_the_schema_of_the_specification(telling):
    found = list(tell(telling, changed(FOUND), changed(DECLARED)).values())
    found += tell(telling, DependencyGone(2, FOUND.key)).values()
    assert len(found) >= 4
    assert [wrong_by_the_schema(event) for event in found] == [[]] * len(found)


def test_the_schema_is_the_one_that_was_published():
    held = (SPEC / "OpenLineage-2-0-2.json").read_bytes()
    blob = hashlib.sha1(b"blob %d\0" % len(held) + held, usedforsecurity=False).hexdigest()
    assert f"its Git blob is {blob}" in (SPEC / "ORIGIN.txt").read_text()


@pytest.mark.parametrize(
    "way",
    [
        ("eventTime",),
        ("producer",),
        ("job",),
        ("job", "name"),
        ("job", "facets", "swarm_dependencies", "_producer"),
        ("job", "facets", "swarm_dependencies", "_schemaURL"),
        ("outputs", 0, "namespace"),
    ],
    ids=str,
)
def test_the_schema_would_notice_what_is_missing(telling, way):
    event = deepcopy(tell(telling, changed(FOUND))[EXPORT])
    part = event
    for step in way[:-1]:
        part = part[step]
    del part[way[-1]]
    assert wrong_by_the_schema(event) != []


def test_both_ends_are_told_and_a_job_of_its_own_has_one_name(telling):
    events = tell(telling, changed(FOUND))
    assert {task: sides(event) for task, event in events.items()} == {
        EXPORT: [[], ["dwh.orders"]],
        CLOSE: [["dwh.orders"], []],
    }
    assert events[CLOSE]["job"]["name"] == "close"
    assert events[CLOSE]["job"]["namespace"] == "dag"


def test_what_is_declared_is_told_only_beside_what_was_found(telling):
    assert tell(telling, changed(DECLARED)) == {}
    events = tell(telling, changed(FOUND))
    assert events.keys() == {EXPORT, CLOSE}
    facet = events[CLOSE]["job"]["facets"]["swarm_dependencies"]
    assert [row["declared"] for row in facet["dependencies"]] == [False, True]
    assert sides(events[CLOSE]) == [["dwh.orders"], []], "a dataset of nowhere has no name"


def test_what_is_not_sure_enough_is_not_told_until_it_is(telling):
    doubtful = replace(FOUND, confidence=0.7)
    assert tell(telling, changed(doubtful)) == {}
    assert tell(telling, changed(FOUND)).keys() == {EXPORT, CLOSE}
    gone = tell(telling, changed(doubtful))
    assert [sides(event) for event in gone.values()] == [[[], []]] * 2


def test_a_little_surer_is_no_news(telling):
    tell(telling, changed(FOUND))
    assert tell(telling, changed(replace(FOUND, confidence=0.94))) == {}
    assert tell(telling, changed(replace(FOUND, confidence=0.99))) != {}


def test_the_end_is_told_once(telling):
    tell(telling, changed(FOUND))
    events = tell(telling, DependencyGone(2, FOUND.key))
    assert [sides(event) for event in events.values()] == [[[], []]] * 2
    assert list(telling.records()) == []
    assert tell(telling, DependencyGone(3, FOUND.key)) == {}


def test_a_restart_tells_only_what_changed_meanwhile(telling):
    other = replace(FOUND, key=replace(FOUND.key, upstream=DECK))
    tell(telling, changed(FOUND), changed(other))
    again = Telling(0.8, {"af": "lab-airflow"})
    for record in telling.records():
        again.apply(record)
    again.restart()
    assert tell(again, changed(FOUND)).keys() == {CLOSE, DECK}


def test_its_own_events_prove_nothing_to_swarm(telling):
    event = tell(telling, changed(FOUND))[EXPORT]
    assert read_event(event, {}, AT_S, lambda _: SqlContext()) == ()
    assert read_event(event | {"producer": "https://x"}, {}, AT_S, lambda _: SqlContext()) != ()
