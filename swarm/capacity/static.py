"""A fixed pool: the nodes that people started. It offers what stands, and orders nothing."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace

from swarm.capacity.base import Standing, check
from swarm.model.plans import NotGiven, Offering


class Static:
    """`stands()` are the nodes that are there; `offerings` say what kinds of them there are."""

    fixed = True

    def __init__(
        self, offerings: Iterable[Offering], stands: Callable[[], Iterable[Standing]]
    ) -> None:
        kinds = sorted(offerings, key=lambda one: one.price_usd_per_h)
        self._offerings = {one.name: one for one in kinds}
        self._stands = stands

    def offerings(self) -> Sequence[Offering]:
        here = [one.offering for one in self.nodes()]
        return [replace(one, most=here.count(name)) for name, one in self._offerings.items()]

    def nodes(self) -> Sequence[Standing]:
        return [one for one in self._stands() if one.offering in self._offerings]

    def want(self, fleet: Mapping[str, int], lease_s: float) -> None:
        check(fleet, self._offerings)

    def not_given(self) -> Mapping[str, NotGiven]:
        return {}

    def release(self, node: str) -> None:
        pass
