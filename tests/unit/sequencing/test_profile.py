"""What the runs of a pipeline tell of it: built day by day, so that each figure is known."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from swarm.model.keys import PipelineKey, TaskKey
from swarm.model.pipelines import Cron
from swarm.model.runs import Run, RunState, TaskRun
from swarm.model.weekdays import is_weekend, month_end, weekday
from swarm.sequencing.history import History
from swarm.sequencing.profile import Spread, profile_of, task_profiles
from tests.unit.sequencing.mornings import DAY_S, HOUR_S, MIN_S

LOAD = PipelineKey("air", "load")
SIX = Cron("0 6 * * *", "UTC")
# 100 days, from Monday on.
DAYS = range(20_003, 20_103)


def took(day):
    """Ten minutes, and on every tenth day eleven."""
    return (11 if day % 10 == 0 else 10) * MIN_S


def ran(day, hour=6.0, took_s=None, *, failed=False, named_s=None):
    at_s = day * DAY_S + hour * HOUR_S
    state = RunState.FAILED if failed else RunState.SUCCEEDED
    return Run(
        LOAD, f"r{at_s}", state, named_s, at_s, at_s + (took(day) if took_s is None else took_s)
    )


def told(runs, crons=()):
    history = History()
    for run in runs:
        history.see(run)
    return profile_of(history, LOAD, crons)


def kinds(profile):
    return [day.kind for day in profile.days]


def test_durations_failures_and_cadence_are_those_of_its_runs():
    lasting = [*range(1, 11)] * 2  # minutes
    runs = [
        ran(day, took_s=lasting[n] * MIN_S, failed=n in (3, 7, 11))
        for n, day in enumerate(DAYS[:20])
    ]
    profile = told(runs)
    assert (profile.runs, profile.failed, profile.apart) == (20, 3, 0)
    assert profile.every_s == DAY_S
    # Those of 4, 8 and 2 minutes failed: of the seventeen others nine of ten took nine at most.
    assert profile.took == Spread(6 * MIN_S, 10 * MIN_S)
    assert (profile.from_s, profile.until_s) == (runs[0].started_at_s, runs[-1].started_at_s)
    assert profile.begins == Spread(6 * HOUR_S, 6 * HOUR_S)
    assert profile.late is None


def test_without_runs_nothing_is_told():
    profile = told([], [SIX])
    assert (profile.runs, profile.failed, profile.days) == (0, 0, ())
    assert (profile.took, profile.late, profile.every_s, profile.begins) == (None,) * 4


def test_a_run_that_makes_good_for_another_time_counts_apart():
    usual = [ran(day, named_s=day * DAY_S + 6 * HOUR_S) for day in DAYS[:20]]
    backfill = ran(DAYS[19], 15.0, 9 * HOUR_S, failed=True, named_s=DAYS[2] * DAY_S)
    profile = told([*usual, backfill])
    assert (profile.runs, profile.failed, profile.apart) == (20, 0, 1)
    assert profile.took.p90_s <= 11 * MIN_S


# --- how late -----------------------------------------------------------------------------------


def late(day):
    """Two minutes, and on every fifth day forty."""
    return (40 if day % 5 == 0 else 2) * MIN_S


def test_lateness_is_from_the_planned_start():
    runs = [
        ran(day, 6.0 + late(day) / HOUR_S, named_s=day * DAY_S + 6 * HOUR_S) for day in DAYS[:30]
    ]
    wanted = Spread(pytest.approx(2 * MIN_S), pytest.approx(40 * MIN_S))
    assert told(runs).late == wanted
    assert told(runs, [SIX]).late == wanted


def test_a_run_that_is_named_by_the_time_of_its_data_is_not_a_day_late():
    """Airflow's data intervals, and Dagster's partitions (the midnight before the day before)."""
    for named_hour in (-18.0, -24.0):
        runs = [
            ran(day, 6.0 + late(day) / HOUR_S, named_s=day * DAY_S + named_hour * HOUR_S)
            for day in DAYS[:30]
        ]
        assert told(runs, [SIX]).late == Spread(pytest.approx(2 * MIN_S), pytest.approx(40 * MIN_S))
        assert told(runs).late is None  # nobody says when it was to start


def test_after_a_weekend_that_is_left_out_it_is_not_late():
    workdays = Cron("0 6 * * 1-5", "UTC")
    runs, before = [], DAYS[0] - 3  # Friday
    for day in DAYS[:30]:
        if not is_weekend(day * DAY_S):
            runs.append(ran(day, 6.05, named_s=before * DAY_S + 6 * HOUR_S))
            before = day
    assert told(runs, [workdays]).late.p90_s == pytest.approx(3 * MIN_S)


def test_lateness_follows_the_clock_of_its_place():
    berlin = ZoneInfo("Europe/Berlin")
    runs = []
    for day in range(15, 31):  # the clock changed on the 29th of March
        at_s = datetime(2026, 3, day, 6, 5, tzinfo=berlin).timestamp()
        before_s = datetime(2026, 3, day - 1, 6, 0, tzinfo=berlin).timestamp()
        runs.append(Run(LOAD, str(day), RunState.SUCCEEDED, before_s, at_s, at_s + 60.0))
    found = told(runs, [Cron("0 6 * * *", "Europe/Berlin")]).late
    assert found == Spread(5 * MIN_S, 5 * MIN_S)


def test_one_that_waited_for_days_does_not_make_the_others_early():
    named = [(day, day * DAY_S + 6 * HOUR_S) for day in DAYS[:20]]
    runs = [ran(day, 6.1, named_s=at_s) for day, at_s in named[:-1]]
    runs.append(ran(named[-1][0] + 0.45, 6.0, named_s=named[-1][1]))
    found = told(runs, [SIX]).late
    assert found.p50_s == pytest.approx(6 * MIN_S)


def test_a_clock_that_is_ahead_does_not_make_it_a_day_late():
    """Begun ten seconds before its planned start, by the orchestrator's clock."""
    begun = 6.0 - 10 / 3_600
    runs = [ran(day, begun, named_s=(day - 1) * DAY_S + 6 * HOUR_S) for day in DAYS[:20]]
    assert told(runs, [SIX]).late == Spread(pytest.approx(-10.0), pytest.approx(-10.0))


