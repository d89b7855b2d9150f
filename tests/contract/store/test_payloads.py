"""What tasks run is kept encrypted, and only as long as it is needed."""

import json

import pytest
from cryptography.fernet import Fernet

from swarm.errors import StoreError
from swarm.model.work import TaskId

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
    assert payloads.tasks() == {B}
    assert payloads.get([A, B]) == {B: "secret of b"}


def test_fields_of_a_payload_are_replaced_where_there_is_one(store, key) -> None:
    payloads = store.journal().payloads("dispatch", key)
    payloads.put({A: '{"argv": ["x"], "files": {"token": "old"}}'})
    payloads.amend({A: '{"files": {"token": "new"}}', B: "{}"})
    found = payloads.get([A, B])
    assert {task: json.loads(body) for task, body in found.items()} == {
        A: {"argv": ["x"], "files": {"token": "new"}}
    }


def test_many_at_once(store, key) -> None:
    payloads = store.journal().payloads("dispatch", key)
    many = {TaskId(f"t{number}"): str(number) for number in range(2_000)}
    payloads.put(many)
    assert payloads.get(many) == many
    payloads.drop(many)
    assert payloads.tasks() == set()


def test_without_the_key_there_is_nothing_to_read(store, key) -> None:
    store.journal().payloads("dispatch", key).put({A: "secret"})
    other = store.journal().payloads("dispatch", Fernet.generate_key())
    with pytest.raises(StoreError, match="payload of task a does not open with this key"):
        other.get([A])
