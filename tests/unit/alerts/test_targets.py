"""What the settings say is what the desk does."""

from typing import get_args

import pytest

from swarm.alerts.desk import Target
from swarm.alerts.quiet import Quiet
from swarm.alerts.targets import desk
from swarm.config import AlertTarget, Settings
from swarm.model.findings import FindingKind
from swarm.model.lineage import Level
from tests.unit.alerts.builders import READER, WRITER, a_finding, changed

FULL = {
    "name": "oncall",
    "kind": "pagerduty",
    "address_file": "/run/secrets/oncall",
    "at_least": "gate",
    "kinds": ["race"],
    "match": ["airflow/*"],
    "quiet": [{"start": "22:30", "end": "06:00", "timezone": "Asia/Kolkata", "days": ["sat"]}],
    "urgent_passes": False,
    "tells_closed": False,
}


def settings(**said):
    return Settings.model_validate(said)


def test_every_key_of_a_target_counts():
    made = desk(settings(alerts={"targets": [FULL]}).alerts, ())
    assert made._targets["oncall"] == Target(
        "oncall",
        Level.GATE,
        frozenset({FindingKind.RACE}),
        ("airflow/*",),
        (Quiet(22.5 * 3600.0, 6 * 3600.0, "Asia/Kolkata", (5,)),),
        urgent_passes=False,
        tells_closed=False,
        apart=True,
    )


def test_pipelines_that_are_only_observed_are_not_told_of():
    rules = [{"match": "airflow/*", "mode": "observe"}, {"match": "*", "mode": "shadow"}]
    chat = {"name": "chat", "kind": "webhook", "address_file": "/x"}
    told = settings(alerts={"targets": [chat]}, pipelines=rules)
    made = desk(told.alerts, told.pipelines)
    assert made.hear(changed(a_finding(pipelines=(WRITER,))), 1) == []
    assert made.hear(changed(a_finding(pipelines=(WRITER, READER))), 1) != []


def test_a_finding_is_told_well_within_ten_seconds_unless_the_settings_say_more():
    chat = {"name": "chat", "kind": "webhook", "address_file": "/x"}
    made = desk(settings(alerts={"targets": [chat]}).alerts, ())
    for record in made.hear(changed(a_finding(at_s=100)), 1):
        made.apply(record)
    assert len(made.decide(106)) == 1


def test_the_settings_know_every_kind_of_finding():
    (kinds, _) = get_args(AlertTarget.model_fields["kinds"].annotation)
    assert set(get_args(kinds)) == set(FindingKind)


def test_a_name_is_one_targets():
    with pytest.raises(ValueError, match="two targets are called oncall"):
        settings(alerts={"targets": [FULL, FULL]})
