"""Airflow's own rows of task instances, of 3 and 2.11: looked at and moved inside the scheduler.

Every change names what it expects to find, so a row that moved on meanwhile stays as it is.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from airflow.jobs.job import Job
from airflow.models.log import Log
from airflow.models.taskinstance import TaskInstance
from airflow.utils.state import JobState, TaskInstanceState
from sqlalchemy import or_, select, update

from swarm.plugins.airflow.book import Held
from swarm.plugins.airflow.losses import Row

_KEY = ("dag_id", "task_id", "run_id", "map_index")
_MAY_RUN = (TaskInstanceState.QUEUED, TaskInstanceState.RUNNING)


def name(instance: Any) -> dict[str, Any]:
    """What tells a row from all others, by column; of Airflow 3 its id, which clearing changes."""
    columns = ("id",) if hasattr(TaskInstance, "id") else _KEY
    return {column: getattr(instance, column) for column in columns}


def look(session: Any, held: Held) -> Row | None:
    """The row of a task instance; what is not there was cleared or deleted."""
    found = session.execute(
        select(
            TaskInstance.state,
            TaskInstance.try_number,
            TaskInstance.external_executor_id,
            TaskInstance.queued_by_job_id,
        ).where(*_is(held.row))
    ).one_or_none()
    return None if found is None else Row(*found)


def instance(session: Any, held: Held) -> Any:
    """The task instance itself; raises where it is no more."""
    return session.scalars(select(TaskInstance).where(*_is(held.row))).one()


def queue_again(session: Any, held: Held, job: Any, why: str) -> bool:
    """RUNNING or QUEUED -> QUEUED since now, the same try, and a line in Airflow's log of events;
    False if the row has moved on."""
    changed = session.execute(
        _mine(held, job, _MAY_RUN)
        .values(state=TaskInstanceState.QUEUED, queued_dttm=datetime.now(UTC), pid=None)
        .execution_options(synchronize_session=False)
    )
    if not changed.rowcount:
        return False
    # An executor's own `log_task_event` does not come through in Airflow 3.3.
    session.add(Log(event="swarm runs it again", task_instance=held.key, extra=why))
    return True


def hand_over_again(session: Any, held: Held, job: Any, id_: str, why: str) -> bool:
    """A row that is still QUEUED becomes that of swarm's task `id_`, with a line in Airflow's log
    of events; False if it has moved on."""
    changed = session.execute(
        _mine(held, job, (TaskInstanceState.QUEUED,))
        .values(queued_dttm=datetime.now(UTC), external_executor_id=id_)
        .execution_options(synchronize_session=False)
    )
    if changed.rowcount:
        session.add(Log(event="swarm hands it over again", task_instance=held.key, extra=why))
    return bool(changed.rowcount)


def leave_out(session: Any, held: Held, job: Any, why: str) -> bool:
    """QUEUED -> SKIPPED, and a line in Airflow's log of events; False if the row has moved on."""
    now = datetime.now(UTC)
    changed = session.execute(
        _mine(held, job, (TaskInstanceState.QUEUED,))
        .values(state=TaskInstanceState.SKIPPED, start_date=now, end_date=now)
        .execution_options(synchronize_session=False)
    )
    if changed.rowcount:
        session.add(Log(event="swarm leaves it out", task_instance=held.key, extra=why))
    return bool(changed.rowcount)


def still_queued(session: Any, held: Held, job: Any) -> bool:
    """Its time in the queue begins again; False if it is not queued any more."""
    changed = session.execute(
        _mine(held, job, (TaskInstanceState.QUEUED,))
        .values(queued_dttm=datetime.now(UTC))
        .execution_options(synchronize_session=False)
    )
    return bool(changed.rowcount)


def take_orphans(session: Any, ids: Iterable[str], job: Any, dead_after_s: float) -> list[Any]:
    """Make `job` the scheduler of the live tasks in `ids`, swarm's, whose scheduler is dead; the
    instances that it got. Of several schedulers that try, one gets each."""
    seen_s = datetime.now(UTC) - timedelta(seconds=dead_after_s)
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
    for one in found:
        changed = session.execute(
            update(TaskInstance)
            .where(
                *_is(name(one)),
                TaskInstance.queued_by_job_id == one.queued_by_job_id,
                TaskInstance.external_executor_id == one.external_executor_id,
            )
            .values(queued_by_job_id=job)
            .execution_options(synchronize_session=False)
        )
        if changed.rowcount:
            taken.append(one)
    return taken


def _is(row: Mapping[str, Any]) -> list[Any]:
    return [getattr(TaskInstance, column) == value for column, value in row.items()]


def _mine(held: Held, job: Any, states: Sequence[Any]) -> Any:
    return update(TaskInstance).where(
        *_is(held.row),
        TaskInstance.try_number == held.attempt,
        TaskInstance.external_executor_id == held.id,
        TaskInstance.queued_by_job_id == job,
        TaskInstance.state.in_(states),
    )
