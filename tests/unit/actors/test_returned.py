"""Whoever keeps the workers knows which nodes are returned, also after a restart."""

from swarm.actors.placement import STREAM
from swarm.actors.returned import Returned
from swarm.model.scaling import Scaled, Step
from swarm.store.journal import open_journal


def step(kind: Step, node: str) -> Scaled:
    return Scaled(kind, 5.0, offering="spot", node=node)


def test_it_follows_what_is_returned_and_what_is_gone(tmp_path) -> None:
    journal = open_journal("", tmp_path)
    returned = Returned(journal)
    assert list(returned()) == []
    stream = journal.open(STREAM)
    stream.append([step(Step.JOINED, "a"), step(Step.DRAINED, "a")], 5.0, "test")
    assert list(returned()) == []
    stream.append([step(Step.RETURNED, "a"), step(Step.NOT_JOINED, "b")], 5.0, "test")
    assert list(returned()) == ["a", "b"]
    assert list(Returned(journal)()) == ["a", "b"]
    stream.append([step(Step.LEFT, "a")], 5.0, "test")
    assert list(returned()) == ["b"]


def test_where_the_stream_was_trimmed_it_begins_with_the_snapshot(tmp_path) -> None:
    journal = open_journal("", tmp_path)
    stream = journal.open(STREAM)
    returned = Returned(journal)
    seq = stream.append([step(Step.JOINED, "a"), step(Step.RETURNED, "a")], 5.0, "test")
    stream.save_snapshot(seq, [step(Step.RETURNED, "a")])
    stream.trim(seq + 1)
    assert list(returned()) == ["a"]
