"""A month twice. The export runs from five to half past; the close reads it and begins by the clock
at six for half an hour; the deck waits for the close, its orchestrator sees to that. The close is
promised by seven, the deck by half past seven."""

from collections.abc import Iterator

import pytest

from swarm.errors import InputError
from swarm.model.graph import GraphRecord
from swarm.model.keys import PipelineKey
from swarm.model.sla import Sla
from swarm.sequencing.savings import HazardCost, Savings, replayed
from swarm.sequencing.turns import turns_of
from swarm.sequencing.world import World
from tests.unit.sequencing.mornings import DAY_S, HOUR_S, MIN_S, MONDAY, depends, listed, ran

EXPORT, CLOSE, DECK = (
    PipelineKey("air", "export"),
    PipelineKey("dag", "close"),
    PipelineKey("dag", "deck"),
)
LEARNT, DAYS = 14, 30
FROM = MONDAY + LEARNT
SLAS = [Sla(CLOSE, 7 * HOUR_S), Sla(DECK, 7.5 * HOUR_S)]


def clock(day: int, hour: float, minute: float = 0.0) -> float:
    return day * DAY_S + hour * HOUR_S + minute * MIN_S


def graph(confidence: float = 1.0) -> Iterator[GraphRecord]:
    yield from (listed(EXPORT), listed(CLOSE), listed(DECK, CLOSE))
    yield depends(EXPORT, CLOSE, confidence)


def good(day: int) -> Iterator[GraphRecord]:
    yield from (ran(EXPORT, clock(day, 5)), ran(CLOSE, clock(day, 6)))
    yield ran(DECK, clock(day, 6, 30), 10 * MIN_S)


def late(day: int) -> Iterator[GraphRecord]:
    """The export is done at a quarter past six; somebody sees it and makes the close again at ten
    past seven, in forty minutes; the deck, which waited for the first, is made again too."""
    yield ran(EXPORT, clock(day, 5), 75 * MIN_S)
    yield from (ran(CLOSE, clock(day, 6)), ran(CLOSE, clock(day, 7, 10), 40 * MIN_S))
    yield ran(DECK, clock(day, 6, 30), 10 * MIN_S)
    yield ran(DECK, clock(day, 7, 50), 12 * MIN_S)


def broken(day: int) -> Iterator[GraphRecord]:
    """The export fails and is run again; the close fails for want of it, twice."""
    yield ran(EXPORT, clock(day, 5), 20 * MIN_S, failed=True)
    yield ran(EXPORT, clock(day, 5, 40), 32 * MIN_S)
    yield from (ran(CLOSE, clock(day, 6), 5 * MIN_S, failed=True), ran(CLOSE, clock(day, 6, 25)))
    yield ran(DECK, clock(day, 6, 55), 10 * MIN_S)


def month(odd: dict[int, Iterator[GraphRecord]], confidence: float = 1.0) -> World:
    world = World()
    for record in graph(confidence):
        world.apply(record)
    for day in range(MONDAY, FROM + DAYS):
        for record in odd.get(day - FROM) or good(day):
            world.apply(record)
    return world


def saved(world: World) -> Savings:
    return replayed(world, SLAS, FROM * DAY_S, (FROM + DAYS) * DAY_S)


def test_what_begins_within_half_a_cadence_is_one_turn() -> None:
    world = month({3: late(FROM + 3)})
    turns = turns_of(CLOSE, world.history.known(CLOSE))
    assert len(turns) == LEARNT + DAYS
    (odd,) = [turn for turn in turns if len(turn.tries) > 1]
    assert [one.started_at_s for one in odd.tries] == [clock(FROM + 3, 6), clock(FROM + 3, 7, 10)]


def test_days_on_which_nothing_was_wrong_save_nothing() -> None:
    found = saved(month({}))
    assert (found.days, found.runs, found.held, found.hazards) == (DAYS, 3 * DAYS, 0, ())
    for one in (found.stale_reads, found.failures, found.sla_misses, found.old_data_min):
        assert (one.without, one.within, one.low, one.high) == (0, 0, 0, 0)
    assert found.slot_h.without == found.slot_h.within == pytest.approx(DAYS * 70 / 60)


