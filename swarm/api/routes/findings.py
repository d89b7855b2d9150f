"""What people are told: findings, how right they were, and a person's word on one."""

import asyncio
from typing import Annotated

from fastapi import APIRouter, Query

from swarm.api.deps import Cause, Given
from swarm.api.finding_schemas import (
    FeedbackBody,
    FindingRow,
    KindScoreRow,
    MuteBody,
    UnmuteBody,
)
from swarm.api.paging import Cursor, Limit, Page, page_in_time, place_in_time
from swarm.api.roles import ROOT
from swarm.errors import UnknownKey
from swarm.model.findings import Mute
from swarm.model.lineage import Dependency, DependencyKey
from swarm.store.findings import FindingRow as Found

router = APIRouter(prefix=ROOT, tags=["findings"])


@router.get("/findings")
async def findings(
    deps: Given,
    since_s: Annotated[float | None, Query(ge=0)] = None,
    cursor: Cursor = None,
    limit: Limit = 100,
) -> Page[FindingRow]:
    """What is open now, or all that opened, changed or closed since `since_s` (seconds since the
    epoch); the newest last."""
    after = place_in_time(cursor) if cursor else (0.0, "")

    def read() -> tuple[list[Found], dict[DependencyKey, Dependency]]:
        rows = deps.projections.findings.page(limit + 1, after, since_s)
        # Read where the findings are: the graph in memory may not have come to them yet.
        return rows, deps.projections.findings.dependencies_of(row.finding for row in rows)

    rows, known = await asyncio.to_thread(read)
    now_s = deps.clock.now_s()
    return page_in_time(
        rows, lambda row: row.key, lambda row: FindingRow.of(row.finding, known, now_s), limit
    )


@router.get("/findings/score")
async def findings_score(deps: Given) -> list[KindScoreRow]:
    """What became of the findings of each kind of hazard, and which kinds are muted for it."""
    return [KindScoreRow.of(told) for told in await deps.sequencer.rules()]


@router.post("/findings/{finding}/feedback", status_code=204)
async def feedback(finding: str, body: FeedbackBody, deps: Given, cause: Cause) -> None:
    """Say whether it was right to tell of an open hazard; it counts in the score of its kind."""
    await deps.sequencer.rate(finding, body.by, body.right, cause)


@router.post("/findings/{finding}/mute", status_code=204)
async def mute(finding: str, body: MuteBody, deps: Given, cause: Cause) -> None:
    """Have nobody told of an open finding for some time, or as long as it is open. It stays listed,
    and who was told of it before is told when it ends."""
    until_s = None if body.for_s is None else deps.clock.now_s() + body.for_s
    await _mute(deps, finding, Mute(body.by, until_s, body.note), cause)


@router.post("/findings/{finding}/unmute", status_code=204)
async def unmute(finding: str, body: UnmuteBody, deps: Given, cause: Cause) -> None:
    """Have people told again of a finding that was muted."""
    del body  # who it was is in the row of the audit
    await _mute(deps, finding, None, cause)


async def _mute(deps: Given, finding: str, mute: Mute | None, cause: str) -> None:
    try:
        await deps.sequencer.mute(finding, mute, cause)
    except UnknownKey:  # an id does not say whose it is
        await deps.graph.mute(finding, mute, cause)
