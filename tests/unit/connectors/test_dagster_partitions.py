"""What Dagster may call the partition of the time that a run is for."""

from datetime import datetime
from zoneinfo import ZoneInfo

import pytest

from swarm.connectors.dagster.knobs import partition_keys
from swarm.model.intents import Stretch
from swarm.model.links import Grain
from swarm.sequencing.partitions import partition_of


@pytest.mark.parametrize(
    ("grain", "keys"),
    [
        (Grain.RUN, []),
        (Grain.HOUR, ["2026-10-26-09:00"]),
        (Grain.DAY, ["2026-10-26"]),
        (Grain.BUSINESS_DAY, ["2026-10-26", "2026-10-24"]),  # with the weekend before
        (Grain.WEEK, ["2026-W44", "2026-10-26"]),
        (Grain.MONTH, ["2026-10", "2026-10-01"]),
    ],
)
def test_by_hour_or_by_the_day_it_begins_with(grain: Grain, keys: list[str]) -> None:
    zone = "Europe/Berlin"
    at_s = datetime(2026, 10, 26, 9, 30, tzinfo=ZoneInfo(zone)).timestamp()
    part = partition_of(at_s, grain, zone)
    assert partition_keys(Stretch(part.start_s, part.end_s, part.label, zone)) == keys
