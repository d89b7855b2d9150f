"""Keyset paging: a page starts after the sort key the last one ended with, whatever changed."""

import heapq
from collections.abc import Callable, Iterable, Sequence
from math import isfinite, nan
from typing import Annotated, Generic, TypeVar

from fastapi import Query
from pydantic import BaseModel

from swarm.errors import InputError

ItemT = TypeVar("ItemT")
RowT = TypeVar("RowT")

_DIGITS = 19  # what a database can count to

Limit = Annotated[int, Query(ge=1, le=1_000)]
Cursor = Annotated[str | None, Query(max_length=5_000)]


class Page(BaseModel, Generic[RowT]):
    """A page of rows; `next_cursor` is null on the last one."""

    items: list[RowT]
    next_cursor: str | None


def page(
    items: Iterable[ItemT],
    key: Callable[[ItemT], str],
    row: Callable[[ItemT], RowT],
    cursor: str | None,
    limit: int,
) -> Page[RowT]:
    """The `limit` items with the smallest keys above `cursor`, as rows."""
    keyed = ((key(item), item) for item in items)
    rest = (pair for pair in keyed if cursor is None or pair[0] > cursor)
    first = heapq.nsmallest(limit + 1, rest, key=lambda pair: pair[0])
    more = len(first) > limit
    shown = first[:limit]
    return Page(
        items=[row(item) for _, item in shown],
        next_cursor=shown[-1][0] if more else None,
    )


def place_in_time(cursor: str) -> tuple[float, str]:
    """The key (time, name) that a page of `page_in_time` ended with. Raises `InputError`."""
    time, _, key = cursor.partition(" ")
    try:
        at_s = float(time)
    except ValueError:
        at_s = nan
    if not isfinite(at_s) or "\x00" in key:
        raise InputError(f"`{cursor}` is no `next_cursor` that a page gave")
    return at_s, key


def place_in_log(cursor: str) -> int:
    """The global number that `cursor` names. Raises `InputError`."""
    if not (cursor.isdecimal() and len(cursor) < _DIGITS):
        raise InputError(f"`{cursor}` is no place in the log that an answer gave")
    return int(cursor)


def page_in_time(
    found: Sequence[ItemT],
    key: Callable[[ItemT], tuple[float, str]],
    row: Callable[[ItemT], RowT],
    limit: int,
) -> Page[RowT]:
    """`found` as a page: up to `limit` items in the order of (time, name) keys, and one more if
    there is more."""
    shown = found[:limit]
    more = len(found) > limit
    at_s, name = key(shown[-1]) if more else (0.0, "")
    return Page(
        items=[row(item) for item in shown],
        next_cursor=f"{at_s!r} {name}" if more else None,
    )
