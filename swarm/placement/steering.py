"""From plans to what is done about the fleet, step by step, each with its reason.

`steer` answers with the records that are new and with what is to be done now. Done or not, the next
look says it again for as long as it holds, and makes a record of it once.

Rules
1. The fleet that is wanted is all that stands and stays, all that was ordered, and what the plan
   orders within `SOON_S`. So nothing that stands is taken away by saying less.
2. A node goes in steps, each seen before the next: two plans in a row return it while its worker
   holds nothing; the worker is drained; drained and empty for `SETTLE_S`, in which it sends what
   its tasks printed last, the node is released. One whose worker a person drained goes the same
   way. No more than `most_leaving` go at a time, those first that would be idle for longest. Of a
   fixed pool nothing goes.
3. What was ordered and refused since will not come, nor what is not there after its boot time and
   `OVERDUE_S`: that offering is sold out for `SOLD_OUT_S`, so the next plan orders another. What
   boots for longer than that is returned, and sold out too.
"""

from collections import Counter
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field, replace

from swarm.model.learned import Foretold
from swarm.model.plans import Because, Kept, Move, Plan, Refused, ScaleDown, ScaleUp
from swarm.model.scaling import PlacementRecord, PlanMade, Scaled, Step
from swarm.model.sides import Risk, Sided
from swarm.model.work import WorkerId
from swarm.placement.explain import of_foretold
from swarm.placement.orders import RELEASED, Orders, View

SOON_S = 15
OVERDUE_S = 180.0
SETTLE_S = 10.0
_ROUNDED_S = 1.0  # whoever rents nodes tells whole seconds
_RENAMED = "it joined, and goes by its own name now"
_TOLD = 100  # of what is unplaced, of what is placed, and of what has a side


@dataclass(frozen=True, slots=True)
class Todo:
    """What is new, and what is to be done: workers to drain, nodes to release, the whole fleet."""

    records: tuple[PlacementRecord, ...]
    drain: tuple[WorkerId, ...]
    release: tuple[str, ...]
    fleet: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class Planned:
    """A plan of so many demands. `before`: whom the plan before it returned; `sided`: for whom spot
    or dedicated was chosen; `foretold`: what nobody announced and was planned for; `most_leaving`:
    so many workers may go at a time (None: any number); `risks`: of the pools of spot."""

    plan: Plan
    demands: int
    before: Collection[str] = ()
    sided: tuple[Sided, ...] = ()
    foretold: Foretold = field(default_factory=Foretold)
    most_leaving: int | None = None
    risks: tuple[Risk, ...] = ()

    @property
    def returns(self) -> frozenset[str]:
        """Whom it wants gone."""
        return frozenset(one.worker for one in self.plan.moves if isinstance(one, ScaleDown))


def steer(orders: Orders, view: View, planned: Planned | None, now_s: float) -> Todo:
    """What is to be done now. `planned` is None where there is no newer plan than the last one."""
    after, records = orders.copy(), list[PlacementRecord]()

    def note(steps: Iterator[Scaled]) -> None:
        for one in list(steps):
            after.apply(one)
            records.append(one)

    note(_news(after, view, now_s))
    last = orders.plan.number if orders.plan else 0
    number = last + 1
    if planned is not None:
        planned = _paced(after, view, planned)
        note(_ordered(planned, number, now_s))
        note(_drained(after, view, planned, number, now_s))
        note(_refused(orders, planned.plan, number, now_s))
    note(_returned(after, view, last, now_s))
    fleet = _fleet(after, view)
    if planned is not None:
        made = _made(view, planned, fleet, number, now_s)
        if orders.plan is None or _gist(made) != _gist(orders.plan):
            records.insert(0, made)
    drain = (
        crew.worker
        for one in view.standing
        if (crew := view.crews.get(one.node)) and not crew.draining
        if after.is_going(one.node, crew)
    )
    release = (one.node for one in view.standing if after.step(one.node) in RELEASED)
    return Todo(tuple(records), tuple(drain), tuple(release), fleet)


