"""Histories as they are: days without runs, reruns, runs by hand, pipelines under a new name.

The export runs from five to half past five, the close from six on.
"""

import pytest

from swarm.model.graph import GraphRecord, PipelineGone
from swarm.model.intents import Act
from swarm.model.keys import PipelineKey
from swarm.sequencing.holds import LEAD_S
from tests.unit.sequencing.mornings import MIN_S, depends, listed, ran
from tests.unit.sequencing.test_decisions import BEFORE, CLOSE, EXPORT, TODAY, Shell, at_s

NEW = PipelineKey("air", "export_v2")


def _mornings(*left_out: int) -> list[GraphRecord]:
    """Both of them on all days before but those, counted back from today."""
    days = [day for day in BEFORE if TODAY - day not in left_out]
    return [
        *(ran(EXPORT, at_s(5.0, day=day)) for day in days),
        *(ran(CLOSE, at_s(6.0, day=day)) for day in days),
    ]


def _by_hand(key: PipelineKey, *hours: float) -> list[GraphRecord]:
    """Runs that somebody started, each on another day."""
    return [ran(key, at_s(hour, day=TODAY - 2 - n), 600.0) for n, hour in enumerate(hours)]


def _at_once(key: PipelineKey, count: int) -> list[GraphRecord]:
    """So many runs in one night; nobody tells what they are for."""
    return [ran(key, at_s(3.0, 4.0 * number, day=TODAY - 3), 200.0) for number in range(count)]


# What is odd about the four weeks before; the habit is the same.
ODD = {
    "days without any run": _mornings(3, 4, 10, 11, 12, 20),
    "runs by hand of the reader": _mornings() + _by_hand(CLOSE, 11.0, 14.5, 9.25),
    "runs by hand of the writer": _mornings() + _by_hand(EXPORT, 13.0, 20.0, 23.5),
    "a short backfill by hand of the reader": _mornings() + _at_once(CLOSE, 16),
    "a long backfill by hand of the reader": _mornings() + _at_once(CLOSE, 30),
    "a long backfill by hand of the writer": _mornings() + _at_once(EXPORT, 30),
    "reruns at once of the reader": _mornings()
    + [ran(CLOSE, at_s(6.6, day=day)) for day in list(BEFORE)[-12::4]],
    "failures that ran again of the writer": _mornings(2, 9, 16)
    + [ran(EXPORT, at_s(5.0, day=TODAY - back), failed=True) for back in (2, 9, 16)]
    + [ran(EXPORT, at_s(5.55, day=TODAY - back), 1_200.0) for back in (2, 9, 16)]
    + [ran(CLOSE, at_s(6.0, day=TODAY - back)) for back in (2, 9, 16)],
}


@pytest.mark.parametrize("odd", ODD)
def test_the_habit_is_known_all_the_same(odd: str) -> None:
    records = sorted(ODD[odd], key=_began_s)
    shell = Shell(listed(EXPORT), listed(CLOSE), depends(EXPORT, CLOSE), *records)
    shell.look(at_s(0.5))
    intent = shell.only(at_s(6.0) - LEAD_S)
    assert (intent.act, intent.due_s, intent.waits_for) == (Act.HOLD, (at_s(6.0),), (EXPORT,))
    shell.take(ran(EXPORT, at_s(5.0), 75 * MIN_S))
    assert shell.only(at_s(6.25)).reason == "air/export is there"


@pytest.mark.parametrize("odd", ODD)
def test_who_misses_nothing_is_not_held(odd: str) -> None:
    records = sorted(ODD[odd], key=_began_s)
    shell = Shell(listed(EXPORT), listed(CLOSE), depends(EXPORT, CLOSE), *records)
    shell.take(ran(EXPORT, at_s(5.0)))
    for minute in range(330, 24 * 60, 10):
        made = shell.look(at_s(0.0, minute))
        assert made == [], made
        if minute == 360:
            shell.take(ran(CLOSE, at_s(6.0)))


def test_a_writer_under_a_new_name_holds_nobody_until_it_has_a_habit() -> None:
    """What its reader waited for is gone with the old name: it is let go, never held for ever."""
    shell = Shell(listed(EXPORT), listed(CLOSE), depends(EXPORT, CLOSE), *_mornings())
    assert shell.only(at_s(6.0) - LEAD_S).act is Act.HOLD
    shell.take(PipelineGone(EXPORT), listed(NEW), depends(NEW, CLOSE))
    over = shell.only(at_s(6.1))
    assert (over.act, over.due_s) == (Act.RELEASE, (at_s(6.0),))
    shell.take(ran(NEW, at_s(5.2), 70 * MIN_S), ran(CLOSE, at_s(6.11)))
    for day in (1, 2, 3):  # too few mornings to tell what its reader needs of it
        assert shell.look(at_s(6.0, day=TODAY + day) - LEAD_S) == []
        shell.take(ran(NEW, at_s(5.0, day=TODAY + day)), ran(CLOSE, at_s(6.0, day=TODAY + day)))


def _began_s(record: GraphRecord) -> float:
    return record.run.started_at_s  # type: ignore[union-attr,return-value]  # runs alone


def test_what_it_decided_itself_is_to_be_looked_at_again_at_once() -> None:
    """Else nobody would ask when the latest start of what it holds has come."""
    shell = Shell(listed(EXPORT), listed(CLOSE), depends(EXPORT, CLOSE), *_mornings())
    now_s = at_s(6.0) - LEAD_S
    (made,) = shell.decisions.decide(now_s)
    shell.decisions.apply(made)
    assert shell.decisions.next_s == 0.0
    assert shell.decisions.decide(now_s) == []
    assert shell.decisions.next_s == at_s(8.0)
