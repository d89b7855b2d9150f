"""Why a task is not running: one typed reason, and one line a person can act on."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum

from swarm.dispatch.floor import Floor
from swarm.dispatch.guidance import Held
from swarm.dispatch.states import Task, TaskState
from swarm.dispatch.workers import Worker
from swarm.model.sides import Sided
from swarm.model.work import Needs, Offer, TaskId


class WaitReason(StrEnum):
    """What stands between a task and its start."""

    NO_WORKER = "no_worker"
    NO_CAPABILITY = "no_capability"
    NO_POOL = "no_pool"
    NO_CAPACITY = "no_capacity"
    TOO_LARGE = "too_large"
    DRAINING = "draining"
    ALL_BUSY = "all_busy"
    ON_TRIAL = "on_trial"
    OWNER = "owner"
    HELD = "held"
    PLACED = "placed"
    NEXT = "next"
    # Said by the newest plan of the fleet, in its own words, where that may not grow.
    MOST_WORKERS = "most_workers"
    MOST_USD = "most_usd"
    SOLD_OUT = "sold_out"
    QUOTA = "quota"
    LAUNCH_FAILED = "launch_failed"
    NO_ROOM = "no_room"
    BEHIND = "behind"


@dataclass(frozen=True, slots=True)
class Waiting:
    """The first thing that is missing, in the order in which one would look for it."""

    reason: WaitReason
    text: str


def why_waiting(
    floor: Floor, id_: TaskId, held: Held | None = None, sided: Sided | None = None
) -> Waiting | None:
    """Why the live task `id_` is not running; None while it is. `held` is the hold it is under,
    `sided` what placement proposes for it."""
    task = floor.tasks[id_]
    if task.worker is not None:
        return None
    if task.state is TaskState.LOST:
        text = f"lost with its worker; {task.submission.subject or 'its owner'} has to re-arm it"
        return Waiting(WaitReason.OWNER, text)
    if held is not None:
        return Waiting(WaitReason.HELD, _held(held))
    workers = list(floor.workers.values())
    lacking = _without(task, workers)
    if lacking is not None or sided is None:
        return lacking or _unfree(task, floor, workers)
    allowed = [worker for worker in workers if sided.side.allows(worker.offer)]
    if not allowed or _without(task, allowed) is not None:
        text = f"it waits for {_allowed(sided)}: {sided.why}"
        return Waiting(WaitReason.PLACED, text)
    return _unfree(task, floor, allowed)


def _allowed(sided: Sided) -> str:
    pools = sided.side.pools
    return f"dedicated capacity or spot {', '.join(pools)}" if pools else "dedicated capacity"


def _held(held: Held) -> str:
    until = datetime.fromtimestamp(held.until_s, UTC).strftime("%H:%M:%S")
    awaited = ", ".join(map(str, held.hold.waits_for))
    what = f"waits for {awaited}: {held.hold.reason}" if awaited else held.hold.reason
    return f"held: {what}; until {until} UTC, unless that is put off"


# What a worker has to have, in the order in which one would look for it.
_MATCHES: Sequence[tuple[WaitReason, Callable[[Needs, Offer], bool], Callable[[Needs], str]]] = (
    (
        WaitReason.NO_CAPABILITY,
        lambda needs, offer: needs.capability in offer.capabilities,
        lambda needs: f"no worker has the capability {needs.capability!r}",
    ),
    (
        WaitReason.NO_POOL,
        lambda needs, offer: needs.pool in ("", offer.pool),
        lambda needs: f"no worker that could run it is in the pool {needs.pool!r}",
    ),
    (
        WaitReason.NO_CAPACITY,
        lambda needs, offer: needs.capacity in (None, offer.capacity),
        lambda needs: f"no worker that could run it is {needs.capacity}",
    ),
    (
        WaitReason.TOO_LARGE,
        lambda needs, offer: needs.resources.fits(offer.resources),
        lambda needs: f"no worker that could run it is as large as {_amount(needs)}",
    ),
)


def missing(needs: Needs, offer: Offer) -> WaitReason | None:
    """What this worker does not have, however empty it is."""
    return next((reason for reason, matches, _ in _MATCHES if not matches(needs, offer)), None)


def unmatched(needs: Needs, offers: Sequence[Offer]) -> Waiting | None:
    """What none of `offers` has, however empty its worker is."""
    for reason, matches, text in _MATCHES:
        offers = [offer for offer in offers if matches(needs, offer)]
        if not offers:
            return Waiting(reason, text(needs))
    return None


def _without(task: Task, workers: list[Worker]) -> Waiting | None:
    """What no worker has, or only one that gets nothing new."""
    if not workers:
        return Waiting(WaitReason.NO_WORKER, "there is no worker yet")
    needs = task.submission.needs
    waiting = unmatched(needs, [worker.offer for worker in workers])
    if waiting is None and all(w.draining for w in workers if not missing(needs, w.offer)):
        return Waiting(WaitReason.DRAINING, "every worker that could run it is being drained")
    return waiting


def _unfree(task: Task, floor: Floor, workers: Sequence[Worker]) -> Waiting:
    """What no worker has free now."""
    team = task.submission.team
    if task.suspect:
        text = "its last workers died under it: it waits for a worker it has for itself"
        return Waiting(WaitReason.ON_TRIAL, text)
    needs = task.submission.needs.resources
    for worker in workers:
        if worker.free_slots and needs.fits(worker.offer.resources - worker.used):
            ahead = floor.queue.waiting(team)
            return Waiting(WaitReason.NEXT, f"its turn comes; team {team} has {ahead} waiting")
    return Waiting(WaitReason.ALL_BUSY, "every worker that could run it is busy")


def _amount(needs: Needs) -> str:
    amount = needs.resources
    parts = [f"{amount.cpu:g} CPU", f"{amount.memory_bytes / 2**30:.1f} GiB", f"{amount.gpu:g} GPU"]
    wanted = (amount.cpu, amount.memory_bytes, amount.gpu)
    return ", ".join(part for part, many in zip(parts, wanted, strict=True) if many)
