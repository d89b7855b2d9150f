"""What the projections keep, so that their size has a bound whatever the length of history."""

from dataclasses import dataclass

from sqlalchemy import (
    Column,
    ColumnElement,
    Connection,
    Table,
    delete,
    func,
    or_,
    select,
    update,
)

from swarm.store.read_tables import (
    PAST,
    capacity,
    decisions,
    dependencies,
    findings,
    log,
    pipelines,
    position,
    runs,
    scaling,
    task_runs,
)
from swarm.store.stories import trim_tasks
from swarm.store.usage import sum_up, trim_hours


@dataclass(frozen=True, slots=True)
class Retention:
    """How much of each kind is kept; the current state of everything always is."""

    log_entries: int = 100_000
    past_dependencies: int = 100_000  # ended states of dependencies, over all of them
    runs_per_pipeline: int = 100  # and as many tries of each task
    backfills: int = 1_000
    closed_findings: int = 10_000
    ended_tasks: int = 100_000
    steps: int = 10_000  # of the fleet
    holds: int = 10_000  # and releases
    held_hours: int = 1_000_000  # rows: a run in an hour, or what a team ran of no pipeline
    gone_pipeline_s: float = 7 * 86_400.0  # runs of a pipeline that is gone, behind the newest run


DEFAULT = Retention()


def trim(connection: Connection, retention: Retention) -> None:
    """Delete what is over the limits, and note from where on log and history are whole."""
    _trim_log(connection, retention.log_entries)
    _trim_dependencies(connection, retention.past_dependencies)
    for table, of in ((runs, runs.c.pipeline_key), (task_runs, task_runs.c.task_key)):
        _keep_newest(connection, table, retention.runs_per_pipeline, of)
        _drop_orphans(connection, table, retention.gone_pipeline_s)
    _keep_newest(
        connection,
        capacity,
        retention.backfills,
        capacity.c.kind,
        only=capacity.c.kind == "Backfill",
    )
    sum_up(connection)
    trim_hours(connection, retention.held_hours)
    trim_tasks(connection, retention.ended_tasks)
    _keep_newest(connection, scaling, retention.steps, scaling.c.kind)
    past = decisions.c.kind == PAST
    _keep_newest(connection, decisions, retention.holds, decisions.c.kind, only=past)
    closed = findings.c.closed.is_(True)
    _keep_newest(connection, findings, retention.closed_findings, findings.c.closed, only=closed)


def _trim_log(connection: Connection, kept: int) -> None:
    last = connection.scalar(select(position.c.last_seq)) or 0
    dropped = last - kept
    connection.execute(delete(log).where(log.c.global_seq <= dropped))
    connection.execute(
        update(position).where(position.c.trimmed_seq < dropped).values(trimmed_seq=dropped)
    )


def _trim_dependencies(connection: Connection, kept: int) -> None:
    past = or_(dependencies.c.until_s.is_not(None), dependencies.c.gone)
    newest_dropped = connection.scalar(
        select(dependencies.c.id)
        .where(past)
        .order_by(dependencies.c.id.desc())
        .offset(kept)
        .limit(1)
    )
    if newest_dropped is None:
        return
    over = past & (dependencies.c.id <= newest_dropped)
    ended = func.coalesce(dependencies.c.until_s, dependencies.c.at_s)
    ended_version = func.coalesce(dependencies.c.until_version, dependencies.c.version)
    whole = connection.execute(select(func.max(ended), func.max(ended_version)).where(over)).one()
    connection.execute(delete(dependencies).where(over))
    connection.execute(
        update(position).where(position.c.history_from_s < whole[0]).values(history_from_s=whole[0])
    )
    connection.execute(
        update(position)
        .where(position.c.history_from_version < whole[1])
        .values(history_from_version=whole[1])
    )


def _keep_newest(
    connection: Connection,
    table: Table,
    kept: int,
    of: Column[str] | Column[bool],
    only: ColumnElement[bool] | None = None,
) -> None:
    """Keep the `kept` newest rows of each value of `of`."""
    rank = func.row_number().over(
        partition_by=of, order_by=(table.c.at_s.desc(), table.c.key.desc())
    )
    ranked = select(table.c.key, rank.label("rank"))
    if only is not None:
        ranked = ranked.where(only)
    inner = ranked.subquery()
    connection.execute(
        delete(table).where(table.c.key.in_(select(inner.c.key).where(inner.c.rank > kept)))
    )


def _drop_orphans(connection: Connection, table: Table, kept_s: float) -> None:
    newest = connection.scalar(select(func.max(table.c.at_s)))
    if newest is not None:
        connection.execute(
            delete(table).where(
                table.c.at_s < newest - kept_s,
                table.c.pipeline_key.not_in(select(pipelines.c.key)),
            )
        )
