"""The kinds of hazards keep score, and those that are mostly wrong fall silent by themselves.

What a muted kind finds is followed and judged like that of any other, and only not told; so it
comes back once it is right half the time, or once its bad weeks are forgotten (`scoring.py`).
"""

from collections.abc import Iterable, Iterator

from swarm.model.findings import FindingKind, Outcome, RuleWeek
from swarm.model.sequencing import RuleScored
from swarm.sequencing.scoring import rule_judged, rule_muted


class Rules:
    """What became of the findings of each kind."""

    def __init__(self) -> None:
        self._weeks: dict[FindingKind, tuple[RuleWeek, ...]] = {}

    def apply(self, record: RuleScored) -> None:
        self._weeks[record.rule] = record.weeks

    def judged(
        self, outcomes: Iterable[tuple[FindingKind, Outcome]], now_s: float
    ) -> list[RuleScored]:
        """The score with these findings in it."""
        weeks: dict[FindingKind, tuple[RuleWeek, ...]] = {}
        for rule, outcome in outcomes:
            before = weeks.get(rule, self._weeks.get(rule, ()))
            weeks[rule] = rule_judged(before, outcome, now_s)
        return [RuleScored(rule, weeks[rule]) for rule in sorted(weeks)]

    def muted(self, scored: Iterable[RuleScored] = ()) -> set[FindingKind]:
        """The kinds that are not told, as they stand or will with `scored`."""
        weeks = self._weeks | {record.rule: record.weeks for record in scored}
        return {rule for rule, of in weeks.items() if rule_muted(of)}

    def records(self) -> Iterator[RuleScored]:
        """A snapshot, which is how all stand."""
        for rule in sorted(self._weeks):
            yield RuleScored(rule, self._weeks[rule])
