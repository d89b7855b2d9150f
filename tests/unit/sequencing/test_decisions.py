"""Who is held, for whom, and until when: the export runs from five to half past five, the close
from six on."""

from collections.abc import Callable

import pytest

from swarm.model.connectors import ConnectorChanged, ConnectorState, IntentEnded
from swarm.model.graph import GraphRecord, PipelineGone
from swarm.model.intents import Act, Carried, Intent, Mode
from swarm.model.keys import PipelineKey
from swarm.model.policy import AtLatest, Policies, Policy
from swarm.model.sequencing import IntentMade
from swarm.model.weekdays import is_weekend
from swarm.sequencing.decisions import Decisions
from swarm.sequencing.holds import LEAD_S
from swarm.sequencing.sight import BLIND_S
from swarm.sequencing.world import World
from tests.unit.sequencing.mornings import (
    DAY_S,
    HOUR_S,
    MIN_S,
    MONDAY,
    begun,
    daily,
    depends,
    listed,
    ran,
)

EXPORT, CLOSE = PipelineKey("air", "export"), PipelineKey("dag", "close")
TODAY = MONDAY + 28
BEFORE = range(MONDAY, TODAY)
GATE = Policy(Mode.GATE, wait_max_s=2 * HOUR_S)


def at_s(hour: float, minute: float = 0.0, day: int = TODAY) -> float:
    return day * DAY_S + hour * HOUR_S + minute * MIN_S


class Shell:
    """What follows from records, as the sequencer would write it."""

    def __init__(
        self, *records: GraphRecord, policy: Callable[[PipelineKey], Policy] = lambda _: GATE
    ) -> None:
        self.world = World()
        self.decisions = Decisions(self.world, policy)
        self.take(*records)

    def take(self, *records: GraphRecord) -> None:
        for record in records:
            self.world.apply(record)
            self.decisions.apply(record)

    def look(self, now_s: float) -> list[Intent]:
        made = self.decisions.decide(now_s)
        for record in made:
            self.decisions.apply(record)
        assert self.decisions.decide(now_s) == []
        return [record.intent for record in made]

    def only(self, now_s: float) -> Intent:
        [intent] = self.look(now_s)
        return intent


def morning(confidence: float = 1.0) -> list[GraphRecord]:
    return [
        listed(EXPORT),
        listed(CLOSE),
        depends(EXPORT, CLOSE, confidence),
        *daily(EXPORT, 5.0, BEFORE),
        *daily(CLOSE, 6.0, BEFORE),
    ]


@pytest.fixture
def shell() -> Shell:
    return Shell(*morning())


def held(shell: Shell) -> Intent:
    """The close, held while the export goes on."""
    shell.take(begun(EXPORT, at_s(5.0)))
    return shell.only(at_s(6.0) - LEAD_S)


def test_a_reader_is_held_shortly_before_it_would_begin_and_says_why(shell: Shell) -> None:
    shell.take(begun(EXPORT, at_s(5.0)))
    assert shell.look(at_s(5.9)) == []
    assert shell.decisions.next_s == at_s(6.0) - LEAD_S
    assert shell.only(at_s(6.0) - LEAD_S) == Intent(
        CLOSE,
        1,
        Act.HOLD,
        "waits for air/export (under way since 05:00 UTC, usually done by 05:30 UTC)",
        at_s(8.0),
        due_s=(at_s(6.0),),
        waits_for=(EXPORT,),
    )


def test_it_is_released_as_soon_as_the_data_is_there(shell: Shell) -> None:
    held(shell)
    shell.take(ran(EXPORT, at_s(5.0), 90 * MIN_S))
    intent = shell.only(at_s(6.5))
    assert (intent.act, intent.number, intent.due_s) == (Act.RELEASE, 2, (at_s(6.0),))
    assert intent.reason == "air/export is there"
    assert shell.look(at_s(6.6)) == []


