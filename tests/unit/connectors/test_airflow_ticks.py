"""Which run a planned start of a DAG stands for."""

import pytest

from swarm.connectors.airflow.ticks import Tick, next_tick, ticks_of

NOON_S = 1_795_348_800.0
NOON, BEFORE = "2026-11-22T12:00:00Z", "2026-11-22T11:00:00Z"
HOUR_S = 3600.0


def a_dag(**fields: object) -> dict[str, object]:
    return {
        "next_dagrun_run_after": NOON,
        "next_dagrun_logical_date": NOON,
        "next_dagrun_data_interval_start": NOON,
        "next_dagrun_data_interval_end": NOON,
        **fields,
    }


def an_interval() -> dict[str, object]:
    return a_dag(next_dagrun_logical_date=BEFORE, next_dagrun_data_interval_start=BEFORE)


def following(dag: dict[str, object]) -> Tick:
    tick = next_tick(dag, 3)
    assert tick is not None
    return tick


def test_the_next_tick_is_what_airflow_says():
    assert next_tick(a_dag(), 3) == Tick(NOON_S, NOON_S, NOON_S, NOON_S)
    assert next_tick(an_interval(), 3) == Tick(NOON_S, NOON_S - HOUR_S, NOON_S - HOUR_S, NOON_S)


def test_airflow_2_has_other_names_for_it():
    dag = an_interval() | {"next_dagrun": BEFORE, "next_dagrun_create_after": NOON}
    assert next_tick(dag, 2) == next_tick(an_interval(), 3)


@pytest.mark.parametrize("name", ["next_dagrun_run_after", "next_dagrun_logical_date"])
def test_what_no_clock_starts_has_no_tick(name: str):
    assert next_tick(a_dag(**{name: None}), 3) is None


def test_what_airflow_lists_of_a_timetable_without_intervals():
    first, second = ticks_of([NOON, "2026-11-22T12:01:00Z"], following(a_dag()))
    assert first == following(a_dag())
    assert second == Tick(NOON_S + 60, NOON_S + 60, NOON_S + 60, NOON_S + 60)


def test_a_data_interval_ends_where_the_next_begins():
    dates = ["2026-11-22T14:30:00Z", NOON, BEFORE]  # a gap, as over a weekend
    ticks = ticks_of(dates, following(an_interval()))
    assert ticks[0] == following(an_interval())
    assert (ticks[1].start_s, ticks[1].end_s) == (NOON_S, NOON_S + 2.5 * HOUR_S)
    assert ticks[2].width_s == HOUR_S


def test_a_run_is_made_with_the_dates_of_its_tick():
    body = following(an_interval()).body("af/p#1")
    assert body["logical_date"] == "2026-11-22T11:00:00+00:00"
    assert body["dag_run_id"] == "swarm__2026-11-22T11:00:00+00:00"
