"""How an SLA stands: the export runs from five to half past, the close from six to half past, and
the close is promised by seven."""

from collections.abc import Iterator
from dataclasses import replace

import pytest

from swarm.model.findings import Finding, FindingKind
from swarm.model.graph import FindingChanged, GraphRecord, PipelineGone, PipelineSeen
from swarm.model.keys import PipelineKey
from swarm.model.pipelines import Pipeline
from swarm.model.sequencing import SlaAccepted, SlaChanged, SlaDeclined
from swarm.model.sla import Origin, Sla, SlaState, Standing, Week
from swarm.sequencing.promises import Promises
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
SLA = Sla(CLOSE, 7 * HOUR_S)
TODAY = MONDAY + 28
BEFORE = range(MONDAY, TODAY)


def at_s(hour: float, minute: float = 0.0) -> float:
    return TODAY * DAY_S + hour * HOUR_S + minute * MIN_S


class Shell:
    """What follows from records, as the sequencer would write it."""

    def __init__(self, *records: GraphRecord) -> None:
        self.world = World()
        self.promises = Promises(self.world, [SLA])
        self.findings: list[Finding] = []
        self.states: list[SlaState] = []
        self.taken: list[GraphRecord] = []
        self.take(*records)

    def take(self, *records: GraphRecord) -> None:
        self.taken += records
        for record in records:
            self.world.apply(record)
            self.promises.apply(record)

    def look(self, now_s: float) -> SlaState:
        for told in self.promises.decide(now_s):
            self.promises.apply(told)
            match told:
                case SlaChanged(state):
                    self.states.append(state)
                case FindingChanged(finding):
                    self.findings.append(finding)
        assert self.promises.decide(now_s) == []
        return self.states[-1]


@pytest.fixture
def shell() -> Shell:
    return Shell(
        listed(EXPORT),
        listed(CLOSE),
        depends(EXPORT, CLOSE),
        *daily(EXPORT, 5.0, BEFORE),
        *daily(CLOSE, 6.0, BEFORE),
    )


def test_far_from_the_deadline_nothing_is_said(shell: Shell) -> None:
    assert shell.promises.decide(at_s(-6.0)) == []


def test_before_it_begins_it_is_on_track_and_its_end_is_known(shell: Shell) -> None:
    state = shell.look(at_s(4.0))
    assert (state.standing, state.chance) == (Standing.ON_TRACK, 0.0)
    assert state.expected_s == at_s(6.5)
    assert state.path == (CLOSE,)  # the export is done half an hour before anybody waits for it
    assert state.deadline_s == at_s(7.0)


def test_an_upstream_that_does_not_end_makes_it_late_before_it_begins(shell: Shell) -> None:
    shell.take(begun(EXPORT, at_s(5.0)))
    assert shell.look(at_s(5.0, 1)).standing is Standing.ON_TRACK
    state = shell.look(at_s(6.0, 20))
    assert (state.standing, state.late) == (Standing.AT_RISK, EXPORT)
    assert state.path == (EXPORT, CLOSE)
    [warning] = shell.findings
    assert (warning.kind, warning.pipelines) == (FindingKind.SLA_AT_RISK, (EXPORT, CLOSE))
    assert str(warning).endswith("since air/export is late")


def test_of_many_slas_none_is_at_risk_by_the_luck_of_its_draws() -> None:
    """Each ended too late on fifteen of twenty working days, which is short of a warning."""
    world = World()
    promises = Promises(world, [Sla(PipelineKey("dag", f"p{n}"), 7 * HOUR_S) for n in range(60)])
    worked = [day for day in BEFORE if (day - MONDAY) % 7 < 5]
    for key in (sla.pipeline for sla in tuple(promises.slas)):
        records = [listed(key)]
        for number, day in enumerate(worked):
            took_s = 70 * MIN_S if number % 4 else 30 * MIN_S
            records += daily(key, 6.0, range(day, day + 1), took_s)
        for record in records:
            world.apply(record)
            promises.apply(record)
    told = promises.decide(at_s(5.0))
    states = [record.state for record in told if isinstance(record, SlaChanged)]
    assert len(states) == len(told) == 60
    assert {state.standing for state in states} == {Standing.ON_TRACK}


def test_the_warning_closes_when_the_upstream_makes_it_after_all(shell: Shell) -> None:
    shell.take(begun(EXPORT, at_s(5.0)))
    shell.look(at_s(6.0, 20))
    shell.take(ran(EXPORT, at_s(5.0), 80 * MIN_S), begun(CLOSE, at_s(6.0, 20)))
    assert shell.look(at_s(6.0, 22)).standing is Standing.ON_TRACK
    assert [finding.closed_at_s for finding in shell.findings] == [None, at_s(6.0, 22)]


