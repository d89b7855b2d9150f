"""How long spot lasts: the chance that a pool is lost, by for how long it has been there.

Losses over hours watched, by age (the life-table form of Kaplan and Meier 1958), and for each pool
a factor on it, drawn to 1 while little was seen there (gamma-Poisson, as in shared frailty). What
ages is the pool, so work of others makes it older for free; what counts are the hours and losses of
each node in it, so the chance is that of one node, and several that are lost at once are several
losses. The rates begin with what was measured elsewhere (nine zones of AWS, 2023: half of what is
younger than ten minutes is gone within thirty), counted as `_PRIOR_H` hours each, so that some days
of one's own outweigh it.
"""

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterable, Iterator
from math import exp

from swarm.model.learned import SurvivalKept

_HOUR_S = 3_600.0
# From which age on, and the losses an hour that are supposed there before anything was seen.
_AGES_S = (0.0, 600.0, 1_800.0, 3_600.0, 3 * _HOUR_S, 12 * _HOUR_S)
_SUPPOSED = (1.3, 0.95, 0.5, 0.3, 0.12, 0.05)
_PRIOR_H = 2.0
_PRIOR_LOSSES = 1.0  # how much a pool must have shown to stand for itself


class Survival:
    """What was seen of all pools. Ages and spans in seconds, rates in losses an hour."""

    def __init__(self) -> None:
        self._hours = [_PRIOR_H] * len(_AGES_S)
        self._losses = [_PRIOR_H * rate for rate in _SUPPOSED]
        self._pool_hours: dict[str, list[float]] = defaultdict(lambda: [0.0] * len(_AGES_S))
        self._pool_losses: dict[str, int] = defaultdict(int)

    def observe(self, pool: str, from_s: float, to_s: float, lost: bool, nodes: int = 1) -> None:
        """So many nodes of it were watched between two ages; `lost`: one was gone at the second."""
        for age, span_s in _pieces(from_s, to_s):
            self._hours[age] += nodes * span_s / _HOUR_S
            self._pool_hours[pool][age] += nodes * span_s / _HOUR_S
        if lost:
            self._losses[_age(to_s)] += 1
            self._pool_losses[pool] += 1

    def kept(self) -> tuple[SurvivalKept, ...]:
        """All that was seen."""
        names = self._pool_hours.keys() | self._pool_losses.keys()
        pools = (
            SurvivalKept(name, tuple(self._pool_hours[name]), (float(self._pool_losses[name]),))
            for name in sorted(names)
        )
        return SurvivalKept("", tuple(self._hours), tuple(self._losses)), *pools

    def recall(self, kept: Iterable[SurvivalKept]) -> None:
        """What was kept, instead of all that is known; of other classes of age it says nothing."""
        for one in kept:
            if len(one.hours) != len(_AGES_S):
                continue
            if one.pool:
                self._pool_hours[one.pool] = list(one.hours)
                self._pool_losses[one.pool] = int(sum(one.losses))
            else:
                self._hours, self._losses = list(one.hours), list(one.losses)
                self._pool_hours.clear()
                self._pool_losses.clear()

    def losses(self, pool: str, age_s: float, span_s: float) -> float:
        """How many to expect within `span_s`, were it there again at that age at once."""
        return self._factor(pool) * sum(
            self._rate(age) * piece_s / _HOUR_S for age, piece_s in _pieces(age_s, age_s + span_s)
        )

    def chance(self, pool: str, age_s: float, span_s: float) -> float:
        """That it is lost within `span_s`."""
        return 1.0 - exp(-self.losses(pool, age_s, span_s))

    def _rate(self, age: int) -> float:
        return self._losses[age] / self._hours[age]

    def _factor(self, pool: str) -> float:
        hours = self._pool_hours.get(pool)
        if hours is None:
            return 1.0
        expected = sum(self._rate(age) * spent for age, spent in enumerate(hours))
        return (_PRIOR_LOSSES + self._pool_losses.get(pool, 0)) / (_PRIOR_LOSSES + expected)


def _age(age_s: float) -> int:
    return bisect_right(_AGES_S, age_s) - 1


def _pieces(from_s: float, to_s: float) -> Iterator[tuple[int, float]]:
    """The classes of age between two ages, and how long each lasts there."""
    for age in range(_age(from_s), len(_AGES_S)):
        end_s = _AGES_S[age + 1] if age + 1 < len(_AGES_S) else to_s
        if (span_s := min(end_s, to_s) - max(_AGES_S[age], from_s)) > 0:
            yield age, span_s
