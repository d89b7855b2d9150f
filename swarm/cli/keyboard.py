"""The person at the terminal, for a command that draws on it again and again.

Keys come one by one and are not shown, a new size of the terminal is told at once, and however the
command ends, the terminal is as it was.
"""

import contextlib
import os
import select
import signal
import termios
import tty
from collections.abc import Callable, Iterator
from typing import TextIO

RESIZED = "resized"  # no key is called so
GONE = ""

_READ_BYTES = 64


@contextlib.contextmanager
def watched(stdin: TextIO) -> Iterator[Callable[[float], str | None]]:
    """What is given waits so many seconds: the keys that were pressed, `RESIZED`, `GONE` where
    nobody can press any more, else None. Keys are only heard where `stdin` is a terminal. In the
    block SIGTERM interrupts as Ctrl-C does."""
    with contextlib.ExitStack() as stack:
        told = stack.enter_context(_signals())
        heard = [told]
        if stdin.isatty():
            stack.enter_context(_one_by_one(stdin.fileno()))
            heard.append(stdin.fileno())

        def wait(for_s: float) -> str | None:
            ready, _, _ = select.select(heard, (), (), for_s)
            if told in ready:
                os.read(told, _READ_BYTES)
                return RESIZED
            return _pressed(ready[0]) if ready else None

        yield wait


def _pressed(terminal: int) -> str:
    try:
        return os.read(terminal, _READ_BYTES).decode(errors="replace")
    except OSError:  # it was hung up
        return GONE


@contextlib.contextmanager
def _one_by_one(terminal: int) -> Iterator[None]:
    before = termios.tcgetattr(terminal)
    tty.setcbreak(terminal)
    try:
        yield
    finally:
        # What was typed meanwhile was for the command, not for the shell.
        with contextlib.suppress(termios.error):
            termios.tcsetattr(terminal, termios.TCSAFLUSH, before)


@contextlib.contextmanager
def _signals() -> Iterator[int]:
    """Where a byte can be read as soon as the terminal has another size."""
    told, tells = os.pipe()
    os.set_blocking(tells, False)
    woken = signal.set_wakeup_fd(tells, warn_on_full_buffer=False)
    resized = signal.signal(signal.SIGWINCH, lambda *_: None)
    ended = signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        yield told
    finally:
        signal.signal(signal.SIGTERM, ended)
        signal.signal(signal.SIGWINCH, resized)
        signal.set_wakeup_fd(woken)
        os.close(told)
        os.close(tells)
