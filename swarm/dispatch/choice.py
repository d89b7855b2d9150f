"""Which waiting tasks a worker gets.

Between teams the one with the smallest dominant share of the fleet, over its weight, goes first
(Ghodsi et al., Dominant Resource Fairness, 2011), counting what it holds and what it is being
given. Within a team the most urgent task that fits goes first.

A task that is late and does not fit beside what runs would wait for ever behind small ones. One
worker that could run it is therefore kept free for it until it fits.

Work that gives way (backfills of pipelines that yield) holds a floor of the fleet in its turn like
any other, so it never starves. Above that it goes after all else, and never beyond a ceiling, which
leaves room for what comes next.

Beyond its slots a worker gets tasks only in turn, while all it holds needs the same, so that
whichever of them run together fit, and while no other worker has a free slot for them.

A task with a side (`proposals.py`) goes to a worker of the other side only while none of its own
has room for it: what is free anyway is not left idle for a proposal.

What is behind takes no slot that placement keeps free for others, until it is late.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import IntEnum
from itertools import chain

from swarm.dispatch.queue import Place, Queue, Shape
from swarm.dispatch.workers import NOTHING, Worker, slots_of, suits
from swarm.model.work import Resources, TaskId, WorkerId

# The dominant share of the fleet that work which gives way has in its turn, and has at most.
FLOOR = 0.05
CEILING = 0.5


@dataclass(frozen=True, slots=True)
class Fleet:
    """What there is and who holds how much of it."""

    total: Resources
    held_by: Mapping[str, Resources]
    weights: Mapping[str, float]
    idle: Sequence[Worker] = ()  # others, with a free slot
    giving_way: Resources = NOTHING  # what work that gives way holds
    ready: Sequence[Worker] = ()  # others that would get what they have room for
    careful: bool = False  # is placement?
    spare: int | None = None  # slots that what is behind may take; None: any

    def share(self, team: str, more: Resources) -> float:
        """The weighted dominant share of `team` if it held `more` besides."""
        held = self.held_by.get(team, Resources()) + more
        return held.share_of(self.total) / self.weights.get(team, 1.0)

    def rank(self, given: Resources, more: Resources) -> "Rank":
        """Where work that gives way stands if it was `given` so much and got `more`."""
        held = self.giving_way + given
        share = (held + more).share_of(self.total)
        if held == Resources() or share <= FLOOR:
            return Rank.IN_TURN
        return Rank.LAST if share <= CEILING else Rank.NOT_NOW


class Rank(IntEnum):
    """When work gets what is free."""

    IN_TURN = 0
    LAST = 1
    NOT_NOW = 2


@dataclass(frozen=True, slots=True)
class Chosen:
    """A task for a worker; `alone`: no other beside it."""

    task: TaskId
    alone: bool


@dataclass(frozen=True, slots=True)
class Choice:
    """What a worker gets now, and for which task it is kept free, if for any."""

    chosen: tuple[Chosen, ...]
    kept_for: TaskId | None = None


def choose(
    queue: Queue,
    worker: Worker,
    fleet: Fleet,
    reserved: Mapping[TaskId, WorkerId],
    wall_s: float,
    ahead: int = 0,
) -> Choice:
    """Fill the free slots of `worker` out of `queue`, which stays as it is, and then give it up to
    `ahead` tasks more than it has slots.

    `reserved` tells which worker is kept free for which late task.
    """
    hand = _Hand(queue, worker, fleet, wall_s)
    own = worker.offer.worker
    kept = [task for task, keeper in reserved.items() if keeper == own and queue.has_turn(task)]
    for task in kept:
        team, shape, place = queue.find(task)
        if not hand.sees(team, shape):  # what placement proposes has changed
            continue
        if not hand.fits(shape) or not worker.free_slots:
            return Choice((), task)
        hand.take(place, shape, team)
    while len(hand.chosen) < worker.free_slots and not hand.full:
        found = _next(hand, reserved, wall_s)
        if found is None:
            break
        place, shape, team, fits = found
        if not fits:
            return Choice(tuple(hand.chosen), place.task)
        hand.take(place, shape, team)
    if len(hand.chosen) == worker.free_slots and not hand.full:
        _take_ahead(hand, fleet, ahead - worker.ahead)
    return Choice(tuple(hand.chosen))


def kept_from(shape: Shape, place: Place, spare: int | None, wall_s: float) -> bool:
    """Are the slots it would take kept for others, where what is behind may take `spare`? Who is
    late has left them to others for long enough, so nothing waits for ever."""
    if spare is None or not shape.behind or place.latest_start_s <= wall_s:
        return False
    return slots_of(shape.needs.resources) > spare


class _Hand:
    """The choice so far: what is taken and what room is left."""

    def __init__(self, queue: Queue, worker: Worker, fleet: Fleet, wall_s: float) -> None:
        self.worker = worker
        self.chosen: list[Chosen] = []
        self._fleet = fleet
        self._wall_s = wall_s
        self._spare = fleet.spare
        self.full = worker.closed
        self._room = worker.offer.resources - worker.used
        self._given: dict[str, Resources] = {}
        self._given_way = Resources()
        self._takes: set[Resources] = set()
        # The most urgent place of each team and shape, and the walk that has the ones behind it.
        self._heads: dict[str, dict[Shape, tuple[Place, Iterator[Place]]]] = {}
        for team in queue.teams():
            for shape in queue.shapes(team):
                if _is_for(worker, shape, fleet):
                    walk = queue.walk(team, shape)
                    self._heads.setdefault(team, {})[shape] = next(walk), walk

    def in_turn(self) -> Iterator[tuple[str, Shape, Place]]:
        """The head of every team and shape, in the order of their claim."""
        none = Resources()
        order = sorted(
            (self._fleet.share(team, self._given.get(team, none)), min(heads.values())[0], team)
            for team, heads in self._heads.items()
        )
        last = []
        for _, _, team in order:
            heads = self._heads[team]
            for shape in sorted(heads, key=lambda shape: heads[shape][0]):
                if kept_from(shape, heads[shape][0], self._spare, self._wall_s):
                    continue
                match self.rank(shape):
                    case Rank.IN_TURN:
                        yield team, shape, heads[shape][0]
                    case Rank.LAST:
                        last.append((team, shape, heads[shape][0]))
                    case Rank.NOT_NOW:
                        pass
        yield from last

    def sees(self, team: str, shape: Shape) -> bool:
        """Does any task of that shape wait that the worker may get?"""
        return shape in self._heads.get(team, ())

    def rank(self, shape: Shape) -> Rank:
        if not shape.give_way:
            return Rank.IN_TURN
        return self._fleet.rank(self._given_way, shape.needs.resources)

    def fits(self, shape: Shape) -> bool:
        if shape.alone and (self.worker.held or self.chosen):
            return False
        return shape.needs.resources.fits(self._room)

    def alike(self) -> Resources | None:
        """What each task takes that the worker has and is given, where they take the same and one
        fits in each slot."""
        takes = {*self.worker.held.values(), *self._takes}
        offer = self.worker.offer
        fit = {each for each in takes if each.times(offer.slots).fits(offer.resources)}
        return fit.pop() if fit and len(takes) == 1 else None

    def take(self, place: Place, shape: Shape, team: str) -> None:
        takes = shape.needs.resources
        self._takes.add(takes)
        self.chosen.append(Chosen(place.task, shape.alone))
        self.full = shape.alone
        self._room = self._room - takes
        if self._spare is not None:
            self._spare -= slots_of(takes)
        self._given[team] = self._given.get(team, Resources()) + takes
        if shape.give_way:
            self._given_way = self._given_way + takes
        head, walk = self._heads[team][shape]
        if head != place:  # it was kept for, and others are more urgent
            behind = chain([head], (other for other in walk if other != place))
            self._heads[team][shape] = next(behind), behind
        elif (following := next(walk, None)) is not None:
            self._heads[team][shape] = following, walk
        else:
            del self._heads[team][shape]
            if not self._heads[team]:
                del self._heads[team]


def _is_for(worker: Worker, shape: Shape, fleet: Fleet) -> bool:
    """May it have such a task, and would no worker of the task's own side get it at once?"""
    if not suits(worker.offer, shape, careful=fleet.careful):
        return False
    side = shape.heeded(careful=fleet.careful)
    if side is None or side.prefers(worker.offer):
        return True
    return not any(
        side.prefers(other.offer)
        and suits(other.offer, shape, careful=fleet.careful)
        and shape.needs.resources.fits(other.offer.resources - other.used)
        and not (shape.alone and other.held)
        for other in fleet.ready
    )


def _take_ahead(hand: _Hand, fleet: Fleet, count: int) -> None:
    """Give it more than it has slots for, in the order of claims and not past any."""
    takes = hand.alike()
    for _ in range(count):
        head = next(hand.in_turn(), None)
        if head is None:
            return
        team, shape, place = head
        if shape.alone or shape.needs.resources != takes:
            return
        if any(suits(other.offer, shape, careful=fleet.careful) for other in fleet.idle):
            return
        hand.take(place, shape, team)


def _next(
    hand: _Hand, reserved: Mapping[TaskId, WorkerId], wall_s: float
) -> tuple[Place, Shape, str, bool] | None:
    """The task whose turn it is, and whether it fits now; None when nothing can be done."""
    own = hand.worker.offer.worker
    for team, shape, place in hand.in_turn():
        if hand.fits(shape):
            return place, shape, team, True
        late = place.latest_start_s <= wall_s and hand.rank(shape) is Rank.IN_TURN
        if late and reserved.get(place.task, own) == own:
            return place, shape, team, False
    return None
