"""When a fleet that was asked for is no longer somebody's."""

import pytest

from swarm.capacity.lease import Lease, LeaseWatch, decode

LEASE = Lease("one", 30.0)


def test_it_is_read_as_it_was_written() -> None:
    assert decode(LEASE.encode()) == LEASE


def test_it_is_over_when_nobody_said_it_again() -> None:
    watch = LeaseWatch()
    assert [watch.over(LEASE, at_s) for at_s in (100.0, 129.9, 130.0)] == [False, False, True]


def test_saying_it_again_begins_a_term() -> None:
    watch = LeaseWatch()
    assert not watch.over(LEASE, 100.0)
    again = Lease("two", 30.0)
    assert [watch.over(again, at_s) for at_s in (129.0, 158.0, 159.0)] == [False, False, True]


def test_a_watch_that_was_started_anew_gives_a_full_term() -> None:
    assert not LeaseWatch().over(LEASE, 1_000_000.0)


def test_without_a_lease_nothing_ends() -> None:
    watch = LeaseWatch()
    assert [watch.over(None, at_s) for at_s in (0.0, 1e9)] == [False, False]


@pytest.mark.parametrize("text", [b"", b"{}", b"[]", b'{"said": "x", "lease_s": "long"}', b"\xff"])
def test_what_cannot_be_read_is_over_at_once(text: bytes) -> None:
    assert LeaseWatch().over(decode(text), 5.0)
