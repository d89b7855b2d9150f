"""What servers tell of their workers, as values; the rows are cut from answers of real servers."""

from dataclasses import replace

from swarm.connectors.airflow.workers import Attempts, read_health, read_jobs
from swarm.connectors.attendance import RETELL_S, Attendance
from swarm.connectors.dagster.daemons import read_daemons
from swarm.connectors.payloads import Payload
from swarm.connectors.prefect.workers import (
    going_on,
    has_workers,
    read_workers,
    was_refused,
    why_not,
    with_runs,
)
from swarm.model.foreign import ForeignWorker, Presence, RanOn, Role, SeenBy
from swarm.model.keys import PipelineKey, TaskKey
from swarm.model.recovery import Recovery
from swarm.model.runs import Run, RunState, TaskRun

NOW_S = 1_795_363_200.0  # 2026-11-22T16:00:00Z


def a_job(kind: str, heard: str, **other: object) -> dict[str, object]:
    row = {"id": 1, "job_type": kind, "state": "running", "hostname": "node", "end_date": None}
    times = {"start_date": "2026-11-22T15:00:00Z", "latest_heartbeat": heard}
    return row | times | {"executor_class": None} | other


def a_try(state: RunState = RunState.RUNNING, process: str = "node:7") -> TaskRun:
    return TaskRun(TaskKey("af", "sales", "load"), "r1", 1, state, 5.0, process=process)


LOAD = RanOn(PipelineKey("af", "sales"), "r1", "load")


def test_airflows_jobs_by_their_own_interval() -> None:
    attempts = Attempts()
    attempts.saw(a_try(), NOW_S)
    rows = [
        a_job("SchedulerJob", "2026-11-22T15:59:29Z"),
        a_job("TriggererJob", "2026-11-22T15:59:55Z"),
        a_job("DagProcessorJob", "2026-11-22T15:50:00Z", state="success"),
        a_job("SchedulerJob", "2026-11-22T15:40:00Z", state="failed"),
        a_job("SchedulerJob", "2026-11-22T15:39:00Z", state="failed", hostname="other"),
        a_job("BackfillJob", "2026-11-22T15:59:55Z"),
        a_job("TriggererJob", "2026-11-22T15:59:55Z", latest_heartbeat=None, hostname="new"),
    ]
    found = {one.name: one for one in read_jobs("af", {"jobs": rows}, NOW_S, attempts)}
    assert {name: one.presence for name, one in found.items()} == {
        "scheduler@node": Presence.SILENT,
        "triggerer@node": Presence.ALIVE,
        "dag_processor@node": Presence.STOPPED,
        "scheduler@other": Presence.DEAD,
    }
    assert found["scheduler@node"].runs == (LOAD,)
    assert found["scheduler@other"].runs == ()
    assert found["triggerer@node"].runs == ()


def test_a_try_is_silent_when_its_heartbeats_cease_and_not_when_it_ended() -> None:
    attempts = Attempts()
    attempts.saw(a_try(), NOW_S)
    attempts.saw(a_try(), NOW_S + 10)
    assert list(attempts.silent(NOW_S + 50)) == []  # four gaps of 10 s
    (silent,) = attempts.silent(NOW_S + 51)
    assert (silent.role, silent.presence, silent.runs) == (Role.ATTEMPT, Presence.SILENT, (LOAD,))
    assert silent.host == "node"
    attempts.saw(a_try(RunState.SUCCEEDED, ""), NOW_S + 52)
    assert list(attempts.silent(NOW_S + 500)) == []


def test_airflow_2_tells_the_newest_heartbeat_of_each_kind() -> None:
    told = {
        "metadatabase": {"status": "healthy"},
        "scheduler": {"latest_scheduler_heartbeat": "2026-11-22T15:59:00Z"},
        "triggerer": {"latest_triggerer_heartbeat": None},
        "dag_processor": None,
    }
    (scheduler,) = read_health("af", told, NOW_S)
    assert (scheduler.name, scheduler.presence) == ("scheduler", Presence.SILENT)


def test_dagsters_daemons_that_are_required_and_have_run() -> None:
    rows = [
        {"daemonType": "SENSOR", "required": True, "lastHeartbeatTime": NOW_S - 89},
        {"daemonType": "SCHEDULER", "required": True, "lastHeartbeatTime": NOW_S - 91},
        {"daemonType": "ASSET", "required": True, "lastHeartbeatTime": None},
        {"daemonType": "BACKFILL", "required": False, "lastHeartbeatTime": NOW_S - 999},
    ]
    tick = {"instance": {"daemonHealth": {"allDaemonStatuses": rows}}}
    found = {one.name: one.presence for one in read_daemons("dg", tick, NOW_S)}
    assert found == {"daemon SENSOR": Presence.ALIVE, "daemon SCHEDULER": Presence.SILENT}


