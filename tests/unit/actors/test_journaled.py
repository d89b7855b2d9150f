"""A journaled state comes back as it was, through its snapshot and what came after it."""

import pytest
import stamina

from swarm.actors import journaled as module
from swarm.actors.connector import Position
from swarm.actors.journaled import Journaled, trails
from swarm.config import Settings
from swarm.errors import Conflict, SafeMode, StoreError, Unreachable
from swarm.model.causes import asked_cause
from swarm.model.connectors import ConnectorChanged, ConnectorState, CursorMoved
from swarm.model.journal import Quarantined
from swarm.store.follow import Follower
from swarm.store.journal import open_journal
from swarm.store.projector import open_projector
from swarm.store.trail import standing
from tests.unit.migrated import lay_out

STREAM = "connector:airflow"
DAY_S = 86_400.0


@pytest.fixture
def settings(tmp_path):
    lay_out(tmp_path, STREAM)
    return Settings(state_dir=tmp_path)


def opened(settings):
    position = Position()
    return position, Journaled(settings, STREAM, position, snapshot_every=5)


def project(settings):
    journal = open_journal(settings.store_url, settings.state_dir)
    Follower(journal, open_projector(settings.store_url, settings.state_dir)).catch_up()
    return journal


@pytest.mark.parametrize("moves", [1, 5, 12])
async def test_it_replays_to_where_it_was(settings, moves):
    position, journaled = opened(settings)
    failing = ConnectorChanged("airflow", "airflow", ConnectorState.UNAVAILABLE, "down")
    await journaled.append([failing], 1.0, "cause")
    for n in range(moves):
        await journaled.append([CursorMoved("airflow", f"c{n}")], 2.0 + n, "cause")
    again, reopened = opened(settings)
    assert again.moved == CursorMoved("airflow", f"c{moves - 1}")
    assert again.changed == failing
    assert list(again.records()) == list(position.records())
    assert reopened.last_seq == moves + 1


async def test_what_a_reader_has_not_seen_is_not_trimmed(settings):
    _, journaled = opened(settings)
    for n in range(4):
        await journaled.append([CursorMoved("airflow", f"c{n}")], 1.0, "cause")
    journal = project(settings)
    for n in range(4, 12):
        await journaled.append([CursorMoved("airflow", f"c{n}")], 1.0, "cause")
    assert 0 < journal.trimmed(STREAM) < 4
    assert [entry.seq for entry in journal.read(STREAM, 4, 100)] == list(range(5, 13))


async def test_who_was_overtaken_can_no_longer_write(settings):
    position, journaled = opened(settings)
    opened(settings)
    with pytest.raises(Conflict):
        await journaled.append([CursorMoved("airflow", "late")], 1.0, "cause")
    assert position.moved is None


async def test_a_store_that_is_busy_at_the_start_is_asked_again():
    """An actor whose constructor raises is never started again by Ray."""
    asked = []

    def busy():
        asked.append(1)
        if len(asked) < 3:
            raise Unreachable("locked by another process")
        return "open"

    with stamina.set_testing(True, attempts=5):
        assert await module.opened(busy) == "open"
    assert len(asked) == 3


class Fragile(Position):
    """It cannot take what is marked so."""

    def apply(self, record):
        assert record != POISON, "no such cursor"
        super().apply(record)


POISON = CursorMoved("airflow", "poison")


def replayed(settings, **how):
    """A replay, again and again as actors do; how often it was begun."""
    for tries in range(1, 6):
        fragile = Fragile()
        try:
            return fragile, Journaled(settings, STREAM, fragile, snapshot_every=5, **how), tries
        except SafeMode:
            return fragile, None, tries
        except StoreError:
            continue
    raise AssertionError("it stopped five times")


async def poisoned(settings):
    _, journaled = opened(settings)
    moves = [CursorMoved("airflow", "before"), POISON, CursorMoved("airflow", "after")]
    await journaled.append(moves, 1.0, "cause")
    return journaled


