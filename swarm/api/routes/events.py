"""What happens, as it happens."""

from typing import Annotated

from fastapi import APIRouter, Header, Query
from starlette.responses import Response

from swarm.api.deps import Given
from swarm.api.paging import place_in_log
from swarm.api.roles import ROOT
from swarm.api.stream import EventStream, begin

router = APIRouter(prefix=ROOT, tags=["events"])


@router.get(
    "/events",
    status_code=200,  # not to be read off the signature of the class
    response_class=EventStream,
    responses={
        200: {"content": {"text/event-stream": {}}},
        410: {"description": "What follows that id is no longer kept: read anew, without an id."},
    },
)
async def events(
    deps: Given,
    last_event_id: Annotated[str, Header(max_length=20)] = "",
    after: Annotated[str, Query(max_length=20, description="As `Last-Event-ID`.")] = "",
) -> Response:
    """Server-sent events from now on, or after `Last-Event-ID` with nothing left out. Each has a
    `kind` and `what` happened, the names it is `about` and a `text`; the id is its place in the
    log. A stream ends now and then; listen again with the last id."""
    place = last_event_id or after
    return await begin(deps, place_in_log(place) if place else None)
