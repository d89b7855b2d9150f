"""What swarm is asked to run for a task of Airflow."""

from types import SimpleNamespace
from typing import Any

import pytest

from swarm.api.task_schemas import TaskBody
from swarm.model.work import TaskId
from swarm.plugins.airflow.asked import (
    Asked,
    BadNeeds,
    Program,
    body,
    environment,
    needs,
    of_instance,
)
from swarm.plugins.airflow.settings import Settings

SETTINGS = Settings("http://swarm", "secret", queue_pools={"big": "large-machines"})
PROGRAM = Program(["python", "{SWARM_FILES}/x"], {"A": "b"}, {"x": "text"})
ASKED = Asked("id-1", "dag.task manual__2026-11-22T10:00:00+00:00", 2, "owner")


def test_the_body_is_what_the_api_takes():
    sent = body(ASKED, PROGRAM, SETTINGS)
    taken = TaskBody.model_validate(sent)
    assert taken.model_dump(mode="json", exclude_unset=True) == sent
    assert (taken.attempt, taken.rearm, taken.effects) == (2, "owner", "unsafe")
    assert taken.clean_env


def asked_of(run: str) -> dict[str, Any]:
    key = SimpleNamespace(dag_id="dag", task_id="t", run_id=run, map_index=3)
    return body(of_instance("id-1", key, 1, None, None), PROGRAM, SETTINGS, 600.0)


def test_a_task_instance_is_part_of_a_run_that_may_be_held():
    sent = asked_of("scheduled__2026-11-22T00:00:00+00:00")
    taken = TaskBody.model_validate(sent)
    assert (taken.pipeline, taken.run) == ("airflow/dag", "scheduled__2026-11-22T00:00:00+00:00")
    assert (taken.queue_wait_max_s, taken.sla) == (600.0, "standard")
    assert taken.subject == "dag.t[3] scheduled__2026-11-22T00:00:00+00:00"
    assert taken.submission(TaskId("id-1"), "digest", 0.0).part == "t"
    assert taken.rearm == "owner"


def test_what_a_backfill_runs_is_patient():
    assert asked_of("backfill__2026-11-22T00:00:00+00:00")["sla"] == "backfill"


def test_needs_come_from_the_executor_config():
    wanted = {"cpu": 0.5, "memory_bytes": 2**30, "effects": "idempotent"}
    asked = Asked("id-1", "t", 1, "owner", executor_config={"swarm": wanted, "KubernetesPod": {}})
    assert wanted.items() <= body(asked, PROGRAM, SETTINGS).items()
    assert needs({"KubernetesPod": {}}) == needs(None) == needs({}) == {}


@pytest.mark.parametrize(
    ("config", "words"),
    [
        ({"swarm": {"memory": 1}}, "no key 'memory': did you mean 'memory_bytes'"),
        ({"swarm": {"argv": ["rm"]}}, "no key 'argv': it has cpu"),
        ({"swarm": 4}, "is a int: it has to be a dictionary"),
    ],
)
def test_needs_that_are_not_there_say_what_to_change(config, words):
    with pytest.raises(BadNeeds, match=words):
        needs(config)


@pytest.mark.parametrize(("queue", "pool"), [("big", "large-machines"), ("default", None)])
def test_a_queue_is_a_pool_only_where_it_is_set(queue, pool):
    asked = Asked("id-1", "t", 1, "owner", queue=queue)
    assert body(asked, PROGRAM, SETTINGS).get("pool") == pool


def test_tasks_get_airflows_environment_without_what_opens_its_database():
    environ = {
        "AIRFLOW_HOME": "/srv/airflow",
        "AIRFLOW_CONN_LAKE": "sqlite:///lake",
        "AIRFLOW__CORE__DAGS_FOLDER": "/srv/dags",
        "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": "postgresql://airflow:pw@db",
        "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN_CMD": "cat secret",
        "AIRFLOW__API_AUTH__JWT_SECRET": "s",
        "AIRFLOW__CORE__FERNET_KEY": "f",
        "AIRFLOW__SWARM__TOKEN_FILE": "/etc/swarm/token",
        "PATH": "/bin",
        "AWS_PROFILE": "team",
        "OTHER": "x",
    }
    told = environment(environ, ["AWS_PROFILE"], secrets=False)
    assert told == {
        "AIRFLOW_HOME": "/srv/airflow",
        "AIRFLOW_CONN_LAKE": "sqlite:///lake",
        "AIRFLOW__CORE__DAGS_FOLDER": "/srv/dags",
        "PATH": "/bin",
        "AWS_PROFILE": "team",
        "SHLVL": "1",
        "LANG": "C.UTF-8",
    }
    with_secrets = environment(environ, [], secrets=True)
    assert with_secrets["AIRFLOW__CORE__FERNET_KEY"] == "f"
    assert "AIRFLOW__SWARM__TOKEN_FILE" not in with_secrets
