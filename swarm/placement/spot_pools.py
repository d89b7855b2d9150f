"""How old each pool of spot is and how often it was lost, from what the dispatcher journals.

A pool is there from the first of its workers on. The loss of a node makes it young again: what one
lost, others may lose soon. Those that go with it count as losses of the age that the pool had
before, each of them. A node that was drained before it went was returned, and a worker whose
process ended is there again in a moment: no losses. Drained by its notice it is lost however its
worker ends: a machine that shuts down ends its processes first, which tell.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field

from swarm.model.dispatch import DispatchRecord, DrainAsked, WorkerGone, WorkerJoined, WorkerKept
from swarm.model.learned import PoolKept
from swarm.model.work import NOTICE, CapacityClass, LossCause, Offer, WorkerId
from swarm.placement.survival import Survival

_LOSSES = frozenset({LossCause.NODE_GONE, LossCause.SELF_FENCED})
_SOMEBODY = "somebody"  # a snapshot does not tell who
_AGAIN_S = 60.0  # so long a pool without workers is not gone
_AT_ONCE_S = 120.0  # within the time of a notice: the same cause


@dataclass(slots=True)
class _Worker:
    joined_s: float
    drained_by: str  # if anybody


@dataclass(slots=True)
class _Pool:
    """`since_s`: from when on it counts its age; `seen_s`: until when that was learned from.
    `lost_s`: when the last loss began that several may share, at which age of the pool."""

    since_s: float
    seen_s: float
    workers: dict[WorkerId, _Worker] = field(default_factory=dict)
    empty_s: float = 0.0
    lost_s: float = float("-inf")
    lost_age_s: float = 0.0


class SpotPools:
    """`apply` in the order of the dispatcher's stream. `survival` is what was learned."""

    def __init__(self) -> None:
        self.survival = Survival()
        self._pools: dict[str, _Pool] = {}
        self._of: dict[WorkerId, str] = {}
        self._at_s = 0.0  # of the last record
        self._learns = True

    def apply(self, record: DispatchRecord, at_s: float, *, learns: bool = True) -> None:
        """`learns` false: what it tells was learned already, and only who is there is followed."""
        self._at_s, self._learns = at_s, learns
        match record:
            case WorkerJoined(offer):
                self._join(offer, at_s)
            case WorkerKept(offer, draining, _, interrupted):
                self._join(offer, at_s, NOTICE if interrupted else _SOMEBODY if draining else "")
            case DrainAsked(worker, by):
                if worker in self._of:
                    self._pools[self._of[worker]].workers[worker].drained_by = by or _SOMEBODY
            case WorkerGone(worker, cause):
                if worker in self._of:
                    self._leave(worker, cause, at_s)
            case _:
                pass
        self._learns = True

    def begin(self) -> None:
        """The stream begins anew, with a snapshot of what lives. What was learned stays, and how
        old the pools are."""
        self._of = {}
        for pool in self._pools.values():
            pool.workers, pool.empty_s = {}, self._at_s

    def kept(self) -> tuple[PoolKept, ...]:
        """What tells how old they are."""
        return tuple(
            PoolKept(
                name,
                one.since_s,
                one.seen_s,
                one.seen_s if one.workers else one.empty_s,
                None if one.lost_s == float("-inf") else one.lost_s,
                one.lost_age_s,
            )
            for name, one in sorted(self._pools.items())
        )

    def recall(self, kept: Iterable[PoolKept]) -> None:
        """What was kept; who is there is told by the stream."""
        known, self._pools = self._pools, {}
        for one in kept:
            workers = known[one.name].workers if one.name in known else {}
            pool = self._pools[one.name] = _Pool(one.since_s, one.seen_s, workers, one.empty_s)
            pool.lost_age_s = one.lost_age_s
            if one.lost_s is not None:
                pool.lost_s = one.lost_s

    def stepped(self, by_s: float) -> None:
        """The wall clock was set by so much: ages stay as they are."""
        self._at_s += by_s
        for pool in self._pools.values():
            pool.since_s += by_s
            pool.seen_s += by_s
            pool.empty_s += by_s
            pool.lost_s += by_s
            for one in pool.workers.values():
                one.joined_s += by_s

    def age_s(self, name: str, now_s: float) -> float:
        """For how long it has been there without a loss; 0 where it is not there."""
        pool = self._pools.get(name)
        if pool is None or (not pool.workers and now_s > pool.empty_s + _AGAIN_S):
            return 0.0
        self._watch(name, pool, now_s)
        return max(0.0, now_s - pool.since_s)

    def _join(self, offer: Offer, at_s: float, drained_by: str = "") -> None:
        if offer.capacity is not CapacityClass.SPOT:
            return
        pool = self._pools.get(offer.pool)
        is_new = self._learns and pool and not pool.workers and at_s > pool.empty_s + _AGAIN_S
        if pool is None or is_new:
            pool = self._pools[offer.pool] = _Pool(at_s, at_s)
        self._watch(offer.pool, pool, at_s)
        pool.workers[offer.worker] = _Worker(at_s, drained_by)
        self._of[offer.worker] = offer.pool

    def _leave(self, worker: WorkerId, cause: LossCause, at_s: float) -> None:
        name = self._of.pop(worker)
        pool = self._pools[name]
        self._watch(name, pool, at_s)
        left = pool.workers.pop(worker)
        if not self._learns:
            return
        if left.drained_by == NOTICE or (cause in _LOSSES and not left.drained_by):
            self._lose(name, pool, left, at_s)
        pool.empty_s = at_s

    def _lose(self, name: str, pool: _Pool, left: _Worker, at_s: float) -> None:
        age_s = max(0.0, at_s - pool.since_s)
        if at_s > pool.lost_s + _AT_ONCE_S:
            pool.lost_s, pool.lost_age_s = at_s, age_s
        elif left.joined_s <= pool.lost_s:
            age_s = pool.lost_age_s
        self.survival.observe(name, age_s, age_s, lost=True)
        pool.since_s = pool.seen_s = at_s

    def _watch(self, name: str, pool: _Pool, until_s: float) -> None:
        """Until then its workers were there."""
        from_s, to_s = pool.seen_s - pool.since_s, until_s - pool.since_s
        if self._learns and to_s > from_s:
            self.survival.observe(name, from_s, to_s, lost=False, nodes=len(pool.workers))
            pool.seen_s = until_s
