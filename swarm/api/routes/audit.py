"""Who changed what over HTTP, and whether what is kept of it is what was written."""

import asyncio
from typing import Self
from urllib.parse import unquote

from fastapi import APIRouter
from pydantic import BaseModel, Field

from swarm.api.deps import Deps, Given
from swarm.api.paging import Cursor, Limit, Page, page_in_time, place_in_time
from swarm.api.roles import ROOT
from swarm.errors import InputError, Rejected
from swarm.store.audit import Audit, Row, Verdict

router = APIRouter(prefix=ROOT, tags=["audit"])

_DIGITS = 12


class AuditRow(BaseModel):
    """A change: who asked for what, and the records of its stream that it wrote (numbers 0: none).
    `at_s` is seconds since the epoch."""

    stream: str
    no: int
    at_s: float
    by: str = Field(description="The key, token or person.")
    asked: str = Field(description="Method and path of the request.")
    types: str = Field(description="What was written.")
    first_seq: int
    last_seq: int
    body: str = Field(description="The first of the records; a long one is cut.")
    digest: str

    @classmethod
    def of(cls, row: Row) -> Self:
        # A name may hold what is no text: it is shown with a mark in its place.
        asked_by, asked = (unquote(text, errors="replace") for text in (row.asked_by, row.asked))
        return cls(
            stream=row.stream,
            no=row.no,
            at_s=row.at_s,
            by=asked_by,
            asked=asked,
            types=row.types,
            first_seq=row.first_seq,
            last_seq=row.last_seq,
            body=row.body,
            digest=row.digest,
        )


class VerdictRow(BaseModel):
    """The chain of a stream: so many rows fit, the last of them with `digest`, the first `trimmed`
    of them by what a row says that sealed it when they went; `wrong` is the first that does not, or
    empty. To notice rows cut off at the end, keep number and digest elsewhere."""

    stream: str
    rows: int
    digest: str
    wrong: str
    trimmed: int

    @classmethod
    def of(cls, verdict: Verdict) -> Self:
        return cls(
            stream=verdict.stream,
            rows=verdict.rows,
            digest=verdict.digest,
            wrong=verdict.wrong,
            trimmed=verdict.trimmed,
        )


@router.get("/audit")
async def audit(deps: Given, cursor: Cursor = None, limit: Limit = 100) -> Page[AuditRow]:
    """All changes that somebody asked for, newest first."""
    before = None if cursor is None else _place(cursor)
    rows = await asyncio.to_thread(_kept(deps).rows, limit + 1, before)
    return page_in_time(
        rows, lambda row: (row.at_s, f"{row.no:0{_DIGITS}d} {row.stream}"), AuditRow.of, limit
    )


@router.get("/audit/verify")
async def verify(deps: Given) -> list[VerdictRow]:
    """Whether each row follows from the one before it, and the records are as they were written."""
    return [VerdictRow.of(verdict) for verdict in await asyncio.to_thread(_kept(deps).verify)]


def _place(cursor: str) -> tuple[float, str, int]:
    at_s, key = place_in_time(cursor)
    no, _, stream = key.partition(" ")
    if not (no.isdecimal() and len(no) <= _DIGITS):
        raise InputError(f"`{cursor}` is no `next_cursor` that a page gave")
    return at_s, stream, int(no)


def _kept(deps: Deps) -> Audit:
    if deps.audit is None:
        raise Rejected("this API was started without a store for its audit.")
    return deps.audit
