"""Order and duplicates of events do not matter; no JSON makes the reader fail otherwise."""

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from swarm.errors import InputError
from swarm.lineage.openlineage.events import read_event
from swarm.lineage.text import SqlContext
from swarm.model.lineage import Evidence

NAMES = st.sampled_from(["a", "b", "c"])
DATASETS = st.fixed_dictionaries({"namespace": st.sampled_from(["n", "m"]), "name": NAMES})
FIELDS = """
    job run name namespace facets inputs outputs dataset parent airflow dag dag_id
    task task_id root sql query runId eventTime eventType symlinks identifiers
    columnLineage fields inputFields field extractionError errors
"""
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=8),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3),
        st.dictionaries(st.sampled_from(FIELDS.split()) | st.text(max_size=4), inner, max_size=5),
    ),
    max_leaves=30,
)


@st.composite
def events(draw: st.DrawFn) -> dict[str, Any]:
    facets = draw(
        st.sampled_from(
            [
                {},
                {"parent": {"run": {"runId": "p"}, "job": {"namespace": "n", "name": "dag"}}},
                {"airflow": {"dag": {"dag_id": "dag"}, "task": {"task_id": "t"}}},
            ]
        )
    )
    sql = draw(st.sampled_from([{}, {"sql": {"query": "INSERT INTO x SELECT * FROM y"}}]))
    return {
        "eventType": draw(st.sampled_from(["START", "RUNNING", "COMPLETE", "FAIL", "ABORT"])),
        "eventTime": draw(st.sampled_from(["2025-01-01T00:00:00Z", "2999-01-01T00:00:00Z", "?"])),
        "run": {"runId": draw(NAMES), "facets": facets},
        "job": {"namespace": "n", "name": draw(NAMES), "facets": sql},
        "inputs": draw(st.lists(DATASETS, max_size=3)),
        "outputs": draw(st.lists(DATASETS, max_size=3)),
    }


def evidence(sent: list[dict[str, Any]]) -> set[Evidence]:
    context = SqlContext("", "w")
    return {
        item
        for event in sent
        for item in read_event(event, {"n": "af"}, 1.8e9, lambda task: context)
        if isinstance(item, Evidence)
    }


@given(st.data(), st.lists(events(), min_size=1, max_size=6))
@settings(max_examples=100, deadline=None)
def test_any_order_and_any_duplicates_give_the_same_evidence(
    data: st.DataObject, sent: list[dict[str, Any]]
):
    again = data.draw(st.lists(st.sampled_from(sent), max_size=5))
    shuffled = data.draw(st.permutations([*sent, *again]))
    assert evidence(shuffled) == evidence(sent)


@given(JSON)
@settings(max_examples=400, deadline=None)
def test_any_json_is_read_or_refused_with_an_input_error(event: object):
    try:
        read_event(event, {}, 1.8e9, lambda task: SqlContext())
    except InputError as error:
        message = str(error)
    else:
        message = "$"
    assert message.startswith("$")
