"""When pipelines ran, as their orchestrators tell it."""

import asyncio
from typing import Annotated, Self

from fastapi import APIRouter, Query

from swarm.api.deps import Given
from swarm.api.paging import Cursor, Limit, Page, page_in_time, place_in_time
from swarm.api.roles import ROOT
from swarm.api.schemas import Shape, TaskName
from swarm.model.runs import Run, RunState

router = APIRouter(prefix=ROOT, tags=["runs"])


class RunRow(Shape):
    """One run of a pipeline. Times are seconds since the epoch."""

    pipeline: TaskName
    run_id: str
    state: RunState
    scheduled_for_s: float | None
    started_at_s: float | None
    ended_at_s: float | None

    @classmethod
    def of(cls, run: Run) -> Self:
        return cls(
            pipeline=TaskName.of(run.pipeline),
            run_id=run.run_id,
            state=run.state,
            scheduled_for_s=run.scheduled_for_s,
            started_at_s=run.started_at_s,
            ended_at_s=run.ended_at_s,
        )


@router.get("/runs")
async def runs(
    deps: Given,
    since_s: Annotated[float, Query(ge=0)] = 0.0,
    newest: bool = False,
    cursor: Cursor = None,
    limit: Limit = 100,
) -> Page[RunRow]:
    """The runs that began at `since_s` or later (planned for, where they have not begun), newest
    first; with `newest` of each pipeline only the last."""
    before = place_in_time(cursor) if cursor else None
    rows = await asyncio.to_thread(
        deps.projections.runs.page, limit + 1, since_s, before, newest=newest
    )
    return page_in_time(rows, lambda row: row.key, lambda row: RunRow.of(row.run), limit)
