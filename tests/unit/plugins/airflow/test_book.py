"""What an executor remembers of its tasks, and what it makes of swarm's news."""

import pytest

from swarm.plugins.airflow.book import ADOPTED, KEPT, OFFERED, Book, Held
from swarm.plugins.link import Change


def held(id_="a", key="dag.task", **more):
    return Held(id_, key, row=f"row of {key}", attempt=1, fresh_s=0.0, **more)


def change(id_, state, grant=1, detail=""):
    return Change(id_, "dag.task", state, grant, "worker-1", detail)


@pytest.fixture
def book():
    return Book()


def test_an_end_is_told_once_it_is_heard(book):
    book.hold(held())
    book.heard(change("a", "running"))
    assert book.ended() == []
    book.heard(change("a", "failed", detail="exit code 3"))
    (ended,) = book.ended()
    assert (ended.state, ended.detail) == ("failed", "exit code 3")
    book.drop(ended)
    assert (book.ended(), len(book)) == ([], 0)


def test_news_of_a_superseded_grant_is_no_news(book):
    book.hold(held())
    book.heard(change("a", "running", grant=2))
    book.heard(change("a", "succeeded", grant=1))
    book.heard(change("a", "lost", grant=1))
    assert (book.ended(), book.lost()) == ([], [])


def test_a_loss_is_dealt_with_once_for_each_grant(book):
    book.hold(held())
    book.heard(change("a", "lost", grant=1))
    (lost,) = book.lost()
    lost.rearmed = lost.grant
    book.heard(change("a", "lost", grant=1))
    assert book.lost() == []
    book.heard(change("a", "lost", grant=2))
    assert book.lost() == [lost]


def test_the_loss_of_what_has_no_row_is_swarms_own_business(book):
    book.hold(Held("a", "callback", row=None, attempt=1, fresh_s=0.0))
    book.heard(change("a", "lost"))
    assert book.lost() == []


def test_an_end_is_final(book):
    book.hold(held())
    book.heard(change("a", "succeeded"))
    book.heard(change("a", "running", grant=2))
    assert [one.state for one in book.ended()] == ["succeeded"]


def test_a_task_that_was_queued_again_no_longer_speaks_for_its_key(book):
    first, second = held("a"), held("b")
    book.hold(first)
    book.hold(second)
    book.heard(change("a", "succeeded"))
    assert book.ended() == [first]
    assert (book.speaks(first), book.speaks(second)) == (False, True)
    book.drop(first)
    assert book.of("dag.task") is second


def test_what_happened_before_an_adoption_is_known_after_it(book):
    book.heard(change("a", "running"))
    book.heard(change("a", "lost"))
    book.heard(change("b", "lost"))
    assert book.orphans() == ["a", "b"]
    book.hold(held("a", state=ADOPTED))
    assert [one.id for one in book.lost()] == ["a"]
    assert book.orphans() == ["b"]


def test_a_refused_task_has_ended(book):
    book.hold(held())
    book.refused("a", "cpu: 1,000 is too many")
    assert [one.detail for one in book.ended()] == ["cpu: 1,000 is too many"]


def test_what_was_offered_again_may_be_refused_because_swarm_has_it(book):
    book.hold(held(state=OFFERED))
    book.refused("a", "known with another body")
    assert book.ended() == []
    book.heard(change("a", "running"))
    book.refused("a", "known with another body")
    assert book.ended() == []


def test_what_swarm_cannot_know_waits_to_be_handed_over(book):
    book.hold(held("a", state=KEPT))
    book.hold(held("b", "another", state=ADOPTED))
    book.hold(held("c", "third"))
    assert [one.id for one in book.unknown()] == ["a", "b"]
    book.heard(change("b", "running"))
    assert [one.id for one in book.unknown()] == ["a"]


def test_only_what_waits_under_an_old_token_is_freshened_the_oldest_first(book):
    for id_, fresh_s in (("new", 90.0), ("old", 20.0), ("older", 10.0), ("runs", 0.0)):
        book.hold(Held(id_, id_, id_, 1, fresh_s))
        book.heard(change(id_, "running" if id_ == "runs" else "queued", grant=0))
    assert [one.id for one in book.waiting(50.0, 10)] == ["older", "old"]
    assert [one.id for one in book.waiting(50.0, 1)] == ["older"]
