"""SLAs that history offers, and that people accept."""

import asyncio

from fastapi import APIRouter

from swarm.api.deps import Cause, Given, whole_pipeline
from swarm.api.offer_schemas import AcceptBody, DeclineBody, OfferRow, SlaTerms
from swarm.api.past import world_of
from swarm.api.roles import ROOT
from swarm.config import WEEK
from swarm.errors import Rejected
from swarm.model.keys import PipelineKey
from swarm.model.sla import Sla
from swarm.sequencing.offers import Offer, offer, offers

router = APIRouter(prefix=ROOT, tags=["slas"])


@router.get("/slas/offered")
async def offered(deps: Given) -> list[OfferRow]:
    """Deadlines that pipelines keep without having promised them, best first; neither those of
    pipelines that have an SLA, nor what was declined."""
    world, terms = await world_of(deps), await deps.sequencer.terms()
    found = await asyncio.to_thread(offers, world, terms, deps.clock.now_s())
    return [OfferRow.of(one) for one in found]


@router.post("/slas", status_code=201)
async def accept(body: AcceptBody, deps: Given, cause: Cause) -> SlaTerms:
    """Promise what is offered of a pipeline, or another time of day; in place of the accepted SLA
    that it may have."""
    pipeline = whole_pipeline(deps, body.pipeline)
    world, terms = await world_of(deps, [pipeline]), await deps.sequencer.terms()
    known = await asyncio.to_thread(offer, world, pipeline, terms, deps.clock.now_s())
    sla = _sla(body, pipeline, known)
    await deps.sequencer.accept(sla, body.by, cause)
    return SlaTerms.of(sla)


@router.post("/slas/decline", status_code=201)
async def decline(body: DeclineBody, deps: Given, cause: Cause) -> None:
    """Have nothing offered of a pipeline, and end the SLA that was accepted of it. Those of the
    settings and of the pipeline itself stay."""
    pipeline = whole_pipeline(deps, body.pipeline)
    await deps.sequencer.decline(pipeline, body.by, cause)


def _sla(body: AcceptBody, pipeline: PipelineKey, known: Offer | None) -> Sla:
    if body.at is not None:
        usual = (known.sla.timezone, known.sla.weekdays) if known else ("UTC", WEEK)
        timezone, days = body.timezone or usual[0], body.days or usual[1]
        return Sla.told(str(pipeline), body.at, timezone, days, body.value)
    if known is None:
        raise Rejected(
            f"the runs of {pipeline} offer no deadline: fewer than ten good days, or no time of "
            "day by which nearly all of them were done; say by when it is to be done (`at`)"
        )
    sla = known.sla
    return Sla(pipeline, sla.by_s, sla.timezone, sla.days, body.value)
