"""`swarm graph` says who feeds whom, and keeps strange names within their quotes."""

import re

import pytest

from swarm.cli.graph import drawn, edges_of, near

NAMES = ["a", "b", "c", 'd"];x\\', "e"]
WHOLE = {
    "version": 1,
    "pipelines": {
        "orchestrator": ["airflow"] * 5,
        "name": NAMES,
        "owner": [""] * 5,
        "tags": [[]] * 5,
        "schedule": [""] * 5,
        "paused": [False] * 5,
        "listed": [True] * 5,
    },
    "edges": {
        "upstream": [0, 1, 2],
        "downstream": [1, 2, 3],
        "confidence": [1.0, 0.873, 0.5],
        "declared": [True, False, False],
        "datasets": [1, 1, 1],
    },
}


@pytest.mark.parametrize(
    ("middle", "steps", "found"),
    [(0, 1, {0, 1}), (2, 1, {1, 2, 3}), (0, 2, {0, 1, 2}), (0, 9, {0, 1, 2, 3}), (4, 3, {4})],
)
def test_what_is_near_is_reached_either_way(middle, steps, found):
    assert near(WHOLE, middle, steps) == found


def test_what_nobody_declared_is_dashed_and_says_how_sure_it_is():
    lines = list(drawn(WHOLE, {0, 1, 2}))
    assert '  "airflow/a" -> "airflow/b";' in lines
    assert '  "airflow/b" -> "airflow/c" [style=dashed, label="0.87"];' in lines
    assert not any("d" in line for line in lines if "->" in line and "dashed" not in line)
    assert len([line for line in lines if "->" in line]) == 2, "both ends have to be shown"


def test_a_name_cannot_end_its_quotes():
    whole = "".join(drawn(WHOLE, {2, 3}))
    strings = re.findall(r'"((?:[^"\\]|\\.)*)"', whole)
    assert [re.sub(r"\\(.)", r"\1", text) for text in strings][:2] == [
        "airflow/c",
        'airflow/d"];x\\',
    ]
    assert whole.count("->") == 1


def test_edges_are_rows():
    assert list(edges_of(WHOLE))[1] == (1, 2, 0.873, False)
