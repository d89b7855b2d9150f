"""After the loss of a worker Airflow's row decides."""

from dataclasses import replace

import pytest

from swarm.plugins.airflow.book import Held
from swarm.plugins.airflow.losses import Row, Verdict, after_loss

HELD = Held("swarm-1", "key", "row", attempt=1, fresh_s=0.0)
ROW = Row("running", attempt=1, external_id="swarm-1", job=7)


@pytest.mark.parametrize(
    ("state", "verdict"),
    [
        ("running", "again"),
        ("queued", "again"),
        ("success", "succeeded"),
        ("skipped", "succeeded"),
        ("deferred", "succeeded"),
        ("up_for_reschedule", "succeeded"),
        ("scheduled", "succeeded"),
        ("failed", "failed"),
        ("up_for_retry", "failed"),
        ("restarting", "cancelled"),
        ("removed", "cancelled"),
        (None, "cancelled"),
    ],
)
def test_a_task_runs_again_only_if_airflow_has_no_end_of_it(state, verdict):
    assert after_loss(replace(ROW, state=state), HELD, job=7).value == verdict


@pytest.mark.parametrize(
    "row",
    [None, replace(ROW, attempt=2), replace(ROW, external_id="swarm-2")],
    ids=["cleared", "the next try", "queued again"],
)
def test_a_try_that_airflow_has_left_behind_does_not_run_again(row):
    assert after_loss(row, HELD, job=7) is Verdict.CANCELLED


def test_only_the_scheduler_that_has_the_task_moves_it():
    assert after_loss(ROW, HELD, job=8) is Verdict.FORGET
