"""How often a request that changes nothing is sent again."""

from collections.abc import AsyncIterator

import stamina

from swarm.connectors.http_answers import Busy
from swarm.errors import Unavailable

_TRIES = 3
_MAX_REST_S = 5.0


async def tries(timeout_s: float) -> AsyncIterator[stamina.Attempt]:
    """A few tries while the error is `Unavailable`; none begins after `timeout_s`.

    `async for attempt in tries(...): with attempt: return await request()`.
    """
    async for attempt in stamina.retry_context(
        on=may_retry, attempts=_TRIES, timeout=timeout_s, wait_initial=0.2, wait_max=2.0
    ):
        yield attempt


def may_retry(error: Exception) -> bool | float:
    """Whether, or after how many seconds, the same request may be sent again."""
    if isinstance(error, Busy):
        return min(error.retry_after_s, _MAX_REST_S)
    return isinstance(error, Unavailable)
