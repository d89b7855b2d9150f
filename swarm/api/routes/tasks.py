"""Tasks that are handed in to run on swarm's workers, and those workers.

A 201 means that the tasks are in the journal: each will reach exactly one outcome. Sending the
same body again under the same ids, or the same `Idempotency-Key`, makes no second task.
"""

import asyncio
import hashlib
import json
import uuid
from dataclasses import replace
from typing import Annotated

from fastapi import APIRouter, Body, Query, Request, Response
from pydantic import BaseModel

from swarm.api.deps import Cause, Deps, Given, Once, Who
from swarm.api.growth import HELPS, Growth
from swarm.api.paging import Cursor, Limit, Page, page_in_time, place_in_time
from swarm.api.roles import ROOT
from swarm.api.task_schemas import (
    Submissions,
    TaskBody,
    TaskExplanation,
    TaskRow,
    TaskStory,
    WorkerRow,
    newest_grant,
    outputs,
)
from swarm.dispatch.events import Cancel, Drain
from swarm.dispatch.explanation import Explanation, explain
from swarm.dispatch.states import HELD
from swarm.dispatch.waiting import Waiting, why_waiting
from swarm.errors import Forbidden, Rejected, StoreError
from swarm.model.causes import follows
from swarm.model.dispatch import Ended
from swarm.model.outputs import Output
from swarm.model.passes import seed_of
from swarm.model.work import Outcome, Submission, TaskId, Token, WorkerId
from swarm.store.stories import LIVE
from swarm.store.stories import TaskRow as Row

router = APIRouter(prefix=ROOT, tags=["tasks"])

_KEY_CHARACTERS = 32
_LAST_WORDS_S = 5.0  # what a program prints last may come so long after its end
_LOOK_S = 0.05
_ANSWER_S = 2.0
_STEPS = 100  # of the fleet, the newest
# Files may hold a token that is new with each sending; the others say where a task comes from.
_NOT_THE_WORK = {"id", "files", "api", "pipeline", "run", "queue_wait_max_s"}


class Taken(BaseModel):
    """The ids of the tasks, in the order of the request."""

    tasks: list[str]


@router.post("/tasks", status_code=201)
async def submit(
    body: Annotated[Submissions, Body()],
    deps: Given,
    cause: Cause,
    who: Who,
    request: Request,
    idempotency_key: Once = None,
) -> Taken:
    """Take up to 10,000 tasks, all or none. A program or a function takes the role `plug-in` or
    `admin`; an item for agents also `operator`."""
    if body.has_code and not who.may_inline:
        raise Forbidden(
            "A program (`argv`) or a function (`call`) takes a key with the role `plug-in` or "
            "`admin`; this one may hand in an `item` for an agent."
        )
    now_s = deps.clock.now_s()
    named = [(_id(task, idempotency_key, at), task) for at, task in enumerate(body.tasks)]
    from_here = follows(cause)
    submissions = [task.submission(id_, _digest(task), now_s, from_here) for id_, task in named]
    here = f"{request.url.scheme}://{request.url.netloc}"
    payloads = {
        id_: task.payload(_pass(deps, id_, here) if task.api else None) for id_, task in named
    }
    await deps.dispatch.submit(submissions, payloads, cause)
    return Taken(tasks=[id_ for id_, _ in named])


@router.get("/tasks")
async def tasks(
    deps: Given,
    state: Annotated[str | None, Query(max_length=20)] = None,
    cursor: Cursor = None,
    limit: Limit = 100,
) -> Page[TaskRow]:
    """The tasks that were handed in, newest first."""
    before = None if cursor is None else place_in_time(cursor)
    rows = await asyncio.to_thread(deps.projections.stories.page, limit + 1, before, state)
    return page_in_time(rows, lambda row: row.key, TaskRow.of, limit)


@router.get("/tasks/{task}")
async def task(task: str, deps: Given) -> TaskStory:
    """One task: where it is, why it waits if it does, its story, and what its call returned."""
    row, story = await asyncio.to_thread(deps.projections.stories.one, TaskId(task))
    token = Token(TaskId(task), newest_grant(story))
    result = await asyncio.to_thread(deps.result, token) if row.state == Outcome.SUCCEEDED else None
    waits = row.state in LIVE and row.state not in HELD
    return TaskStory.told(row, story, await _why_waiting(deps, row) if waits else None, result)


@router.get("/tasks/{task}/explain")
async def explain_task(task: str, deps: Given) -> TaskExplanation:
    """Why a task does not run yet."""
    held = deps.model.floor.tasks.get(TaskId(task))
    told = await _of_dispatcher(deps, held.submission) if held is not None else None
    told = told or explain(deps.model.floor, TaskId(task), deps.team_weights)
    if held is not None:
        told = replace(told, waiting=await _with_growth(deps, held.submission, told.waiting))
    return TaskExplanation.of(told)


