"""Pools in memory: a cloud that boots nodes, and machines that are simply there."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from swarm.capacity.base import Standing, check
from swarm.errors import CapacityError
from swarm.model.plans import Because, NotGiven, Offering
from swarm.model.work import CapacityClass

SPOT = Offering("spot", (2,), price_usd_per_h=0.03, boot_s=60, capacity=CapacityClass.SPOT, most=3)
DEDICATED = Offering("dedicated", (2,), price_usd_per_h=0.1, boot_s=60)


@dataclass
class FakeCapacity:
    """Brings the nodes in line with what is wanted whenever it is looked at. `now_s` is moved by
    the test; `down` is whether it answers; `said` is all it was told; of an offering that it
    `refuses` no more come, and what is `stuck` boots for ever. `launched` and `ended` are its
    books: what is paid for from when, and until when."""

    kinds: Sequence[Offering] = (SPOT, DEDICATED)
    now_s: float = 1_000_000.0
    down: bool = False
    fixed: bool = False

    def __post_init__(self) -> None:
        self.said: list[Mapping[str, int]] = []
        self.released: list[str] = []
        self.launched: dict[str, Standing] = {}
        self.ended: dict[str, float] = {}
        self.refuses: dict[str, Because] = {}
        self.stuck: set[str] = set()
        self._refused: dict[str, NotGiven] = {}
        self._wanted: Mapping[str, int] = {}
        self._until_s = 0.0
        self._nodes: dict[str, Standing] = {}
        self._made = Counter[str]()

    def offerings(self) -> Sequence[Offering]:
        self._look()
        return sorted(self.kinds, key=lambda one: one.price_usd_per_h)

    def nodes(self) -> Sequence[Standing]:
        self._look()
        boot_s = {one.name: one.boot_s for one in self.kinds}
        return [replace(one, joined=self._is_up(one, boot_s)) for one in self._nodes.values()]

    def want(self, fleet: Mapping[str, int], lease_s: float) -> None:
        self._look()
        check(fleet, {one.name: one for one in self.kinds})
        self.said.append(dict(fleet))
        self._wanted, self._until_s = dict(fleet), self.now_s + lease_s
        self._look()

    def not_given(self) -> Mapping[str, NotGiven]:
        self._look()
        return self._refused

    def release(self, node: str) -> None:
        self._look()
        self.released.append(node)
        if self._nodes.pop(node, None):
            self.ended[node] = self.now_s

    def lose(self, node: str) -> None:
        """It dies by itself."""
        del self._nodes[node]
        self.ended[node] = self.now_s

    def _is_up(self, one: Standing, boot_s: Mapping[str, int]) -> bool:
        return one.offering not in self.stuck and self.now_s >= one.since_s + boot_s[one.offering]

    def _look(self) -> None:
        if self.down:
            raise CapacityError("the pool does not answer")
        for offering in self.kinds if self.now_s < self._until_s else ():
            name = offering.name
            stand = sum(one.offering == name for one in self._nodes.values())
            wanted = self._wanted.get(name, 0)
            for _ in range(min(wanted, wanted if offering.most is None else offering.most) - stand):
                if because := self.refuses.get(name):
                    self._refused[name] = NotGiven(self.now_s, because, f"no more of {name}")
                    break
                self._made[name] += 1
                node = f"{name}-{self._made[name]}"
                self._nodes[node] = self.launched[node] = Standing(node, name, self.now_s)


@dataclass
class Machines:
    """Two machines that a person started."""

    now_s: float = 1_000_000.0

    def __call__(self) -> Sequence[Standing]:
        return [Standing("m1", "dedicated", self.now_s), Standing("m2", "other", self.now_s)]