def test_it_is_held_again_the_next_day_only(shell: Shell) -> None:
    held(shell)
    shell.take(ran(EXPORT, at_s(5.0), 90 * MIN_S))
    shell.look(at_s(6.5))
    shell.take(ran(CLOSE, at_s(6.51)))
    for minute in range(0, 23 * 60, 5):
        assert shell.look(at_s(6.6, minute)) == []
    assert shell.only(at_s(30.0) - LEAD_S).due_s == (at_s(30.0),)


def test_who_misses_nothing_is_not_held(shell: Shell) -> None:
    shell.take(ran(EXPORT, at_s(5.0)))
    assert shell.look(at_s(6.0) - LEAD_S) == []
    assert shell.look(at_s(6.0)) == []


def test_a_failed_upstream_holds_until_it_has_run_again(shell: Shell) -> None:
    shell.take(ran(EXPORT, at_s(5.0), failed=True))
    assert "air/export (failed at 05:30 UTC" in shell.only(at_s(5.99)).reason
    shell.take(begun(EXPORT, at_s(6.2)))
    assert shell.look(at_s(6.3)) == []
    shell.take(ran(EXPORT, at_s(6.2)))
    assert shell.only(at_s(6.7)).act is Act.RELEASE


def test_yesterdays_run_is_not_todays(shell: Shell) -> None:
    assert "not begun" in shell.only(at_s(5.99)).reason


@pytest.mark.parametrize("confidence", [0.98, 0.5])
def test_what_is_not_sure_holds_nobody(confidence: float) -> None:
    assert Shell(*morning(confidence)).look(at_s(5.99)) == []


def test_what_an_orchestrator_keeps_in_order_needs_no_hold() -> None:
    assert Shell(*morning(), listed(CLOSE, EXPORT)).look(at_s(5.99)) == []


def test_nobody_is_held_past_the_latest_start(shell: Shell) -> None:
    held(shell)
    assert shell.look(at_s(8.0) - 1) == []
    assert shell.decisions.next_s == at_s(8.0)
    intent = shell.only(at_s(8.0))
    assert (intent.act, intent.due_s) == (Act.RELEASE, (at_s(6.0),))
    assert intent.reason == "its latest start has come"
    assert shell.look(at_s(8.1)) == []


SKIPS = Policy(Mode.GATE, 2 * HOUR_S, AtLatest.SKIP)


def test_what_is_late_may_be_left_out() -> None:
    shell = Shell(*morning(), policy=lambda _: SKIPS)
    intent = held(shell)
    assert intent.skip_at_s == at_s(8.0)
    [handed] = shell.decisions.intents("dag", at_s(6.0), 60.0)
    assert not handed.leaves_out(at_s(6.0), handed.valid_until_s)
    [handed] = shell.decisions.intents("dag", at_s(8.0) - 20.0, 60.0)
    assert handed.leaves_out(at_s(6.0), handed.valid_until_s)
    over = shell.only(at_s(8.0))
    assert (over.due_s, over.left_out_s) == ((), (at_s(6.0),))
    assert over.leaves_out(at_s(6.0), at_s(8.0))
    assert over.reason == "its latest start has come; what is late is left out"
    assert shell.look(at_s(8.1)) == []


def test_what_is_released_before_is_not_left_out() -> None:
    shell = Shell(*morning(), policy=lambda _: SKIPS)
    held(shell)
    shell.take(ran(EXPORT, at_s(5.0), 175 * MIN_S))
    over = shell.only(at_s(8.0) - 1.0)
    assert (over.due_s, over.leaves_out(at_s(6.0), at_s(8.0))) == ((at_s(6.0),), False)
    shell = Shell(*morning(), policy=lambda _: SKIPS)
    held(shell)
    made = shell.decisions.release(CLOSE, "kim", at_s(8.0) - 1.0)
    assert made is not None
    assert not made.intent.leaves_out(at_s(6.0), at_s(8.0))


