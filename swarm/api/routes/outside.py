"""The door for agents on machines without Ray: the dispatcher's own questions and answers.

An agent there is a worker like any: it registers, acquires, renews and finishes, and is fenced by
`(task, grant)`. Its host says what all its agents have to say in one request.
"""

from fastapi import APIRouter

from swarm.api.deps import Cause, Given
from swarm.api.outside_schemas import (
    AcquireBody,
    Acquired,
    AnswerRow,
    Answers,
    Known,
    OutputsBody,
    TellBody,
)
from swarm.api.roles import ROOT
from swarm.dispatch.events import Acquire
from swarm.model.work import WorkerId

router = APIRouter(prefix=ROOT, tags=["agents"])


@router.post("/agents/tell")
async def tell(body: TellBody, deps: Given, cause: Cause) -> Answers:
    """Take what the agents of a host say, each for itself: one that is refused keeps none of the
    others. All of it may be sent again."""
    answers = await deps.dispatch.tell_all(body.told(), cause) if body.events else []
    return Answers(answers=[AnswerRow.of(answer) for answer in answers])


@router.post("/agents/acquire")
async def acquire(body: AcquireBody, deps: Given, cause: Cause) -> Acquired:
    """Ask for items; where there are none, the answer waits for some, 5 s at most."""
    event = Acquire(WorkerId(body.worker), body.number)
    return Acquired.of(await deps.dispatch.tell(event, cause))


@router.post("/agents/outputs")
async def outputs(body: OutputsBody, deps: Given) -> Known:
    """Keep what items printed; what is there already is not kept twice."""
    return Known.of(await deps.outputs.put([part.part() for part in body.parts]))
