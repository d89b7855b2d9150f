"""The port to whoever rents nodes: what can be had, what stands, what is wanted.

All of it may wait for a network and is called off the event loop, one call at a time. Whatever
fails is a `CapacityError`, nothing changed, and the same is asked again.
"""

from collections.abc import Mapping, Sequence
from typing import Protocol

from swarm.errors import CapacityError
from swarm.model.plans import NotGiven, Offering
from swarm.model.plans import Standing as Standing


class Capacity(Protocol):
    """A pool of nodes. Offerings are known by their names, which never change their meaning."""

    @property
    def fixed(self) -> bool:
        """Is the pool as it is, whatever is wanted? Then nothing of it is ever returned."""
        ...

    def offerings(self) -> Sequence[Offering]:
        """What can be had now, the cheapest first. `room` is slots, then MiB of memory, then
        hundredths of a GPU; what is left out at its end is none. `capacity` is what the label
        `ray.io/market-type` of its nodes says. `most` counts those that stand: what is sold out has
        `most` at what stands, until it may be tried again."""
        ...

    def nodes(self) -> Sequence[Standing]:
        """What stands and what boots, also if nobody wanted it. Nodes that are not swarm's to
        return (the head, other people's) are not among them."""
        ...

    def want(self, fleet: Mapping[str, int], lease_s: float) -> None:
        """From now on there are to be so many nodes of each offering, all together; of an offering
        that is not named, none. Each call replaces the one before. It holds for `lease_s` and is
        said again well within that; after it nothing is wanted any more, whether or not the caller
        lives.

        What is less than stands orders nothing, and ends nothing that works: who is to go is told
        by `release`. Raises `CapacityError`, also for an offering that is not known."""
        ...

    def not_given(self) -> Mapping[str, NotGiven]:
        """What could not be had of what is wanted, by offering: the newest answer to each, as long
        as it counts for sold out. None where nothing was refused, or nobody says."""
        ...

    def release(self, node: str) -> None:
        """It goes, and with it the worker on it, which was drained and holds nothing. `want` has
        been told of one less before. Once is enough and twice does no harm; that of a node that is
        not there is done."""
        ...


def check(fleet: Mapping[str, int], offerings: Mapping[str, Offering]) -> None:
    """Raises `CapacityError` that names what of a wanted fleet cannot be."""
    for name, count in fleet.items():
        if name not in offerings:
            raise CapacityError(
                f"no offering `{name}`; there are {', '.join(sorted(offerings)) or 'none'}"
            )
        if count < 0:
            raise CapacityError(f"{count} nodes of `{name}`; at least 0 can be wanted")
