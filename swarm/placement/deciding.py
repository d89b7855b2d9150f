"""From what lives and what stands to a plan of the fleet: all that placement decides in a turn.

What is to come of runs and of planned starts, and what nobody announced, is planned for beside what
lives; each goes to spot or to dedicated capacity, and critical work on spot may get a second copy.
"""

from collections.abc import Callable, Collection
from dataclasses import replace
from random import Random

from swarm.placement.days import Days
from swarm.placement.planner import Effort, plan
from swarm.placement.sides import Sides
from swarm.placement.situation import Scene, Terms, situation
from swarm.placement.steering import Planned
from swarm.placement.unannounced import demands, foreseen

_EFFORT = Effort(draws=8)
_SEED = 1  # the same draws each time: what decides otherwise is the situation


def decided(
    scene: Scene,
    days: Days,
    choose: Callable[[Scene], Sides],
    terms: Terms,
    before: Collection[str],
    now_s: float,
) -> Planned:
    """The plan, and what it rests on. `days` pass by that; `choose` says spot or dedicated;
    `before` is whom the last plan returned."""
    foretold = foreseen(days, scene, terms.budget, now_s, now_s + terms.horizon_s)
    scene = replace(scene, coming=[*scene.coming, *demands(foretold)])
    chosen = choose(scene)
    live = [*scene.live, *chosen.waiting]
    kinds = chosen.first(scene.offerings)
    found = situation(replace(scene, offerings=kinds, live=live, sides=chosen.of), terms, now_s)
    return Planned(
        plan=plan(found, Random(_SEED), _EFFORT),
        demands=len(found.demands),
        before=before,
        sided=(*chosen.copies, *chosen.sided),
        foretold=foretold,
        most_leaving=terms.budget.most_leaving,
        risks=chosen.risks,
    )