def reach(orders: Orders, fault: str, now_s: float) -> list[Scaled]:
    """News of whether whoever rents nodes answers; `fault` says why not, empty: it does."""
    if orders.reachable is not bool(fault):
        return []
    return [Scaled(Step.UNREACHABLE if fault else Step.REACHABLE, now_s, detail=fault)]


def _news(orders: Orders, view: View, now_s: float) -> Iterator[Scaled]:
    """What came, what went, and what should have come."""
    boot_s = {one.name: one.boot_s for one in view.offerings}
    for one in view.standing:
        step, kind = orders.step(one.node), one.offering
        waited_s = now_s - orders.boots_since_s(one)
        late_s = 2 * boot_s.get(kind, 0) + OVERDUE_S
        if one.joined and step in (None, Step.BOOTING):
            yield Scaled(Step.JOINED, now_s, offering=kind, node=one.node)
        elif not one.joined and step is None:
            yield Scaled(Step.BOOTING, now_s, offering=kind, node=one.node)
        elif not one.joined and step is Step.BOOTING and waited_s > late_s:
            detail = f"it was ordered {waited_s:.0f} s ago and still boots"
            yield Scaled(Step.NOT_JOINED, now_s, offering=kind, node=one.node, detail=detail)
    yield from _left(orders, view, now_s)
    came = Counter(one.offering for one in view.standing if orders.step(one.node) is None)
    for order in orders.waiting:
        waited_s, refused = now_s - order.at_s, view.not_given.get(order.offering)
        if came[order.offering] > 0:
            came[order.offering] -= 1
        elif refused is not None and refused.at_s > order.at_s - _ROUNDED_S:
            kind, why = order.offering, refused.because
            yield Scaled(Step.NOT_COME, now_s, offering=kind, detail=refused.said, because=why)
        elif waited_s > boot_s.get(order.offering, 0) + OVERDUE_S:
            detail = f"none came within {waited_s:.0f} s"
            yield Scaled(Step.NOT_COME, now_s, offering=order.offering, detail=detail)


def _left(orders: Orders, view: View, now_s: float) -> Iterator[Scaled]:
    """What stands no more. What booted is called otherwise once it joined; what was taken for
    booting and was refused never came."""
    joined = (one for one in view.standing if one.joined and orders.step(one.node) is None)
    came = Counter(one.offering for one in joined)
    for node in sorted(orders.nodes.keys() - {one.node for one in view.standing}):
        last = orders.nodes[node]
        kind, booted = last.offering, last.step is Step.BOOTING
        refused = view.not_given.get(kind) if booted else None
        if booted and came[kind] > 0:
            came[kind] -= 1
            yield Scaled(Step.LEFT, now_s, offering=kind, node=node, detail=_RENAMED)
        elif refused is not None:
            why, said = refused.because, refused.said
            yield Scaled(Step.NOT_COME, now_s, 0, kind, node, detail=said, because=why)
        else:
            detail = "" if last.step in RELEASED else "nobody returned it: it was lost"
            yield Scaled(Step.LEFT, now_s, offering=kind, node=node, detail=detail)


def _ordered(planned: Planned, number: int, now_s: float) -> Iterator[Scaled]:
    besides = of_foretold(planned.foretold) if planned.foretold.slots else ""
    for move in planned.plan.moves:
        if isinstance(move, ScaleUp) and move.order_s <= SOON_S:
            kind = move.offering
            yield Scaled(Step.ORDERED, now_s, number, offering=kind, move=move, foretold=besides)


def _drained(
    orders: Orders, view: View, planned: Planned, number: int, now_s: float
) -> Iterator[Scaled]:
    downs = {one.worker: one for one in planned.plan.moves if isinstance(one, ScaleDown)}
    for one in view.standing:
        if one.node in downs and _may_drain(orders, view, planned, one.node):
            worker = str(view.crews[one.node].worker)
            move = downs[one.node]
            yield Scaled(Step.DRAINED, now_s, number, one.offering, one.node, worker, move)


def _may_drain(orders: Orders, view: View, planned: Planned, node: str) -> bool:
    """Is it empty, and was it to go in the plan before as well?"""
    crew = view.crews.get(node)
    if crew is None or crew.holds or view.fixed or node not in planned.before:
        return False
    return not orders.is_going(node, crew)


