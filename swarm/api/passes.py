"""Who shows the pass of a grant: the program that runs under it, as long as it does.

The end of a grant is the end of its pass: it opens while the task lives, has no newer grant, and is
held by a worker. A replica may hear of a grant later than its program begins; a pass that fits is
of a grant that was made, so one that is newer than what is known here opens too.
"""

import asyncio

from swarm.api.keyring import NotAdmitted
from swarm.api.read_model import ReadModel
from swarm.dispatch.states import HELD
from swarm.errors import StoreError, UnknownKey
from swarm.model.access import Caller, Role
from swarm.model.passes import read
from swarm.model.work import Token
from swarm.store.projections import Projections
from swarm.store.stories import LIVE

_NONE = "This token of a task is not known: swarm did not make it, or with another key."
_OVER = "This token was for a grant that is over; the task has another, or has ended."


async def caller_of(key: bytes, text: str, model: ReadModel, kept: Projections) -> Caller:
    """Raises `NotAdmitted`, and `StoreError` where nobody can tell yet."""
    token = read(key, text) if key else None
    if token is None:
        raise NotAdmitted("unauthorized", _NONE)
    if not await _holds(token, model, kept):
        raise NotAdmitted("attempt-over", _OVER)
    return Caller(f"task:{token.task}", frozenset({Role.WORKER}), token.task)


async def _holds(token: Token, model: ReadModel, kept: Projections) -> bool:
    task = model.floor.tasks.get(token.task)
    if task is not None:
        newest = task.grant == token.grant and task.state in HELD
        return newest or task.grant < token.grant
    try:
        row, _ = await asyncio.to_thread(kept.stories.one, token.task)
    except UnknownKey:
        raise StoreError(f"task {token.task} is not known here yet, or no longer.") from None
    return row.state in LIVE
