"""From what one text says to what a source saw of a task."""

import pytest

from swarm.connectors.sighting import batches, covered, digest_of, sighted
from swarm.model.keys import DatasetKey, PipelineKey, TaskKey
from swarm.model.lineage import (
    Access,
    Channel,
    Coverage,
    Evidence,
    Extraction,
    Touch,
    Unresolved,
    UnresolvedReason,
    View,
)
from swarm.model.pipelines import Pipeline

TASK = TaskKey("o", "p", "t")
READS = Touch(Access.READ, DatasetKey("", "a"), "f.py:1", "SELECT", 0.5)
WRITES = Touch(Access.WRITE, DatasetKey("", "b"), "f.py:2")
OPEN = Unresolved("f.py", UnresolvedReason.DYNAMIC, "f.py:3", "made at run time")


def test_what_a_text_says_is_said_of_the_task() -> None:
    view = View(DatasetKey("", "v"), (DatasetKey("", "a"),), "f.py:4")
    found = Extraction(touches=(READS,), views=(view,), unresolved=(OPEN,))
    evidence, kept, unresolved = sighted(TASK, found, Channel.CODE, 7.0)
    assert evidence == Evidence(
        TASK, Access.READ, DatasetKey("", "a"), Channel.CODE, 7.0, "f.py:1", "SELECT", 0.5
    )
    assert kept == view
    assert unresolved == Unresolved("o/p/t", UnresolvedReason.DYNAMIC, "f.py:3", "made at run time")


@pytest.mark.parametrize(
    ("found", "writes", "complete"),
    [
        (Extraction((READS,)), False, True),
        (Extraction((READS,)), True, False),  # what it writes is stored by something else
        (Extraction((READS, WRITES)), True, True),
        (Extraction((READS, WRITES), unresolved=(OPEN,)), False, False),
        (Extraction(), False, True),
    ],
)
def test_silence_counts_only_where_the_text_shows_everything(
    found: Extraction, writes: bool, complete: bool
) -> None:
    coverage = list(covered(TASK, found, Channel.CODE, 7.0, writes))
    assert coverage == ([Coverage(TASK, Channel.CODE, 7.0)] if complete else [])


def test_what_belongs_together_is_sent_together() -> None:
    groups = [tuple(Pipeline(PipelineKey("o", f"{g}{n}")) for n in range(3)) for g in "abc"]
    sent = list(batches(groups, size=7))
    assert sent == [(*groups[0], *groups[1]), groups[2]]
    assert list(batches(groups, size=1)) == groups
    assert list(batches([()], size=1)) == []


def test_a_digest_tells_values_apart() -> None:
    assert digest_of((TASK, 1)) == digest_of((TASK, 1))
    assert digest_of((TASK, 1)) != digest_of((TASK, 2))
