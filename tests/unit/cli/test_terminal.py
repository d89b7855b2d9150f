"""Names of others reach a terminal as text, whatever is in them."""

import contextlib
import io
import sys

import pytest

from swarm.cli import main, output
from swarm.cli.terminal import Shown, plain, text_alone


class Terminal(io.StringIO):
    def isatty(self):
        return True


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("\x1b]0;owned\x07", r"\x1b]0;owned\x07"),
        ("\x1b[2J\x1b[Hgone", r"\x1b[2J\x1b[Hgone"),
        ("\x1b[6n", r"\x1b[6n"),
        ("\x9b31mred", r"\x9b31mred"),
        ("paid\runpaid", r"paid\x0dunpaid"),
        ("a\x08b\x7f", r"a\x08b\x7f"),
        ("\u202etxt.exe\u202c", r"\u202etxt.exe\u202c"),
        ("\u2066a\u2069", r"\u2066a\u2069"),
    ],
)
def test_what_a_terminal_takes_for_an_order_is_shown_by_its_number(name, shown):
    assert plain(name) == shown


@pytest.mark.parametrize(
    "text",
    [
        "two\nlines\tapart",
        "\x1b[1;31mred\x1b[0m",
        "\u05d9\u05d9\u05e6\u05d5\u05d0 \u062a\u0642\u0631\u064a\u0631",
        "\U0001f469\u200d\U0001f467 \U0001f1ea\U0001f1fa re\u0301union",
    ],
)
def test_text_of_every_script_and_our_colours_stay(text):
    assert plain(text) == text


def test_a_table_on_a_terminal_is_text_and_a_file_gets_what_is_there():
    for stream, shown in ((Terminal(), "\\x1b[2Jload"), (io.StringIO(), "\x1b[2Jload")):
        with contextlib.redirect_stdout(stream), text_alone():
            output.print_table(("pipeline",), [("\x1b[2Jload",)])
        assert shown in stream.getvalue()


def test_what_a_program_printed_passes_as_it_is():
    inside = io.BytesIO()
    stream = io.TextIOWrapper(inside)
    Shown(stream).buffer.write(b"\x1b[2J50 %\r")
    assert inside.getvalue() == b"\x1b[2J50 %\r"


def test_the_command_line_prints_so(monkeypatch):
    streams = Terminal(), Terminal()
    monkeypatch.setattr(sys, "argv", ["swarm", "check", "-c", "no\x1b[2Jwhere.yaml"])
    with contextlib.redirect_stdout(streams[0]), contextlib.redirect_stderr(streams[1]):
        with pytest.raises(SystemExit):
            main.main()
        assert (sys.stdout, sys.stderr) == streams
    told = "".join(stream.getvalue() for stream in streams)
    assert "\x1b[2J" not in told
    assert r"\x1b[2J" in told