def test_a_late_writer_is_waited_for_and_its_reader_runs_once() -> None:
    """With swarm the close begins as the export ends, at a quarter past six, and takes the forty
    minutes of the run that had the data: done five to seven, in time. The deck is behind it."""
    found = saved(month({3: late(FROM + 3)}))
    assert (found.stale_reads.without, found.stale_reads.within) == (2, 0)
    assert (found.failures.without, found.failures.within) == (0, 0)
    assert [(one.without, one.within, one.days) for one in found.slas] == [(1, 0, DAYS)] * 2
    assert (found.sla_misses.without, found.sla_misses.within) == (2, 0)
    assert found.old_data_min.within == 0
    close_min, deck_min = 7 * 60 + 50 - 390, 8 * 60 + 2 - 400
    assert found.old_data_min.without == pytest.approx(close_min + deck_min)
    assert found.slot_h.saved == pytest.approx((30 + 10) / 60)
    assert found.held == 1
    assert found.held_min == pytest.approx(15, abs=0.2)
    (hazard,) = found.hazards
    old_min = pytest.approx(close_min + deck_min)
    assert hazard == HazardCost(EXPORT, CLOSE, True, 2, 0, 2, old_min, pytest.approx(40 / 60))


def test_a_failure_for_want_of_data_does_not_happen() -> None:
    found = saved(month({5: broken(FROM + 5)}))
    assert (found.stale_reads.without, found.failures.without) == (0, 1)
    assert (found.stale_reads.within, found.failures.within) == (0, 0)
    assert found.slot_h.saved == pytest.approx(5 / 60)
    (hazard,) = found.hazards
    assert (hazard.failed, hazard.prevented) == (1, 1)


def test_an_sla_whose_pipeline_only_began_after_its_deadline_was_missed() -> None:
    def lazy(day: int) -> Iterator[GraphRecord]:
        yield from (ran(EXPORT, clock(day, 5)), ran(CLOSE, clock(day, 7, 20)))
        yield ran(DECK, clock(day, 7, 50), 10 * MIN_S)

    found = saved(month({3: lazy(FROM + 3), 4: lazy(FROM + 4), 9: late(FROM + 9)}))
    assert [(one.without, one.within, one.days) for one in found.slas] == [(3, 2, DAYS)] * 2


def test_what_is_not_sure_is_not_held_for_and_said_so() -> None:
    found = saved(month({3: late(FROM + 3)}, confidence=0.9))
    assert (found.stale_reads.without, found.stale_reads.within) == (2, 2)
    assert found.held == 0
    (hazard,) = found.hazards
    assert (hazard.sure, hazard.stale, hazard.prevented) == (False, 2, 0)
    assert found.slot_h.saved == 0


def test_a_writer_that_does_not_come_is_waited_for_no_longer_than_the_policy_says() -> None:
    """The export is done at half past nine; the close begins at eight all the same."""

    def lost(day: int) -> Iterator[GraphRecord]:
        yield ran(EXPORT, clock(day, 5), 4.5 * HOUR_S)
        yield from (ran(CLOSE, clock(day, 6)), ran(DECK, clock(day, 6, 30), 10 * MIN_S))
        yield from (ran(CLOSE, clock(day, 9, 40)), ran(DECK, clock(day, 10, 10), 10 * MIN_S))

    found = saved(month({3: lost(FROM + 3)}))
    assert (found.stale_reads.without, found.stale_reads.within) == (2, 2)
    assert found.held == 1
    assert found.held_min == pytest.approx(120, abs=0.2)


def test_where_all_is_made_again_what_is_not_did_not_matter() -> None:
    """On one of four mornings nobody made the close again: it did not read the export then."""

    def unread(day: int) -> Iterator[GraphRecord]:
        yield ran(EXPORT, clock(day, 5), 75 * MIN_S)
        yield from (ran(CLOSE, clock(day, 6)), ran(DECK, clock(day, 6, 30), 10 * MIN_S))

    odd = {at: late(FROM + at) for at in (3, 8, 15)}
    assert saved(month(odd | {20: unread(FROM + 20)})).stale_reads.without == 6
    alone = saved(month({20: unread(FROM + 20)}))
    assert alone.stale_reads.without == 1, "where nothing is ever made again, it is taken to matter"


def test_the_interval_is_of_days_drawn_again() -> None:
    odd = {at: late(FROM + at) for at in (3, 8, 15)}
    found = saved(month(odd)).stale_reads
    assert (found.saved, found.low, found.high) == (6, 0, 12)


def test_without_runs_there_is_nothing_to_replay() -> None:
    with pytest.raises(InputError, match="no run of the last 30 days"):
        saved(World())


def test_it_tells_how_far_it_is() -> None:
    shares: list[float] = []
    replayed(month({}), SLAS, FROM * DAY_S, (FROM + DAYS) * DAY_S, shares.append)
    assert shares == sorted(set(shares))
    assert 20 <= len(shares) <= 100
    assert 0.9 < shares[-1] <= 1.0
    assert sum(share < 0.5 for share in shares) >= 10  # as it goes on, not all at its end
