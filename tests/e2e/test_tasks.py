"""Programs run on swarm's worker and survive its death: command line, HTTP and SDK."""

import sys

import pytest

from swarm.client import ApiError, Client, Unauthorized
from tests.actors.test_slot import alive
from tests.e2e.test_up import actor_process, eventually
from tests.unit.documents import ROOT

pytestmark = pytest.mark.parametrize("swarm", ["shared"], indirect=True)
ENDED = ("succeeded", "failed", "cancelled", "parked")


def story(swarm, task):
    """The task once readers see it."""

    def look():
        try:
            return swarm.client.task(task)
        except ApiError as error:
            if error.status != 404:
                raise
            return None

    return eventually(look)


def in_state(swarm, task, *states):
    return eventually(lambda: (found := story(swarm, task))["state"] in states and found)


def printed(swarm, task, text):
    """Output comes after the end, and the API waits for some seconds only."""
    eventually(lambda: swarm.client.output(task) == text)


def test_a_program_runs_and_prints(swarm):
    ran = swarm.cli("tasks", "run", "sh", "--", "-c", "echo one; sleep 1; echo two; exit 3")
    assert (ran.returncode, ran.stdout) == (1, "one\ntwo\n")
    assert "failed under grant 1: exit code 3" in ran.stderr


def test_a_function_is_called_and_its_result_kept(swarm, tmp_path):
    (tmp_path / "jobs.py").write_text(
        "def load(day, context):\n    print('loading', day)\n    return [day, context.grant]\n"
    )
    call = {"path": "jobs:load", "args": {"day": "monday"}}
    (task,) = swarm.client.submit([{"call": call, "cwd": str(tmp_path)}])
    assert in_state(swarm, task, *ENDED)["result"] == ["monday", 1]
    printed(swarm, task, b"loading monday\n")
    assert 'returned ["monday", 1]' in swarm.cli("tasks", "get", task).stdout
    (bad,) = swarm.client.submit([{"call": {"path": "jobs:nothing"}, "cwd": str(tmp_path)}])
    ended = in_state(swarm, bad, *ENDED)
    assert (ended["state"], ended["result"]) == ("failed", None)
    assert "has no function nothing" in ended["story"][-1]["text"]


def test_many_tasks_and_the_same_ones_again(swarm):
    tasks = [{"argv": ["sh", "-c", f"echo {n}"], "team": f"team{n % 3}"} for n in range(30)]
    ids = swarm.client.submit(tasks, idempotency_key="nightly")
    assert swarm.client.submit(tasks, idempotency_key="nightly") == ids
    for number, task in enumerate(ids):
        assert in_state(swarm, task, *ENDED)["state"] == "succeeded"
        printed(swarm, task, f"{number}\n".encode())
    with pytest.raises(ApiError, match="handed in before with another body") as refused:
        swarm.client.submit([{"argv": ["false"]}], idempotency_key="nightly")
    assert (refused.value.status, refused.value.code) == (409, "different-body")


def test_bad_submissions_say_what_to_change(swarm):
    for task, words in (
        ({"argv": []}, "argv"),
        ({"argv": ["true"], "cpus": 2}, "cpus"),
        ({"argv": ["true"], "effects": "maybe"}, "'unsafe'"),
    ):
        with pytest.raises(ApiError, match=words) as refused:
            swarm.client.submit([task])
        assert refused.value.status == 422


def test_a_task_says_why_it_waits_and_can_be_cancelled(swarm):
    large = {"argv": ["true"], "cpu": 64}
    eventually(swarm.client.workers)
    with pytest.raises(ApiError, match="the largest has `cpu` 2") as refused:
        swarm.client.submit([large])
    assert (refused.value.status, refused.value.code) == (422, "no-capacity")
    (task,) = swarm.client.submit([large | {"wait_for_capacity": True}])
    found = eventually(lambda: (f := story(swarm, task))["waiting"] and f)
    assert found["waiting"] == "too_large"
    assert "no worker that could run it is as large as 64 CPU" in found["waiting_text"]
    assert "too large" not in swarm.cli("tasks", "get", task).stderr
    swarm.cli("tasks", "cancel", task)
    assert in_state(swarm, task, "cancelled")["waiting"] is None
    (running,) = swarm.client.submit([{"argv": ["sleep", "300"]}])
    in_state(swarm, running, "running")
    swarm.client.cancel(running)
    assert in_state(swarm, running, *ENDED)["state"] == "cancelled"


