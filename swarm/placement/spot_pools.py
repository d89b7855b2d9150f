"""How old each pool of spot is and how often it was lost, from what the dispatcher journals.

A pool is there from the first of its workers on. The loss of a node makes it young again: what one
lost, others may lose soon. A node that was drained before it went was returned, and a worker whose
process ended is there again in a moment: no losses. Drained by its notice it is lost however its
worker ends: a machine that shuts down ends its processes first, which tell.
"""

from dataclasses import dataclass, field

from swarm.model.dispatch import DispatchRecord, DrainAsked, WorkerGone, WorkerJoined, WorkerKept
from swarm.model.work import NOTICE, CapacityClass, LossCause, Offer, WorkerId
from swarm.placement.survival import Survival

_LOSSES = frozenset({LossCause.NODE_GONE, LossCause.SELF_FENCED})
_SOMEBODY = "somebody"  # a snapshot does not tell who
_AGAIN_S = 60.0  # so long a pool without workers is not gone


@dataclass(slots=True)
class _Pool:
    """`since_s`: from when on it counts its age; `seen_s`: until when that was learned from."""

    since_s: float
    seen_s: float
    workers: dict[WorkerId, str] = field(default_factory=dict)  # and who drained it, if anybody
    empty_s: float = 0.0


class SpotPools:
    """`apply` in the order of the dispatcher's stream. `survival` is what was learned."""

    def __init__(self) -> None:
        self.survival = Survival()
        self._pools: dict[str, _Pool] = {}
        self._of: dict[WorkerId, str] = {}
        self._at_s = 0.0  # of the last record

    def apply(self, record: DispatchRecord, at_s: float) -> None:
        self._at_s = at_s
        match record:
            case WorkerJoined(offer):
                self._join(offer, at_s)
            case WorkerKept(offer, draining, _, interrupted):
                self._join(offer, at_s, NOTICE if interrupted else _SOMEBODY if draining else "")
            case DrainAsked(worker, by):
                if worker in self._of:
                    self._pools[self._of[worker]].workers[worker] = by or _SOMEBODY
            case WorkerGone(worker, cause):
                if worker in self._of:
                    self._leave(worker, cause, at_s)
            case _:
                pass

    def begin(self) -> None:
        """The stream begins anew, with a snapshot of what lives. What was learned stays, and how
        old the pools are."""
        self._of = {}
        for pool in self._pools.values():
            pool.workers, pool.empty_s = {}, self._at_s

    def age_s(self, name: str, now_s: float) -> float:
        """For how long it has been there without a loss; 0 where it is not there."""
        pool = self._pools.get(name)
        if pool is None or (not pool.workers and now_s > pool.empty_s + _AGAIN_S):
            return 0.0
        self._learn(name, pool, now_s, lost=False)
        return max(0.0, now_s - pool.since_s)

    def _join(self, offer: Offer, at_s: float, drained_by: str = "") -> None:
        if offer.capacity is not CapacityClass.SPOT:
            return
        pool = self._pools.get(offer.pool)
        if pool is None or (not pool.workers and at_s > pool.empty_s + _AGAIN_S):
            pool = self._pools[offer.pool] = _Pool(at_s, at_s)
        pool.workers[offer.worker] = drained_by
        self._of[offer.worker] = offer.pool

    def _leave(self, worker: WorkerId, cause: LossCause, at_s: float) -> None:
        name = self._of.pop(worker)
        pool = self._pools[name]
        drained_by = pool.workers.pop(worker, "")
        lost = drained_by == NOTICE or (cause in _LOSSES and not drained_by)
        self._learn(name, pool, at_s, lost=lost)
        if lost:
            pool.since_s = pool.seen_s = at_s
        pool.empty_s = at_s

    def _learn(self, name: str, pool: _Pool, at_s: float, *, lost: bool) -> None:
        from_s, to_s = pool.seen_s - pool.since_s, at_s - pool.since_s
        if lost or to_s > from_s >= 0:
            self.survival.observe(name, from_s, max(from_s, to_s), lost)
            pool.seen_s = max(pool.seen_s, at_s)
