"""The runs of pipelines, and the tries of their tasks."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from itertools import islice
from typing import Any

from sqlalchemy import Row, and_, func, or_, select, tuple_

from swarm.model.graph import RunSeen
from swarm.model.keys import PipelineKey, TaskKey
from swarm.model.runs import Run, RunState, TaskRun
from swarm.store import read_tables
from swarm.store.database import Database
from swarm.store.folds import run_row_key, task_row_key
from swarm.store.history import decode_row
from swarm.store.read_tables import pipeline_row_key

_LONGEST_RUN_S = 86_400.0
_RUNS_AT_ONCE = 50_000
_TRIES_AT_ONCE = 10_000
_TASKS_AT_ONCE = 1_000


@dataclass(frozen=True, slots=True)
class RunRow:
    """A run; `key` is where the next page goes on."""

    key: tuple[float, str]
    run: Run


class Runs:
    """Reads of the runs that are kept."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def of(self, pipeline: PipelineKey, limit: int) -> list[Run]:
        """The newest runs of `pipeline`, newest first."""
        table = read_tables.runs
        query = (
            select(table)
            .where(table.c.pipeline_key == pipeline_row_key(pipeline))
            .order_by(table.c.at_s.desc(), table.c.key.desc())
            .limit(limit)
        )
        found = (decode_row(row, RunSeen).run for row in self._database.rows(query))
        return [run for run in found if isinstance(run, Run)]

    def page(
        self,
        limit: int,
        since_s: float,
        before: tuple[float, str] | None = None,
        *,
        newest: bool = False,
    ) -> list[RunRow]:
        """A page of the runs of all pipelines that began at `since_s` or later, newest first, or
        only the `newest` of each."""
        table = read_tables.runs
        query = select(table).where(table.c.at_s >= since_s)
        if before is not None:
            query = query.where(tuple_(table.c.at_s, table.c.key) < tuple_(*before))
        if newest:
            last = select(table.c.pipeline_key, func.max(table.c.at_s).label("at_s"))
            of = last.group_by(table.c.pipeline_key).subquery()
            same = (table.c.pipeline_key == of.c.pipeline_key) & (table.c.at_s == of.c.at_s)
            query = query.join(of, same)
        rows = self._database.rows(
            query.order_by(table.c.at_s.desc(), table.c.key.desc()).limit(limit)
        )
        found = ((row, decode_row(row, RunSeen).run) for row in rows)
        return [RunRow((row.at_s, row.key), run) for row, run in found if isinstance(run, Run)]

    def tries(self, pipeline: PipelineKey, run_id: str) -> list[TaskRun]:
        """Every try of a task that is kept of a run, oldest first."""
        table = read_tables.task_runs
        query = (
            select(table)
            .where(table.c.run_key == run_row_key(pipeline, run_id))
            .order_by(table.c.at_s, table.c.key)
        )
        found = (decode_row(row, RunSeen).run for row in self._database.rows(query))
        return [run for run in found if isinstance(run, TaskRun)]

    def tries_of(
        self,
        pipeline: PipelineKey,
        run_ids: Iterable[str],
        tasks: Iterable[TaskKey],
        since_s: float,
    ) -> list[TaskRun]:
        """The newest tries that are kept of these runs of `pipeline` and, begun at `since_s` or
        later, of these `tasks` of it, whose runs may have other names: instances of mapped tasks
        have, and runs of which only tasks are told. Newest first."""
        table = read_tables.task_runs
        of_runs = table.c.run_key.in_([run_row_key(pipeline, run_id) for run_id in run_ids])
        of_tasks = table.c.task_key.in_(list(islice(map(task_row_key, tasks), _TASKS_AT_ONCE)))
        query = (
            select(table)
            .where(or_(of_runs, and_(of_tasks, table.c.at_s >= since_s)))
            .order_by(table.c.at_s.desc())
            .limit(_TRIES_AT_ONCE)
        )
        found = (decode_row(row, RunSeen).run for row in self._database.rows(query))
        return [run for run in found if isinstance(run, TaskRun)]

    def tries_between(self, from_s: float, to_s: float) -> list[TaskRun]:
        """The tries that were under way at any time between, of those that began up to a day
        before; the newest when they are very many."""
        table = read_tables.task_runs
        query = (
            select(table)
            .where(table.c.at_s >= from_s - _LONGEST_RUN_S, table.c.at_s <= to_s)
            .order_by(table.c.at_s.desc())
            .limit(_RUNS_AT_ONCE)
        )
        tries = (_under_way(row) for row in self._database.rows(query))
        return [
            run
            for run in tries
            if run is not None and (run.ended_at_s is None or run.ended_at_s >= from_s)
        ]


def _under_way(row: Row[Any]) -> TaskRun | None:
    """The try of a row if it ever began; the row tells when, where its last news does not."""
    run = decode_row(row, RunSeen).run
    if not isinstance(run, TaskRun) or run.state in (RunState.QUEUED, RunState.SKIPPED):
        return None
    return run if run.started_at_s is not None else replace(run, started_at_s=row.at_s)