def test_about_midnight_the_times_of_day_are_close_together():
    runs = [ran(day, 24.2 if day % 2 else 23.8) for day in DAYS[:21]]
    begins = told(runs).begins
    assert (begins.p90_s - begins.p50_s) / HOUR_S <= 0.4 + 1e-6
    assert told([ran(DAYS[0] + n / 24) for n in range(50)]).begins is None


# --- which days are otherwise ---------------------------------------------------------------------


def test_weekdays_are_those_of_the_calendar():
    for day in DAYS[:7]:
        assert weekday(day * DAY_S) == datetime.fromtimestamp(day * DAY_S, UTC).weekday()
    assert weekday(DAYS[0] * DAY_S) == 0


def test_days_that_are_all_alike_are_not_told_apart():
    assert kinds(told([ran(day) for day in DAYS])) == []


def test_a_weekday_that_takes_twice_as_long_is_told_with_its_own_figures():
    runs = [ran(day, took_s=2 * took(day) if weekday(day * DAY_S) == 0 else None) for day in DAYS]
    (monday,) = told(runs).days
    assert (monday.kind, monday.days, monday.runs, monday.failed) == ("monday", 15, 15, 0)
    assert monday.took.p50_s == 20 * MIN_S


def test_weekends_that_take_half_as_long_are_told():
    runs = [ran(day, took_s=took(day) / 2 if is_weekend(day * DAY_S) else None) for day in DAYS]
    assert kinds(told(runs)) == ["saturday", "sunday"]


def test_the_last_working_day_of_a_month_is_told():
    def takes(day):
        end = month_end(day * DAY_S)
        return 3 * took(day) if end is not None and end.value == "last" else None

    found = told([ran(day, took_s=takes(day)) for day in DAYS])
    assert kinds(found) == ["last"]
    assert found.days[0].days >= 3


def test_a_weekday_that_fails_more_often_is_told():
    runs = [ran(day, failed=weekday(day * DAY_S) == 4 and day % 3 != 0) for day in DAYS]
    (friday,) = told(runs).days
    assert friday.kind == "friday"
    assert friday.failed == sum(run.state is RunState.FAILED for run in runs) > 5