def test_what_runs_at_its_latest_is_not_left_out(shell: Shell) -> None:
    assert not held(shell).leaves_out(at_s(6.0), at_s(9.0))
    assert shell.only(at_s(8.0)).due_s == (at_s(6.0),)


@pytest.mark.parametrize("confidence", [0.0, 0.9])
def test_a_dependency_that_is_rejected_or_weaker_releases_at_once(
    shell: Shell, confidence: float
) -> None:
    held(shell)
    shell.take(depends(EXPORT, CLOSE, confidence))
    intent = shell.only(at_s(6.1))
    assert intent.act is Act.RELEASE
    assert "nothing sure says any more that it waits for air/export" in intent.reason


def test_a_pipeline_that_is_gone_is_let_go(shell: Shell) -> None:
    held(shell)
    shell.take(PipelineGone(CLOSE))
    assert shell.only(at_s(6.1)).act is Act.RELEASE
    assert shell.look(at_s(6.2)) == []


def test_what_began_in_spite_of_the_hold_is_not_held(shell: Shell) -> None:
    held(shell)
    shell.take(begun(CLOSE, at_s(6.0)))
    assert shell.only(at_s(6.1)).reason == "it began in spite of the hold"


def test_a_reader_that_began_is_too_late_to_hold(shell: Shell) -> None:
    shell.take(begun(EXPORT, at_s(5.0)), begun(CLOSE, at_s(5.95)))
    assert shell.look(at_s(6.0)) == []


def test_who_usually_begins_before_its_writer_waits_for_nothing() -> None:
    shell = Shell(
        listed(EXPORT),
        listed(CLOSE),
        depends(EXPORT, CLOSE),
        *daily(EXPORT, 7.0, BEFORE),
        *daily(CLOSE, 6.0, BEFORE),
    )
    assert shell.look(at_s(5.99)) == []


def test_a_writer_that_never_runs_on_this_day_is_not_waited_for() -> None:
    saturday = next(day for day in range(TODAY, TODAY + 7) if is_weekend(at_s(6.0, day=day)))
    before = range(MONDAY, saturday)
    shell = Shell(
        listed(EXPORT),
        listed(CLOSE),
        depends(EXPORT, CLOSE),
        *(ran(EXPORT, at_s(5.0, day=day)) for day in before if not is_weekend(at_s(6.0, day=day))),
        *daily(CLOSE, 6.0, before),
    )
    assert shell.look(at_s(5.99, day=saturday)) == []


def hourly(key: PipelineKey, minute: float, days: range) -> list[GraphRecord]:
    return [ran(key, at_s(hour, minute, day), 600.0) for day in days for hour in range(24)]


def test_a_daily_reader_waits_for_the_last_run_of_an_hourly_writer() -> None:
    shell = Shell(
        listed(EXPORT),
        listed(CLOSE),
        depends(EXPORT, CLOSE),
        *hourly(EXPORT, 40.0, range(TODAY - 12, TODAY)),
        *daily(CLOSE, 6.0, BEFORE),
        *(ran(EXPORT, at_s(hour, 40.0), 600.0) for hour in range(5)),
    )
    assert shell.only(at_s(5.99)).due_s == (at_s(6.0),)
    shell.take(ran(EXPORT, at_s(5.0, 40.0), 1_500.0))
    assert shell.only(at_s(6.1)).act is Act.RELEASE


def test_an_hourly_reader_waits_for_todays_run_of_a_daily_writer_and_owes_what_it_missed() -> None:
    shell = Shell(
        listed(EXPORT),
        listed(CLOSE),
        depends(EXPORT, CLOSE),
        *daily(EXPORT, 5.0, BEFORE),
        *hourly(CLOSE, 0.0, range(TODAY - 12, TODAY)),
        *(ran(CLOSE, at_s(hour), 600.0) for hour in range(6)),
    )
    assert shell.look(at_s(5.2)) == []
    assert shell.only(at_s(5.99)).due_s == (at_s(6.0),)
    again = shell.only(at_s(6.99))
    assert (again.act, again.number, again.due_s) == (Act.HOLD, 2, (at_s(6.0), at_s(7.0)))
    assert again.valid_until_s == at_s(9.0)
    shell.take(ran(EXPORT, at_s(5.0), 150 * MIN_S))
    over = shell.only(at_s(7.5))
    assert (over.act, over.due_s) == (Act.RELEASE, (at_s(6.0), at_s(7.0)))


