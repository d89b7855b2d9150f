"""Whatever is in the log can be told: a record that could not would stop every reader."""

import dataclasses
import enum
import types
import typing

import pytest

from swarm.api.news import block, news_of
from swarm.model.dispatch import Lost, WorkerGone
from swarm.model.findings import Finding, FindingKind
from swarm.model.graph import FindingChanged, RunSeen
from swarm.model.journal import Entry, Record
from swarm.model.runs import TaskRun
from swarm.model.work import LossCause, TaskId, Token, WorkerId

HOSTILE = "x\r\n\r\ndata: y\u2028"
PLAIN = {str: HOSTILE, float: 1.5, int: 1, bool: True, type(None): None}


def one(of):
    """Some value of a type, with all of its optional parts there."""
    origin, parts = typing.get_origin(of), typing.get_args(of)
    if of in PLAIN:
        return PLAIN[of]
    if isinstance(of, typing.NewType):
        return one(of.__supertype__)
    if origin in (types.UnionType, typing.Union):
        return one(parts[0])
    if origin is tuple:
        return (one(parts[0]),) * 2 if parts[1:] == (...,) else tuple(map(one, parts))
    if origin is typing.Literal:
        return parts[0]
    if isinstance(of, type) and issubclass(of, enum.Enum):
        return next(iter(of))
    hints = typing.get_type_hints(of)
    names = (
        [field.name for field in dataclasses.fields(of)] if dataclasses.is_dataclass(of) else hints
    )
    return of(**{name: one(hints[name]) for name in names})


def told(record):
    return block(7, Entry("stream", 1, 5.0, "cause", record))


@pytest.mark.parametrize("kind", typing.get_args(Record), ids=lambda kind: kind.__name__)
def test_a_record_of_any_kind_is_one_event_or_none(kind):
    text = told(one(kind))
    if text:
        assert text.startswith(b"id: 7\nevent: ")
        assert (text.count(b"\n"), text.count(b"\r"), text[-2:]) == (4, 0, b"\n\n")


@pytest.mark.parametrize("kind", FindingKind)
@pytest.mark.parametrize("about", [None, "worker", "sla", "hazard"])
def test_a_finding_of_any_kind_is_told(kind, about):
    bare = {"worker": None, "sla": None, "hazard": None}
    whole = one(Finding)
    bare |= {about: getattr(whole, about)} if about else {}
    assert told(FindingChanged(dataclasses.replace(whole, kind=kind, **bare)))


def test_what_is_said_of_a_death_and_of_a_try():
    lost = news_of(Lost(Token(TaskId("a"), 2), LossCause.SILENT))
    assert (lost.kind, lost.about, lost.text) == ("task", ("a",), "a: grant 2 lost: silent")
    gone = news_of(WorkerGone(WorkerId("w"), LossCause.NODE_GONE))
    assert (gone.kind, gone.text) == ("worker", "worker w is gone: node_gone")
    run = news_of(RunSeen(one(TaskRun)))
    assert (run.kind, len(run.about)) == ("run", 1)
