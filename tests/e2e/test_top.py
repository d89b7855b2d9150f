"""`swarm top` on a terminal: what it shows of a running swarm, and how it leaves the terminal."""

import os
import re
import signal

import pytest
from rich.cells import cell_len

from tests.e2e.conftest import Swarm
from tests.e2e.dashboard_world import TOKEN, served
from tests.e2e.terminals import Terminal, on_a_terminal
from tests.e2e.test_up import eventually

ALT_ON, ALT_OFF = "\x1b[?1049h", "\x1b[?1049l"
HIDDEN, VISIBLE = "\x1b[?25l", "\x1b[?25h"
PARTS = ("At risk", "Held", "Failing", "Workers", "Sources")
NEVER_S = "600"
HELD = "manifest/board_deck"

shared = pytest.mark.parametrize("swarm", ["shared"], indirect=True)


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    """Of more than a screen holds."""
    with served(tmp_path_factory.mktemp("world")) as found:
        yield found


@pytest.fixture
def top(world, tmp_path):
    """Starts it on the world; it looks again by itself only after ten minutes."""
    token = tmp_path / "token"
    token.write_text(TOKEN)
    token.chmod(0o600)

    def start(*words, **size):
        environ = {"SWARM_URL": world.url, "SWARM_TOKEN_FILE": str(token)}
        return on_a_terminal("top", "--every", NEVER_S, *words, **size, **environ)

    return start


def rows(frame: list[str], part: str) -> list[str]:
    """What stands under a title of the screen."""
    starts = [line.startswith(f"{part} (") for line in frame]
    if not any(starts):
        return []
    after = frame[starts.index(True) + 1 :]
    ends = [at for at, line in enumerate(after) if not line.strip()]
    return [line.rstrip() for line in after[: ends[0] if ends else None]]


def drawn(frame: list[str]) -> bool:
    return bool(frame)


def assert_as_before(terminal: Terminal) -> None:
    """The screen beneath, its cursor and how its keys come."""
    orders = re.findall(r"\x1b\[\?\d+[hl]", terminal.said)
    assert [one for one in orders if one in (ALT_ON, ALT_OFF)] == [ALT_ON, ALT_OFF]
    assert [one for one in orders if one in (HIDDEN, VISIBLE)] == [HIDDEN, VISIBLE]
    assert terminal.modes_now() == terminal.modes


def alone(workers):
    """The one worker, once the one before it is gone."""
    return workers[0] if [one["draining"] for one in workers] == [False] else None


@shared
def test_it_shows_the_swarm_and_follows_it(swarm: Swarm) -> None:
    worker = eventually(lambda: alone(swarm.client.workers()))
    with on_a_terminal("top", "--every", "0.2", SWARM_CONFIG=str(swarm.settings)) as terminal:
        frame = terminal.shows(drawn)
        assert re.match(r"\d\d:\d\d:\d\d  .*\. \d+ pipelines, \d+ implicit", frame[0])
        terminal.shows(lambda now: any("airflow  unavailable  " in r for r in rows(now, "Sources")))
        terminal.shows(lambda now: any("manifest  ok" in row for row in rows(now, "Sources")))
        free = f"{worker['worker']}  works  0 of {worker['slots']} slots"
        terminal.shows(lambda now: free in rows(now, "Workers"))

        assert not any(row.startswith(HELD) for row in rows(terminal.frame, "Held"))
        swarm.client.hold(HELD, by="test", for_s=600.0)
        now_held = re.compile(rf"{HELD}  until \d\d:\d\d  \S.*")
        terminal.shows(lambda now: any(map(now_held.fullmatch, rows(now, "Held"))))
        swarm.client.release(HELD, by="test")
        terminal.shows(lambda now: not any(HELD in r for r in rows(now, "Held")))

        terminal.press("\x03")
        assert terminal.ends() == 0
        assert_as_before(terminal)
    assert "Traceback" not in terminal.said


def test_each_part_has_room_on_any_terminal(top) -> None:
    with top(columns=100, lines=30) as terminal:
        frame = terminal.shows(drawn)
        assert len(frame) == 30
        assert all(any(line.startswith(f"{part} (") for line in frame) for part in PARTS)
        [first, *_] = rows(frame, "At risk")
        late = r" 68%  dagster/finance_close by .* due \d\d:\d\d, waits for airflow/crm_export"
        assert re.fullmatch(late, first)
        assert any("airflow/returns" in row for row in rows(frame, "Failing"))
        assert len(rows(frame, "Workers")) == 3
        assert any("connection refused by 10.0.3.7:443" in row for row in rows(frame, "Sources"))


def test_another_size_is_drawn_at_once_and_within_it(top) -> None:
    with top(columns=120, lines=40) as terminal:
        wide = terminal.shows(drawn)
        assert {cell_len(line) for line in wide} == {120}
        terminal.resize(60, 15)
        narrow = terminal.shows(lambda now: len(now) == 15)
        assert {cell_len(line) for line in narrow} == {60}
        assert all(any(line.startswith(f"{part} (") for line in narrow) for part in PARTS), narrow
        assert narrow[0][:8] == wide[0][:8], "what was seen is drawn, nothing is asked"
        terminal.resize(120, 40)
        assert terminal.shows(lambda now: len(now) == 40) == wide


@pytest.mark.parametrize("key", ["q", "Q", "\x03"], ids=["q", "Q", "Ctrl-C"])
def test_a_key_ends_it_at_once_and_no_other_is_shown(top, key: str) -> None:
    with top() as terminal:
        terminal.shows(drawn)
        terminal.press("zz")
        terminal.press(key)
        assert terminal.ends() == 0
        assert_as_before(terminal)
        assert "zz" not in terminal.said
        assert "^C" not in terminal.said


def test_who_stops_it_from_elsewhere_finds_the_terminal_as_it_was(top) -> None:
    with top() as terminal:
        terminal.shows(drawn)
        os.kill(terminal.process.pid, signal.SIGTERM)
        assert terminal.ends() == 0
        assert_as_before(terminal)
