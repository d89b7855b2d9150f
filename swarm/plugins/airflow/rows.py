"""Airflow 3's own rows of task instances: looked at and moved inside the scheduler.

Every change names what it expects to find, so a row that moved on meanwhile stays as it is.
"""

from collections.abc import Iterable, Sequence
from datetime import timedelta
from typing import Any

from airflow._shared.timezones import timezone
from airflow.executors import workloads
from airflow.jobs.job import Job, JobState
from airflow.models.log import Log
from airflow.models.taskinstance import TaskInstance
from airflow.utils.state import TaskInstanceState
from sqlalchemy import or_, select, update

from swarm.plugins.airflow.book import Held
from swarm.plugins.airflow.losses import Row

_MAY_RUN = (TaskInstanceState.QUEUED, TaskInstanceState.RUNNING)


def look(session: Any, id_: Any) -> Row | None:
    """The row of a task instance; what is not there was cleared or deleted."""
    found = session.execute(
        select(
            TaskInstance.state,
            TaskInstance.try_number,
            TaskInstance.external_executor_id,
            TaskInstance.queued_by_job_id,
        ).where(TaskInstance.id == id_)
    ).one_or_none()
    return None if found is None else Row(*found)


def queue_again(session: Any, held: Held, job: Any, why: str) -> bool:
    """RUNNING or QUEUED -> QUEUED since now, the same try, and a line in Airflow's log of events;
    False if the row has moved on."""
    changed = session.execute(
        _mine(held, job, _MAY_RUN)
        .values(state=TaskInstanceState.QUEUED, queued_dttm=timezone.utcnow(), pid=None)
        .execution_options(synchronize_session=False)
    )
    if not changed.rowcount:
        return False
    # An executor's own `log_task_event` does not come through in Airflow 3.3.
    session.add(Log(event="swarm runs it again", task_instance=held.key, extra=why))
    return True


def still_queued(session: Any, held: Held, job: Any) -> bool:
    """Its time in the queue begins again; False if it is not queued any more."""
    changed = session.execute(
        _mine(held, job, (TaskInstanceState.QUEUED,))
        .values(queued_dttm=timezone.utcnow())
        .execution_options(synchronize_session=False)
    )
    return bool(changed.rowcount)


def take_orphans(session: Any, ids: Iterable[str], job: Any, dead_after_s: float) -> list[Any]:
    """Make `job` the scheduler of the live tasks in `ids`, swarm's, whose scheduler is dead; the
    instances that it got. Of several schedulers that try, one gets each."""
    seen_s = timezone.utcnow() - timedelta(seconds=dead_after_s)
    dead = or_(Job.state.is_distinct_from(JobState.RUNNING), Job.latest_heartbeat < seen_s)
    found = session.scalars(
        select(TaskInstance)
        .join(Job, Job.id == TaskInstance.queued_by_job_id)
        .where(
            TaskInstance.external_executor_id.in_(list(ids)),
            TaskInstance.state.in_(_MAY_RUN),
            dead,
        )
    ).all()
    taken = []
    for instance in found:
        changed = session.execute(
            update(TaskInstance)
            .where(
                TaskInstance.id == instance.id,
                TaskInstance.queued_by_job_id == instance.queued_by_job_id,
                TaskInstance.external_executor_id == instance.external_executor_id,
            )
            .values(queued_by_job_id=job)
            .execution_options(synchronize_session=False)
        )
        if changed.rowcount:
            taken.append(instance)
    return taken


def workload(session: Any, row: Any, generator: Any) -> Any:
    """What a worker is told to run for a task instance, under a fresh token."""
    return workloads.ExecuteTask.make(session.get_one(TaskInstance, row), generator=generator)


def _mine(held: Held, job: Any, states: Sequence[Any]) -> Any:
    return update(TaskInstance).where(
        TaskInstance.id == held.row,
        TaskInstance.try_number == held.attempt,
        TaskInstance.external_executor_id == held.id,
        TaskInstance.queued_by_job_id == job,
        TaskInstance.state.in_(states),
    )
