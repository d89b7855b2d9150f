"""Airflow's own processes, and whether its running tries still send heartbeats. Pure.

Airflow 3 keeps a job for each scheduler, DAG processor and triggerer, with its last heartbeat. A
heartbeat of a running try moves its time of change, so the list of what changed, which is read
anyway, shows it. Airflow 2.11 shows neither: only `/health`.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from swarm.connectors.airflow.mapping import seconds
from swarm.connectors.attendance import presence
from swarm.connectors.payloads import Payload
from swarm.model.foreign import ForeignWorker, Presence, RanOn, Role, SeenBy
from swarm.model.runs import TaskRun

SILENT_AFTER_S = 30.0  # Airflow's own default for every kind of job
EVERY_S = 5.0  # the default of both: `job_heartbeat_sec` and `min_heartbeat_interval`
_GAPS = 4.0  # a try is silent after so many of the longest gaps between its heartbeats
_ROLES: Mapping[str, Role] = {
    "SchedulerJob": Role.SCHEDULER,
    "DagProcessorJob": Role.DAG_PROCESSOR,
    "TriggererJob": Role.TRIGGERER,
}
_HEALTH: Mapping[str, Role] = {
    "scheduler": Role.SCHEDULER,
    "dag_processor": Role.DAG_PROCESSOR,
    "triggerer": Role.TRIGGERER,
}


@dataclass(slots=True)
class _Beating:
    """A running try: when its heartbeats came, by the server's clock."""

    run: TaskRun
    heard_s: float
    gap_s: float = EVERY_S


class Attempts:
    """The running tries, by the heartbeats that the list of changes shows."""

    def __init__(self) -> None:
        self._beating: dict[tuple[RanOn, int], _Beating] = {}

    def saw(self, run: TaskRun, changed_s: float) -> None:
        """A try was in the list of what changed."""
        key = RanOn(run.task.pipeline_key, run.run_id, run.task.task), run.attempt
        if not run.process:
            self._beating.pop(key, None)
        elif key not in self._beating:
            self._beating[key] = _Beating(run, changed_s)
        else:
            known = self._beating[key]
            known.run = run
            known.gap_s = max(known.gap_s, changed_s - known.heard_s)
            known.heard_s = max(known.heard_s, changed_s)

    def on(self, host: str) -> tuple[RanOn, ...]:
        """What runs on a host."""
        found = (ran for (ran, _), b in self._beating.items() if b.run.process.startswith(host))
        return tuple(found) if host else ()

    def silent(self, now_s: float) -> Iterator[ForeignWorker]:
        """The tries whose heartbeats ceased."""
        for (ran, attempt), known in self._beating.items():
            silent_after_s = max(SILENT_AFTER_S, _GAPS * known.gap_s)
            if presence(known.heard_s, now_s, silent_after_s) is Presence.SILENT:
                yield ForeignWorker(
                    ran.pipeline.orchestrator,
                    f"{ran.pipeline.name}/{ran.task} try {attempt} of {ran.run_id}",
                    Role.ATTEMPT,
                    SeenBy.SERVER,
                    Presence.SILENT,
                    known.heard_s,
                    started_s=known.run.started_at_s or 0.0,
                    every_s=EVERY_S,
                    silent_after_s=silent_after_s,
                    group="attempt",
                    host=known.run.process.rpartition(":")[0],
                    runs=(ran,),
                )


def read_jobs(
    orchestrator: str, payload: Payload, now_s: float, attempts: Attempts
) -> Iterator[ForeignWorker]:
    """A page of `/jobs`, the last heartbeat first: of two on one host the later one counts."""
    seen: set[str] = set()
    for row in payload["jobs"]:
        role, heard_s = _ROLES.get(str(row["job_type"])), seconds(row["latest_heartbeat"])
        host = str(row["hostname"] or "")
        if role is None or heard_s is None or f"{role}@{host}" in seen:
            continue
        seen.add(f"{role}@{host}")
        executor = str(row["executor_class"] or "")
        # Airflow 3.3 never says which executor a scheduler has: what is on its host may be its.
        runs_here = role is Role.SCHEDULER and (not executor or "LocalExecutor" in executor)
        yield ForeignWorker(
            orchestrator,
            f"{role}@{host}",
            role,
            SeenBy.SERVER,
            _presence_of(str(row["state"]), heard_s, now_s),
            heard_s,
            started_s=seconds(row["start_date"]) or 0.0,
            every_s=EVERY_S,
            silent_after_s=SILENT_AFTER_S,
            group=role,
            host=host,
            detail=executor,
            runs=attempts.on(host) if runs_here else (),
        )


def _presence_of(state: str, heard_s: float, now_s: float) -> Presence:
    if state == "running":
        return presence(heard_s, now_s, SILENT_AFTER_S)
    return Presence.DEAD if state == "failed" else Presence.STOPPED


def read_health(orchestrator: str, payload: Payload, now_s: float) -> list[ForeignWorker]:
    """The answer of Airflow 2's `/health`: the newest heartbeat of each kind."""
    found: list[ForeignWorker] = []
    for name, role in _HEALTH.items():
        heard_s = seconds((payload.get(name) or {}).get(f"latest_{name}_heartbeat"))
        if heard_s is not None:
            now = presence(heard_s, now_s, SILENT_AFTER_S)
            found.append(
                ForeignWorker(
                    orchestrator,
                    str(role),
                    role,
                    SeenBy.SERVER,
                    now,
                    heard_s,
                    every_s=EVERY_S,
                    silent_after_s=SILENT_AFTER_S,
                    group=role,
                )
            )
    return found