def hours_held(policy: Policy = GATE) -> Shell:
    """The close of each hour is held for an export that does not come."""
    shell = Shell(
        listed(EXPORT),
        listed(CLOSE),
        depends(EXPORT, CLOSE),
        *daily(EXPORT, 5.0, BEFORE),
        *hourly(CLOSE, 0.0, range(TODAY - 12, TODAY)),
        *(ran(CLOSE, at_s(hour), 600.0) for hour in range(6)),
        policy=lambda _: policy,
    )
    for hour in (6.0, 7.0, 8.0):
        shell.only(at_s(hour) - LEAD_S)
    return shell


def test_each_start_of_a_hold_has_its_own_latest_start() -> None:
    shell = hours_held()
    assert shell.decisions.next_s == at_s(8.0)
    first = shell.only(at_s(8.0))
    assert (first.act, first.number) == (Act.HOLD, 4)
    assert (first.let_go_s, first.due_s) == ((at_s(6.0),), (at_s(7.0), at_s(8.0)))
    assert (first.from_s, first.valid_until_s) == (at_s(6.5), at_s(10.0))
    shell.take(begun(CLOSE, at_s(8.0, 0.1)))
    assert shell.look(at_s(8.1)) == []
    shell.take(ran(CLOSE, at_s(8.0, 0.1), 600.0))
    assert shell.only(at_s(9.0) - LEAD_S).due_s == (at_s(7.0), at_s(8.0), at_s(9.0))
    second = shell.only(at_s(9.0))
    assert (second.let_go_s, second.due_s) == ((at_s(6.0), at_s(7.0)), (at_s(8.0), at_s(9.0)))
    shell.take(begun(CLOSE, at_s(9.0, 0.1)), ran(EXPORT, at_s(5.0), 245 * MIN_S))
    over = shell.only(at_s(9.1))
    assert (over.act, over.due_s) == (Act.RELEASE, (at_s(8.0), at_s(9.0)))


def test_after_a_restart_each_start_still_has_its_own_latest_start() -> None:
    shell = hours_held()
    shell.only(at_s(8.0))
    restarted = Shell(
        listed(EXPORT),
        listed(CLOSE),
        depends(EXPORT, CLOSE),
        *daily(EXPORT, 5.0, BEFORE),
        *hourly(CLOSE, 0.0, range(TODAY - 12, TODAY)),
        *(ran(CLOSE, at_s(hour), 600.0) for hour in range(6)),
        begun(CLOSE, at_s(8.0, 0.1)),
    )
    for record in shell.decisions.records():
        restarted.decisions.apply(record)
    assert restarted.look(at_s(8.2)) == []
    restarted.only(at_s(9.0) - LEAD_S)
    assert restarted.only(at_s(9.0)).due_s == (at_s(8.0), at_s(9.0))


def test_one_run_more_than_was_let_go_began_in_spite_of_the_hold() -> None:
    shell = hours_held()
    shell.only(at_s(8.0))
    shell.take(begun(CLOSE, at_s(8.0, 0.1)), begun(CLOSE, at_s(8.0, 0.2)))
    assert shell.only(at_s(8.1)).reason == "it began in spite of the hold"


