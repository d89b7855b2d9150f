"""Work that nobody announced, as demands of a plan: what `days.py` foretells of what is known.

What is known is what lives and what is to come; what is foretold has to begin at once when it
comes, so the planner has its room up by then, ordered a boot ahead.
"""

from collections import Counter
from collections.abc import Iterator, Sequence

from swarm.model.learned import Foretold
from swarm.model.plans import Budget
from swarm.model.work import Needs, Resources, SlaClass
from swarm.placement.days import QUARTER_S, Days, rest_of_day
from swarm.placement.demand import Spread
from swarm.placement.forecast import Booking
from swarm.placement.rooms import slots
from swarm.placement.situation import Coming, Scene, takes

_PATIENCE_S = 60.0
_WHOLE_QUARTER = Spread((QUARTER_S, QUARTER_S))
_ONE = Needs(resources=Resources(cpu=1.0))


def foreseen(days: Days, scene: Scene, budget: Budget, now_s: float, until_s: float) -> Foretold:
    """What to plan for besides; days pass by that, too."""
    bookings, lives = known(scene, now_s)
    rest = rest_of_day(bookings, now_s)
    days.look(rest, now_s)
    return days.ahead(rest, lives, _most(scene, budget), now_s, until_s)


def known(scene: Scene, now_s: float) -> tuple[list[Booking], int]:
    """What lives and is to come, those that wait for as long as others do together; and how many
    slots live. Backfills count for nothing."""
    waiting = Counter[Spread]()
    bookings, lives = [], 0
    for one in scene.live:
        submission = one.submission
        if submission.sla is SlaClass.BACKFILL:
            continue
        takes_slots, spread = slots(submission.needs.resources), takes(submission, scene)
        lives += takes_slots
        if one.node:
            left = spread.left(max(0.0, now_s - one.began_s))
            bookings.append(Booking(now_s, takes_slots, left.mean()))
        else:
            waiting[spread] += takes_slots
    bookings += (Booking(now_s, count, spread.mean()) for spread, count in waiting.items())
    return [*bookings, *_to_come(scene)], lives


def demands(foretold: Foretold) -> Sequence[Coming]:
    """A task of one slot for each, of a quarter of an hour."""
    return [
        Coming(
            f"work that is to be expected, {number} from {at_s:.0f} on",
            None,
            at_s,
            _ONE,
            SlaClass.STANDARD,
            _WHOLE_QUARTER,
            _PATIENCE_S,
        )
        for at_s, count in foretold.slots
        for number in range(1, count + 1)
    ]


def _to_come(scene: Scene) -> Iterator[Booking]:
    for one in scene.coming:
        if one.sla is not SlaClass.BACKFILL:
            yield Booking(one.at_s, slots(one.needs.resources), one.takes.mean())


def _most(scene: Scene, budget: Budget) -> int:
    """So many slots the fleet has at most, were all of it of its largest workers."""
    offerings = [*scene.offerings, *(one.offering for one in scene.rented)]
    return budget.most_workers * max((one.room[0] for one in offerings), default=0)
