"""How a flow run becomes a task of swarm. Pure: values in, the body of a submission out."""

import re
import shlex
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

# Of the Prefect worker's own environment; all else comes from the job's variables.
_INHERITED = ("PATH", "HOME", "USER", "LANG", "LC_ALL", "TZ", "PYTHONPATH", "PREFECT_HOME")
# Whichever Prefect worker hands a run in, it is the same task.
_OF_ONE_WORKER = frozenset({"PREFECT__WORKER_ID", "PREFECT__WORKER_NAME"})
_SUPERVISOR = "swarm.plugins.prefect.supervisor"
_ID = re.compile(r"prefect:([0-9a-f-]{36}):[0-9a-f]+")
_NOT_IN_NAMES = re.compile(r"[^\w.:/@-]")


@dataclass(frozen=True, slots=True)
class Wanted:
    """What the job's variables ask of swarm, see `worker.SwarmVariables`."""

    team: str = "default"
    effects: str = "unsafe"
    sla: str = "standard"
    worker_pool: str = ""
    cpu: float = 1.0
    memory_mb: int = 0
    wait_for_capacity: bool = False
    working_dir: str = ""


@dataclass(frozen=True, slots=True)
class FlowRun:
    """A flow run as the Prefect worker got it. `state_id` is that of its Scheduled state: what was
    scheduled once is one task, whoever submits it; scheduled again it is another."""

    id: str
    name: str
    state_id: str
    run_count: int


def owner_of(work_pool: str) -> str:
    """Who follows the tasks of a work pool: any Prefect worker of it."""
    return "prefect:" + _NOT_IN_NAMES.sub("_", work_pool)[:190]


def task_id(run: FlowRun) -> str:
    return f"prefect:{run.id}:{run.state_id.replace('-', '')[:12]}"


def flow_run_of(task: str) -> str | None:
    """The flow run that a task is of; None when it is none of this plug-in."""
    found = _ID.fullmatch(task)
    return found.group(1) if found else None


def task_body(
    run: FlowRun,
    wanted: Wanted,
    command: str,
    env: Mapping[str, str],
    inherited: Mapping[str, str],
) -> dict[str, Any]:
    """The submission. `command` is the job's own, empty for Prefect's engine; `env` the job's
    variables, `inherited` the environment of the Prefect worker."""
    environ = {name: inherited[name] for name in _INHERITED if name in inherited}
    environ |= {name: value for name, value in env.items() if name not in _OF_ONE_WORKER}
    if wanted.working_dir:
        environ["SWARM_PREFECT_DIR"] = wanted.working_dir
    return {
        "id": task_id(run),
        "subject": run.name,
        "attempt": run.run_count + 1,
        "team": wanted.team,
        "argv": [sys.executable, "-m", _SUPERVISOR, *_command(command)],
        "env": environ,
        "clean_env": True,
        "rearm": "self",
        "effects": wanted.effects,
        "sla": wanted.sla,
        "pool": wanted.worker_pool,
        "cpu": wanted.cpu,
        "memory_bytes": wanted.memory_mb * 2**20,
        "wait_for_capacity": wanted.wait_for_capacity,
        **_part_of(run, env, inherited),
    }


def _part_of(run: FlowRun, env: Mapping[str, str], inherited: Mapping[str, str]) -> dict[str, str]:
    """Of which pipeline it is a run, where it has a deployment. One that ran before has begun."""
    flow, deployment = env.get("PREFECT__FLOW_NAME"), env.get("PREFECT__DEPLOYMENT_NAME")
    if not (flow and deployment):
        return {}
    orchestrator = inherited.get("SWARM_ORCHESTRATOR", "prefect")
    pipeline = f"{orchestrator}/{flow}/{deployment}"
    return {"pipeline": pipeline, "run": "" if run.run_count else run.id}


def _command(command: str) -> list[str]:
    """With the interpreter of this environment in place of a bare `python` or `prefect`."""
    words = shlex.split(command)
    if words[:1] == ["prefect"]:
        return [sys.executable, "-m", *words]
    if words[:1] == ["python"]:
        return [sys.executable, *words[1:]]
    return words
