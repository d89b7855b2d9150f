"""From what lives and is to come to what a plan is made from. Pure: all of it is given as values.

Rules
1. A task is a demand for one slot for each core it takes, for memory and for GPUs. What only some
   workers may run (a capacity class, a pool, what `sides.py` proposes) is a kind of room of its
   own, which the others lack.
2. By when it has to end is its own deadline, else that of its pipeline (`Expected.end_by_s`). What
   has neither has to begin within the patience of its class. Backfills are behind all others.
3. How long it takes is what tasks like it took, else what its submitter expects, else what runs of
   its pipeline take, else `UNKNOWN`.
4. Of what waits the `MOST` most urgent are demands of their own. The rest is taken together, those
   that are alike, as a few long ones: it needs room, and its order does not matter yet.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from swarm.model.keys import PipelineKey
from swarm.model.plans import Budget, Offering, Rented, Room
from swarm.model.scaling import Expected
from swarm.model.sides import Side
from swarm.model.work import Needs, SlaClass, Submission
from swarm.placement.demand import Demand, Spread
from swarm.placement.planner import Situation
from swarm.placement.rooms import ANY, Only, fitted, needed, only_where
from swarm.placement.sizing import Worth

UNKNOWN = Spread((5.0, 60.0, 300.0, 900.0))
MOST = 300
_TOGETHER = 16  # long demands for the rest of one kind
# What being late is worth, beside a promise of value 1.
VALUES: Mapping[SlaClass, float] = {
    SlaClass.CRITICAL: 1.0,
    SlaClass.STANDARD: 0.1,
    SlaClass.BACKFILL: 0.01,
}


@dataclass(frozen=True, slots=True)
class Live:
    """A task that waits, or runs on a node since `began_s`. `copied`: it is one of two copies, or
    its grant had one."""

    submission: Submission
    node: str = ""
    began_s: float = 0.0
    copied: bool = False


@dataclass(frozen=True, slots=True)
class Coming:
    """A task that is to be handed in at `at_s`; it has to begin within `patience_s` (None: that of
    its class)."""

    name: str
    pipeline: PipelineKey | None
    at_s: float
    needs: Needs
    sla: SlaClass
    takes: Spread
    patience_s: float | None = None


@dataclass(frozen=True, slots=True)
class Scene:
    """What there is. `takes` is how long a task like that took so far; None where none did. `sides`
    are proposed, by name, for what waits and is to come."""

    offerings: Sequence[Offering]
    rented: Sequence[Rented]
    live: Sequence[Live]
    coming: Sequence[Coming]
    expected: Mapping[PipelineKey, Expected]
    takes: Callable[[Submission], Spread | None]
    sides: Mapping[str, Side] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Terms:
    """What a plan has to keep to, and for how long a task of a class may wait."""

    budget: Budget
    worth: Worth
    patience_s: Mapping[SlaClass, float]
    horizon_s: int


def situation(scene: Scene, terms: Terms, now_s: float) -> Situation:
    """All a plan is made from, with times from `now_s` on."""
    pending = [one for one in scene.live if not one.node]
    pending.sort(key=lambda one: _urgency(one.submission, scene.expected, terms))
    wheres = {only_where(one.needs, scene.sides.get(one.name)) for one in scene.coming}
    wheres |= {only_where(one.submission.needs, _side(one, scene)) for one in scene.live}
    only = sorted(wheres - {ANY}, key=str)
    until_s = now_s + terms.horizon_s
    demands = [
        *(_running(one, scene, only, now_s) for one in scene.live if one.node),
        *(_waiting(one.submission, scene, terms, only, now_s) for one in pending),
        *(_to_come(one, scene, terms, only, now_s) for one in scene.coming if one.at_s < until_s),
    ]
    return Situation(
        tuple(_fewer(demands)),
        tuple(replace(one, offering=fitted(one.offering, only)) for one in scene.rented),
        tuple(fitted(one, only) for one in scene.offerings),
        terms.budget,
        terms.horizon_s,
        terms.worth,
    )


def _side(one: Live, scene: Scene) -> Side | None:
    return None if one.node else scene.sides.get(one.submission.task)


def due_at_s(one: Submission, scene: Scene, terms: Terms) -> float | None:
    """By when it has to end, in seconds since the epoch: what is critical, where nothing says by
    when, has to begin within its patience. None: nothing is due."""
    if one.sla is SlaClass.BACKFILL:
        return None
    known = _known(one.pipeline, scene.expected)
    due_s = one.deadline_s if one.deadline_s is not None else known.end_by_s if known else None
    if due_s is None and one.sla is SlaClass.CRITICAL:
        return one.submitted_at_s + terms.patience_s[one.sla] + takes(one, scene).at(0.9)
    return due_s


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


def takes(submission: Submission, scene: Scene) -> Spread:
    """How long it takes, by rule 3."""
    found = scene.takes(submission)
    if found is not None:
        return found
    usual_s = submission.expected_duration_s
    if usual_s > 0:
        return Spread((usual_s / 2, usual_s, usual_s * 2))
    known = _known(submission.pipeline, scene.expected)
    return Spread(known.takes_s) if known and known.takes_s else UNKNOWN


def _running(one: Live, scene: Scene, only: Sequence[Only], now_s: float) -> Demand:
    needs = needed(one.submission.needs, None, only)
    behind = one.submission.sla is SlaClass.BACKFILL
    demand = Demand(str(one.submission.task), takes(one.submission, scene), needs, behind=behind)
    return demand.begun(one.node, max(0.0, now_s - one.began_s))


def _waiting(
    one: Submission, scene: Scene, terms: Terms, only: Sequence[Only], now_s: float
) -> Demand:
    needs = needed(one.needs, scene.sides.get(one.task), only)
    own = Demand(str(one.task), takes(one, scene), needs)
    known = _known(one.pipeline, scene.expected)
    patience_s = one.submitted_at_s + terms.patience_s[one.sla] - now_s
    return _due(own, one.sla, one.deadline_s, known, patience_s, now_s)


def _to_come(one: Coming, scene: Scene, terms: Terms, only: Sequence[Only], now_s: float) -> Demand:
    release_s = max(0, round(one.at_s - now_s))
    needs = needed(one.needs, scene.sides.get(one.name), only)
    own = Demand(one.name, one.takes, needs, release_s=release_s)
    known = _known(one.pipeline, scene.expected)
    patience_s = terms.patience_s[one.sla] if one.patience_s is None else one.patience_s
    return _due(own, one.sla, None, known, patience_s, now_s)


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
    waiting = 0
    rest: dict[tuple[Room, bool, int], list[Demand]] = defaultdict(list)
    for demand in demands:
        if demand.runs_on or waiting < MOST:
            waiting += not demand.runs_on
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