def _paced(orders: Orders, view: View, planned: Planned) -> Planned:
    """The same with those kept for now that would go beside as many as may."""
    if planned.most_leaving is None:
        return planned
    going = sum(orders.is_going(one.node, view.crews.get(one.node)) for one in view.standing)
    downs = [
        one
        for one in planned.plan.moves
        if isinstance(one, ScaleDown) and _may_drain(orders, view, planned, one.worker)
    ]
    downs.sort(key=lambda one: (-one.saves_s, one.worker))
    kept = {one.worker for one in downs[max(0, planned.most_leaving - going) :]}
    moves = tuple(
        Kept(one.worker, one.saves_s, 0, Because.MOST_LEAVING)
        if isinstance(one, ScaleDown) and one.worker in kept
        else one
        for one in planned.plan.moves
    )
    return replace(planned, plan=replace(planned.plan, moves=moves))


def _returned(orders: Orders, view: View, number: int, now_s: float) -> Iterator[Scaled]:
    for one in view.standing if not view.fixed else ():
        crew, last = view.crews.get(one.node), orders.nodes.get(one.node)
        if crew is None or crew.holds or not crew.draining or last is None:
            continue
        where = one.offering, one.node, str(crew.worker)
        if last.step is Step.JOINED:
            yield Scaled(Step.DRAINED, now_s, 0, *where, detail="somebody drained it")
        elif last.step is Step.DRAINED and now_s >= last.at_s + SETTLE_S:
            yield Scaled(Step.RETURNED, now_s, number, *where)


def _refused(orders: Orders, plan: Plan, number: int, now_s: float) -> Iterator[Scaled]:
    told = _refusals(orders.plan.moves) if orders.plan else set()
    for move in plan.moves:
        if isinstance(move, Refused) and move.because not in told:
            yield Scaled(Step.REFUSED, now_s, number, move=move)


def _refusals(moves: tuple[Move, ...]) -> set[Because]:
    return {move.because for move in moves if isinstance(move, Refused)}


def _fleet(orders: Orders, view: View) -> Mapping[str, int]:
    known = {one.name for one in view.offerings}
    stay = [
        one.offering
        for one in view.standing
        if one.offering in known and not orders.is_going(one.node, view.crews.get(one.node))
    ]
    ordered = [one.offering for one in orders.waiting if one.offering in known]
    return Counter([*stay, *ordered])


def _made(
    view: View, planned: Planned, fleet: Mapping[str, int], number: int, now_s: float
) -> PlanMade:
    plan, prices = planned.plan, {one.name: one.price_usd_per_h for one in view.offerings}
    returnable = () if view.fixed else tuple(one.node for one in view.standing)
    moves = tuple(
        move
        for move in plan.moves
        if not isinstance(move, ScaleDown | Kept) or move.worker in returnable
    )
    placed = sorted(plan.placements, key=lambda one: (one.because is Because.RUNS, one.start_s))
    return PlanMade(
        number=number,
        at_s=now_s,
        demands=planned.demands,
        moves=moves,
        candidates=plan.candidates,
        chosen=plan.chosen,
        unplaced=plan.unplaced[:_TOLD],
        unplaced_all=len(plan.unplaced),
        makespan_s=plan.makespan_s,
        bound_s=plan.bound_s,
        kept_free=plan.kept_free,
        usd_per_h=sum(prices[name] * count for name, count in fleet.items()),
        wanted=tuple(sorted(fleet.items())),
        sided=planned.sided[:_TOLD],
        sided_all=len(planned.sided),
        foretold=planned.foretold,
        risks=planned.risks,
        placements=tuple(placed[:_TOLD]),
        placements_all=len(placed),
    )


def _gist(made: PlanMade) -> object:
    """What of a plan is a decision, without the figures that move all the time."""
    moves = sorted(
        (type(one).__name__, getattr(one, "worker", ""), one.because) for one in made.moves
    )
    unplaced = sorted((one.task, one.because) for one in made.unplaced)
    sided = {(one.side, one.why) for one in made.sided}
    fleet = made.chosen.workers, made.kept_free, made.wanted, made.foretold.trust
    return moves, unplaced, made.unplaced_all, sided, fleet
