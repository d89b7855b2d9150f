"""From what lives and is to come to what a plan is made from. Pure: all of it is given as values.

Rules
1. A task is a demand for one slot for each core it takes, for memory and for GPUs. What only some
   workers may run (a capacity class, a pool) is a kind of room of its own, which the others lack.
2. By when it has to end is its own deadline, else that of its pipeline (`Expected.end_by_s`). What
   has neither has to begin within the patience of its class. Backfills are behind all others.
3. How long it takes is what tasks like it took, else what its submitter expects, else what runs of
   its pipeline take, else `UNKNOWN`.
4. Of what waits the `MOST` most urgent are demands of their own. The rest is taken together, those
   that are alike, as a few long ones: it needs room, and its order does not matter yet.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from math import ceil

from swarm.model.keys import PipelineKey
from swarm.model.plans import Budget, Offering, Rented, Room
from swarm.model.scaling import Expected
from swarm.model.work import CapacityClass, Needs, Offer, Resources, SlaClass, Submission
from swarm.placement.demand import Demand, Spread
from swarm.placement.planner import Situation
from swarm.placement.sizing import Worth

UNKNOWN = Spread((5.0, 60.0, 300.0, 900.0))
MOST = 300
_TOGETHER = 16  # long demands for the rest of one kind
_MIB = 1 << 20
_KINDS = 3  # of room, as `room` has them
# What being late is worth, beside a promise of value 1.
VALUES: Mapping[SlaClass, float] = {
    SlaClass.CRITICAL: 1.0,
    SlaClass.STANDARD: 0.1,
    SlaClass.BACKFILL: 0.01,
}


@dataclass(frozen=True, slots=True)
class Live:
    """A task that waits, or runs on a node since `began_s`."""

    submission: Submission
    node: str = ""
    began_s: float = 0.0


@dataclass(frozen=True, slots=True)
class Coming:
    """A task that is to be handed in at `at_s`."""

    name: str
    pipeline: PipelineKey
    at_s: float
    needs: Needs
    sla: SlaClass
    takes: Spread


@dataclass(frozen=True, slots=True)
class Scene:
    """What there is. `takes` is how long a task like that took so far; None where none did."""

    offerings: Sequence[Offering]
    rented: Sequence[Rented]
    live: Sequence[Live]
    coming: Sequence[Coming]
    expected: Mapping[PipelineKey, Expected]
    takes: Callable[[Submission], Spread | None]


@dataclass(frozen=True, slots=True)
class Terms:
    """What a plan has to keep to, and for how long a task of a class may wait."""

    budget: Budget
    worth: Worth
    patience_s: Mapping[SlaClass, float]
    horizon_s: int


Only = tuple[CapacityClass | None, str]  # the capacity class and the pool that alone will do


def situation(scene: Scene, terms: Terms, now_s: float) -> Situation:
    """All a plan is made from, with times from `now_s` on."""
    pending = [one for one in scene.live if not one.node]
    pending.sort(key=lambda one: _urgency(one.submission, scene.expected, terms))
    needed = [one.submission.needs for one in scene.live] + [one.needs for one in scene.coming]
    only = sorted({_only(one) for one in needed} - {(None, "")}, key=str)
    until_s = now_s + terms.horizon_s
    demands = [
        *(_running(one, scene, only, now_s) for one in scene.live if one.node),
        *(_waiting(one.submission, scene, terms, only, now_s) for one in pending),
        *(_to_come(one, scene, terms, only, now_s) for one in scene.coming if one.at_s < until_s),
    ]
    return Situation(
        tuple(_fewer(demands)),
        tuple(replace(one, offering=_with(one.offering, only)) for one in scene.rented),
        tuple(_with(one, only) for one in scene.offerings),
        terms.budget,
        terms.horizon_s,
        terms.worth,
    )


def room(slots: int, memory_bytes: int, gpu: float) -> Room:
    """What a worker has, in the kinds of every plan: slots, MiB, hundredths of a GPU."""
    return slots, memory_bytes // _MIB, round(gpu * 100)


def room_of(offer: Offer) -> Room:
    """What a worker that stands has."""
    return room(offer.slots, offer.resources.memory_bytes, offer.resources.gpu)


def _units(takes: Resources) -> Room:
    return max(1, ceil(takes.cpu - 1e-9)), -(-takes.memory_bytes // _MIB), round(takes.gpu * 100)


def _only(needs: Needs) -> Only:
    return needs.capacity, needs.pool


def _needs(needs: Needs, only: Sequence[Only]) -> Room:
    units = _units(needs.resources)
    return (*units, *(units[0] if _only(needs) == one else 0 for one in only))


def _with(offering: Offering, only: Sequence[Only]) -> Offering:
    slots = offering.room[0]
    nothing = (0,) * (_KINDS - len(offering.room))  # of kinds that nobody told of
    more = (
        slots if capacity in (None, offering.capacity) and pool in ("", offering.name) else 0
        for capacity, pool in only
    )
    return replace(offering, room=(*offering.room, *nothing, *more))


def _urgency(
    submission: Submission, expected: Mapping[PipelineKey, Expected], terms: Terms
) -> tuple[bool, float]:
    known = _known(submission.pipeline, expected)
    by_s = known.end_by_s if known is not None else None
    due_s = [at_s for at_s in (submission.deadline_s, by_s) if at_s is not None]
    patient_s = submission.submitted_at_s + terms.patience_s[submission.sla]
    return submission.sla is SlaClass.BACKFILL, min([patient_s, *due_s])


def _known(
    pipeline: PipelineKey | None, expected: Mapping[PipelineKey, Expected]
) -> Expected | None:
    return expected.get(pipeline) if pipeline is not None else None


def _takes(submission: Submission, scene: Scene) -> Spread:
    found = scene.takes(submission)
    if found is not None:
        return found
    usual_s = submission.expected_duration_s
    if usual_s > 0:
        return Spread((usual_s / 2, usual_s, usual_s * 2))
    known = _known(submission.pipeline, scene.expected)
    return Spread(known.takes_s) if known and known.takes_s else UNKNOWN


def _running(one: Live, scene: Scene, only: Sequence[Only], now_s: float) -> Demand:
    needs = _needs(one.submission.needs, only)
    behind = one.submission.sla is SlaClass.BACKFILL
    demand = Demand(str(one.submission.task), _takes(one.submission, scene), needs, behind=behind)
    return demand.begun(one.node, max(0.0, now_s - one.began_s))


def _waiting(
    one: Submission, scene: Scene, terms: Terms, only: Sequence[Only], now_s: float
) -> Demand:
    own = Demand(str(one.task), _takes(one, scene), _needs(one.needs, only))
    known = _known(one.pipeline, scene.expected)
    patience_s = one.submitted_at_s + terms.patience_s[one.sla] - now_s
    return _due(own, one.sla, one.deadline_s, known, patience_s, now_s)


def _to_come(one: Coming, scene: Scene, terms: Terms, only: Sequence[Only], now_s: float) -> Demand:
    release_s = max(0, round(one.at_s - now_s))
    own = Demand(one.name, one.takes, _needs(one.needs, only), release_s=release_s)
    known = scene.expected.get(one.pipeline)
    return _due(own, one.sla, None, known, terms.patience_s[one.sla], now_s)


def _due(
    own: Demand,
    sla: SlaClass,
    deadline_s: float | None,
    known: Expected | None,
    patience_s: float,
    now_s: float,
) -> Demand:
    if sla is SlaClass.BACKFILL:
        return replace(own, behind=True, value=VALUES[sla], patience_s=max(0, round(patience_s)))
    value = max(VALUES[sla], known.value if known and known.end_by_s is not None else 0.0)
    if deadline_s is not None:
        return replace(own, due_s=round(deadline_s - now_s), value=max(value, 1.0))
    if known is not None and known.end_by_s is not None:
        return replace(own, due_s=round(known.end_by_s - now_s), value=value)
    return replace(own, patience_s=max(0, round(patience_s)), value=value)


def _fewer(demands: Iterable[Demand]) -> list[Demand]:
    """What runs, the most urgent of what does not, and the rest together."""
    kept: list[Demand] = []
    rest: dict[tuple[Room, bool, int], list[Demand]] = defaultdict(list)
    for demand in demands:
        if demand.runs_on or len(kept) < MOST:
            kept.append(demand)
        else:
            rest[demand.needs, demand.behind, demand.release_s // 600].append(demand)
    for (needs, behind, _), alike in rest.items():
        for part in (alike[at::_TOGETHER] for at in range(min(_TOGETHER, len(alike)))):
            took_s = sum(one.takes.mean() for one in part)
            name = f"{len(part)} more like {part[0].name}"
            release_s = min(one.release_s for one in part)
            long = Demand(name, Spread((took_s, took_s)), needs, release_s=release_s)
            kept.append(replace(long, behind=behind, value=sum(one.value for one in part)))
    return kept
