"""What Prefect's answers mean, as values of swarm. Pure: answers in, values out.

A pipeline is a deployment, by the name Prefect shows: `flow/deployment`. A task is a Prefect task
by its name; what the flow's own body does belongs to a task named as the flow. A run of a flow
that no deployment started belongs to the flow's only deployment, if it has one.

Every mapping reads untyped answers and may raise `KeyError`, `TypeError`, `AttributeError` or
`ValueError` when an answer is not shaped like Prefect's; the caller turns these into one error.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from swarm.connectors.payloads import Payload, Payloads
from swarm.lineage.naming import dataset_from_url
from swarm.model.keys import PipelineKey, TaskKey
from swarm.model.lineage import Access, Channel, Evidence, Unresolved
from swarm.model.pipelines import Cron, Pipeline, Pool
from swarm.model.runs import Run, RunState, TaskRun
from swarm.sequencing.crons import cron

_STATES = {
    "SCHEDULED": RunState.QUEUED,
    "PENDING": RunState.QUEUED,
    "RUNNING": RunState.RUNNING,
    "PAUSED": RunState.RUNNING,
    "CANCELLING": RunState.RUNNING,
    "COMPLETED": RunState.SUCCEEDED,
    "FAILED": RunState.FAILED,
    "CRASHED": RunState.FAILED,
    "CANCELLED": RunState.CANCELLED,
}
_KEY_SUFFIX = re.compile(r"-(?:[0-9a-f]{3}|\d+)$")
_HASH_SUFFIX = re.compile(r"-[0-9a-f]{8}$")


@dataclass(frozen=True, slots=True)
class Deployment:
    """Where a deployment's program is; `entrypoint` is as Prefect has it, mostly `file.py:flow`."""

    pipeline: Pipeline
    flow: str
    path: str
    entrypoint: str


@dataclass(frozen=True, slots=True)
class Definitions:
    """All deployments by id; `by_flow` has the deployments of a flow, `flows` names by id."""

    instance: str
    deployments: Mapping[str, Deployment] = field(default_factory=dict)
    by_flow: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    flows: Mapping[str, str] = field(default_factory=dict)

    def deployment_of(self, deployment_id: object, flow_id: object) -> Deployment | None:
        """The deployment that a run belongs to, also where none started it."""
        found = self.deployments.get(str(deployment_id))
        if found is not None or deployment_id is not None:
            return found
        alone = self.by_flow.get(str(flow_id), ())
        return self.deployments[alone[0]] if len(alone) == 1 else None


def define(instance: str, flows: Iterable[Payload], deployments: Iterable[Payload]) -> Definitions:
    """Put flows and deployments together."""
    names = {str(flow["id"]): str(flow["name"]) for flow in flows}
    found: dict[str, Deployment] = {}
    by_flow: dict[str, tuple[str, ...]] = {}
    for row in deployments:
        flow = str(row["flow_id"])
        if flow in names:  # else it came after the flows were read: the next reading has both
            found[str(row["id"])] = _deployment(instance, names[flow], row)
            by_flow[flow] = (*by_flow.get(flow, ()), str(row["id"]))
    return Definitions(instance, found, by_flow, names)


def read_definitions(
    payloads: Payloads, flows: list[Payload], rows: list[Payload]
) -> tuple[Definitions, list[Unresolved]]:
    """What flows and deployments define, and what of them is strange. When no flow at all can be
    read it raises what `define` does: that is no Prefect."""
    name = payloads.instance
    known, strange = payloads.sift(flows, lambda row: define(name, [row], ()), "flows")
    if not known:
        define(name, flows, rows)
    flow_names = define(name, known, ()).flows

    def pipeline(row: Payload) -> str:
        flow = flow_names.get(str(row.get("flow_id")))
        return f"{flow}/{row['name']}" if flow and "name" in row else ""

    def read(row: Payload) -> None:
        str(row["id"])
        define(name, known, [row])

    sound, odd = payloads.sift(rows, read, "deployments", pipeline)
    return define(name, known, sound), [*strange, *odd]