def test_each_start_of_a_hold_is_left_out_at_its_own_latest_start() -> None:
    shell = hours_held(SKIPS)
    [handed] = shell.decisions.intents("dag", at_s(8.0) - 20.0, 60.0)
    ends_s = handed.valid_until_s
    assert [handed.leaves_out(s, ends_s) for s in handed.due_s] == [True, False, False]
    goes_on = shell.only(at_s(8.0))
    assert (goes_on.act, goes_on.let_go_s, goes_on.left_out_s) == (Act.HOLD, (), (at_s(6.0),))
    assert (goes_on.from_s, goes_on.skip_at_s) == (at_s(6.5), at_s(9.0))
    assert (goes_on.due_s, goes_on.valid_until_s) == ((at_s(7.0), at_s(8.0)), at_s(10.0))
    assert goes_on.leaves_out(at_s(6.0), at_s(8.0))
    shell.take(ran(EXPORT, at_s(5.0), 190 * MIN_S))
    over = shell.only(at_s(8.2))
    assert (over.act, over.due_s) == (Act.RELEASE, (at_s(7.0), at_s(8.0)))
    assert over.left_out_s == (at_s(6.0),)
    assert [over.left_out_at_s(at_s(hour)) for hour in (6.0, 7.0, 8.0)] == [0.0, None, None]


def test_what_is_left_out_last_says_what_was_left_out_before() -> None:
    over = hours_held(SKIPS).only(at_s(10.6))  # swarm was away
    assert (over.act, over.due_s) == (Act.RELEASE, ())
    assert over.left_out_s == (at_s(6.0), at_s(7.0), at_s(8.0))
    assert over.skip_at_s == at_s(10.0)


def test_a_start_soon_after_what_was_left_out_is_held_too() -> None:
    hasty = Policy(Mode.GATE, 0.6 * HOUR_S, AtLatest.SKIP)
    shell = Shell(
        listed(EXPORT),
        listed(CLOSE),
        depends(EXPORT, CLOSE),
        *daily(EXPORT, 5.0, BEFORE),
        *hourly(CLOSE, 0.0, range(TODAY - 12, TODAY)),
        *(ran(CLOSE, at_s(hour), 600.0) for hour in range(6)),
        policy=lambda _: hasty,
    )
    shell.only(at_s(6.0) - LEAD_S)
    assert shell.only(at_s(6.6)).left_out_s == (at_s(6.0),)
    assert shell.only(at_s(7.0) - LEAD_S).due_s == (at_s(7.0),)


def hours_of_both() -> Shell:
    """The close of each hour reads what the export made from twenty to the hour on."""
    return Shell(
        listed(EXPORT),
        listed(CLOSE),
        depends(EXPORT, CLOSE),
        *hourly(EXPORT, 40.0, range(TODAY - 12, TODAY)),
        *hourly(CLOSE, 0.0, range(TODAY - 12, TODAY)),
        *(ran(EXPORT, at_s(hour, 40.0), 600.0) for hour in range(5)),
        *(ran(CLOSE, at_s(hour), 600.0) for hour in range(6)),
    )


def test_each_start_of_a_hold_waits_for_the_run_that_it_needs() -> None:
    shell = hours_of_both()
    shell.only(at_s(6.0) - LEAD_S)
    shell.only(at_s(7.0) - LEAD_S)
    shell.take(ran(EXPORT, at_s(5.0, 40.0), 90 * MIN_S))  # what six o'clock needs
    goes_on = shell.only(at_s(7.0, 11.0))
    assert (goes_on.act, goes_on.let_go_s) == (Act.HOLD, (at_s(6.0),))
    assert (goes_on.due_s, goes_on.valid_until_s) == ((at_s(7.0),), at_s(9.0))
    shell.take(begun(CLOSE, at_s(7.0, 11.5)), ran(EXPORT, at_s(6.0, 40.0), 40 * MIN_S))
    over = shell.only(at_s(7.0, 21.0))
    assert (over.act, over.due_s) == (Act.RELEASE, (at_s(7.0),))


