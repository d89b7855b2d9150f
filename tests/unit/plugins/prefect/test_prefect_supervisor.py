"""What a flow run's process does when its worker was lost before."""

import pytest

from swarm.plugins.prefect.server import headers
from swarm.plugins.prefect.supervisor import Next, exit_code, next_step


def run(kind, name=""):
    return {"state": {"type": kind, "name": name or kind.capitalize()}}


@pytest.mark.parametrize("kind", ["COMPLETED", "FAILED", "CRASHED", "CANCELLED"])
def test_what_has_ended_is_never_run_again(kind):
    assert next_step(1, run(kind)) is next_step(2, run(kind)) is Next.NOTHING


@pytest.mark.parametrize("kind", ["SCHEDULED", "PENDING", "RUNNING"])
def test_a_first_grant_starts(kind):
    assert next_step(1, run(kind)) is Next.START


def test_a_lost_run_starts_again_as_the_same_try_if_it_had_begun():
    assert next_step(2, run("RUNNING")) is Next.START_AGAIN
    assert next_step(3, run("RUNNING", "Retrying")) is Next.START_AGAIN
    assert next_step(2, run("PENDING")) is Next.START
    assert next_step(2, run("SCHEDULED", "AwaitingRetry")) is Next.START


def test_a_suspended_run_waits_for_whoever_resumes_it():
    assert next_step(2, run("PAUSED", "Suspended")) is Next.NOTHING
    assert next_step(1, run("PAUSED", "Suspended")) is Next.START


def test_a_run_to_be_cancelled_is_not_begun():
    assert next_step(1, run("CANCELLING")) is next_step(2, run("CANCELLING")) is Next.CANCEL


def test_exit_codes_are_those_of_a_shell():
    assert [exit_code(code) for code in (0, 3, -9)] == [0, 3, 137]


def test_credentials_are_sent_as_prefect_sends_them():
    assert headers({"PREFECT_API_KEY": "k"})["Authorization"] == "Bearer k"
    both = headers({"PREFECT_API_KEY": "k", "PREFECT_API_AUTH_STRING": "admin:pass"})
    assert both["Authorization"] == "Basic YWRtaW46cGFzcw=="
    assert headers({"PREFECT_CLIENT_CUSTOM_HEADERS": '{"X-Team": "data"}'})["X-Team"] == "data"
    assert "Authorization" not in headers({})
