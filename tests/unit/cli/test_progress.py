"""How far something long is: shown on a terminal, and nowhere else."""

import contextlib
import io
import json
import re
import sys
import time

import pytest

from swarm.cli import main
from swarm.cli.progress import progress
from swarm.cli.terminal import text_alone


@pytest.fixture(autouse=True)
def _xterm(monkeypatch):
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("COLUMNS", "120")


class Terminal(io.StringIO):
    def isatty(self):
        return True


def drawn(stream, *shares, line=""):
    with contextlib.redirect_stderr(stream), text_alone(), progress("Replaying 30 days") as course:
        for share in shares:
            course.reach(share)
        if line:
            course.say(line)
    return stream.getvalue()


def test_a_terminal_is_told_what_is_done_and_how_far_it_is():
    unknown, half = drawn(Terminal()), drawn(Terminal(), 0.1, 0.5)
    assert "Replaying 30 days" in unknown
    assert "%" not in unknown
    assert "50%" in half


def test_the_line_goes_when_it_is_done():
    """Up by a line and clear it, as the last thing that is written."""
    assert drawn(Terminal(), 1.0).endswith(("\x1b[1A\x1b[2K", "\r\x1b[1A\x1b[2K"))


def test_a_pipe_gets_nothing(monkeypatch):
    monkeypatch.setenv("FORCE_COLOR", "1")  # asks for colours, not for what moves about
    assert drawn(io.StringIO(), 0.5, line="reading airflow (7 facts)") == ""


def test_a_name_in_it_is_text_on_a_terminal():
    shown = drawn(Terminal(), line="reading \x1b]0;owned\x07[red]air (7 facts) ...")
    assert "\x1b]0;owned" not in shown
    assert r"reading \x1b]0;owned\x07[red]air (7 facts) ..." in shown


DAY_S = 86_400.0


@pytest.fixture
def replayed(tmp_path, monkeypatch):
    """What `swarm replay` of a manifest prints to two streams."""
    monkeypatch.delenv("SWARM_CONFIG", raising=False)
    today_s = time.time() // DAY_S * DAY_S
    runs = [
        {"started_at_s": today_s - ago * DAY_S, "ended_at_s": today_s - ago * DAY_S + 1_800.0}
        for ago in range(35, 0, -1)
    ]
    manifest = tmp_path / "tasks.jsonl"
    load = {"pipeline": "load", "task": "t", "writes": ["raw.orders"], "runs": runs}
    manifest.write_text(json.dumps(load) + "\n")
    asked = ["swarm", "replay", "--manifest", str(manifest), "-o", "json"]
    monkeypatch.setattr(sys, "argv", asked)

    def printed(out, err):
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
            with pytest.raises(SystemExit) as done:
                main.main()
            assert not done.value.code
        return out.getvalue(), err.getvalue()

    return printed


def test_a_replay_says_how_far_it_is_and_leaves_its_answer_alone(replayed):
    out, err = replayed(io.StringIO(), Terminal())
    assert json.loads(out)["runs"] > 0
    assert "Reading the sources" in err
    assert "Replaying 30 days" in err
    assert max(map(int, re.findall(r"(\d+)%", err))) > 90


def test_a_replay_on_a_pipe_says_nothing_beside_its_answer(replayed):
    out, err = replayed(io.StringIO(), io.StringIO())
    assert json.loads(out)["runs"] > 0
    assert err == ""
