"""The day ahead with something changed. The export runs from five to half past, the close from six
to half past behind it, and the deck from eight to ten past; the close is promised by seven."""

from collections.abc import Iterator

import pytest

from swarm.errors import InputError
from swarm.model.graph import GraphRecord, RunSeen
from swarm.model.keys import PipelineKey
from swarm.model.runs import Run, RunState
from swarm.model.sla import Sla
from swarm.sequencing.day_ahead import DayAhead, day_ahead
from swarm.sequencing.slots import NEVER_S, Outage, Piece, ends_of, most_at_once
from swarm.sequencing.whatif import Added, Changes, Filling, Loss, Outlook, simulate
from swarm.sequencing.world import World
from tests.unit.sequencing.mornings import (
    DAY_S,
    HOUR_S,
    MIN_S,
    MONDAY,
    daily,
    depends,
    listed,
    ran,
)

EXPORT, CLOSE, DECK = (
    PipelineKey("air", "export"),
    PipelineKey("dag", "close"),
    PipelineKey("dag", "deck"),
)
NEW = PipelineKey("air", "new")
TODAY = MONDAY + 29  # a working day
BEFORE = range(MONDAY, TODAY)
PROMISED = Sla(CLOSE, 7 * HOUR_S)
EVENING_S = TODAY * DAY_S - 4 * HOUR_S


def at_s(hour: float, minute: float = 0.0) -> float:
    return TODAY * DAY_S + hour * HOUR_S + minute * MIN_S


def world(*records: GraphRecord) -> World:
    made = World()
    for record in records:
        made.apply(record)
    return made


def usual() -> Iterator[GraphRecord]:
    yield from (listed(EXPORT), listed(CLOSE), listed(DECK), depends(EXPORT, CLOSE))
    yield from daily(EXPORT, 5.0, BEFORE)
    yield from daily(CLOSE, 6.0, BEFORE)
    yield from daily(DECK, 8.0, BEFORE, 10 * MIN_S)


@pytest.fixture
def day() -> DayAhead:
    return day_ahead(world(*usual()), EVENING_S)


def ends(found: Outlook, key: PipelineKey) -> float:
    (one,) = [one for one in found.pipelines if one.key == key]
    return one.after.p50_s


def chances(found: Outlook) -> tuple[float | None, float | None]:
    (sla,) = found.slas
    return sla.before, sla.after


def test_the_day_begins_when_little_runs_and_goes_as_days_like_it_went(day: DayAhead) -> None:
    assert day.begins_s == TODAY * DAY_S - HOUR_S
    assert len(day.ago) == 20, "the working days of four weeks"
    assert day.slots == {"air": 1, "dag": 1}
    found = simulate(day, Changes(), [PROMISED], draws=20)
    assert [ends(found, key) for key in (EXPORT, CLOSE)] == [at_s(5.5), at_s(6.5)]
    assert all(one.before == one.after for one in found.pipelines)
    assert chances(found) == (0.0, 0.0)
    assert found.slas[0].deadline_s == at_s(7)


def test_a_day_is_not_cut_between_a_writer_and_its_reader() -> None:
    """The export begins at four in the afternoon, the close at one in the night."""
    night = world(
        *(listed(EXPORT), listed(CLOSE), depends(EXPORT, CLOSE)),
        *daily(EXPORT, 16.0, BEFORE),
        *daily(CLOSE, 25.0, BEFORE),
    )
    found = simulate(day_ahead(night, EVENING_S), Changes({EXPORT: 12 * HOUR_S}), [], draws=20)
    assert ends(found, EXPORT) - found.begins_s == 13.5 * HOUR_S, "the day begins at three"
    assert ends(found, CLOSE) - ends(found, EXPORT) == 0.5 * HOUR_S