@pytest.mark.parametrize("minute", [-20.0, -12.0, -5.0])
def test_a_start_shortly_after_a_release_is_looked_at_too(minute: float) -> None:
    shell = hours_of_both()
    shell.only(at_s(6.0) - LEAD_S)
    shell.take(ran(EXPORT, at_s(5.0, 40.0), (80 + minute) * MIN_S))
    assert shell.only(at_s(7.0, minute)).act is Act.RELEASE
    shell.take(begun(CLOSE, at_s(7.0, minute + 0.2)))
    assert shell.look(at_s(7.0, minute + 1.0)) == []
    assert shell.only(at_s(7.0) - LEAD_S).due_s == (at_s(7.0),)


def test_a_person_who_lets_it_go_early_does_not_settle_the_starts_to_come() -> None:
    shell = Shell(*morning(), begun(EXPORT, at_s(5.0)))
    shell.decisions.apply(shell.decisions.hold(CLOSE, "kim", at_s(7.0), at_s(3.0)))
    made = shell.decisions.release(CLOSE, "kim", at_s(4.0))
    assert made is not None
    shell.decisions.apply(made)
    assert shell.look(at_s(4.1)) == []
    assert shell.only(at_s(6.0) - LEAD_S).act is Act.HOLD


def test_rings_of_sure_edges_hold_nobody_and_are_named() -> None:
    shell = Shell(*morning(), depends(CLOSE, EXPORT))
    assert shell.look(at_s(5.99)) == []
    assert shell.decisions.rings == ((EXPORT, CLOSE),)


@pytest.mark.parametrize("mode", [Mode.OBSERVE, Mode.WARN])
def test_modes_that_only_tell_decide_nothing(mode: Mode) -> None:
    shell = Shell(*morning(), policy=lambda _: Policy(mode))
    assert shell.look(at_s(5.99)) == []


def test_a_shadow_is_noted_and_never_handed_out() -> None:
    shell = Shell(*morning(), policy=lambda _: Policy(Mode.SHADOW))
    assert shell.only(at_s(5.99)).mode is Mode.SHADOW
    assert shell.decisions.intents("dag", at_s(5.995), 60.0) == []


def test_what_is_handed_out_is_valid_for_a_short_time_only(shell: Shell) -> None:
    held(shell)
    [intent] = shell.decisions.intents("dag", at_s(6.0), 60.0)
    assert intent.valid_until_s == at_s(6.0) + 60
    [last] = shell.decisions.intents("dag", at_s(8.0) - 10, 60.0)
    assert last.valid_until_s == at_s(8.0)
    assert shell.decisions.intents("dag", at_s(8.0), 60.0) == []
    assert shell.decisions.intents("air", at_s(6.0), 60.0) == []


def test_another_mode_in_the_settings_releases(shell: Shell) -> None:
    held(shell)
    restarted = Shell(*morning(), begun(EXPORT, at_s(5.0)), policy=lambda _: Policy(Mode.WARN))
    for record in shell.decisions.records():
        restarted.decisions.apply(record)
    assert restarted.only(at_s(6.0)).reason == "its mode is warn now"


def test_after_a_restart_nothing_is_decided_twice(shell: Shell) -> None:
    held(shell)
    restarted = Shell(*morning(), begun(EXPORT, at_s(5.0)))
    for record in shell.decisions.records():
        restarted.decisions.apply(record)
    assert restarted.look(at_s(6.0)) == []
    restarted.take(ran(EXPORT, at_s(5.0), 70 * MIN_S))
    assert restarted.only(at_s(6.2)).number == 2


def test_a_person_releases_and_it_is_not_held_again_for_that_start(shell: Shell) -> None:
    held(shell)
    made = shell.decisions.release(CLOSE, "kim", at_s(6.1))
    assert made is not None
    assert (made.intent.by, made.intent.due_s) == ("kim", (at_s(6.0),))
    shell.decisions.apply(made)
    assert shell.look(at_s(6.2)) == []
    assert shell.decisions.release(CLOSE, "kim", at_s(6.2)) is None