def test_three_bad_mondays_of_fifteen_may_be_chance():
    bad = {DAYS[0], DAYS[7], DAYS[14], DAYS[3], DAYS[19], DAYS[40], DAYS[65]}
    assert kinds(told([ran(day, failed=day in bad) for day in DAYS])) == []


def test_durations_that_scatter_are_no_calendar():
    """From one to seven times as long, whatever the day."""
    runs = [ran(day, took_s=(1 + day * 37 % 61 / 10) * 10 * MIN_S) for day in DAYS]
    assert kinds(told(runs)) == []


def test_one_day_with_many_runs_is_one_day():
    """Of a pipeline that runs each half hour four days are kept: one Monday is no habit."""
    runs = []
    for half in range(4 * 48):
        day, hour = DAYS[0] + half // 48, half % 48 / 2
        is_bad = half < 48
        runs.append(
            ran(day, hour, 20 * MIN_S if is_bad else 10 * MIN_S, failed=is_bad and half % 2)
        )
    assert kinds(told(runs)) == []


# --- tasks ----------------------------------------------------------------------------------------

FETCH, SUMS = TaskKey("air", "load", "fetch"), TaskKey("air", "load", "sums")


def a_try(task, run, attempt, at_s, took_s=60.0, state=RunState.SUCCEEDED):
    return TaskRun(task, run, attempt, state, at_s, None if took_s is None else at_s + took_s)


def test_each_task_has_its_own_durations_failures_and_start():
    began = {"a": 1_000.0, "b": 5_000.0}
    tries = [
        a_try(SUMS, "a", 1, 1_300.0, 100.0),
        a_try(SUMS, "b", 1, 5_300.0, 300.0),
        a_try(FETCH, "a", 1, 1_010.0, 999.0, RunState.FAILED),
        a_try(FETCH, "a", 2, 1_200.0, 60.0),
        a_try(FETCH, "b", 1, 5_010.0, 80.0),
        a_try(FETCH, "c", 1, 9_000.0, None, RunState.RUNNING),
    ]
    fetch, sums = task_profiles(tries, began)
    assert (fetch.task, fetch.runs, fetch.tries, fetch.failed) == (FETCH, 2, 3, 1)
    assert (fetch.retried, sums.retried) == (1, 0)
    assert fetch.took == Spread(70.0, 80.0)
    assert fetch.after == Spread(10.0, 10.0)
    assert (sums.task, sums.runs, sums.tries, sums.failed) == (SUMS, 2, 2, 0)
    assert sums.took == Spread(200.0, 300.0)
    assert sums.after == Spread(300.0, 300.0)


def test_of_a_run_that_tells_its_last_try_alone_it_shows_that_there_were_more():
    tries = [a_try(FETCH, "a[0]", 3, 50.0), a_try(FETCH, "a[1]", 2, 50.0)]
    tries.append(a_try(FETCH, "b", 1, 70.0))
    (fetch,) = task_profiles(tries, {"a": 10.0, "b": 60.0})
    assert (fetch.runs, fetch.tries, fetch.failed, fetch.retried) == (2, 3, 0, 1)
    assert fetch.after == Spread(10.0, 10.0)  # of no first try, but for one


def test_instances_of_a_mapped_task_are_of_one_run():
    tries = [a_try(FETCH, f"a[{n}]", 1, 1_000.0 + n) for n in range(5)]
    tries.append(a_try(FETCH, "b[x]", 1, 7_000.0))
    (fetch,) = task_profiles(tries, {"a": 990.0, "b[x]": 6_000.0})
    assert (fetch.runs, fetch.tries) == (2, 6)
    assert fetch.after == Spread(12.5, 1_000.0)


def test_what_never_ended_is_no_task_that_is_known():
    waits = a_try(FETCH, "a", 1, 5.0, None, RunState.QUEUED)
    skipped = a_try(SUMS, "a", 1, 5.0, 1.0, RunState.SKIPPED)
    assert task_profiles([waits, skipped], {}) == ()