def map_capacity(
    payloads: Payloads, pools: list[Payload], queues: list[Payload]
) -> tuple[Pool | Unresolved, ...]:
    """Work pools and their queues, and which of them cannot be read."""
    name = payloads.instance
    sound, strange = payloads.sift(pools, lambda row: map_pools(name, [row], ()), "work pools")
    rows, odd = payloads.sift(queues, lambda row: map_pools(name, (), [row]), "work queues")
    return (*map_pools(name, sound, rows), *strange, *odd)


def _deployment(instance: str, flow: str, row: Payload) -> Deployment:
    tags = sorted(str(tag) for tag in row.get("tags") or ())
    owner = next((tag[5:] for tag in tags if tag.startswith("team:")), "")
    schedules = list(row.get("schedules") or ())
    active = [schedule for schedule in schedules if schedule.get("active", True)]
    pool, queue = row.get("work_pool_name"), row.get("work_queue_name")
    pipeline = Pipeline(
        key=PipelineKey(instance, f"{flow}/{row['name']}"),
        schedule=", ".join(_schedule(schedule["schedule"]) for schedule in active or schedules),
        owner=owner,
        tags=tuple(tags),
        paused=bool(row.get("paused")) or bool(schedules and not active),
        place=f"work pool {pool}/{queue}" if pool else "",
        crons=_crons(active or schedules),
    )
    path, entrypoint = str(row.get("path") or ""), str(row.get("entrypoint") or "")
    return Deployment(pipeline, flow, path, entrypoint)


def _crons(schedules: list[Payload]) -> tuple[Cron, ...]:
    """All starts by the clock; none where one of them is no cron that can be read here."""
    made = []
    for row in schedules:
        told = row["schedule"]
        is_cron = "cron" in told and told.get("day_or", True)
        made.append(
            cron(str(told["cron"]), str(told.get("timezone") or "UTC")) if is_cron else None
        )
    return tuple(one for one in made if one) if all(made) else ()


def _schedule(schedule: Payload) -> str:
    zone = schedule.get("timezone")
    suffix = f" {zone}" if zone and zone != "UTC" else ""
    if "cron" in schedule:
        return f"{schedule['cron']}{suffix}"
    if "rrule" in schedule:
        return f"{schedule['rrule']}{suffix}"
    return f"every {float(schedule['interval']):g} s"


def map_pools(
    instance: str, pools: Iterable[Payload], queues: Iterable[Payload]
) -> tuple[Pool, ...]:
    """Work pools as `pool`, their queues as `pool/queue`."""
    found = [_pool(instance, str(row["name"]), row) for row in pools]
    for row in queues:
        name = (
            f"{row['work_pool_name']}/{row['name']}" if row.get("work_pool_name") else row["name"]
        )
        found.append(_pool(instance, str(name), row))
    return tuple(found)


def _pool(instance: str, name: str, row: Payload) -> Pool:
    limit = row.get("concurrency_limit")
    return Pool(
        orchestrator=instance,
        name=name,
        slots=None if limit is None else int(limit),
        running=int(row.get("active_slots") or 0),
        paused=bool(row.get("is_paused")),
    )


def map_run(definitions: Definitions, row: Payload) -> Run | None:
    """A flow run; `None` for a subflow, and for a run of a flow that has not one deployment."""
    deployment = definitions.deployment_of(row["deployment_id"], row["flow_id"])
    if deployment is None or row.get("parent_task_run_id"):
        return None
    is_running = str(row["state_type"]) in ("RUNNING", "CANCELLING")
    return Run(
        pipeline=deployment.pipeline.key,
        run_id=str(row["id"]),
        state=_STATES.get(str(row["state_type"]), RunState.UNKNOWN),
        scheduled_for_s=epoch_s(row.get("expected_start_time")),
        started_at_s=epoch_s(row.get("start_time")),
        ended_at_s=epoch_s(row.get("end_time")),
        process=process_of(row) if is_running else "",
    )