def test_a_close_that_began_too_early_has_to_run_again(shell: Shell) -> None:
    """It began at six and the export was done at ten past: what it makes is yesterday's."""
    shell.take(begun(EXPORT, at_s(5.0)), begun(CLOSE, at_s(6.0)))
    shell.take(ran(EXPORT, at_s(5.0), 70 * MIN_S), ran(CLOSE, at_s(6.0), 30 * MIN_S))
    state = shell.look(at_s(6.0, 31))
    assert state.standing is Standing.AT_RISK
    assert state.expected_s == at_s(7.0, 1)


def test_a_failed_upstream_is_what_is_late(shell: Shell) -> None:
    shell.take(ran(EXPORT, at_s(5.0), 55 * MIN_S, failed=True))
    state = shell.look(at_s(6.0, 15))
    assert (state.standing, state.late) == (Standing.AT_RISK, EXPORT)


@pytest.mark.parametrize(("took_min", "standing"), [(45, Standing.MET), (75, Standing.MISSED)])
def test_at_the_end_it_is_told_what_came_of_it(
    shell: Shell, took_min: int, standing: Standing
) -> None:
    shell.take(ran(EXPORT, at_s(5.0)), begun(CLOSE, at_s(6.0)))
    shell.look(at_s(6.0, 10))
    shell.take(ran(CLOSE, at_s(6.0), took_min * MIN_S))
    shell.look(at_s(7.0, 20))
    assert standing in [state.standing for state in shell.states]
    assert all(f.closed_at_s for f in {f.id: f for f in shell.findings}.values())


def test_a_dependency_that_is_unsure_counts_as_often_as_it_is_sure() -> None:
    shell = Shell(
        listed(EXPORT),
        listed(CLOSE),
        depends(EXPORT, CLOSE, 0.85),
        *daily(EXPORT, 5.0, BEFORE),
        *daily(CLOSE, 6.0, BEFORE),
        ran(EXPORT, at_s(5.0), 65 * MIN_S, failed=True),
        ran(CLOSE, at_s(6.0)),
    )
    assert shell.look(at_s(6.75)).chance == pytest.approx(0.85, abs=0.08)


def late_days(*days: int, again: bool) -> Iterator[GraphRecord]:
    """On these days the export was done at half past six; the close began at six all the same,
    and again a quarter of an hour later or not."""
    for day in BEFORE:
        late = day - MONDAY in days
        yield from daily(EXPORT, 5.0, range(day, day + 1), 90 * MIN_S if late else 30 * MIN_S)
        yield from daily(CLOSE, 6.0, range(day, day + 1))
        if late and again:
            yield from daily(CLOSE, 6.75, range(day, day + 1))


@pytest.mark.parametrize(("again", "chance"), [(True, 1.0), (False, 0.77)])
def test_what_was_never_run_again_is_a_dependency_less_surely(again: bool, chance: float) -> None:
    shell = Shell(
        listed(EXPORT),
        listed(CLOSE),
        depends(EXPORT, CLOSE, 0.85),
        *late_days(7, 14, 21, again=again),
        ran(EXPORT, at_s(5.0), 65 * MIN_S, failed=True),
        ran(CLOSE, at_s(6.0)),
    )
    assert shell.look(at_s(6.75)).chance == pytest.approx(chance, abs=0.08)


def test_a_day_that_was_late_for_an_upstream_does_not_tell_when_it_begins() -> None:
    """The export is in time today, so the close has no reason to begin at half past six."""
    shell = Shell(
        listed(EXPORT),
        listed(CLOSE, EXPORT),
        *(
            run
            for day in BEFORE
            for late in [day % 2 * 60 * MIN_S]
            for run in (
                ran(EXPORT, day * DAY_S + 5 * HOUR_S, 30 * MIN_S + late),
                ran(CLOSE, day * DAY_S + 5.75 * HOUR_S + late * 0.75),
            )
        ),
        ran(EXPORT, at_s(5.0)),
    )
    assert shell.look(at_s(5.6)).expected_s == at_s(6.25)


def test_a_failure_is_tried_again_as_soon_as_others_were() -> None:
    failures = (
        run
        for day in (3, 9, 15)
        for run in (
            ran(EXPORT, (MONDAY + day) * DAY_S + 12 * HOUR_S, failed=True),
            ran(EXPORT, (MONDAY + day) * DAY_S + 12.75 * HOUR_S),
        )
    )
    shell = Shell(
        listed(EXPORT),
        listed(CLOSE),
        *daily(CLOSE, 6.0, BEFORE),
        *failures,
        ran(CLOSE, at_s(6.0), 10 * MIN_S, failed=True),
    )
    # A quarter of an hour after a failure the next try begins, which takes half an hour.
    assert shell.look(at_s(6.0, 11)).expected_s == at_s(6.0, 55)


