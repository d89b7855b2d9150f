"""How right warnings were, and when they are not told any more."""

from swarm.model.sla import Week
from swarm.sequencing.scoring import WEEKS_KEPT, by_week, judged, muted, scored
from tests.unit.sequencing.mornings import DAY_S, HOUR_S, MONDAY

FIRST = MONDAY + 1  # which is one


def deadline_s(day: int) -> float:
    return (FIRST + day) * DAY_S + 7 * HOUR_S


def days(*ends: str) -> tuple[Week, ...]:
    """A letter a day: `h` was warned of and missed, `f` warned of in vain, `m` missed without a
    word, `.` nothing."""
    weeks: tuple[Week, ...] = ()
    for day, end in enumerate("".join(ends)):
        at_s = deadline_s(day)
        warned_s = at_s - 1_800 if end in "hf" else None
        weeks = judged(weeks, at_s, warned_s, missed=end in "hm")
    return weeks


def test_a_week_is_counted_from_monday_to_sunday() -> None:
    weeks = days("h......", "f")
    assert [(week.starts_s / DAY_S - FIRST, week.deadlines) for week in weeks] == [(0, 7), (7, 1)]


def test_precision_recall_and_lead() -> None:
    score = scored(days("hhhfm.."))
    assert (score.deadlines, score.warned, score.right, score.missed) == (7, 4, 3, 4)
    assert (score.precision, score.recall, score.lead_s) == (0.75, 0.75, 1_800.0)


def test_what_never_happened_has_no_share() -> None:
    score = scored(days("......."))
    assert (score.precision, score.recall, score.lead_s) == (None, None, None)


def test_weeks_of_several_slas_come_together() -> None:
    both = by_week([*days("hf....."), *days("m......", "h")])
    assert [week[1:5] for week in both] == [(14, 2, 1, 2), (1, 1, 1, 1)]


def test_old_weeks_are_forgotten() -> None:
    weeks = days("fffff..", *["......."] * WEEKS_KEPT)
    assert len(weeks) == WEEKS_KEPT
    assert scored(weeks).warned == 0


def test_a_rule_is_muted_while_most_of_its_warnings_are_wrong() -> None:
    assert muted(days("fff....")) == ""  # too few to tell
    assert muted(days("hffff..")) == "only 1 of its last 5 warnings came true"
    assert muted(days("hffff..", "hhh....")) == ""  # half of them are right
    assert muted(days("hhff...")) == ""
