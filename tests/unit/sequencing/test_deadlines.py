"""When an SLA's next deadline is, across weekends and changes of the clock."""

from datetime import UTC, datetime

import pytest

from swarm.model.keys import PipelineKey
from swarm.model.sla import Sla
from swarm.sequencing.deadlines import next_deadline_s

HALF_PAST_SEVEN_S = 7.5 * 3_600.0
WORKING = (0, 1, 2, 3, 4)


def at_s(text: str) -> float:
    return datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp()


def next_of(after: str, zone: str = "Europe/Berlin", days: tuple[int, ...] = WORKING) -> str:
    sla = Sla(PipelineKey("dag", "close"), HALF_PAST_SEVEN_S, zone, days)
    found = next_deadline_s(sla, at_s(after))
    assert found is not None
    return datetime.fromtimestamp(found, UTC).isoformat(" ", "minutes")[:16]


@pytest.mark.parametrize(
    ("after", "deadline"),
    [
        ("2026-11-20 06:29", "2026-11-20 06:30"),  # a Friday, winter: an hour ahead of UTC
        ("2026-11-20 06:30", "2026-11-23 06:30"),  # over the weekend
        ("2026-03-27 06:30", "2026-03-30 05:30"),  # the clock went forward on Sunday
        ("2026-10-23 05:30", "2026-10-26 06:30"),  # and back
    ],
)
def test_the_next_deadline_is_one_of_the_place(after: str, deadline: str) -> None:
    assert next_of(after) == deadline


def test_no_days_is_no_deadline() -> None:
    sla = Sla(PipelineKey("dag", "close"), HALF_PAST_SEVEN_S, "UTC", ())
    assert next_deadline_s(sla, 0.0) is None


def test_the_name_tells_pipeline_and_time() -> None:
    sla = Sla(PipelineKey("dag", "close"), HALF_PAST_SEVEN_S, "Europe/Berlin")
    assert sla.name == "dag/close by 07:30 Europe/Berlin"
