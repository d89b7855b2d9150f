"""What the owner of tasks, an orchestrator's plug-in, hears and says of them."""

import asyncio
import contextlib
from typing import Annotated

from fastapi import APIRouter, Body, Query

from swarm.api.deps import Cause, Deps, Given
from swarm.api.owned_schemas import ChangeRow, Changes, RearmBody, Rearmed
from swarm.api.paging import place_in_log
from swarm.api.roles import ROOT
from swarm.api.task_schemas import Owner
from swarm.dispatch.events import Receipt
from swarm.model.work import TaskId

router = APIRouter(prefix=ROOT, tags=["tasks"])

_AT_ONCE = 1_000


@router.get("/tasks/changes")
async def changes(
    owner: Owner,
    deps: Given,
    after: Annotated[str, Query(max_length=20)] = "",
    wait_s: Annotated[float, Query(ge=0, le=60)] = 0.0,
    skips: bool = False,
) -> Changes:
    """The tasks of `owner` that moved since `after`, the `cursor` of the last answer; at once if
    there are some, else as soon as one moves or `wait_s` have passed. Without `after`, and where
    that cursor is of a log that has begun anew, all that are kept. A plug-in that does not say
    `skips` is too old for the outcome `skipped` and is told `cancelled`."""
    seen = place_in_log(after) if after else 0
    if seen > deps.model.seq:  # of another log, or this reader is behind: the log knows
        seen = seen if seen <= await asyncio.to_thread(deps.projections.log.last) else 0
    if seen:
        await _moved(deps, owner, seen, wait_s)
    at = deps.model.seq  # all up to here is in the tables that are read next
    rows = await asyncio.to_thread(deps.projections.stories.moved, owner, seen, _AT_ONCE)
    full = len(rows) == _AT_ONCE
    return Changes(
        cursor=str(rows[-1].seq if full else max(at, seen)),
        complete=not seen,
        more=full,
        tasks=[ChangeRow.of(row, skips) for row in rows],
    )


@router.post("/tasks/{task}/rearm")
async def rearm(
    task: str, body: Annotated[RearmBody, Body()], deps: Given, cause: Cause
) -> Rearmed:
    """Say of a task with `rearm: owner` that it may run again, or how it has ended."""
    id_ = TaskId(task)
    answer = await deps.dispatch.rearm(body.event(id_), body.fields(), cause)
    assert isinstance(answer.reply, Receipt)
    return Rearmed(receipt=answer.reply)


async def _moved(deps: Deps, owner: str, seen: int, wait_s: float) -> None:
    """Return when a task of `owner` has moved after `seen`, or when it is time."""
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(wait_s):
            while deps.model.moved_at(owner) <= seen:
                await deps.news.wait()
