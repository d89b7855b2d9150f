"""When the demo's backfill left room."""

from dataclasses import replace

import pytest

from swarm.cli.backfill_yields import Yielded

YIELDED = Yielded(6, 0, 10, 2.04, 1.0, "its backfill leaves room")


@pytest.mark.parametrize(
    ("yielded", "kept"),
    [
        (YIELDED, True),
        (replace(YIELDED, meanwhile=1), True),
        (replace(YIELDED, meanwhile=2), False),
        (replace(YIELDED, after=0), False),
    ],
)
def test_it_left_room_if_what_waited_went_next_and_it_went_on(yielded: Yielded, kept: bool) -> None:
    assert yielded.kept is kept


def test_its_figures_tell_both_sides() -> None:
    assert YIELDED.body() == {
        "backfill_runs_ahead_before_it_yielded": 6,
        "backfill_runs_ahead_while_it_yielded": 0,
        "backfill_runs_after": 10,
        "backfill_yields_s": 2.0,
        "backfill_freed_s": 1.0,
        "backfill_reason": "its backfill leaves room",
    }
    assert "6 of them went before it" in YIELDED.told()
    assert "of the 10 that waited 0 did" in YIELDED.told()
