"""What senders of lineage told besides accesses: columns, and what swarm does not understand."""

import asyncio
from typing import Annotated

from fastapi import APIRouter, Query

from swarm.api.deps import Given
from swarm.api.paging import Cursor, Limit, Page
from swarm.api.roles import ROOT
from swarm.api.told_schemas import ColumnsRow, FacetRow

router = APIRouter(prefix=ROOT, tags=["lineage"])


@router.get("/facets")
async def facets(
    deps: Given,
    subject: Annotated[str | None, Query(min_length=1, max_length=5_000)] = None,
    cursor: Cursor = None,
    limit: Limit = 100,
) -> Page[FacetRow]:
    """Facets of all, or of one `subject`: `orchestrator/pipeline[/task]`, or a dataset as the
    other answers name it."""
    rows = await asyncio.to_thread(deps.projections.facets, limit + 1, cursor or "", subject)
    shown = rows[:limit]
    return Page(
        items=[FacetRow.of_facet(row.facet) for row in shown],
        next_cursor=shown[-1].key if len(rows) > limit else None,
    )


@router.get("/columns")
async def columns(
    deps: Given,
    dataset: Annotated[str | None, Query(min_length=1, max_length=5_000)] = None,
    cursor: Cursor = None,
    limit: Limit = 100,
) -> Page[ColumnsRow]:
    """Which columns the columns of datasets, or of one `dataset`, are made from, by writer."""
    rows = await asyncio.to_thread(deps.projections.columns, limit + 1, cursor or "", dataset)
    shown = rows[:limit]
    return Page(
        items=[ColumnsRow.of(row.lineage) for row in shown],
        next_cursor=shown[-1].key if len(rows) > limit else None,
    )