def prefect_worker(name: str, heard: str | None, created: str, every_s: int | None) -> Payload:
    return {
        "name": name,
        "last_heartbeat_time": heard,
        "created": created,
        "heartbeat_interval_seconds": every_s,
        "status": "ONLINE",
    }


def test_prefects_workers_and_what_only_one_of_them_can_have_started() -> None:
    rows = [
        prefect_worker("a", "2026-11-22T15:58:00Z", "2026-11-22T15:00:00Z", None),
        prefect_worker("b", "2026-11-22T15:59:58Z", "2026-11-22T15:57:00Z", 10),
        prefect_worker("c", None, "2026-11-22T15:57:00Z", 10),
    ]
    found = read_workers("pf", "lab", rows, NOW_S)
    assert {one.name: one.presence for one in found} == {
        "lab/a": Presence.SILENT,
        "lab/b": Presence.ALIVE,
    }
    pipeline = PipelineKey("pf", "load/lab")
    early = Run(pipeline, "early", RunState.RUNNING, started_at_s=NOW_S - 200)
    late = Run(pipeline, "late", RunState.RUNNING, started_at_s=NOW_S - 150)
    groups = [("early", (early,)), ("late", (late,)), ("other", (replace(early, run_id="other"),))]
    pools = {"early": "lab", "late": "lab", "other": None}
    flow_runs = [{"id": name, "work_pool_name": pool} for name, pool in pools.items()]
    live: dict[str, list[Run]] = {}
    for group, run in going_on(flow_runs, groups):
        live.setdefault(group, []).append(run)
    assert {name: [run.run_id for run in runs] for name, runs in live.items()} == {
        "pool lab": ["early", "late"]
    }
    shown = {one.name: one.runs for one in with_runs(found, live)}
    assert shown == {"lab/a": (RanOn(pipeline, "early"),), "lab/b": ()}


def test_pools_that_a_cloud_serves_have_no_workers() -> None:
    kinds = ("process", "prefect:managed", "ecs:push", "kubernetes")
    assert [has_workers({"name": "p", "type": kind}) for kind in kinds] == [
        True,
        False,
        False,
        True,
    ]


def a_worker(heard_s: float = NOW_S, **other: object) -> ForeignWorker:
    worker = ForeignWorker("pf", "w", Role.WORKER, SeenBy.SERVER, Presence.ALIVE, heard_s)
    return replace(worker, **other)  # type: ignore[arg-type]


def test_only_changes_are_told_and_all_again_after_a_while() -> None:
    attendance = Attendance()
    assert attendance.news([a_worker()], NOW_S) == (a_worker(),)
    assert attendance.news([a_worker(NOW_S + 1)], NOW_S + 1) == ()
    later = a_worker(NOW_S + 31)
    assert attendance.news([later], NOW_S + RETELL_S) == (later,)
    silent = a_worker(presence=Presence.SILENT, runs=(LOAD,))
    assert attendance.news([silent], NOW_S + 40) == (silent,)
    # Its orchestrator has forgotten what ran there; what was told stays.
    forgot = replace(silent, runs=())
    assert attendance.news([forgot], NOW_S + 40 + RETELL_S) == (silent,)
    (stopped,) = attendance.news([], NOW_S + 80)
    assert stopped.presence is Presence.STOPPED
    assert attendance.news([], NOW_S + 81) == ()


def test_what_was_not_heard_for_a_day_is_history() -> None:
    assert Attendance().news([a_worker(NOW_S - 90_000, presence=Presence.SILENT)], NOW_S) == ()


def test_a_flow_run_is_run_again_only_where_it_died() -> None:
    recovery = Recovery("id", PipelineKey("pf", "load/lab"), "r1", "r1@7", 9.0)

    def row(state: str, process: str | None) -> Payload:
        known = {"id": "r1", "state_type": state, "state_name": state.title()}
        return known | {"infrastructure_pid": process}

    assert why_not(recovery, row("RUNNING", "7")) == ""
    assert why_not(recovery, row("RUNNING", "node:7")) == ""
    assert why_not(recovery, row("COMPLETED", "7")) == "its state is Completed"
    assert why_not(recovery, row("CANCELLING", "7")) == "its state is Cancelling"
    assert why_not(recovery, row("RUNNING", "8")) == "it is in process r1@8 now"
    assert why_not(recovery, row("PENDING", None)) == "it is in process ? now"
    assert was_refused({"status": "ACCEPT", "details": {}}) == ""
    assert was_refused({"status": "ABORT", "details": {"reason": "no"}}) == "ABORT: no"
