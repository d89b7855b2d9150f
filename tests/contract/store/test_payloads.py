"""What tasks run is kept encrypted, and only as long as it is needed."""

import contextlib
import json

import pytest
from cryptography.fernet import Fernet

from swarm.errors import Conflict, StoreError
from swarm.model.work import TaskId, Token

A, B = TaskId("a"), TaskId("b")


@pytest.fixture
def key() -> bytes:
    return Fernet.generate_key()


def test_payloads_come_back_until_they_are_dropped(store, key) -> None:
    payloads = store.journal().payloads("dispatch", key)
    payloads.put({A: "secret of a", B: "secret of b"})
    payloads.put({A: "another body"})
    assert payloads.get([A, B, TaskId("c")]) == {A: "secret of a", B: "secret of b"}
    payloads.drop([A])
    assert payloads.get([A, B]) == {B: "secret of b"}


def test_fields_of_a_payload_are_replaced_where_there_is_one(store, key) -> None:
    payloads = store.journal().payloads("dispatch", key)
    payloads.put({A: '{"argv": ["x"], "files": {"token": "old"}}'})
    payloads.amend({A: '{"files": {"token": "new"}}', B: "{}"})
    found = payloads.get([A, B])
    assert {task: json.loads(body) for task, body in found.items()} == {
        A: {"argv": ["x"], "files": {"token": "new"}}
    }


def test_what_is_written_together_is_refused_together(store, build, key) -> None:
    journal = store.journal()
    payloads, results = journal.payloads("dispatch", key), journal.results("dispatch", key)
    old, new = journal.open("dispatch"), journal.open("dispatch")
    for stream in (old, new):
        with contextlib.suppress(Conflict), stream.together():
            payloads.put({TaskId(f"of {stream.epoch}"): "body"})
            results.put({Token(A, stream.epoch): "1"})
            stream.append([build.evidence(1)], 1.0, "")
    assert payloads.get([TaskId("of 1"), TaskId("of 2")]) == {TaskId("of 2"): "body"}
    assert (results.get(Token(A, 1)), results.get(Token(A, 2))) == (None, "1")
    assert len(journal.read("dispatch", 0, 10)) == 1


def test_many_at_once(store, key) -> None:
    payloads = store.journal().payloads("dispatch", key)
    many = {TaskId(f"t{number}"): str(number) for number in range(2_000)}
    payloads.put(many)
    assert payloads.get(many) == many
    payloads.drop(many)
    assert payloads.get(many) == {}


def test_without_the_key_there_is_nothing_to_read(store, key) -> None:
    store.journal().payloads("dispatch", key).put({A: "secret"})
    other = store.journal().payloads("dispatch", Fernet.generate_key())
    with pytest.raises(StoreError, match="payload of task a does not open with this key"):
        other.get([A])
