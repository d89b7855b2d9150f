"""The port to one orchestrator instance."""

from collections.abc import AsyncIterator
from typing import Protocol

from swarm.model.journal import Batch


class Connector(Protocol):
    """Reads one orchestrator, changes nothing in it.

    `observe` makes one pass: it yields what changed since `cursor` (`None`: everything), each
    batch with the cursor to go on from, and ends when it has caught up. Passing an old cursor
    again repeats batches and loses nothing. It raises `Unavailable`, `Unauthorized` or
    `MalformedResponse`; what it cannot understand of a single pipeline becomes an `Unresolved`
    item and the pass goes on.

    `wait` returns when the orchestrator's own push says there is news, at the latest after
    `timeout_s`. Push is only a reason to look sooner: the truth is always read by cursor.
    """

    @property
    def name(self) -> str: ...

    @property
    def kind(self) -> str: ...

    def observe(self, cursor: str | None) -> AsyncIterator[Batch]: ...

    async def wait(self, timeout_s: float) -> None: ...

    async def close(self) -> None: ...
