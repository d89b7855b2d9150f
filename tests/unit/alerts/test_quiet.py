"""Quiet hours go by the clock on the wall."""

from datetime import datetime
from zoneinfo import ZoneInfo

import pytest

from swarm.alerts.quiet import Quiet

BERLIN = "Europe/Berlin"
NIGHT = Quiet(22 * 3600.0, 7 * 3600.0, BERLIN)
NOON = Quiet(12 * 3600.0, 13 * 3600.0, BERLIN)
WEEKEND = Quiet(0.0, 0.0, BERLIN, (5, 6))
FRIDAY_NIGHT = Quiet(22 * 3600.0, 7 * 3600.0, BERLIN, (4,))


@pytest.mark.parametrize(
    ("quiet", "at", "holds"),
    [
        (NIGHT, "2026-07-01 21:59:59", False),
        (NIGHT, "2026-07-01 22:00:00", True),
        (NIGHT, "2026-07-02 06:59:59", True),
        (NIGHT, "2026-07-02 07:00:00", False),
        (NIGHT, "2026-01-02 06:59:59", True),  # another offset from UTC than in July
        (NIGHT, "2026-03-29 06:30:00", True),  # the night in which the clock went forward
        (NIGHT, "2026-03-29 07:00:00", False),
        (NIGHT, "2026-10-25 02:30:00", True),  # which there is twice
        (NOON, "2026-07-01 12:30:00", True),
        (NOON, "2026-07-01 13:00:00", False),
        (WEEKEND, "2026-07-03 23:59:59", False),  # a Friday
        (WEEKEND, "2026-07-04 00:00:00", True),
        (WEEKEND, "2026-07-05 23:59:59", True),
        (WEEKEND, "2026-07-06 00:00:00", False),
        (FRIDAY_NIGHT, "2026-07-04 06:00:00", True),  # it began on the Friday
        (FRIDAY_NIGHT, "2026-07-03 06:00:00", False),
        (FRIDAY_NIGHT, "2026-07-04 22:00:00", False),
    ],
)
def test_it_holds(quiet, at, holds):
    assert quiet.holds(datetime.fromisoformat(at).replace(tzinfo=ZoneInfo(BERLIN)).timestamp()) is (
        holds
    )
