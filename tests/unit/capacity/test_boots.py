"""Nodes that Ray only counts have names that stay until they join."""

from swarm.capacity.base import Standing
from swarm.capacity.boots import Boots


def test_they_keep_their_names_and_their_time() -> None:
    boots = Boots()
    first = boots.named({"spot": 2}, "1", [], 10.0)
    assert boots.named({"spot": 2}, "2", [], 20.0) == first
    assert len({one.node for one in first}) == 2
    assert {(one.since_s, one.joined) for one in first} == {(10.0, False)}


def test_the_oldest_join_first() -> None:
    boots = Boots()
    boots.named({"spot": 1}, "1", [], 10.0)
    new = boots.named({"spot": 2}, "2", [], 20.0)[1]
    assert boots.named({"spot": 1}, "3", [], 30.0) == [new]


def test_a_name_is_never_used_twice() -> None:
    boots = Boots()
    (old,) = boots.named({"spot": 1}, "1", [], 10.0)
    assert not boots.named({}, "2", [], 20.0)
    (new,) = boots.named({"dedicated": 1}, "3", [], 30.0)
    assert new.node != old.node


def test_who_joined_since_the_report_is_not_counted_twice() -> None:
    boots = Boots()
    boots.named({"spot": 2}, "1", [], 10.0)
    up = Standing("n1", "spot", 12.0)
    assert len(boots.named({"spot": 2}, "1", [up], 13.0)) == 1
    assert len(boots.named({"spot": 2}, "1", [], 14.0)) == 1, "it left again"
    assert len(boots.named({"spot": 2}, "2", [up], 15.0)) == 2, "the new report knows of it"


def test_those_there_from_the_first_are_in_the_report() -> None:
    boots = Boots()
    assert len(boots.named({"spot": 1}, "1", [Standing("n1", "spot", 5.0)], 10.0)) == 1
