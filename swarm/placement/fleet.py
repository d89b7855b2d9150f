"""Workers as a plan may have them: those that stand, those it would order, those it lets go."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

from swarm.model.plans import Because, Budget, Offering, Rented, Room

_BY_ONE = 32  # so many sizes are tried one by one; larger ones in steps of an eighth
_UNLIMITED = Budget(1 << 30)


@dataclass(frozen=True, slots=True)
class Fleet:
    """`leaving` ones end what they run and take nothing more."""

    workers: tuple[Rented, ...] = ()
    leaving: tuple[Rented, ...] = ()

    @property
    def everyone(self) -> tuple[Rented, ...]:
        return self.workers + self.leaving

    @property
    def spare(self) -> list[Rented]:
        """Those that leave and need not."""
        return [one for one in self.leaving if not one.draining]

    @property
    def capacity(self) -> Room:
        """What all that stay have together."""
        return _together(self.workers)

    @property
    def whole(self) -> Room:
        """The same with those that leave: what runs there still has its room."""
        return _together(self.everyone)

    def with_one(self, offering: Offering) -> "Fleet":
        """One more, ordered now."""
        name = f"{offering.name}+{len(self.everyone) + 1}"
        return replace(self, workers=(*self.workers, Rented(name, offering, offering.boot_s)))

    def with_back(self, one: Rented) -> "Fleet":
        """One of those that would leave stays."""
        leaving = tuple(other for other in self.leaving if other is not one)
        return Fleet((*self.workers, one), leaving)

    def beyond(self, budget: Budget) -> Because | None:
        """What of the budget, or of what can be had, does not allow it."""
        paid = [*self.workers, *(one for one in self.leaving if one.draining)]
        if len(paid) > budget.most_workers:
            return Because.MOST_WORKERS
        usd_per_h = sum(one.offering.price_usd_per_h for one in paid)
        if budget.most_usd_per_h is not None and usd_per_h > budget.most_usd_per_h + 1e-9:
            return Because.MOST_USD
        for offering in {one.offering for one in paid}:
            count = sum(one.offering == offering for one in paid)
            if offering.most is not None and count > offering.most:
                return Because.SOLD_OUT
        return None


def _lacks(has: Room, mix: Sequence[float]) -> int | None:
    """The kind of room that there is least of beside the slots; None where of all there is enough
    for the work."""
    short = [
        (1.0 - has[kind] / (part * has[0]), kind)
        for kind, part in enumerate(mix)
        if kind and part > 0 and has and has[0]
    ]
    worst, kind = max(short, default=(0.0, 0))
    return kind if worst > 0 else None


def _together(workers: Iterable[Rented]) -> Room:
    return tuple(map(sum, zip(*(one.offering.room for one in workers), strict=True)))


def fits(needs: Room, room: Room) -> bool:
    """Is there as much of every kind?"""
    return all(need <= there_is for need, there_is in zip(needs, room, strict=True))


def least(
    shapes: Iterable[Room], rented: Sequence[Rented], offerings: Sequence[Offering], budget: Budget
) -> tuple[Fleet, dict[Room, Because]]:
    """The fewest workers with room for each of these needs, the first that fit; and for which
    needs there is none, and why. All others leave."""
    fleet, short = Fleet((), tuple(rented)), dict[Room, Because]()
    for needs in sorted(set(shapes), reverse=True):
        if any(fits(needs, one.offering.room) for one in fleet.workers):
            continue
        stand = [fleet.with_back(one) for one in fleet.spare if fits(needs, one.offering.room)]
        new = [fleet.with_one(one) for one in offerings if fits(needs, one.room)]
        allowed = [one for one in stand + new if not one.beyond(budget)]
        if allowed:
            fleet = allowed[0]
        else:
            short[needs] = Because.NO_ROOM if stand or new else Because.NO_OFFERING
    return fleet, short


def sizes_from(
    fleet: Fleet,
    offerings: Sequence[Offering],
    budget: Budget,
    slots: int,
    mix: Sequence[float] = (),
) -> Iterator[Fleet]:
    """Ever larger fleets that the budget allows, from the first that has so many slots on (or the
    largest allowed), and then the first that it does not allow. `mix`: how much of each kind of
    room the work takes for each slot; a fleet grows by what it has least of, in proportion."""
    small: Fleet | None = None
    for one in _larger(fleet, offerings, mix):
        beyond = one.beyond(budget)
        if not beyond and sum(one.capacity[:1]) < slots:
            small = one
            continue
        if beyond and small is not None:
            yield small
        small = None
        yield one
        if beyond:
            return
    if small is not None:
        yield small


def _larger(fleet: Fleet, offerings: Sequence[Offering], mix: Sequence[float]) -> Iterator[Fleet]:
    """First those come back that would leave, then new ones are ordered."""
    yield fleet
    while fleet.spare:
        fleet = fleet.with_back(fleet.spare[0])
        yield fleet
    tried = 0
    while offerings:
        for _ in range(1 if tried < _BY_ONE else max(1, len(fleet.workers) // 8)):
            fleet = _with_next(fleet, offerings, mix)
        tried += 1
        yield fleet


def _with_next(fleet: Fleet, offerings: Sequence[Offering], mix: Sequence[float]) -> Fleet:
    """One more of the first offering that is not sold out; first come those with what it lacks."""
    lacks = _lacks(fleet.capacity, mix)
    for offering in sorted(offerings, key=lambda one: lacks is not None and not one.room[lacks]):
        more = fleet.with_one(offering)
        if not more.beyond(_UNLIMITED):
            return more
    return fleet.with_one(offerings[0])