def test_a_task_outlives_its_worker_under_the_same_attempt(swarm):
    code = "[ $SWARM_GRANT = 2 ] || { sleep 300 & echo $$ $!; sleep 300; }"
    (task,) = swarm.client.submit([{"argv": ["sh", "-c", code]}])
    in_state(swarm, task, "running")
    first = eventually(lambda: swarm.client.output(task, grant=1)).split()
    actor_process(swarm, "WorkerActor").kill()
    ended = in_state(swarm, task, *ENDED)
    assert (ended["state"], ended["grant"]) == ("succeeded", 2)
    words = [line["text"].partition(" to worker")[0] for line in ended["story"]]
    assert words[:6] == [
        "handed in by team default",
        "grant 1",
        "grant 1 runs",
        "grant 1 lost: process_exit",
        "may run again",
        "grant 2",
    ]
    left = [pid for pid in map(int, first) if alive(pid)]
    assert left == [], "the first try, or what it had started, still runs"


def test_a_running_task_does_not_notice_that_the_dispatcher_died(swarm, tmp_path):
    code = f"until [ -e {tmp_path}/go ]; do sleep 0.1; done; echo still here"
    (task,) = swarm.client.submit([{"argv": ["sh", "-c", code]}])
    in_state(swarm, task, "running")
    actor_process(swarm, "DispatcherActor").kill()
    (later,) = swarm.client.submit([{"argv": ["true"]}])
    assert in_state(swarm, later, *ENDED)["state"] == "succeeded"
    (tmp_path / "go").touch()
    ended = in_state(swarm, task, *ENDED)
    assert (ended["state"], ended["grant"]) == ("succeeded", 1), ended["story"]
    printed(swarm, task, b"still here\n")


def test_a_task_may_ask_for_memory(swarm):
    (task,) = swarm.client.submit([{"argv": ["true"], "memory_bytes": 50_000_000}])
    assert in_state(swarm, task, *ENDED)["state"] == "succeeded"


def test_output_is_followed_until_the_end(swarm):
    (task,) = swarm.client.submit([{"argv": ["sh", "-c", "echo one; sleep 1; seq 400000"]}])
    followed = swarm.cli("tasks", "logs", "-f", task)
    whole = "one\n" + "".join(f"{number}\n" for number in range(1, 400_001))
    assert (followed.returncode, followed.stdout) == (0, whole)
    printed(swarm, task, whole.encode())


def test_a_drained_worker_gets_nothing_new_and_its_successor_does(swarm):
    (worker,) = eventually(lambda: len(found := swarm.client.workers()) == 1 and found)
    swarm.client.drain(worker["worker"])
    eventually(lambda: swarm.client.workers()[0]["draining"])
    (task,) = swarm.client.submit([{"argv": ["true"]}])
    found = eventually(lambda: (f := story(swarm, task))["waiting"] and f)
    assert found["waiting"] == "draining"
    assert "drains" in swarm.cli("workers", "ls").stdout
    actor_process(swarm, "WorkerActor").kill()
    assert in_state(swarm, task, *ENDED)["state"] == "succeeded"


def test_a_task_calls_swarm_by_a_token_for_its_grant_alone(swarm):
    """Its own token opens while it runs, for itself; afterwards, nothing."""
    program = (
        "import os, swarm\n"
        "me = os.environ['SWARM_TASK']\n"
        "print(open(os.environ['SWARM_TOKEN_FILE']).read())\n"
        "with swarm.Client() as client:\n"
        "    print(client.task(me)['state'])\n"
        "    try:\n"
        "        list(client.pipelines())\n"
        "    except swarm.client.Forbidden as error:\n"
        "        print(error.code)\n"
    )
    task = {"argv": [sys.executable, "-c", program], "api": True, "env": {"PYTHONPATH": str(ROOT)}}
    (id_,) = swarm.client.submit([task])
    assert in_state(swarm, id_, *ENDED)["state"] == "succeeded", swarm.client.output(id_)
    token, state, code = eventually(lambda: swarm.client.output(id_)).decode().split()
    assert (state in ("leased", "running"), code) == (True, "forbidden")

    def refused():
        """The API hears of the end of a grant a moment after those who read its story."""
        try:
            late.task(id_)
        except Unauthorized as error:
            return error

    with Client(swarm.url, token, retry_for_s=0.0) as late:
        assert eventually(refused).code == "attempt-over"