def process_of(row: Payload) -> str:
    """What runs a flow run: its process worker tells the server a process id, mostly no host."""
    pid = str(row.get("infrastructure_pid") or "").rpartition(":")[2]
    return f"{row['id']}@{pid}" if pid else ""


def map_task_run(pipeline: PipelineKey, row: Payload) -> TaskRun:
    """The newest try of a task; Prefect keeps times of no other."""
    return TaskRun(
        task=TaskKey(pipeline.orchestrator, pipeline.name, task_name(row)),
        run_id=str(row["flow_run_id"]),
        attempt=max(1, int(row.get("run_count") or 0)),
        state=_STATES.get(str(row["state_type"]), RunState.UNKNOWN),
        started_at_s=epoch_s(row.get("start_time")),
        ended_at_s=epoch_s(row.get("end_time")),
    )


def task_name(row: Payload) -> str:
    """The name of a task from its run, which is `name-key` unless the team names its runs.

    Then only the task's key tells: the name of its function and a hash.
    """
    name, key = str(row["name"]), str(row.get("dynamic_key") or "")
    for suffix in (f"-{key[:3]}", f"-{key}"):
        if key and name.endswith(suffix):
            return name.removesuffix(suffix)
    return _HASH_SUFFIX.sub("", str(row["task_key"])).rpartition(".")[2]


@dataclass(frozen=True, slots=True)
class AssetEvent:
    """An asset was written or referenced in a run; ids are empty where the event names none."""

    event_id: str
    occurred_at_s: float
    asset: str
    access: Access
    upstream: tuple[str, ...]
    deployment_id: str
    flow_id: str
    flow_run_id: str
    task_run_id: str
    task_run_name: str


def read_asset_event(event: Payload) -> AssetEvent | None:
    """One `prefect.asset.*` event; `None` for those that say nothing about a run's data."""
    name = str(event["event"])
    if name.startswith("prefect.asset.materialization."):
        access = Access.WRITE
    elif name == "prefect.asset.referenced":
        access = Access.READ
    else:
        return None
    upstream: list[str] = []
    related: dict[str, tuple[str, str]] = {}
    for resource in event["related"]:
        role, key = resource["prefect.resource.role"], str(resource["prefect.resource.id"])
        if role == "asset":
            upstream.append(key)
        else:
            label = str(resource.get("prefect.resource.name", ""))
            related.setdefault(str(role), (key.rpartition(".")[2], label))
    nothing = ("", "")
    return AssetEvent(
        event_id=str(event["id"]),
        occurred_at_s=epoch_s(event["occurred"]) or 0.0,
        asset=str(event["resource"]["prefect.resource.id"]),
        access=access,
        upstream=tuple(upstream),
        deployment_id=related.get("deployment", nothing)[0],
        flow_id=related.get("flow", nothing)[0],
        flow_run_id=related.get("flow-run", nothing)[0],
        task_run_id=related.get("task-run", nothing)[0],
        task_run_name=related.get("task-run", nothing)[1],
    )


def map_asset_event(deployment: Deployment, event: AssetEvent, task: str) -> Iterator[Evidence]:
    """What the event says of `task` (its name; empty: the event's own name for it)."""
    name = task or _KEY_SUFFIX.sub("", event.task_run_name) or deployment.flow
    key = deployment.pipeline.key
    seen = [(event.access, event.asset), *((Access.READ, before) for before in event.upstream)]
    for access, asset in seen:
        yield Evidence(
            task=TaskKey(key.orchestrator, key.name, name),
            access=access,
            dataset=dataset_from_url(asset),
            channel=Channel.DECLARED,
            observed_at_s=event.occurred_at_s,
            place=f"asset {event.asset}",
            excerpt=asset,
        )


def epoch_s(text: object) -> float | None:
    """Seconds since the epoch of an ISO time."""
    return None if text is None else datetime.fromisoformat(str(text)).timestamp()