async def test_a_record_that_stops_it_three_times_is_stood_still_before(settings):
    await poisoned(settings)
    fragile, journaled, tries = replayed(settings, safe_mode=True)
    assert tries == 4
    assert fragile.moved == CursorMoved("airflow", "before")
    assert "before record 2, which stopped it three times: `swarm status`" in str(
        journaled.standstill
    )
    (stands,) = standing(trails(settings))
    assert (stands.stream, stands.seq) == (STREAM, 2)
    assert stands.why.startswith("CursorMoved cannot be applied: AssertionError(")
    assert replayed(settings)[1] is None, "who knows no safe mode does not come up"


async def test_it_goes_on_without_what_a_person_set_aside(settings):
    await poisoned(settings)
    _, journaled, _ = replayed(settings, safe_mode=True)
    journal = open_journal("", settings.state_dir)
    for by in ("ann", "ben"):  # once is enough
        journal.quarantine(STREAM, 2, by, "a bug", 9.0)
    await journaled.until_quarantined()
    fragile, again, tries = replayed(settings)
    assert (tries, again.standstill) == (1, None)
    assert fragile.moved == CursorMoved("airflow", "after")
    assert list(standing(trails(settings))) == []
    kept = journal.read(STREAM, 0, 10)[1].record
    assert isinstance(kept, Quarantined)
    assert (kept.type, kept.by, kept.reason, kept.at_s) == ("CursorMoved", "ann", "a bug", 9.0)
    assert "poison" in kept.body
    project(settings)


async def test_another_version_gets_past_it(settings):
    await poisoned(settings)
    replayed(settings, safe_mode=True)
    position, journaled = opened(settings)
    assert (position.moved.cursor, journaled.standstill) == ("after", None)
    assert list(standing(trails(settings))) == []


@pytest.mark.parametrize(("days", "left"), [(1, [8, 9, 10]), (0, list(range(1, 10)))])
async def test_who_changed_what_goes_after_as_many_days_as_are_set(tmp_path, days, left):
    settings = Settings(state_dir=tmp_path, audit_days=days)
    _, journaled = opened(settings)
    cause = asked_cause("key:1", "POST /push", "a")
    for number in range(1, 9):
        await journaled.append([CursorMoved("airflow", str(number))], float(number), cause)
    journal = project(settings)  # the newest record that it has seen stays
    await journaled.append([CursorMoved("airflow", "9")], 86_400.0 + 8.5, cause, snapshot=True)
    rows = [row.no for row in reversed(journal.audit().rows(100))]
    assert rows == left
    assert [verdict.wrong for verdict in journal.audit().verify()] == [""]


class HandClock:
    """Both clocks by hand."""

    def __init__(self, now_s):
        self.wall_s, self.passed_s = now_s, 0.0

    def now_s(self):
        return self.wall_s

    def monotonic_s(self):
        return self.passed_s

    def go_on(self, for_s):
        self.wall_s += for_s
        self.passed_s += for_s


async def changes(settings, clock, days):
    """One change a day."""
    journaled = Journaled(settings, STREAM, Position(), snapshot_every=100, clock=clock)
    cause = asked_cause("key:1", "POST /push", "a")
    for day in range(days):
        await journaled.append([CursorMoved("airflow", str(day))], clock.now_s(), cause)
        clock.go_on(DAY_S)
    return journaled, project(settings)


async def kept(journaled, journal, clock):
    moved = [CursorMoved("airflow", "end")]
    await journaled.append(moved, clock.now_s(), "connector", snapshot=True)
    assert {one.wrong for one in journal.audit().verify()} == {""}
    return sum(row.types != "AuditTrimmed" for row in journal.audit().rows(100))


async def test_a_clock_that_jumps_forward_makes_no_change_old(tmp_path):
    settings, clock = Settings(state_dir=tmp_path, audit_days=3), HandClock(1e9)
    journaled, journal = await changes(settings, clock, 5)
    clock.wall_s += 400 * DAY_S
    assert await kept(journaled, journal, clock) == 3


async def test_a_start_with_a_clock_that_is_ahead_makes_no_change_old(tmp_path):
    settings, clock = Settings(state_dir=tmp_path, audit_days=3), HandClock(1e9)
    _, journal = await changes(settings, clock, 3)
    clock.wall_s += 400 * DAY_S
    again = Journaled(settings, STREAM, Position(), snapshot_every=100, clock=clock)
    assert await kept(again, journal, clock) == 3
    clock.go_on(1.5 * DAY_S)
    assert await kept(again, journal, clock) == 2