def test_who_is_known_to_read_the_day_before_does_not_wait(shell: Shell) -> None:
    """The export at eight feeds tomorrow's close."""
    late = Shell(
        listed(EXPORT),
        listed(CLOSE),
        depends(EXPORT, CLOSE),
        *daily(EXPORT, 6.25, BEFORE),
        *daily(CLOSE, 6.0, BEFORE),
    )
    assert late.look(at_s(6.0, 20)).late is not EXPORT


def test_a_declared_upstream_may_end_while_the_reader_waits_inside() -> None:
    shell = Shell(
        listed(EXPORT),
        listed(CLOSE, EXPORT),
        *daily(EXPORT, 6.25, BEFORE, 10 * MIN_S),
        *daily(CLOSE, 6.0, BEFORE, 45 * MIN_S),
        begun(CLOSE, at_s(6.0)),
        begun(EXPORT, at_s(6.25)),
    )
    state = shell.look(at_s(6.0, 59))
    assert (state.standing, state.late) == (Standing.AT_RISK, EXPORT)


def test_a_pipeline_that_never_runs_on_this_day_is_not_waited_for() -> None:
    weekdays = [day for day in BEFORE if (day + 3) % 7 < 5]
    shell = Shell(
        listed(EXPORT),
        listed(CLOSE),
        depends(EXPORT, CLOSE),
        *(
            run
            for day in weekdays
            if day % 7 != TODAY % 7
            for run in daily(EXPORT, 5.0, range(day, day + 1))
        ),
        *daily(CLOSE, 6.0, BEFORE),
    )
    assert shell.look(at_s(6.75)).late is not EXPORT


def test_few_runs_leave_it_unknown() -> None:
    shell = Shell(listed(CLOSE), *daily(CLOSE, 6.0, range(TODAY - 2, TODAY)))
    assert shell.look(at_s(5.0)).standing is Standing.UNKNOWN


def test_what_read_yesterdays_data_has_missed_its_deadline(shell: Shell) -> None:
    """It began at six and the export was done at ten past; nobody ran it again."""
    shell.take(begun(EXPORT, at_s(5.0)), begun(CLOSE, at_s(6.0)))
    shell.look(at_s(6.0, 5))
    shell.take(ran(EXPORT, at_s(5.0), 70 * MIN_S), ran(CLOSE, at_s(6.0), 30 * MIN_S))
    shell.look(at_s(6.0, 40))
    assert shell.look(at_s(7.0, 2)).standing is Standing.MISSED


def a_morning(shell: Shell, day: int, took_min: float) -> None:
    """The export goes on for so long, and the close begins when it is done."""
    five_s, six_s = day * DAY_S + 5 * HOUR_S, day * DAY_S + 6 * HOUR_S
    shell.take(begun(EXPORT, five_s))
    begins_s = max(six_s, five_s + took_min * MIN_S)
    for now_s in range(int(five_s) + 60, int(six_s + HOUR_S), 300):
        if begins_s <= now_s < begins_s + 300:
            shell.take(ran(EXPORT, five_s, took_min * MIN_S), begun(CLOSE, begins_s))
        if begins_s + 1_800 <= now_s < begins_s + 2_100:
            shell.take(ran(CLOSE, begins_s, 1_800))
        shell.look(now_s)
    shell.look(six_s + HOUR_S + 61)
    shell.take(ran(EXPORT, five_s, took_min * MIN_S), ran(CLOSE, begins_s, 1_800))


def test_warnings_count_how_many_came_true_and_how_early_they_were(shell: Shell) -> None:
    for day, took_min in enumerate([30.0, 100.0, 30.0]):
        a_morning(shell, TODAY + 1 + day, took_min)
    [week] = shell.states[-1].weeks
    assert week[1:5] == (3, 1, 1, 1)
    [lead_s] = week.leads_s
    assert 20 * MIN_S < lead_s < 60 * MIN_S


def test_a_rule_that_is_mostly_wrong_is_muted_and_comes_back(shell: Shell) -> None:
    wrong = Week(TODAY * DAY_S - 7 * DAY_S, 7, 5, 1, 1, (1_200.0,))
    before = SlaState(SLA, TODAY * DAY_S - 17 * HOUR_S, Standing.MET, is_judged=True)
    shell.promises.apply(SlaChanged(replace(before, weeks=(wrong,))))
    shell.take(begun(EXPORT, at_s(5.0)))
    state = shell.look(at_s(6.0, 20))
    assert (state.standing, state.warned_at_s) == (Standing.AT_RISK, at_s(6.0, 20))
    assert shell.findings == []
    better = Week(TODAY * DAY_S - 7 * DAY_S, 7, 5, 3, 3, (1_200.0,) * 3)
    shell.promises.apply(SlaChanged(replace(state, weeks=(better,))))
    shell.look(at_s(6.0, 21))
    assert [finding.closed_at_s for finding in shell.findings] == [None]


