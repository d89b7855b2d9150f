"""What a terminal is shown is text, whatever others call their things.

A pipeline may have any name, also one that a terminal takes for orders: to move, to rename its
window, to answer on its own, to write the other way round. Such characters are shown by their
numbers. Colours stay, since ours pass here as well; a name that brings some of its own is only
coloured. A file or a pipe gets what is there.
"""

import contextlib
import re
import sys
from collections.abc import Iterable, Iterator
from typing import Any, TextIO

_ORDERS = re.compile(r"(\x1b\[[0-9;]*m)|[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")


def plain(text: str) -> str:
    """The text with its orders to a terminal shown by their numbers."""
    return _ORDERS.sub(_shown, text)


def _shown(found: re.Match[str]) -> str:
    if found[1]:
        return found[1]
    number = ord(found[0])
    return f"\\x{number:02x}" if number < 0x100 else f"\\u{number:04x}"


class Shown:
    """A stream to a terminal that takes text alone. What is written to its `buffer` is not looked
    at: that is what a program printed."""

    def __init__(self, stream: TextIO) -> None:
        self.stream = stream

    def write(self, text: str) -> int:
        self.stream.write(plain(text))
        return len(text)

    def writelines(self, lines: Iterable[str]) -> None:
        for line in lines:
            self.write(line)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.stream, name)


def drawn_on(stream: TextIO) -> TextIO:
    """Where a command writes that moves about on its terminal, `stream` by what it prints to; its
    names have to be `plain`."""
    return stream.stream if isinstance(stream, Shown) else stream


@contextlib.contextmanager
def text_alone() -> Iterator[None]:
    """In the block what is printed to a terminal, on stdout or stderr, is text alone."""
    with contextlib.ExitStack() as stack:
        if sys.stdout.isatty():
            stack.enter_context(contextlib.redirect_stdout(Shown(sys.stdout)))
        if sys.stderr.isatty():
            stack.enter_context(contextlib.redirect_stderr(Shown(sys.stderr)))
        yield
