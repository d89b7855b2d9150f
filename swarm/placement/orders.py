"""What was ordered, what stands and what goes: the state that placement's journal rebuilds."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Self

from swarm.model.plans import NotGiven, Offering, Rented, Standing
from swarm.model.scaling import PlacementRecord, PlanMade, Scaled, Step
from swarm.model.work import Offer, WorkerId
from swarm.placement.rooms import room_of

SOLD_OUT_S = 600.0
_NEVER_S = 10_000_000  # to boot again what nobody rents out
RELEASED = frozenset({Step.NOT_JOINED, Step.RETURNED})
_GOING = RELEASED | {Step.DRAINED}


@dataclass(frozen=True, slots=True)
class Crew:
    """The worker of a node, as the dispatcher knows it; `holds` is how many leases."""

    offer: Offer
    holds: int
    draining: bool

    @property
    def worker(self) -> WorkerId:
        return self.offer.worker


@dataclass(frozen=True, slots=True)
class View:
    """What there is: what whoever rents nodes says, and the worker of each node. `fixed`: nothing
    of the pool is ever returned. `not_given`: which offerings it could not give, and why."""

    offerings: Sequence[Offering]
    standing: Sequence[Standing]
    crews: Mapping[str, Crew]
    fixed: bool = False
    not_given: Mapping[str, NotGiven] = field(default_factory=dict)


class Orders:
    """`nodes` are those that were seen and are not gone, each with its last step; `waiting` are the
    orders nothing came of yet, the oldest first."""

    def __init__(self) -> None:
        self.plan: PlanMade | None = None
        self.reachable = True
        self.waiting: list[Scaled] = []
        self.nodes: dict[str, Scaled] = {}
        self._sold_out: dict[str, Scaled] = {}

    def copy(self) -> Self:
        """One that can be tried out."""
        other = type(self)()
        for record in self.records():
            other.apply(record)
        return other

    def apply(self, record: PlacementRecord) -> None:
        match record:
            case PlanMade():
                self.plan = record
            case Scaled(Step.ORDERED):
                self.waiting.append(record)
            case Scaled(Step.BOOTING | Step.JOINED, offering=offering, node=node):
                if node not in self.nodes:
                    self._settle(offering)
                    self._sold_out.pop(offering, None)
                self.nodes[node] = record
            case Scaled(Step.NOT_COME):
                self._fails(record)
            case Scaled(Step.NOT_JOINED | Step.DRAINED | Step.RETURNED):
                self._goes(record)
            case Scaled(Step.LEFT, node=node):
                self.nodes.pop(node, None)
            case Scaled(Step.UNREACHABLE | Step.REACHABLE as step):
                self.reachable = step is Step.REACHABLE
            case Scaled():
                pass

    def stepped(self, by_s: float) -> None:
        """The wall clock was set by so much: nothing takes longer by that."""
        self.waiting = [_later(one, by_s) for one in self.waiting]
        self.nodes = {node: _later(one, by_s) for node, one in self.nodes.items()}
        self._sold_out = {name: _later(one, by_s) for name, one in self._sold_out.items()}

    def boots_since_s(self, one: Standing) -> float:
        """From when on it boots: by our own clock where that was seen."""
        seen = self.nodes.get(one.node)
        return seen.at_s if seen and seen.step is Step.BOOTING else one.since_s

    def records(self) -> Iterator[PlacementRecord]:
        """A snapshot."""
        if self.plan is not None:
            yield self.plan
        yield from self.nodes.values()
        yield from self._sold_out.values()
        yield from self.waiting
        if not self.reachable:
            yield Scaled(Step.UNREACHABLE, 0.0)

    def step(self, node: str) -> Step | None:
        """The last step of a node; None where it was not seen yet."""
        seen = self.nodes.get(node)
        return seen.step if seen else None

    def is_going(self, node: str, crew: Crew | None) -> bool:
        """Will it take no more work? Also where it was a person who drained its worker, and where
        another worker came to a node that was returned."""
        return self.step(node) in _GOING or (crew is not None and crew.draining)

    def offerings(self, view: View, now_s: float) -> tuple[Offering, ...]:
        """What can be had now; of what is sold out what stays. What a fixed pool would return it
        never had again."""
        here = Counter(one.offering for one in view.standing if self._counts(one, view))
        return tuple(
            replace(one, most=min(here[one.name], here[one.name] if one.most is None else one.most))
            if (gone := self._sold_out.get(one.name)) and now_s < gone.at_s + SOLD_OUT_S
            else one
            for one in (
                replace(one, boot_s=_NEVER_S) if view.fixed else one for one in view.offerings
            )
        )

    def rented(self, view: View, now_s: float) -> list[Rented]:
        """All that is paid for, by node, and what was ordered. Workers of nodes that nobody rents
        out are there too, and cost nothing."""
        kinds = {one.name: one for one in self.offerings(view, now_s)}
        found: list[Rented] = []
        for one in view.standing:
            kind = kinds.get(one.offering)
            if kind is None or not self._counts(one, view):
                continue
            going = self.is_going(one.node, view.crews.get(one.node))
            up_s = 0 if one.joined else max(0, round(self.boots_since_s(one) + kind.boot_s - now_s))
            found.append(Rented(one.node, kind, up_s, going))
        for number, order in enumerate(self.waiting):
            if (kind := kinds.get(order.offering)) is not None:
                up_s = max(0, round(order.at_s + kind.boot_s - now_s))
                found.append(Rented(f"{order.offering}, ordered {number + 1}", kind, up_s))
        nodes = {one.node for one in view.standing}
        for node, crew in view.crews.items():
            if node not in nodes:
                room, capacity = room_of(crew.offer), crew.offer.capacity
                own = Offering(crew.offer.pool or node, room, 0.0, _NEVER_S, capacity)
                found.append(Rented(node, own, 0, crew.draining))
        return found

    def _counts(self, one: Standing, view: View) -> bool:
        """Of those that go only who still holds something: the others take some time to be away."""
        crew = view.crews.get(one.node)
        return not self.is_going(one.node, crew) or bool(crew and crew.holds)

    def _fails(self, record: Scaled) -> None:
        if record.node:  # it was taken for one that boots
            self.nodes.pop(record.node, None)
        else:
            self._settle(record.offering)
        self._sold_out[record.offering] = replace(record, node="")

    def _goes(self, record: Scaled) -> None:
        self.nodes[record.node] = record
        if record.step is Step.NOT_JOINED:  # nor would the next one, and it is the cheapest again
            self._sold_out[record.offering] = replace(record, step=Step.NOT_COME, node="")

    def _settle(self, offering: str) -> None:
        """The oldest order of it is not waited for any more."""
        at = next((at for at, one in enumerate(self.waiting) if one.offering == offering), None)
        if at is not None:
            del self.waiting[at]


def _later(one: Scaled, by_s: float) -> Scaled:
    return replace(one, at_s=one.at_s + by_s)
