"""Which starts waited: what would have begun without swarm."""

from dataclasses import replace

import pytest

from swarm.model.intents import Act, Intent, Mode
from swarm.model.keys import PipelineKey
from swarm.sequencing.waited import Waited, waited

CLOSE, EXPORT = PipelineKey("dag", "close"), PipelineKey("air", "export")
HELD = Intent(
    CLOSE, 1, Act.HOLD, "waits for air/export", 900.0, due_s=(100.0,), waits_for=(EXPORT,)
)
RELEASE = replace(HELD, number=2, act=Act.RELEASE, reason="air/export is there")
WAITED = Waited(CLOSE, 100.0, 400.0, 900.0, (EXPORT,), HELD.reason)


def test_a_start_waited_from_its_plan_to_its_release() -> None:
    assert waited([(40.0, HELD), (400.0, RELEASE)], 500.0) == [WAITED]


def test_what_is_still_held_has_no_end_yet() -> None:
    assert waited([(40.0, HELD)], 500.0) == [replace(WAITED, until_s=None)]


def test_what_was_let_go_before_its_time_did_not_wait() -> None:
    assert waited([(40.0, HELD), (90.0, RELEASE)], 500.0) == []
    assert waited([(40.0, HELD)], 99.0) == [], "its time has not come"


def test_a_hold_whose_end_nobody_told_ended_at_its_latest() -> None:
    assert waited([(40.0, HELD)], 950.0) == [replace(WAITED, until_s=900.0)]


def test_each_start_of_a_hold_that_goes_on_has_its_own_end() -> None:
    both = replace(HELD, number=2, due_s=(100.0, 300.0))
    later = replace(both, number=3, due_s=(300.0,), let_go_s=(100.0,), valid_until_s=1_100.0)
    out = replace(later, number=4, act=Act.RELEASE, due_s=(), left_out_s=(300.0,))
    made = [(40.0, HELD), (240.0, both), (400.0, later), (1_100.0, out)]
    second = replace(WAITED, due_s=300.0, until_s=1_100.0, latest_s=1_100.0, left_out=True)
    assert waited(made, 2_000.0) == [WAITED, second]


@pytest.mark.parametrize(
    "made",
    [
        replace(HELD, by="kim"),
        replace(HELD, mode=Mode.SHADOW),
        replace(HELD, act=Act.YIELD),
    ],
    ids=["by a person", "noted only", "another act"],
)
def test_what_swarm_did_not_hold_did_not_wait(made: Intent) -> None:
    assert waited([(40.0, made), (400.0, RELEASE)], 500.0) == []


def test_what_others_wait_for_ends_nothing() -> None:
    other = replace(RELEASE, target=EXPORT)
    assert waited([(40.0, HELD), (200.0, other), (400.0, RELEASE)], 500.0) == [WAITED]
