"""What swarm is asked for runs and steps of Dagster, and what their log means to them."""

import pytest

from swarm.plugins.dagster.tasks import (
    Access,
    BadTag,
    Ends,
    Job,
    Next,
    has_ended,
    next_step,
    python_of,
    run_of,
    run_task,
    step_task,
    task_body,
)

ACCESS = Access("http://swarm", "secret", ("DB_URL",))
JOB = Job("/bin/python", "{}", "nightly", 1)
START, DONE, FAILED = "STEP_START", "STEP_SUCCESS", "STEP_FAILURE"
AGAIN, RESTARTED = "STEP_UP_FOR_RETRY", "STEP_RESTARTED"


def body(kind="step", tags=None, env=None):
    return task_body("dagster:r:0", kind, JOB, tags or {}, ACCESS, env or {})


def test_a_step_moves_only_on_proof_unless_a_tag_says_otherwise():
    assert "effects" not in body(), "swarm's default is unsafe"
    assert body(tags={"swarm/effects": "idempotent"})["effects"] == "idempotent"
    assert body()["rearm"] == "self"


def test_tags_say_what_it_takes():
    found = body(tags={"swarm/cpu": "0.5", "swarm/memory_mb": "2", "swarm/pool": "spot"})
    assert (found["cpu"], found["memory_bytes"], found["pool"]) == (0.5, 2 * 2**20, "spot")
    with pytest.raises(BadTag, match="swarm/cpu has to be a number, and is 'many'"):
        body(tags={"swarm/cpu": "many"})


def test_only_the_process_of_a_run_gets_the_token_and_nobody_sees_it():
    assert body("run")["files"] == {"args.json": "{}", "token": "secret"}
    assert body("step")["files"] == {"args.json": "{}"}
    assert "secret" not in repr(ACCESS)
    assert "secret" not in str(body("run")["argv"]) + str(body("run")["env"])


def test_only_named_variables_go_along():
    found = body(env={"PATH": "/bin", "DB_URL": "pg://", "AWS_SECRET": "x"})
    assert found["clean_env"]
    assert found["env"] == {
        "PATH": "/bin",
        "DB_URL": "pg://",
        "SWARM_URL": "http://swarm",
        "SWARM_ENV_VARS": "DB_URL",
        "SWARM_ORCHESTRATOR": "dagster",
    }


def test_a_run_may_be_held_and_the_steps_of_one_may_not():
    run = Job("/bin/python", "{}", "nightly r", 1, "nightly", "r", 180.0)
    found = task_body("dagster:r:0", "run", run, {}, ACCESS, {})
    assert (found["pipeline"], found["run"], found["queue_wait_max_s"]) == (
        "dagster/nightly",
        "r",
        180.0,
    )
    step = task_body("dagster:r:s:0", "step", Job("p", "{}", "s", 1, "nightly"), {}, ACCESS, {})
    assert (step["pipeline"], step["run"]) == ("dagster/nightly", "")


def test_what_a_backfill_runs_is_patient_unless_a_tag_says_otherwise():
    assert body(tags={"dagster/backfill": "x"})["sla"] == "backfill"
    assert body(tags={"dagster/backfill": "x", "swarm/sla": "critical"})["sla"] == "critical"
    assert "sla" not in body()


def test_ids_tell_tries_and_steps_apart():
    ids = [
        run_task("r", 0),
        run_task("r", 1),
        step_task("r", "load", 0),
        step_task("r", "load", 1),
        step_task("r", "load[a]", 0),
        step_task("r", "load[b]", 0),
        step_task("r", "load_a_", 0),
    ]
    assert len(set(ids)) == len(ids)
    assert all("/" not in id_ and len(id_) <= 200 for id_ in ids)
    assert run_of(ids[1]) == "r"
    assert [run_of(id_) for id_ in ids[2:]] == [None] * 5


def test_a_run_that_had_begun_is_resumed_and_one_that_is_over_is_left_alone():
    meant = {
        "STARTING": Next.EXECUTE,
        "NOT_STARTED": Next.EXECUTE,
        "STARTED": Next.RESUME,
        "CANCELING": Next.CANCEL,
        "SUCCESS": Next.NOTHING,
        "FAILURE": Next.NOTHING,
        "CANCELED": Next.NOTHING,
    }
    assert {status: next_step(status) for status in meant} == meant


def test_a_step_has_ended_when_its_log_says_so_for_this_try():
    assert not has_ended([(START, "a"), (DONE, "b")], "a", 0)
    assert has_ended([(START, "a"), (DONE, "a")], "a", 0)
    assert has_ended([(FAILED, "a")], "a", 0)
    retried = [(START, "a"), (AGAIN, "a"), (RESTARTED, "a")]
    assert has_ended(retried, "a", 0)
    assert not has_ended(retried, "a", 1)
    assert has_ended([*retried, (AGAIN, "a")], "a", 1)


def test_a_second_end_of_the_same_try_is_repeated():
    ends = Ends()
    log = [(START, "a"), (START, "a"), (AGAIN, "a"), (AGAIN, "a"), (RESTARTED, "a"), (DONE, "a")]
    log += [(DONE, "a"), (FAILED, "a"), (DONE, "b"), ("ENGINE_EVENT", None)]
    repeated = [ends.is_repeated(*event) for event in log]
    assert [event for event, twice in zip(log, repeated, strict=True) if twice] == [
        (AGAIN, "a"),
        (DONE, "a"),
        (FAILED, "a"),
    ]


def test_code_runs_in_its_own_environment():
    assert python_of(None, ["/venv/bin/python", "-m", "dagster"], "x") == "/venv/bin/python"
    assert python_of("/code/python", ["dagster"], "x") == "/code/python"
    assert python_of(None, None, "/here/python") == "/here/python"
