"""Work that nobody announced, as demands of a plan: what `days.py` foretells of what is known.

What is known is what lives and what is to come; what is foretold has to begin at once when it
comes, so the planner has its room up by then, ordered a boot ahead.
"""

from collections.abc import Iterable, Sequence

from swarm.model.learned import Foretold
from swarm.model.work import Needs, Resources, SlaClass
from swarm.placement.days import QUARTER_S, Days
from swarm.placement.demand import Spread
from swarm.placement.forecast import Booking
from swarm.placement.rooms import slots
from swarm.placement.situation import Coming, Scene, takes

_PATIENCE_S = 60.0
_WHOLE_QUARTER = Spread((QUARTER_S, QUARTER_S))
_ONE = Needs(resources=Resources(cpu=1.0))


def foreseen(days: Days, scene: Scene, now_s: float, until_s: float) -> Foretold:
    """What to plan for besides; days pass by that, too."""
    living = list(_living(scene, now_s))
    known = [*living, *_to_come(scene.coming)]
    days.look(known, now_s)
    return days.ahead(known, sum(one.slots for one in living), now_s, until_s)


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


def _living(scene: Scene, now_s: float) -> Iterable[Booking]:
    for one in scene.live:
        submission = one.submission
        if submission.sla is not SlaClass.BACKFILL:
            spread = takes(submission, scene)
            left = spread.left(max(0.0, now_s - one.began_s)) if one.node else spread
            yield Booking(now_s, slots(submission.needs.resources), left.mean())


def _to_come(coming: Iterable[Coming]) -> Iterable[Booking]:
    for one in coming:
        if one.sla is not SlaClass.BACKFILL:
            yield Booking(one.at_s, slots(one.needs.resources), one.takes.mean())
