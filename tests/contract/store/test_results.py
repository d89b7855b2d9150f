"""What calls returned is kept encrypted, by grant, and not for ever."""

import pytest
from cryptography.fernet import Fernet

from swarm.errors import StoreError
from swarm.model.work import TaskId, Token
from swarm.store.results import Results

A1, A2 = Token(TaskId("a"), 1), Token(TaskId("a"), 2)


@pytest.fixture
def key() -> bytes:
    return Fernet.generate_key()


def test_a_result_belongs_to_its_grant(store, key) -> None:
    results = store.journal().results("dispatch", key)
    results.put({A1: '{"rows": 1}'})
    results.put({A1: "another", A2: "2"})
    assert (results.get(A1), results.get(A2)) == ('{"rows": 1}', "2")
    assert results.get(Token(TaskId("b"), 1)) is None


def test_the_newest_stay(store, key) -> None:
    whole = store.journal().results("dispatch", key)
    results = Results(whole._database, key, kept=2)
    tokens = [Token(TaskId("t"), number) for number in range(1, 5)]
    for token in tokens:
        results.put({token: str(token.grant)})
    assert [results.get(token) for token in tokens] == [None, None, "3", "4"]


def test_without_the_key_there_is_nothing_to_read(store, key) -> None:
    store.journal().results("dispatch", key).put({A1: "secret"})
    with pytest.raises(StoreError, match="result of task a does not open with this key"):
        store.journal().results("dispatch", Fernet.generate_key()).get(A1)
