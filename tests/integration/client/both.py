"""The same tests for both clients: each call is awaited, the waiting one in a thread."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Iterator
from typing import Any, Protocol

from swarm.client import AsyncClient, Client

_END = object()


class Either(Protocol):
    """`await call("name", ...)`, `async for ... in walk("name", ...)`."""

    client: Client | AsyncClient

    async def call(self, name: str, *args: Any, **kwargs: Any) -> Any: ...

    def walk(
        self, name: str, *args: Any, **kwargs: Any
    ) -> contextlib.AbstractAsyncContextManager[AsyncIterator[Any]]: ...


class Waiting:
    def __init__(self, client: Client) -> None:
        self.client = client

    async def call(self, name: str, *args: Any, **kwargs: Any) -> Any:
        return await asyncio.to_thread(getattr(self.client, name), *args, **kwargs)

    @contextlib.asynccontextmanager
    async def walk(self, name: str, *args: Any, **kwargs: Any) -> AsyncIterator[AsyncIterator[Any]]:
        rows: Any = getattr(self.client, name)(*args, **kwargs)
        try:
            yield _in_threads(rows)
        finally:
            await asyncio.to_thread(rows.close)


class Awaiting:
    def __init__(self, client: AsyncClient) -> None:
        self.client = client

    async def call(self, name: str, *args: Any, **kwargs: Any) -> Any:
        return await getattr(self.client, name)(*args, **kwargs)

    @contextlib.asynccontextmanager
    async def walk(self, name: str, *args: Any, **kwargs: Any) -> AsyncIterator[AsyncIterator[Any]]:
        async with contextlib.aclosing(getattr(self.client, name)(*args, **kwargs)) as rows:
            yield rows


@contextlib.asynccontextmanager
async def either(kind: str, url: str, token: str, **options: float) -> AsyncIterator[Either]:
    """A client of that kind, `waiting` or `awaiting`."""
    if kind == "waiting":
        with Client(url, token, **options) as client:
            yield Waiting(client)
    else:
        async with AsyncClient(url, token, **options) as other:
            yield Awaiting(other)


async def _in_threads(rows: Iterator[Any]) -> AsyncIterator[Any]:
    while (row := await asyncio.to_thread(next, rows, _END)) is not _END:
        yield row


async def taken(rows: AsyncIterator[Any], count: int) -> list[Any]:
    """The next so many."""
    return [await anext(rows) for _ in range(count)]
