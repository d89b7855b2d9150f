"""What swarm is asked for a flow run."""

import sys

from swarm.plugins.prefect.tasks import FlowRun, Wanted, flow_run_of, owner_of, task_body, task_id

ID = "0190aaaa-0000-7000-8000-000000000001"
RUN = FlowRun(ID, "brave-otter", "0190bbbb-0000-7000-8000-000000000002", 2)


def body(wanted=None, command="", env=None, inherited=None):
    return task_body(RUN, wanted or Wanted(), command, env or {}, inherited or {})


def test_a_flow_moves_only_on_proof_unless_its_deployment_says_otherwise():
    assert (body()["effects"], body()["rearm"]) == ("unsafe", "self")
    assert body(Wanted(effects="idempotent"))["effects"] == "idempotent"


def test_what_was_scheduled_once_is_one_task_and_scheduled_again_another():
    assert task_id(RUN) == task_id(FlowRun(ID, "other name", RUN.state_id, 0))
    assert task_id(RUN) != task_id(FlowRun(ID, RUN.name, ID, 2))


def test_the_flow_run_of_a_task_is_found_again():
    assert flow_run_of(task_id(RUN)) == ID
    assert flow_run_of("dagster:x:0") is None


def test_a_try_is_prefect_s_and_no_grant():
    assert body()["attempt"] == 3


def test_only_what_a_program_needs_comes_from_the_worker_s_environment():
    found = body(env={"A": "1"}, inherited={"PATH": "/bin", "AWS_SECRET": "x"})
    assert (found["env"], found["clean_env"]) == ({"PATH": "/bin", "A": "1"}, True)


def test_the_body_is_the_same_whichever_worker_hands_it_in():
    one = body(env={"PREFECT__WORKER_ID": "1", "PREFECT__WORKER_NAME": "a"})
    assert one == body(env={"PREFECT__WORKER_ID": "2", "PREFECT__WORKER_NAME": "b"})


def test_a_run_of_a_deployment_may_be_held_and_one_that_ran_before_may_not():
    env = {"PREFECT__FLOW_NAME": "nightly", "PREFECT__DEPLOYMENT_NAME": "main"}
    first = FlowRun(ID, "brave-otter", RUN.state_id, 0)
    fresh = task_body(first, Wanted(), "", env, {"SWARM_ORCHESTRATOR": "team-a"})
    assert (fresh["pipeline"], fresh["run"]) == ("team-a/nightly/main", ID)
    again = body(env=env)
    assert (again["pipeline"], again["run"]) == ("prefect/nightly/main", "")
    assert "pipeline" not in body(env={"PREFECT__FLOW_NAME": "no deployment"})


def test_commands_run_in_this_environment():
    supervisor = [sys.executable, "-m", "swarm.plugins.prefect.supervisor"]
    assert body()["argv"] == supervisor
    assert body(command="prefect flow-run execute")["argv"] == [
        *supervisor,
        *[sys.executable, "-m", "prefect", "flow-run", "execute"],
    ]
    assert body(command="python 'my file.py'")["argv"][3:] == [sys.executable, "my file.py"]
    assert body(command="/usr/bin/env x")["argv"][3:] == ["/usr/bin/env", "x"]


def test_needs_are_in_swarm_s_units():
    found = body(Wanted(cpu=0.5, memory_mb=3, worker_pool="spot"))
    assert (found["cpu"], found["memory_bytes"], found["pool"]) == (0.5, 3 * 2**20, "spot")


def test_owners_are_names_that_swarm_takes():
    assert owner_of("my pool/ü") == "prefect:my_pool/ü"
