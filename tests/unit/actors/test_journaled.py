"""A journaled state comes back as it was, through its snapshot and what came after it."""

import pytest
import stamina

from swarm.actors import journaled as module
from swarm.actors.connector import Position
from swarm.actors.journaled import Journaled
from swarm.config import Settings
from swarm.errors import Conflict, Unreachable
from swarm.model.journal import ConnectorChanged, ConnectorState, CursorMoved
from swarm.store.follow import Follower
from swarm.store.journal import open_journal
from swarm.store.projector import open_projector

STREAM = "connector:airflow"


@pytest.fixture
def settings(tmp_path):
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