def test_a_person_holds_in_any_mode_until_the_time_they_said() -> None:
    shell = Shell(*morning(), policy=lambda _: Policy(Mode.OBSERVE))
    made = shell.decisions.hold(CLOSE, "kim", at_s(7.0), at_s(5.0))
    assert (made.intent.mode, made.intent.due_s) == (Mode.GATE, (at_s(6.0),))
    shell.decisions.apply(made)
    assert shell.look(at_s(6.99)) == []
    assert shell.only(at_s(7.0)).act is Act.RELEASE


def test_what_a_person_held_long_enough_is_not_held_again_for_want_of_data(shell: Shell) -> None:
    shell.decisions.apply(shell.decisions.hold(CLOSE, "kim", at_s(6.5), at_s(5.0)))
    shell.take(begun(EXPORT, at_s(5.0)))
    assert shell.only(at_s(6.5)).due_s == (at_s(6.0),)
    assert shell.look(at_s(6.6)) == []


def connector(state: ConnectorState) -> ConnectorChanged:
    return ConnectorChanged("air", "airflow", state, "")


def test_nobody_is_held_for_what_cannot_be_seen(shell: Shell) -> None:
    held(shell)
    shell.decisions.hear(connector(ConnectorState.UNAVAILABLE), at_s(6.0))
    assert shell.look(at_s(6.0) + BLIND_S - 1) == []
    assert shell.decisions.next_s == at_s(6.0) + BLIND_S
    assert shell.only(at_s(6.0) + BLIND_S).reason == "what ends in air cannot be seen"


def test_an_upstream_that_cannot_be_seen_holds_nobody(shell: Shell) -> None:
    shell.decisions.hear(connector(ConnectorState.UNAVAILABLE), at_s(5.5))
    assert shell.look(at_s(5.99)) == []


def test_a_short_silence_of_a_connector_releases_nobody(shell: Shell) -> None:
    held(shell)
    shell.decisions.hear(connector(ConnectorState.UNAVAILABLE), at_s(6.0))
    shell.decisions.hear(connector(ConnectorState.OK), at_s(6.0) + 30)
    assert shell.look(at_s(6.5)) == []


def test_a_person_who_changes_what_is_held_has_decided(shell: Shell) -> None:
    intent = held(shell)
    [told] = shell.decisions.intents("dag", at_s(6.0), 60.0)
    shell.decisions.hear(IntentEnded(told, Carried.DONE), at_s(6.0))
    assert shell.look(at_s(6.1)) == []
    shell.decisions.hear(IntentEnded(told, Carried.OVERRULED), at_s(6.1))
    released = shell.only(at_s(6.1))
    assert (released.reason, released.number) == ("a person changed it since", intent.number + 1)
    assert shell.look(at_s(6.2)) == []


def test_a_schedule_that_moved_with_the_clock_is_known_two_days_later() -> None:
    before, since = range(MONDAY, TODAY - 2), range(TODAY - 2, TODAY)
    shell = Shell(
        listed(EXPORT),
        listed(CLOSE),
        depends(EXPORT, CLOSE),
        *daily(EXPORT, 5.0, before),
        *daily(CLOSE, 6.0, before),
        *daily(EXPORT, 4.0, since),
        *daily(CLOSE, 5.0, since),
    )
    assert shell.only(at_s(4.99)).due_s == (at_s(5.0),)


def test_the_first_pattern_that_fits_counts() -> None:
    policies = Policies((("air/*", GATE), ("*/close", Policy(Mode.SHADOW))))
    assert policies.of(EXPORT) is GATE
    assert policies.of(CLOSE).mode is Mode.SHADOW
    assert policies.of(PipelineKey("dag", "other")).mode is Mode.WARN


def test_a_snapshot_tells_the_newest_of_each(shell: Shell) -> None:
    first = held(shell)
    assert list(shell.decisions.records()) == [IntentMade(first)]
