"""The text of a cause: its id, when it entered, and what follows from it."""

import pytest

from swarm.model.causes import (
    asked_by,
    asked_cause,
    cause_no,
    entered_at_s,
    follows,
    id_of,
    told_cause,
)

NO = cause_no(1_700_000_000.123, "f" * 20)


def test_an_id_begins_with_its_time():
    assert len(NO) == 32
    assert entered_at_s(NO) == 1_700_000_000.123
    assert cause_no(1_700_000_001.0, "0" * 20) > NO, "ids sort by time"


@pytest.mark.parametrize(
    "cause",
    [
        NO,
        asked_cause("ann:x", "POST /tasks", NO),
        told_cause("key:1", "POST /push", NO),
        f"watch:worker:1:{NO}",
    ],
)
def test_the_id_stays_the_same_in_what_follows(cause):
    assert id_of(cause) == id_of(follows(cause)) == NO
    assert entered_at_s(follows(cause)) == 1_700_000_000.123
    assert asked_by(follows(cause)) is None, "nobody asked for what swarm concludes"
    assert follows(follows(cause)) == follows(cause)


@pytest.mark.parametrize(
    "name", ["settings", "history", "start", "", "by:a:b:c", NO[:-1], NO + "0"]
)
def test_a_name_is_no_id(name):
    assert id_of(name) == ""
    assert entered_at_s(name) is None
