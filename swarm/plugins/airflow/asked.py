"""What swarm is asked to run for a task of Airflow: its needs, its environment, its body."""

import difflib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from swarm.plugins.airflow.settings import Settings

FILE = "workload.json"
_NEEDS = (
    "cpu",
    "memory_bytes",
    "gpu",
    "capability",
    "capacity",
    "pool",
    "effects",
    "sla",
    "deadline_s",
    "expected_duration_s",
    "timeout_s",
    "team",
)
_KEPT = ("AIRFLOW_", "LC_")
_KEPT_NAMES = frozenset(
    {"HOME", "USER", "LOGNAME", "PATH", "LANG", "TZ", "TMPDIR", "PYTHONPATH", "VIRTUAL_ENV"}
)
# A task of Airflow 3 talks to the API server alone: what opens the database stays here.
_SERVER_SECRETS = (
    "AIRFLOW__DATABASE__",
    "AIRFLOW__API_AUTH__",
    "AIRFLOW__CORE__FERNET_KEY",
    "AIRFLOW__API__SECRET_KEY",
    "AIRFLOW__WEBSERVER__SECRET_KEY",
    "AIRFLOW__CELERY",
)
_SWARM = "AIRFLOW__SWARM__"
_BACKFILL = "backfill__"  # so Airflow names the runs of one


class BadNeeds(ValueError):
    """`executor_config` asks for something that is not there; the message says what to change."""


@dataclass(frozen=True, slots=True)
class Program:
    """What is run: `files` are written for the task alone, whatever `env` holds is all it has."""

    argv: Sequence[str]
    env: Mapping[str, str]
    files: Mapping[str, str]


def needs(executor_config: object) -> dict[str, Any]:
    """What a task wants of its worker: `executor_config={"swarm": {"cpu": 2, ...}}`.

    The values are judged by swarm's API. Raises `BadNeeds`.
    """
    if not isinstance(executor_config, Mapping) or "swarm" not in executor_config:
        return {}
    wanted = executor_config["swarm"]
    if not isinstance(wanted, Mapping):
        raise BadNeeds(
            f"executor_config['swarm'] is a {type(wanted).__name__}: it has to be a "
            f"dictionary with keys of {', '.join(_NEEDS)}"
        )
    for key in wanted:
        if key not in _NEEDS:
            near = difflib.get_close_matches(str(key), _NEEDS, n=1)
            meant = f"did you mean {near[0]!r}?" if near else f"it has {', '.join(_NEEDS)}"
            raise BadNeeds(f"executor_config['swarm'] has no key {key!r}: {meant}")
    return dict(wanted)


def environment(
    environ: Mapping[str, str], also: Sequence[str], *, secrets: bool
) -> dict[str, str]:
    """Of the scheduler's environment what its tasks get; with `secrets` what opens its database
    too, which tasks of Airflow 2 need."""
    kept = {
        name: value
        for name, value in environ.items()
        if (name.startswith(_KEPT) or name in _KEPT_NAMES or name in also)
        and not name.startswith(_SWARM)
        and (secrets or not name.startswith(_SERVER_SECRETS))
    }
    # A shell without a terminal and without this reads its user's profile.
    return {"SHLVL": "1", "LANG": "C.UTF-8"} | kept


@dataclass(frozen=True, slots=True)
class Asked:
    """One task as Airflow queued it."""

    id: str
    subject: str
    attempt: int
    rearm: str
    queue: str | None = None
    executor_config: object = None
    part_of: tuple[str, str] | None = None  # DAG and run


def of_instance(
    id_: str, key: Any, attempt: int, queue: str | None, executor_config: object
) -> Asked:
    """A task instance, whose loss Airflow has to be asked about."""
    mapped = f"[{key.map_index}]" if key.map_index >= 0 else ""
    subject = f"{key.dag_id}.{key.task_id}{mapped} {key.run_id}"
    part_of = str(key.dag_id), str(key.run_id)
    return Asked(id_, subject, attempt, "owner", queue, executor_config, part_of)


def body(
    asked: Asked, program: Program, settings: Settings, queue_max_s: float = 0.0
) -> dict[str, Any]:
    """The task as swarm's API takes it; Airflow lets it wait for `queue_max_s`. Raises
    `BadNeeds`."""
    found: dict[str, Any] = {
        "id": asked.id,
        "subject": asked.subject,
        "attempt": asked.attempt,
        "owner": settings.owner,
        "team": settings.team,
        "rearm": asked.rearm,
        "argv": list(program.argv),
        "env": dict(program.env),
        "files": dict(program.files),
        "clean_env": True,
    }
    if asked.part_of is not None:
        dag, run = asked.part_of
        found["pipeline"] = f"{settings.orchestrator}/{dag}"
        found["run"] = run
        found["queue_wait_max_s"] = queue_max_s
        if run.startswith(_BACKFILL):
            found["sla"] = "backfill"
    if asked.queue in settings.queue_pools:
        found["pool"] = settings.queue_pools[asked.queue]
    return found | needs(asked.executor_config)
