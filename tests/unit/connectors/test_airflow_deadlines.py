"""Deadline alerts recorded from Airflow 3.3.2, as SLAs: a DAG that runs at six in Berlin, where it
is an hour later than in UTC."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from swarm.connectors.airflow.catalogue import Catalogue
from swarm.connectors.airflow.deadlines import Alert, not_promised, promised, read_alerts
from swarm.connectors.airflow.mapping import Dag, TaskList, read_dags
from swarm.model.keys import PipelineKey
from swarm.model.sla import Sla

PAYLOADS = Path(__file__).parent / "airflow_payloads"
KEY = PipelineKey("af", "promised")
WORKING_DAYS, THE_DAYS_AFTER = (0, 1, 2, 3, 4), (1, 2, 3, 4, 5)


def recorded(name: str) -> Any:
    return json.loads((PAYLOADS / f"{name}.json").read_text())


@pytest.fixture
def dag() -> Dag:
    [found] = read_dags(recorded("v3_deadline_dags"))
    return found


@pytest.fixture
def alerts() -> tuple[Alert, ...]:
    return read_alerts(recorded("v3_deadline_alerts"))


def after(hours: float, reference: str = "DagRunLogicalDateDeadline") -> Alert:
    return Alert("a", reference, hours * 3_600)


def test_what_is_due_after_the_planned_time_is_a_time_of_day(
    dag: Dag, alerts: tuple[Alert, ...]
) -> None:
    assert promised(KEY, dag, alerts) == (
        Sla(KEY, 6.5 * 3_600, "UTC", WORKING_DAYS),
        Sla(KEY, 0.0, "UTC", THE_DAYS_AFTER),
    )


def test_the_others_are_told_with_the_reason(dag: Dag, alerts: tuple[Alert, ...]) -> None:
    assert not_promised(KEY, dag, alerts) == tuple(
        f"the deadline alert `{name}` is no time of day: {why}; a tag `sla:HH:MM` states one"
        for name, why in (
            ("the year's end", "it is for one moment alone"),
            ("as ever", "it moves with how long runs take"),
            ("as somebody says", "Airflow does not tell its interval, a variable"),
        )
    )


def test_a_reference_of_ones_own_is_airflows_alone(dag: Dag) -> None:
    [why] = not_promised(KEY, dag, [after(1, "WhenTheMoonRises")])
    assert "only Airflow knows what WhenTheMoonRises is" in why


@pytest.mark.parametrize("schedule", ["Asset", "0 * * * *", "0 6,18 * * *", "0 6 1 * *"])
def test_a_schedule_without_one_time_of_day_makes_none(dag: Dag, schedule: str) -> None:
    other = replace(dag, schedule=schedule)
    assert promised(KEY, other, [after(1)]) == ()
    [why] = not_promised(KEY, other, [after(1)])
    assert f"the schedule `{schedule}` has none" in why


@pytest.mark.parametrize(
    ("cron", "utc_h", "days"),
    [
        ("30 0 * * 1", 23.5, (6,)),  # Monday in Berlin, still Sunday in UTC
        ("30 20 * * 1", 1.5, (1,)),  # Monday in New York, Tuesday in UTC
        ("0 9 * * 1", 20.0, (6,)),  # Monday in Auckland, Sunday in UTC
        ("0 20 * * 1", 6.0, (1,)),  # Monday in Honolulu, Tuesday in UTC
        ("0 6 * * 1", 6.0, (0,)),
    ],
)
def test_its_days_are_those_of_utc(dag: Dag, cron: str, utc_h: float, days: tuple[int]) -> None:
    there = replace(dag, schedule=cron, logical_s=utc_h * 3_600)
    [sla] = promised(KEY, there, [after(0)])
    assert (sla.by_s, sla.days) == (utc_h * 3_600, days)


def test_a_pipeline_is_told_again_when_its_alerts_or_the_clock_change(
    dag: Dag, alerts: tuple[Alert, ...]
) -> None:
    catalogue = Catalogue("af")
    catalogue.replace_dags([dag])
    catalogue.replace_tasks("promised", TaskList())
    assert len(catalogue.replace_alerts("promised", alerts)) == 3
    assert [len(pipeline.slas) for pipeline in catalogue.take_changed()] == [2]
    catalogue.replace_alerts("promised", alerts)
    assert catalogue.take_changed() == []
    assert dag.logical_s is not None
    catalogue.replace_dags([replace(dag, logical_s=dag.logical_s - 3_600)])  # summer
    [pipeline] = catalogue.take_changed()
    assert pipeline.slas[0].at == "05:30"
    catalogue.replace_alerts("promised", ())
    assert [pipeline.slas for pipeline in catalogue.take_changed()] == [()]