@router.get("/tasks/{task}/output")
async def output(
    task: str,
    deps: Given,
    grant: Annotated[int | None, Query(ge=1)] = None,
    copy: Annotated[bool | None, Query()] = None,
    offset: Annotated[int, Query(ge=0)] = 0,
    limit: Annotated[int, Query(ge=1, le=1_000_000)] = 100_000,
) -> Response:
    """What the task printed under a grant, its newest unless named; from byte `offset` on. Where a
    grant has two copies, each printed an output of its own: `copy` names that of the second or of
    the first; else it is the one that leads, as `outputs` of the task tells.

    The header `Next-Offset` says where to go on. Of a long output only the beginning and the end
    are kept, and a line in the text tells how much is missing. Where a task has ended, an empty
    answer is the end of what it printed."""
    row, story = await asyncio.to_thread(deps.projections.stories.one, TaskId(task))
    newest = newest_grant(story)
    of = newest if grant is None else grant
    leads = any(one.is_copy and one.leads for one in outputs(story) if one.grant == of)
    wanted = Output(Token(TaskId(task), of), leads if copy is None else copy)
    silent = any(isinstance(told.record, Ended) and told.record.silent for told in story)
    # The worker of an older grant or of a copy that does not lead is gone, or has been told to end:
    # nothing more is waited for.
    newest_leads = newest > 0 and of == newest and wanted.copy == leads
    patient = newest_leads and row.state not in LIVE and not silent
    until_s = deps.clock.monotonic_s() + _LAST_WORDS_S
    while True:
        printed = await asyncio.to_thread(deps.output, wanted, offset, limit)
        if printed.text or printed.complete or not patient or deps.clock.monotonic_s() > until_s:
            break
        await asyncio.sleep(_LOOK_S)
    headers = {"Next-Offset": str(printed.next_byte)}
    return Response(printed.text, headers=headers, media_type="text/plain; charset=utf-8")


@router.post("/tasks/{task}/cancel")
async def cancel(task: str, deps: Given, cause: Cause) -> None:
    """End a task. One that runs is told within a beat of its worker."""
    await deps.dispatch.tell(Cancel(TaskId(task), "api"), cause)


@router.get("/workers")
async def workers(deps: Given) -> list[WorkerRow]:
    """The workers that live, with what they hold."""
    floor = deps.model.floor
    found = (WorkerRow.of(worker) for worker in floor.workers.values())
    return sorted(found, key=lambda row: row.worker)


@router.post("/workers/{worker}/drain")
async def drain(worker: str, deps: Given, cause: Cause) -> None:
    """Give a worker no new tasks; what it runs goes on to its end."""
    await deps.dispatch.tell(Drain(WorkerId(worker), "api"), cause)


async def _why_waiting(deps: Deps, row: Row) -> Waiting | None:
    told = await _of_dispatcher(deps, row.submission)
    if told is not None:
        return await _with_growth(deps, row.submission, told.waiting)
    # Row and floor may be a moment apart: what has ended waits for nothing.
    known = row.submission.task in deps.model.floor.tasks
    waiting = why_waiting(deps.model.floor, row.submission.task) if known else None
    return await _with_growth(deps, row.submission, waiting)


async def _with_growth(
    deps: Deps, submission: Submission, waiting: Waiting | None
) -> Waiting | None:
    """The same, with what keeps the fleet from growing. Of what agents wait for no plan says
    anything, nor where none is made any more."""
    if waiting is None or waiting.reason not in HELPS:
        return waiting
    if submission.needs.capability or not deps.plans:
        return waiting
    fleet = deps.projections.fleet
    made = await asyncio.to_thread(fleet.plan)
    if made is None:
        return waiting
    steps = await asyncio.to_thread(fleet.steps, _STEPS)
    return Growth(made, [row.step for row in steps]).told(submission.task, waiting)


async def _of_dispatcher(deps: Deps, submission: Submission) -> Explanation | None:
    """What the dispatcher itself says of a task that may be held, have another place or a side: of
    that nothing is in the journal. None where it cannot say, or the task has ended by now."""
    needs = submission.needs
    if submission.pipeline is None and (needs.capacity is not None or needs.pool):
        return None
    try:
        async with asyncio.timeout(_ANSWER_S):
            return await deps.dispatch.explain(submission.task)
    except (TimeoutError, Rejected, StoreError):
        return None


def _pass(deps: Deps, task: TaskId, here: str) -> dict[str, str] | None:
    """What a worker makes the passes of a task from, and where they open: at the address that was
    good for who handed it in."""
    return {"seed": seed_of(deps.pass_key, task), "url": here} if deps.pass_key else None


def _id(task: TaskBody, idempotency_key: str | None, at: int) -> TaskId:
    if task.id:
        return TaskId(task.id)
    if idempotency_key:
        name = hashlib.sha256(f"{idempotency_key}/{at}".encode()).hexdigest()
        return TaskId(name[:_KEY_CHARACTERS])
    return TaskId(uuid.uuid4().hex)


def _digest(task: TaskBody) -> str:
    """Of what is asked for: the same body gives the same digest in any order of its fields."""
    whole = json.dumps(task.model_dump(mode="json", exclude=_NOT_THE_WORK), sort_keys=True)
    return hashlib.sha256(whole.encode()).hexdigest()
