"""Which pipelines start by what others make."""

from fastapi import APIRouter

from swarm.actors.linking import link_of
from swarm.api.deps import Cause, Given, whole_pipeline
from swarm.api.link_schemas import LinkBody, LinkRow, UnlinkBody
from swarm.api.roles import ROOT
from swarm.model.keys import PipelineKey

router = APIRouter(prefix=ROOT, tags=["links"])


@router.get("/links")
async def links(deps: Given) -> list[LinkRow]:
    """All links, and how each stands."""
    return [LinkRow.of(told) for told in await deps.sequencer.links()]


@router.post("/links", status_code=201)
async def link(body: LinkBody, deps: Given, cause: Cause) -> None:
    """Have a pipeline start by what others make, in place of the link it may have."""
    for name in (*body.upstreams, body.downstream):
        whole_pipeline(deps, name)
    await deps.sequencer.link(link_of(body, body.by, deps.clock.now_s()), cause)


@router.post("/links/remove", status_code=201)
async def unlink(body: UnlinkBody, deps: Given, cause: Cause) -> None:
    """Take a pipeline's link away. One of the settings is there again after a restart."""
    downstream = PipelineKey.told(body.downstream)
    await deps.sequencer.unlink(downstream, body.by, cause)
