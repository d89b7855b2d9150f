"""The port to one orchestrator instance."""

from collections.abc import AsyncIterator, Callable, Sequence
from typing import Protocol, runtime_checkable

from swarm.model.connectors import Batch
from swarm.model.recovery import Recovered, Recovery
from swarm.model.runs import TaskRun

RunsBetween = Callable[[float, float], Sequence[TaskRun]]


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


@runtime_checkable
class Recovers(Protocol):
    """A connector that can make a run go on whose process is dead. Nothing else of it writes."""

    async def recover(self, recovery: Recovery) -> tuple[Recovered, str]:
        """Look whether the run is still where it died, and only then have it go on under the same
        id. Returns how it ended and why; may be called again with the same. Raises as `observe`
        does."""
        ...


@runtime_checkable
class LearnsRuns(Protocol):
    """A connector to something that ran without a word of whose it was, such as a statement."""

    def learn_runs(self, between: RunsBetween, settle_s: float) -> None:
        """`between(from_s, to_s)` gives the task runs of all orchestrators that were under way
        then; of a time `settle_s` ago all are known that ever will be. May be called from
        another thread."""
        ...
