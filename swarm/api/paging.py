"""Keyset paging: a page starts after the sort key the last one ended with, whatever changed."""

import hashlib
from bisect import bisect_right
from collections.abc import Callable, Iterable, Sequence
from math import isfinite, nan
from operator import itemgetter
from typing import Annotated, Generic, TypeVar

from fastapi import Query
from pydantic import BaseModel

from swarm.errors import InputError

ItemT = TypeVar("ItemT")
RowT = TypeVar("RowT")

_KEY = itemgetter(0)
_KEY_MAX = 1_000  # characters
_DIGITS = 19  # what a database can count to

Limit = Annotated[int, Query(ge=1, le=1_000)]
Cursor = Annotated[str | None, Query(max_length=5_000)]


class Page(BaseModel, Generic[RowT]):
    """A page of rows; `next_cursor` is null on the last one."""

    items: list[RowT]
    next_cursor: str | None


Keyed = Sequence[tuple[str, ItemT]]  # in the order of the keys


def keyed(items: Iterable[ItemT], key: Callable[[ItemT], str]) -> Keyed[ItemT]:
    """What `page` takes pages of. The end of a key that is too long for a cursor is its digest."""
    return sorted(((_bounded(key(item)), item) for item in items), key=_KEY)


def page(
    items: Keyed[ItemT], row: Callable[[ItemT], RowT], cursor: str | None, limit: int
) -> Page[RowT]:
    """The `limit` items with the smallest keys above `cursor`, as rows."""
    first = 0 if cursor is None else bisect_right(items, cursor, key=_KEY)
    shown = items[first : first + limit]
    more = first + limit < len(items)
    return Page(
        items=[row(item) for _, item in shown],
        next_cursor=shown[-1][0] if more else None,
    )


def _bounded(key: str) -> str:
    if len(key) <= _KEY_MAX:
        return key
    digest = hashlib.sha256(key.encode(errors="surrogatepass")).hexdigest()
    return f"{key[:_KEY_MAX]} {digest}"


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