@pytest.mark.parametrize(("late_min", "end_s", "chance"), [(20, 6.5, 0.0), (65, 7 + 5 / 60, 1.0)])
def test_a_late_source_moves_who_waits_for_it_once_the_buffer_is_used_up(
    day: DayAhead, late_min: int, end_s: float, chance: float
) -> None:
    found = simulate(day, Changes(late_s={EXPORT: late_min * MIN_S}), [PROMISED], draws=20)
    assert ends(found, EXPORT) == at_s(5.5, late_min)
    assert ends(found, CLOSE) == pytest.approx(at_s(end_s))
    assert ends(found, DECK) == at_s(8, 10)
    assert chances(found) == (0.0, chance)
    assert found.pipelines[0].key == EXPORT, "the most moved first"
    moved = {one.key: one.later for one in found.pipelines}
    assert moved == {EXPORT: 1.0, CLOSE: float(late_min == 65), DECK: 0.0}


def test_a_dependency_that_is_unsure_counts_as_often_as_it_is_sure() -> None:
    records = [record for record in usual() if record != depends(EXPORT, CLOSE)]
    unsure = day_ahead(world(*records, depends(EXPORT, CLOSE, 0.85)), EVENING_S)
    found = simulate(unsure, Changes(late_s={EXPORT: 2 * HOUR_S}), [PROMISED], seed=3)
    before, after = chances(found)
    assert before == 0.0
    assert after == pytest.approx(0.85, abs=0.04)


def test_a_day_that_was_late_is_drawn_as_often_as_it_came() -> None:
    """The export of every fifth working day takes two hours more; the close has waited for it."""
    records: list[GraphRecord] = [listed(EXPORT), listed(CLOSE, EXPORT)]
    for day in BEFORE:
        late_s = 2 * HOUR_S if day % 7 == TODAY % 7 else 0.0
        records += [
            ran(EXPORT, day * DAY_S + 5 * HOUR_S, 1_800.0 + late_s),
            ran(CLOSE, day * DAY_S + max(6 * HOUR_S, 5.5 * HOUR_S + late_s)),
        ]
    found = simulate(day_ahead(world(*records), EVENING_S), Changes(), [PROMISED], seed=2)
    assert chances(found)[0] == pytest.approx(0.2, abs=0.04)
    assert chances(found)[0] == chances(found)[1]


def test_a_lost_slot_makes_what_it_ran_begin_again_when_it_is_back(day: DayAhead) -> None:
    lost = Loss(1.0, 6.25 * HOUR_S, HOUR_S, "dag")
    found = simulate(day, Changes(losses=(lost,)), [PROMISED], draws=20)
    assert ends(found, CLOSE) == at_s(7.75), "it begins anew at a quarter past seven"
    assert ends(found, EXPORT) == at_s(5.5), "the other orchestrator lost nothing"
    assert chances(found) == (0.0, 1.0)


def test_fewer_slots_make_runs_wait_in_turn(day: DayAhead) -> None:
    both = Changes(room={"dag": 2}, late_s={CLOSE: 1.9 * HOUR_S})
    assert ends(simulate(day, both, [], draws=20), DECK) == at_s(8, 10)
    one = Changes(room={"dag": 2}, slots={"dag": -1}, late_s={CLOSE: 1.9 * HOUR_S})
    found = simulate(day, one, [], draws=20)
    assert (ends(found, CLOSE), ends(found, DECK)) == (at_s(8, 24), at_s(8, 34))
    none = simulate(day, Changes(slots={"": -1}), [PROMISED], draws=20)
    assert ends(none, CLOSE) == NEVER_S
    assert chances(none) == (0.0, 1.0)


def test_more_slots_help_runs_that_waited_for_one() -> None:
    """Planned at six and a minute past; the deck has always waited until the close was done, but
    for three days on which the close did not run."""
    records: list[GraphRecord] = [listed(CLOSE), listed(DECK)]
    for day in BEFORE:
        six_s, free = day * DAY_S + 6 * HOUR_S, day in (MONDAY + 1, MONDAY + 8, MONDAY + 16)
        began_s = six_s + (60.0 if free else 1_800.0)
        records += [] if free else [ran(CLOSE, six_s)]
        planned = Run(DECK, f"r{day}", RunState.SUCCEEDED, six_s + 60.0, began_s, began_s + 600.0)
        records.append(RunSeen(planned))
    waited = day_ahead(world(*records), EVENING_S)
    assert waited.slots == {"dag": 1}
    found = simulate(waited, Changes(slots={"dag": 1}), [], draws=20)
    (deck,) = [one for one in found.pipelines if one.key == DECK]
    assert deck.before is not None
    assert (deck.before.p50_s, deck.after.p50_s) == (at_s(6, 40), at_s(6, 11))


