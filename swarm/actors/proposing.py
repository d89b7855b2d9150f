"""Spot or dedicated, as placement asks `sides.py`, and slots to keep free, as the plan has it: what
the dispatcher is told of that."""

from collections.abc import Mapping

from swarm.actors.followed import Followed
from swarm.actors.ports import Dispatch
from swarm.dispatch.events import Propose
from swarm.placement.sides import Market, Sides, sides
from swarm.placement.situation import Scene, Terms


class Proposing:
    """`zones`: in which zone a pool is, where that is known."""

    def __init__(self, followed: Followed, zones: Mapping[str, str]) -> None:
        self._followed, self._zones = followed, zones
        self._chosen, self._told = Sides(), Propose()

    def choose(self, scene: Scene, terms: Terms, now_s: float) -> Sides:
        """For all that waits and is to come, and a second copy of what runs."""
        pools = self._followed.spot_pools
        market = Market(lambda name: pools.age_s(name, now_s), pools.survival, self._zones)
        self._chosen = sides(scene, market, terms, self._followed.grants(), now_s)
        return self._chosen

    async def tell(self, dispatch: Dispatch, kept_free: int, cause_id: str) -> None:
        """What was chosen last, and how many slots backfills leave free; the dispatcher forgets
        what is not said again."""
        chosen = self._chosen
        propose = Propose(
            chosen.sided,
            chosen.careful,
            chosen.promised,
            copies=chosen.copies,
            kept_free=kept_free,
        )
        if propose != Propose() or self._told != Propose():
            await dispatch.tell(propose, cause_id)
            self._told = propose
