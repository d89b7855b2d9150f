"""The lists of an Airflow, page by page, without the rows that nobody can read."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterable, Mapping
from functools import partial
from typing import TypeVar

from swarm.connectors.airflow.http import AirflowHttp, Parameters
from swarm.connectors.airflow.position import Feed
from swarm.connectors.payloads import Payload, Payloads
from swarm.model.lineage import Unresolved

T = TypeVar("T")


class Pages:
    """Reads lists in threads; `note` takes what in them is strange. `key` is the name that the
    rows of a page stand under. Raises as `AirflowHttp` does."""

    def __init__(
        self,
        http: AirflowHttp,
        payloads: Payloads,
        note: Callable[[Iterable[Unresolved]], None],
    ) -> None:
        self._http, self._payloads, self._note = http, payloads, note

    async def each(
        self, path: str, key: str, parameters: Parameters | None = None
    ) -> AsyncIterator[Payload]:
        """The pages of a list as they are, each asked for when it is wanted."""
        pages = self._http.pages(path, key, parameters)
        while (page := await asyncio.to_thread(next, pages, None)) is not None:
            yield page

    async def all(
        self,
        path: str,
        key: str,
        read: Callable[[str, Payload], Iterable[T]],
        parameters: Parameters | None = None,
    ) -> list[T]:
        """What all rows of a list mean."""
        mine = partial(read, self._payloads.instance)
        return [
            one
            async for page in self.each(path, key, parameters)
            for one in mine(self.sound(path, key, page, mine))
        ]

    async def follow(
        self, path: str, key: str, parameters: Parameters, feed: Feed
    ) -> AsyncIterator[tuple[Payload, Feed]]:
        """A list page by page, with the feed as it is after each page."""
        pages = self._http.pages(path, key, parameters)
        page = await asyncio.to_thread(next, pages, None)
        while page is not None:
            following = await asyncio.to_thread(next, pages, None)
            yield page, feed.at(page.get("next_cursor") or "") if following else feed.finished()
            page = following

    def sound(
        self, path: str, key: str, page: Payload, read: Callable[[Payload], Iterable[object]]
    ) -> Payload:
        """The page without the rows that `read` cannot follow; those are noted."""

        def read_row(row: Payload) -> tuple[object, ...]:
            return tuple(read({key: [row]}))

        address = self._http.address(path)
        rows, strange = self._payloads.sift(page[key], read_row, address, dag_of)
        self._note(strange)
        return {**page, key: rows}


def dag_of(row: object) -> str:
    """The DAG that a row is about, as far as it tells."""
    name = row.get("dag_id") if isinstance(row, Mapping) else None
    return name if isinstance(name, str) else ""