def test_a_doubled_backfill_takes_the_room_of_others(day: DayAhead) -> None:
    """Six runs of half an hour, two at once, from a quarter to six on: done at a quarter past
    seven, and with one slot alone the close is behind them."""
    fill = Filling(CLOSE, 6, 2, 5.75 * HOUR_S)
    wide = simulate(day, Changes(room={"dag": 3}, fillings=(fill,)), [PROMISED], draws=20)
    assert chances(wide) == (0.0, 0.0)
    tight = simulate(day, Changes(fillings=(fill,)), [PROMISED], draws=20)
    assert ends(tight, CLOSE) == at_s(7.25)
    assert chances(tight) == (0.0, 1.0)


def test_a_new_pipeline_stands_behind_what_it_reads_and_before_who_reads_it(day: DayAhead) -> None:
    new = Added(NEW, 50 * MIN_S, after=(EXPORT,), before=(CLOSE,))
    found = simulate(day, Changes(room={"air": 5}, added=(new,)), [PROMISED], draws=20)
    assert (ends(found, NEW), ends(found, CLOSE)) == (at_s(6, 20), at_s(6, 50))
    assert found.pipelines[0].key == NEW
    assert found.pipelines[0].before is None
    clocked = Added(NEW, 50 * MIN_S, at_s=6 * HOUR_S, before=(CLOSE,))
    found = simulate(day, Changes(added=(clocked,)), [PROMISED], draws=20)
    assert (ends(found, NEW), ends(found, CLOSE)) == (at_s(6, 50), at_s(7, 20))


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        (Changes(late_s={PipelineKey("air", "nope"): 60.0}), "air/nope, and there is no such"),
        (Changes(fillings=(Filling(NEW, 3),)), "air/new"),
        (Changes(added=(Added(CLOSE, 60.0),)), "dag/close is there already"),
        (Changes(added=(Added(NEW, 60.0, after=(PipelineKey("x", "y"),)),)), "x/y"),
        (
            Changes(added=(Added(NEW, 60.0, after=(CLOSE,), before=(EXPORT,)),)),
            "in a ring: .*air/new",
        ),
        (Changes(losses=(Loss(0.5, 0.0, 60.0, "mars"),)), "`mars`; there are: air, dag"),
    ],
)
def test_a_change_of_what_is_not_there_is_refused_by_name(
    day: DayAhead, changes: Changes, said: str
) -> None:
    with pytest.raises(InputError, match=said):
        simulate(day, changes, [], draws=1)


def test_too_few_runs_are_said_to_be_too_few() -> None:
    few = day_ahead(world(listed(CLOSE), *daily(CLOSE, 6.0, range(TODAY - 2, TODAY))), EVENING_S)
    assert few.unknown == (CLOSE,)
    with pytest.raises(InputError, match="three days"):
        simulate(few, Changes(), [PROMISED])


def test_the_same_seed_gives_the_same_answer(day: DayAhead) -> None:
    changes = Changes(late_s={EXPORT: 3_000.0})
    assert simulate(day, changes, [PROMISED], 5) == simulate(day, changes, [PROMISED], 5)


def test_slots_are_taken_in_turn_and_an_end_comes_before_a_beginning() -> None:
    assert most_at_once([("a", 0, 10), ("a", 5, 12), ("a", 10, 20), ("b", 0, 1)]) == {
        "a": 2,
        "b": 1,
    }
    pieces = [Piece("a", 0.0, 10.0), Piece("a", 1.0, 10.0), Piece("a", 2.0, 5.0, within=(1,))]
    assert ends_of(pieces, {"a": 1}, {}) == [10.0, 20.0, 25.0]
    assert ends_of(pieces, {}, {}) == [10.0, 11.0, 11.0]
    gone = {"a": Outage(1, 5.0, 7.0)}
    assert ends_of(pieces[:2], {"a": 2}, gone) == [17.0, 11.0]
    ring = [Piece("a", 0.0, 1.0, after=(1,)), Piece("a", 0.0, 1.0, after=(0,))]
    assert ends_of(ring, {}, {}) == [NEVER_S, NEVER_S]