def tagged(*tags: str) -> GraphRecord:
    return PipelineSeen(Pipeline(CLOSE, tags=tags))


def test_a_pipeline_states_an_sla_by_a_tag(shell: Shell) -> None:
    shell.take(tagged("finance", "sla:09:15@Europe/Berlin", "sla:7:30", "sla:06:00@Nowhere"))
    shell.look(at_s(4.0))
    found = {state.sla.name: state.origin for state in shell.states}
    assert found == {
        "dag/close by 07:00 UTC": Origin.SETTINGS,
        "dag/close by 09:15 Europe/Berlin": Origin.STATED,
    }
    assert shell.states[-1].deadline_s == at_s(8.25)  # November


@pytest.mark.parametrize("gone", [tagged("finance"), PipelineGone(CLOSE)])
def test_what_it_states_no_more_is_dropped(shell: Shell, gone: GraphRecord) -> None:
    shell.take(tagged("sla:06:45"))
    shell.look(at_s(4.0))
    shell.take(gone)
    shell.look(at_s(4.0, 1))
    dropped = [state.sla.by_s for state in shell.states if state.standing is Standing.DROPPED]
    assert dropped == [6.75 * HOUR_S]


def test_what_the_settings_say_too_is_theirs(shell: Shell) -> None:
    shell.take(tagged("sla:07:00"))
    assert shell.look(at_s(4.0)).origin is Origin.SETTINGS
    assert len(shell.states) == 1


ACCEPTED = SlaAccepted(Sla(CLOSE, 6.5 * HOUR_S), "ann", 1.0)
DECLINED = SlaDeclined(CLOSE, "bob", 2.0)


def test_what_a_person_accepts_is_kept_like_any_other(shell: Shell) -> None:
    shell.promises.apply(ACCEPTED)
    state = shell.look(at_s(4.0))
    assert (state.origin, state.deadline_s) == (Origin.ACCEPTED, at_s(6.5))
    shell.take(begun(EXPORT, at_s(5.0)))
    shell.look(at_s(6.0, 10))
    assert [finding.sla.sla.by_s for finding in shell.findings if finding.sla] == [6.5 * HOUR_S]


def test_a_pipeline_has_one_accepted_sla_the_newest(shell: Shell) -> None:
    shell.promises.apply(ACCEPTED)
    shell.look(at_s(4.0))
    shell.promises.apply(replace(ACCEPTED, sla=Sla(CLOSE, 6.75 * HOUR_S)))
    shell.look(at_s(4.0, 1))
    assert [sla.by_s / HOUR_S for sla in shell.promises.slas] == [7.0, 6.75]
    dropped = [state.sla.by_s for state in shell.states if state.standing is Standing.DROPPED]
    assert dropped == [6.5 * HOUR_S]


def test_who_declines_ends_what_was_accepted_and_nothing_else(shell: Shell) -> None:
    shell.take(tagged("sla:06:45"))
    shell.promises.apply(ACCEPTED)
    shell.promises.apply(DECLINED)
    assert [sla.by_s / HOUR_S for sla in shell.promises.slas] == [7.0, 6.75]
    assert shell.promises.terms.declined == {CLOSE}
    shell.promises.apply(ACCEPTED)
    assert shell.promises.terms.declined == frozenset()


@pytest.mark.parametrize("said", [[ACCEPTED], [ACCEPTED, DECLINED]])
def test_what_people_said_outlives_a_restart(
    shell: Shell, said: list[SlaAccepted | SlaDeclined]
) -> None:
    for record in said:
        shell.promises.apply(record)
    again = Shell()
    for kept in shell.promises.records():
        again.promises.apply(kept)
    assert again.promises.terms == shell.promises.terms


def test_replay_leaves_nothing_to_tell(shell: Shell) -> None:
    shell.take(begun(EXPORT, at_s(5.0)))
    shell.look(at_s(6.0, 20))
    again = Shell(*shell.taken)
    for told in shell.promises.records():
        again.promises.apply(told)
    assert again.promises.decide(at_s(6.0, 20)) == []


def test_what_nobody_promises_any_more_is_dropped_with_its_warning(shell: Shell) -> None:
    shell.take(begun(EXPORT, at_s(5.0)))
    shell.look(at_s(6.0, 20))
    without = Promises(shell.world, [])
    for told in shell.promises.records():
        without.apply(told)
    dropped, closed = without.decide(at_s(6.0))
    assert isinstance(dropped, SlaChanged)
    assert dropped.state.standing is Standing.DROPPED
    assert isinstance(closed, FindingChanged)
    assert closed.finding.closed_at_s == at_s(6.0)
