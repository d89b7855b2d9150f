"""Which run is wanted of who is late as a rule: the export runs from five to half past six, the
close has always begun at six. A person's word on the dependency does not say; a link does."""

from collections.abc import Iterator
from dataclasses import replace

from swarm.model.graph import DependencyChanged, GraphRecord
from swarm.model.intents import Act
from swarm.model.lineage import Verdict
from swarm.model.links import Link
from swarm.model.sequencing import IntentMade, LinkMade
from swarm.sequencing.holds import LEAD_S
from swarm.sequencing.links import Links
from tests.unit.sequencing.mornings import MIN_S, begun, depends, listed, ran
from tests.unit.sequencing.test_decisions import BEFORE, CLOSE, EXPORT, TODAY, Shell, at_s

LATE_S, USUAL_S = 90 * MIN_S, 30 * MIN_S


def accepted() -> GraphRecord:
    changed = depends(EXPORT, CLOSE)
    assert isinstance(changed, DependencyChanged)
    return replace(changed, dependency=replace(changed.dependency, verdict=Verdict.ACCEPTED))


def mornings(in_time: int, failed: tuple[int, ...] = ()) -> Iterator[GraphRecord]:
    """All that were before, the newest of them `in_time`."""
    yield from (listed(EXPORT), listed(CLOSE), accepted())
    for day in BEFORE:
        is_late = TODAY - day > in_time
        took_s = LATE_S if is_late else USUAL_S
        yield ran(EXPORT, at_s(5.0, day=day), took_s, failed=day in failed)
        yield ran(CLOSE, at_s(6.0, day=day))


def held_for(in_time: int) -> list[Act]:
    """What is done about the close on a morning on which the export is late."""
    shell = Shell(*mornings(in_time), begun(EXPORT, at_s(5.0)))
    return [intent.act for intent in shell.look(at_s(6.0) - LEAD_S)]


def test_who_is_late_as_a_rule_is_not_waited_for_though_a_person_accepted_it() -> None:
    assert held_for(in_time=0) == []
    assert held_for(in_time=9) == []


def test_who_is_late_now_and_then_is_waited_for() -> None:
    assert held_for(in_time=11) == [Act.HOLD]
    assert held_for(in_time=len(BEFORE)) == [Act.HOLD]


def test_who_is_late_as_a_rule_and_did_not_come_yesterday_is_waited_for_until_it_does() -> None:
    """What is wanted of it is the run before, and that one is missing."""
    shell = Shell(*mornings(0, failed=(TODAY - 1,)))
    assert "air/export (failed at 06:30 UTC" in shell.only(at_s(6.0) - LEAD_S).reason
    shell.take(ran(EXPORT, at_s(6.1)))
    assert shell.only(at_s(6.7)).act is Act.RELEASE


def test_a_link_says_that_it_is_todays_run_that_is_wanted() -> None:
    shell = Shell(*mornings(0))
    links = Links(shell.world.history)
    links.apply(LinkMade(Link((EXPORT,), CLOSE, made_at_s=at_s(0.0))))
    assert links.decide(at_s(6.0)) == []
    done = ran(EXPORT, at_s(5.0), LATE_S)
    shell.take(done)
    links.apply(done)
    [made] = links.decide(at_s(6.5))
    assert isinstance(made, IntentMade)
    assert (made.intent.target, made.intent.act) == (CLOSE, Act.TRIGGER)
    assert made.intent.due_s == (at_s(5.0),)
