"""What a dispatcher answers that cannot write, before a record that stops it or on a full disk:
what keeps alive.

It may know nothing of what came after that record. So nobody is told to end anything, nobody is
given anything, and what is told has to be told again.
"""

import asyncio

from swarm.dispatch.events import (
    Acquire,
    Event,
    Grants,
    Nod,
    Orders,
    Receipt,
    Register,
    Renew,
    Reply,
)
from swarm.model.work import WorkerId

_PARKED_S = 2.0


async def answered(event: Event) -> Reply | None:
    """The answer to a worker; None where the journal would have to have it."""
    match event:
        case Register():
            return Receipt.DONE
        case Renew():
            return Orders()
        case Acquire():
            await asyncio.sleep(_PARKED_S)  # its worker asks again at once
            return Grants(())
        case _:
            return None


def noted(worker: WorkerId, at_s: float, unheard_s: float) -> Nod:
    """Every beat is contact."""
    del worker, at_s, unheard_s
    return Nod.NOTED


def unsettled(worker: WorkerId) -> bool:
    """A notice of death has to be sent again."""
    del worker
    return False
