"""Names for nodes that a provider only counts until they join, and whose count is a little old."""

from collections import Counter
from collections.abc import Iterable, Mapping

from swarm.capacity.base import Standing


class Boots:
    """What boots, as it was seen last."""

    def __init__(self) -> None:
        self._booting: dict[str, list[Standing]] = {}
        self._made = 0
        self._report: str | None = None
        self._joined: dict[str, tuple[str, str | None]] = {}

    def named(
        self, counts: Mapping[str, int], report: str, joined: Iterable[Standing], now_s: float
    ) -> list[Standing]:
        """As many of each offering, less those that joined since that `report` of them was made:
        it still counts these. Where there are fewer than before, the oldest have joined."""
        counts = Counter(counts)
        counts.subtract(self._unheard(report, joined))
        known, self._booting = self._booting, {}
        for offering, count in (+counts).items():
            kept = known.get(offering, [])
            kept = kept[max(0, len(kept) - count) :]
            for _ in range(count - len(kept)):
                self._made += 1
                kept.append(Standing(f"boot-{self._made}", offering, now_s, joined=False))
            self._booting[offering] = kept
        return [one for kept in self._booting.values() for one in kept]

    def _unheard(self, report: str, joined: Iterable[Standing]) -> Counter[str]:
        """Those first seen while this report was the newest one, also if they left again. Of those
        that were there at the first look it is not known."""
        here = {one.node: one.offering for one in joined}
        first = self._report is None
        for node, offering in here.items():
            self._joined.setdefault(node, (offering, None if first else report))
        self._joined = {
            node: told for node, told in self._joined.items() if node in here or told[1] == report
        }
        self._report = report
        return Counter(offering for offering, seen in self._joined.values() if seen == report)
