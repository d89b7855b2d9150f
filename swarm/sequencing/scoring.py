"""How right warnings of missed SLAs and findings of hazards were, and when they had better not be
told.

Rules
1. A deadline counts once it has passed. It was warned of if the SLA was at risk at any moment
   before, whatever was said later.
2. Weeks begin on Monday, UTC; of each SLA the newest `WEEKS_KEPT` with a deadline are kept.
3. The warnings of one SLA are a rule. A rule is muted while less than half of its warnings in the
   weeks that are kept came true, and there were `WARNED_LEAST`. What it would have said counts on,
   so it comes back once it is better, or once its bad weeks are forgotten.
4. The findings of one kind of hazard are a rule too. Each counts once, in the week in which it was
   judged (`outcomes.py`); it was right if it came true, was acted on, or a person said so.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from statistics import median

from swarm.model.findings import Outcome, RuleWeek
from swarm.model.sla import Week
from swarm.model.weekdays import DAY_S

WEEKS_KEPT = 12
RIGHT_FROM, WARNED_LEAST = 0.5, 4

_WEEK_S, _MONDAY_S = 7 * DAY_S, 4 * DAY_S  # the first Monday after the epoch, which is a Thursday


@dataclass(frozen=True, slots=True)
class Score:
    """Of so many deadlines some were warned of and some missed; `right` are both.

    None where there is nothing to divide by: no warning has no `precision`, no miss no `recall`.
    `lead_s` is the median time from a warning that came true to its deadline.
    """

    deadlines: int
    warned: int
    right: int
    missed: int
    precision: float | None
    recall: float | None
    lead_s: float | None


def judged(
    weeks: tuple[Week, ...], deadline_s: float, warned_at_s: float | None, *, missed: bool
) -> tuple[Week, ...]:
    """The weeks with a deadline that has passed, which was warned of at `warned_at_s` or not."""
    starts_s = _week_of(deadline_s)
    warned = warned_at_s is not None
    leads = (deadline_s - warned_at_s,) if warned_at_s is not None and missed else ()
    one = Week(starts_s, 1, int(warned), int(warned and missed), int(missed), leads)
    return by_week([*weeks, one])[-WEEKS_KEPT:]


def by_week(weeks: Iterable[Week]) -> tuple[Week, ...]:
    """Those of several SLAs together, the oldest first."""
    found: dict[float, Week] = {}
    for week in weeks:
        known = found.get(week.starts_s)
        found[week.starts_s] = week if known is None else _both(known, week)
    return tuple(found[starts_s] for starts_s in sorted(found))


def scored(weeks: Iterable[Week]) -> Score:
    """How right the warnings of these weeks were."""
    total = Week(0.0, 0, 0, 0, 0, ())
    for week in weeks:
        total = _both(total, week)
    return Score(
        total.deadlines,
        total.warned,
        total.right,
        total.missed,
        total.right / total.warned if total.warned else None,
        total.right / total.missed if total.missed else None,
        median(total.leads_s) if total.leads_s else None,
    )


def muted(weeks: Iterable[Week]) -> str:
    """Why the warnings of an SLA are not told; empty: they are."""
    score = scored(weeks)
    if _is_good(score.right, score.warned):
        return ""
    return f"only {score.right} of its last {score.warned} warnings came true"


@dataclass(frozen=True, slots=True)
class RuleScore:
    """What became of the findings of a kind; `precision` is None where none was judged."""

    came_true: int
    acted_on: int
    rejected: int
    refuted: int
    confirmed: int = 0

    @property
    def right(self) -> int:
        return self.came_true + self.acted_on + self.confirmed

    @property
    def judged(self) -> int:
        return self.right + self.rejected + self.refuted

    @property
    def precision(self) -> float | None:
        return self.right / self.judged if self.judged else None


def rule_judged(
    weeks: tuple[RuleWeek, ...], outcome: Outcome, now_s: float
) -> tuple[RuleWeek, ...]:
    """The weeks with one more finding that was judged."""
    starts_s = _week_of(now_s)
    kept = {week.starts_s: week for week in weeks}
    week = kept.get(starts_s, RuleWeek(starts_s, 0, 0, 0, 0))
    kept[starts_s] = week._replace(**{outcome.value: getattr(week, outcome.value) + 1})
    return tuple(kept[at_s] for at_s in sorted(kept))[-WEEKS_KEPT:]


def rule_scored(weeks: Iterable[RuleWeek]) -> RuleScore:
    """Those of all weeks together."""
    counts = [week[1:] for week in weeks]
    return RuleScore(*map(sum, zip(*counts, strict=True))) if counts else RuleScore(0, 0, 0, 0)


def rule_muted(weeks: Iterable[RuleWeek]) -> str:
    """Why the findings of a kind are not told; empty: they are."""
    score = rule_scored(weeks)
    if _is_good(score.right, score.judged):
        return ""
    return f"only {score.right} of its last {score.judged} findings came true or were acted on"


def _is_good(right: int, of: int) -> bool:
    return of < WARNED_LEAST or right >= RIGHT_FROM * of


def _week_of(at_s: float) -> float:
    """When the week of a moment began."""
    return at_s - (at_s - _MONDAY_S) % _WEEK_S


def _both(one: Week, other: Week) -> Week:
    return Week(
        one.starts_s,
        one.deadlines + other.deadlines,
        one.warned + other.warned,
        one.right + other.right,
        one.missed + other.missed,
        (*one.leads_s, *other.leads_s),
    )
