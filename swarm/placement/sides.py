"""Spot or dedicated, for each task that waits or is to come, and which of those that run get a
second copy: what `spot.choose` says, as proposals.

Rules
1. Who names a capacity or a pool has chosen: nothing is proposed. Nor is it where there is no spot.
2. Critical is what is of that class, and what a promise stands on. It goes to dedicated capacity,
   or to the one pool of spot that is old enough for it; never to another.
3. What is due goes to dedicated capacity where a loss on spot could not be made good in time, as
   long as dedicated capacity could still do it in time. What is late anyway takes what there is.
4. All else is a preference: the cheapest place, with what a loss there would cost.
5. Capacity that does not stand and cannot be had is waited for by nobody: critical work, too, then
   takes what there is.
6. Critical work on spot that a loss would now make late gets a second copy: on dedicated capacity,
   or in a pool that is old enough and is not lost with the first. Only what may run twice does, and
   what is late anyway does not. A slot for it is planned as for any other work.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from math import inf

from swarm.model.keys import PipelineKey
from swarm.model.plans import Budget, Offering, Rented
from swarm.model.sides import Risk, Side, Sided
from swarm.model.work import CapacityClass, Needs, SlaClass, Submission, TaskId
from swarm.placement.demand import Spread
from swarm.placement.rooms import has_room
from swarm.placement.situation import Coming, Live, Scene, due_at_s, takes
from swarm.placement.situation import Terms as Limits
from swarm.placement.spot import (
    CRITICAL_CHANCE,
    Because,
    Choice,
    Pool,
    Terms,
    Work,
    choose,
    full_domains,
)
from swarm.placement.survival import Survival

MOST = 2_000  # that are spoken of, the most urgent first
_LOOK_S = 15.0  # until the next proposals are heard
_HOUR_S = 3_600.0
_RESTART_S = 30.0  # beside what a node may have to boot
_NEVER_S = 100_000  # what boots for longer is of a pool that stays as it is
_NOTHING_ELSE = "it is critical, and no dedicated capacity can be had"
_SPOT, _DEDICATED = CapacityClass.SPOT, CapacityClass.DEDICATED


@dataclass(frozen=True, slots=True)
class Market:
    """What is known of spot: how old a pool is, how long pools last, what is lost at once (a pool
    that is not named there stands for itself)."""

    age_s: Callable[[str], float]
    survival: Survival
    domains: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Sides:
    """`sided` are those that wait, `of` all by their names, also those to come. `careful`: there is
    dedicated capacity for what is critical and was not looked at yet. `copies` are of tasks that
    run; `waiting` is what they still need room for. `risks`: of the pools there were to choose
    from."""

    sided: tuple[Sided, ...] = ()
    of: Mapping[str, Side] = field(default_factory=dict)
    careful: bool = False
    promised: frozenset[PipelineKey] = frozenset()
    copies: tuple[Sided, ...] = ()
    waiting: tuple[Live, ...] = ()
    risks: tuple[Risk, ...] = ()

    def first(self, offerings: Sequence[Offering]) -> tuple[Offering, ...]:
        """The class that most of the work is better on comes first."""
        counts = Counter(side.where for side in self.of.values())
        if not counts:
            return tuple(offerings)
        (where, _), *_ = counts.most_common(1)
        return tuple(sorted(offerings, key=lambda one: one.capacity is not where))


def sides(
    scene: Scene, market: Market, limits: Limits, grants: Mapping[str, int], now_s: float
) -> Sides:
    """`grants`: how often each task was leased."""
    kinds = _kinds(scene.offerings, scene.rented, limits.budget)
    if not any(one.capacity is _SPOT for one in kinds):
        return Sides()
    chooser = _Chooser(scene, market, kinds, now_s)
    waiting = sorted(
        (one.submission for one in scene.live if not one.node),
        key=lambda one: due_at_s(one, scene, limits) or inf,
    )
    sided: list[Sided] = []
    found: dict[str, Side] = {}
    for one in waiting[:MOST]:
        due_s = due_at_s(one, scene, limits)
        is_critical = chooser.is_critical(one.sla, one.pipeline)
        chosen = chooser.choose(one.needs, takes(one, scene), due_s, is_critical)
        if chosen is not None:
            side, why = chosen
            sided.append(Sided(one.task, grants.get(one.task, 0), side, why))
            found[one.task] = side
    for coming in scene.coming:
        chosen = chooser.of_coming(coming, limits)
        if chosen is not None:
            found[coming.name] = chosen[0]
    copies: list[Sided] = []
    second: list[Live] = []
    for live in scene.live:
        task = live.submission.task
        chosen = chooser.of_copy(live, limits)
        if chosen is not None:
            side, why = chosen
            copies.append(Sided(task, grants.get(task, 0), side, why))
            second.append(Live(as_copy(live.submission)))
            found[second[-1].submission.task] = side
    careful = any(one.capacity is _DEDICATED for one in kinds)
    promised = frozenset(key for key, one in scene.expected.items() if one.end_by_s is not None)
    risks = tuple(chooser.risks())
    return Sides(tuple(sided), found, careful, promised, tuple(copies), tuple(second), risks)


def as_copy(one: Submission) -> Submission:
    """The second copy of it, which plans tell apart."""
    return replace(one, task=TaskId(f"{one.task} (copy)"))


def _kinds(
    offerings: Iterable[Offering], rented: Sequence[Rented], budget: Budget
) -> tuple[Offering, ...]:
    """What stands, and what can be had beside it."""
    stand = {one.offering.name: one.offering for one in rented if not one.draining}
    count = Counter(one.offering.name for one in rented)
    usd_per_h = sum(one.offering.price_usd_per_h for one in rented)
    most_usd = budget.most_usd_per_h
    for one in offerings:
        room = one.most is None or count[one.name] < one.most
        paid = most_usd is None or usd_per_h + one.price_usd_per_h <= most_usd
        ordered = one.boot_s < _NEVER_S and len(rented) < budget.most_workers
        if room and paid and ordered:
            stand[one.name] = one
    return tuple(stand.values())


class _Chooser:
    """Chooses for one after the other; each critical one on spot takes of its domain's share."""

    def __init__(
        self, scene: Scene, market: Market, kinds: Sequence[Offering], now_s: float
    ) -> None:
        self._scene, self._market, self._kinds, self._now_s = scene, market, kinds, now_s
        self._held: Counter[str] = Counter()
        self._critical = 0
        spot = {one.worker: one.offering for one in scene.rented if one.offering.capacity is _SPOT}
        for one in scene.live:
            if self.is_critical(one.submission.sla, one.submission.pipeline):
                self._critical += 1
                if one.node in spot:
                    self._held[self._domain(spot[one.node].name)] += 1
        self._spot = spot
        self._ages_s = {one.name: market.age_s(one.name) for one in kinds}

    def risks(self) -> Iterator[Risk]:
        for one in sorted(self._kinds, key=lambda one: (one.price_usd_per_h, one.name)):
            if one.capacity is _SPOT:
                age_s = self._ages_s[one.name]
                chance = self._market.survival.chance(one.name, age_s, _HOUR_S)
                yield Risk(one.name, one.price_usd_per_h, age_s, chance)

    def is_critical(self, sla: SlaClass, pipeline: PipelineKey | None) -> bool:
        known = self._scene.expected.get(pipeline) if pipeline is not None else None
        promised = known is not None and known.end_by_s is not None
        return sla is SlaClass.CRITICAL or (promised and sla is not SlaClass.BACKFILL)

    def of_coming(self, one: Coming, limits: Limits) -> tuple[Side, str] | None:
        known = self._scene.expected.get(one.pipeline) if one.pipeline is not None else None
        due_s = known.end_by_s if known is not None else None
        is_critical = self.is_critical(one.sla, one.pipeline)
        if due_s is None and is_critical:
            due_s = one.at_s + limits.patience_s[one.sla] + one.takes.at(0.9)
        delay_s = max(0.0, one.at_s - self._now_s)
        due_s = due_s - delay_s if due_s is not None else None
        return self.choose(one.needs, one.takes, due_s, is_critical)

    def of_copy(self, one: Live, limits: Limits) -> tuple[Side, str] | None:
        """Where what runs is to run a second time, and why; None where it is not."""
        task, here = one.submission, self._spot.get(one.node)
        if here is None or one.copied or not self.is_critical(task.sla, task.pipeline):
            return None
        due_s = due_at_s(task, self._scene, limits)
        if not task.may_run_twice or not task.needs.is_free or due_s is None:
            return None
        kinds = [kind for kind in self._kinds if has_room(kind, task.needs)]
        dedicated = [kind for kind in kinds if kind.capacity is _DEDICATED]
        to_due_s, p90_s = due_s - self._now_s, takes(task, self._scene).at(0.9)
        if not dedicated or to_due_s <= 0:
            return None
        ran_s = max(1.0, self._now_s - one.began_s)
        work = Work(p90_s, p90_s, ran_s, to_due_s - _LOOK_S, critical=True)
        pool = Pool(
            here.name, self._domain(here.name), _slot_usd(here), self._market.age_s(here.name)
        )
        stays = Choice(_SPOT, Because.MID_PIECE, here.name)
        made = choose(work, stays, [pool], self._market.survival, self._terms(dedicated))
        if not made.copy:
            return None
        apart = [kind for kind in kinds if self._domain(kind.name) != pool.domain]
        return Side(_DEDICATED, tuple(self._old(apart, p90_s))), made.because.value

    def _old(self, kinds: Iterable[Offering], for_s: float) -> Iterator[str]:
        for one in kinds:
            age_s = self._ages_s[one.name]
            chance = self._market.survival.chance(one.name, age_s, for_s)
            if one.capacity is _SPOT and chance <= CRITICAL_CHANCE:
                yield one.name

    def choose(
        self, needs: Needs, spread: Spread, due_s: float | None, is_critical: bool
    ) -> tuple[Side, str] | None:
        """Its side and why; None where it may choose itself, or nothing is better than all else."""
        if not needs.is_free:
            return None
        kinds = [one for one in self._kinds if has_room(one, needs)]
        dedicated = [one for one in kinds if one.capacity is _DEDICATED]
        if not dedicated:
            return (Side(_SPOT), _NOTHING_ELSE) if is_critical else None
        p90_s = spread.at(0.9)
        to_due_s = inf if due_s is None else due_s - self._now_s - _LOOK_S
        work = Work(p90_s, p90_s, 0.0, to_due_s, is_critical)
        pools = [
            Pool(one.name, self._domain(one.name), _slot_usd(one), self._ages_s[one.name])
            for one in kinds
            if one.capacity is _SPOT
        ]
        full = full_domains(self._held, self._critical)
        made = choose(work, None, pools, self._market.survival, self._terms(dedicated), full)
        return self._told(made, is_critical, to_due_s >= p90_s)

    def _told(self, made: Choice, is_critical: bool, in_time: bool) -> tuple[Side, str] | None:
        why = made.because.value
        if is_critical:
            pools = () if made.pool is None else (made.pool,)
            if made.pool is not None:
                self._held[self._domain(made.pool)] += 1
            return Side(_DEDICATED if made.pool is None else _SPOT, pools), why
        if made.where is None:
            return None
        firm = made.where is _DEDICATED and made.because is not Because.CHEAPEST and in_time
        return Side(made.where, () if firm else None), why

    def _domain(self, pool: str) -> str:
        return self._market.domains.get(pool, pool)

    def _terms(self, dedicated: Sequence[Offering]) -> Terms:
        """Were it lost, a dedicated node may have to boot first, where one can be had."""
        ordered_s = (one.boot_s for one in dedicated if one.boot_s < _NEVER_S)
        boot_s = min(ordered_s, default=0)
        return Terms(min(map(_slot_usd, dedicated)), _RESTART_S + boot_s, _LOOK_S)


def _slot_usd(one: Offering) -> float:
    return one.price_usd_per_h / max(1, one.room[0])
